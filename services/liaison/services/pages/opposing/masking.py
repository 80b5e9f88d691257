"""Masking of one item, by the person or at their word: hidden from all but its author and the attending doctor."""

import re
from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from liaison.auth.access import team_writing
from liaison.fhir.errors import BadRequest, NotFound
from liaison.services.pages import clock
from liaison.services.pages.clinician.dossier import patient_or_404
from liaison.services.pages.record import Record
from liaison.services.pages.signed_in import address_of, signed_in

_ITEM: Final = re.compile(r"[A-Z][A-Za-z]+/[A-Za-z0-9\-.]{1,64}")


async def mask(request: Request) -> Response:
    caller, me = await signed_in(request)
    record = Record(request.app.state.house.engine, caller, address_of(request))
    id_, item = request.path_params["id"], str((await request.form()).get("item", ""))
    await patient_or_404(record, id_)
    if not _ITEM.fullmatch(item):
        raise BadRequest("An item is named by its type and id.")
    if await record.read(item) is None:
        raise NotFound
    reference = f"Patient/{id_}"
    hidden = {"type": "deny", "data": [{"meaning": "instance", "reference": {"reference": item}}]}
    own = me.role_code in ("patient", "guardian")
    by, means = (
        (reference if me.role_code == "patient" else me.person, "digital") if own else (me.role_reference, "oral")
    )
    await record.create(team_writing.consent(reference, "masking", by, clock.now(request), means, hidden))
    return RedirectResponse(f"/dossiers/{id_}/documents", status_code=303)
