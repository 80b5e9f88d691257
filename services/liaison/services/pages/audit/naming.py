"""Who is this record of? The name behind a number, for an officer who says why: the reasoned unmask, itself an entry.

An officer reads no Patient (rule 24). The name is read by the principal of identities on their behalf, of a record that they
answer for, and stands in that one answer alone: no address and no other page has it.
"""

from datetime import timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from liaison.auth.access import internal
from liaison.auth.caller import Caller
from liaison.auth.journal.acts import Act
from liaison.auth.journal.entry import Event, entry
from liaison.fhir.errors import NotFound
from liaison.services.pages import entering
from liaison.services.pages.audit.identity_form import REASONS
from liaison.services.pages.audit.reasons import MISSING, reason_of
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.layout import render
from liaison.services.pages.reading.identity import Identity, identity
from liaison.services.pages.record import Record
from liaison.services.pages.signed_in import address_of, signed_in


async def name(request: Request) -> Response:
    """GET: why is asked. POST: the name, once that is in the journal."""
    caller, _me = await signed_in(request)
    house, id_ = request.app.state.house, request.path_params["id"]
    patient = house.audit.patient(id_)
    if not await house.audit.answers_for(caller, patient):
        raise NotFound
    if request.method == "GET":
        return _show(request)
    form = {key: str(value).strip() for key, value in (await request.form()).items()}
    reason = reason_of(form)
    if not reason:
        return _show(request, error=translations(language_of(request)).gettext(MISSING), given=form)
    told = entry(
        caller,
        Event.JOURNAL_READ,
        patient=patient,
        request=entering.asked(request),
        reason=reason,
        detail={"act": Act.UNMASKED, "unmask": 1},
    )
    await house.journal.record([told])
    return _show(request, who=identity(await patient_behind(request, caller, id_)))


def _show(
    request: Request, *, error: str = "", given: dict[str, str] | None = None, who: Identity | None = None
) -> Response:
    return render(
        request,
        "audit/naming.html",
        status=400 if error else 200,
        id=request.path_params["id"],
        reasons=REASONS,
        error=error,
        given=given or {},
        who=who,
    )


async def patient_behind(request: Request, caller: Caller, id_: str) -> dict[str, Any]:
    """The Patient, read on the officer's behalf: whoever calls has checked that they answer for the record and told the journal
    why. Raises NotFound."""
    house = request.app.state.house
    cell = await internal.open_session(house.database.writing, "identity", timedelta(minutes=1), caller=caller)
    try:
        tree = await Record(house.engine, cell, address_of(request)).read(f"Patient/{id_}")
    finally:
        await internal.close_session(house.database.writing, cell)
    if tree is None:
        raise NotFound
    return tree
