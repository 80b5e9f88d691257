"""One line of the journal: what was asked, and the AuditEvent as software reads it. Of a question that says who somebody is, that is
left out (journal.masked) until an officer says why they read it: a reasoned unmask, itself an entry."""

from typing import Any
from urllib.parse import unquote_plus

import orjson
from starlette.requests import Request
from starlette.responses import Response

from liaison.auth.journal.acts import Act
from liaison.auth.journal.entry import Event, entry
from liaison.fhir.errors import NotFound
from liaison.services.pages import entering
from liaison.services.pages.audit.identity_form import REASONS
from liaison.services.pages.audit.reasons import MISSING, reason_of
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.layout import render
from liaison.services.pages.record import Record
from liaison.services.pages.signed_in import address_of, signed_in


async def entry_page(request: Request) -> Response:
    """GET: the line. POST: with the whole question, once the reason is in the journal."""
    caller, _me = await signed_in(request)
    house, id_ = request.app.state.house, request.path_params["id"]
    tree: dict[str, Any] | None = await Record(house.engine, caller, address_of(request)).read(f"AuditEvent/{id_}")
    if tree is None:
        raise NotFound
    shown, whole = await house.audit.question(caller, id_)
    form: dict[str, str] = {}
    error = ""
    if request.method == "POST":
        if shown == whole:
            raise NotFound
        form = {key: str(value).strip() for key, value in (await request.form()).items()}
        reason = reason_of(form)
        if reason:
            told = entry(
                caller, Event.JOURNAL_READ, request=entering.asked(request), reason=reason,
                detail={"act": Act.READ_WHOLE, "line": id_},
            )  # fmt: skip
            await house.journal.record([told])
        else:
            error = translations(language_of(request)).gettext(MISSING)
    read = request.method == "POST" and not error
    return render(
        request,
        "audit/entry.html",
        status=400 if error else 200,
        id=id_,
        raw=orjson.dumps(tree, option=orjson.OPT_INDENT_2).decode(),
        question=unquote_plus(whole if read else shown),
        hidden=not read and shown != whole,
        read=read,
        reasons=REASONS,
        error=error,
        given=form,
    )
