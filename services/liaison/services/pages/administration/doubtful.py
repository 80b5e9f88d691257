"""Whoever a manager says is another person than the one of that name: an administrator finds out, and decides.

Another person begins with the roles that wait. The same person is not in the directory twice: what was written for them a
second time ends, and is kept.
"""

from datetime import date
from typing import Any, Final, NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from liaison.auth.people import namesakes
from liaison.fhir.errors import NotFound
from liaison.services.pages import clock
from liaison.services.pages.entering import go
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.record import Record
from liaison.services.pages.signed_in import address_of, human_name, signed_in
from liaison.services.pages.team.called import described
from liaison.services.pages.team.knowing import of_that_name
from liaison.services.pages.team.staff import ended

Tree = dict[str, Any]
_MOST: Final = 50
PATH: Final = "/administration/comptes"


class Doubtful(NamedTuple):
    """`who` is waiting, by `reference`; `others` are of that name, each in a line."""

    reference: str
    who: str
    others: list[str]


async def waiting(request: Request) -> list[Doubtful]:
    record, gettext = await _record(request), translations(language_of(request)).gettext
    tag = f"{namesakes.TAG['system']}|{namesakes.TAG['code']}"
    found = await record.search(
        "Practitioner", {"_tag": tag, "_sort": "_lastUpdated", "_count": f"{_MOST}"}, most=_MOST
    )
    lines = []
    for tree in found:
        alike = await of_that_name(record, human_name(tree))
        others = [await described(record, dict(one), gettext) for one in alike if one["id"] != tree["id"]]
        lines.append(Doubtful(f"Practitioner/{tree['id']}", await described(record, tree, gettext), others))
    return lines


async def decide(request: Request) -> Response:
    """`decision`: `autre`, another person, or `meme`, the same. Somebody about whom it is decided already is nobody here."""
    form = {name: str(value)[:90] for name, value in (await request.form()).items()}
    record, reference = await _record(request), form.get("personne", "")
    person = await record.read(reference) if reference.startswith("Practitioner/") else None
    if person is None or not namesakes.is_waiting(person) or form.get("decision") not in ("autre", "meme"):
        raise NotFound
    another, today = form["decision"] == "autre", clock.now(request).date()
    roles = await record.search("PractitionerRole", {"practitioner": reference, "active": "false", "_count": "50"})
    person["meta"], person["active"] = namesakes.decided(person["meta"]), another
    for role in roles:
        _begin_or_end(role, today, another=another)
    await record.transact(_replaced([person, *roles]))
    return go(request, PATH)


def _begin_or_end(role: Tree, today: date, *, another: bool) -> None:
    """A role that a manager has ended meanwhile stays so."""
    if not another:
        ended(today)(role)
    elif str(role.get("period", {}).get("end", "9999")) > today.isoformat():
        role["active"] = True


def _replaced(trees: list[Tree]) -> Tree:
    entries = [
        {
            "resource": tree,
            "request": {
                "method": "PUT",
                "url": f"{tree['resourceType']}/{tree['id']}",
                "ifMatch": f'W/"{tree["meta"]["versionId"]}"',
            },
        }
        for tree in trees
    ]
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


async def _record(request: Request) -> Record:
    caller, _me = await signed_in(request)
    return Record(request.app.state.house.engine, caller, address_of(request))
