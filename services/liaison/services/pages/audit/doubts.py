"""Identités et doublons: doubts that a colliding identity opened, merges, and who decided. The person stays a number.

Nothing is decided here: whoever keeps both identities compares them, under « Doublons proposés ».
"""

from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from liaison.auth.access import vocabulary
from liaison.auth.access.duplicates import DOUBT
from liaison.auth.access.facts.reading import codes
from liaison.services.pages.audit.reviews import MOST, lines_of
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.layout import render
from liaison.services.pages.marking import _
from liaison.services.pages.record import Record
from liaison.services.pages.signed_in import address_of, signed_in

Tree = dict[str, Any]


KINDS: Final = {
    DOUBT: _("Doublon possible"),
    "merge": _("Dossiers fusionnés"),
    "unmerge": _("Fusion annulée"),
    "distinct": _("Deux personnes, dit après comparaison"),
}


async def doubts(request: Request) -> Response:
    caller, _me = await signed_in(request)
    record = Record(request.app.state.house.engine, caller, address_of(request))
    wanted = ",".join(f"{vocabulary.REVIEW}|{kind}" for kind in KINDS)
    tasks = await record.search("Task", {"code": wanted, "_sort": "-authored-on", "_count": "100"}, most=MOST)
    open_ = [tree for tree in tasks if _waits(tree)]
    gettext = translations(language_of(request)).gettext
    return render(
        request,
        "audit/doubts.html",
        waiting=await lines_of(record, open_, gettext, KINDS),
        decided=await lines_of(record, [tree for tree in tasks if not _waits(tree)], gettext, KINDS),
    )


def _waits(task: Tree) -> bool:
    return DOUBT in codes(task.get("code"), vocabulary.REVIEW) and task.get("status") == "requested"
