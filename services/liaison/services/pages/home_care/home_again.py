"""« Sorti(e) » of somebody whose visit waits for the discharge, told from *Aujourd'hui*: the person is back at home.

The same finding as a telephone brings (services.delivery.returning): nothing resumes before the manager has confirmed it.
"""

from uuid import uuid4

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from liaison.protocols import library, visit
from liaison.protocols.visit import Visit
from liaison.services.pages import clock
from liaison.services.pages.clinician.dossier import patient_or_404
from liaison.services.pages.record import Record
from liaison.services.pages.signed_in import address_of, signed_in


async def home_again(request: Request) -> Response:
    caller, me = await signed_in(request)
    record = Record(request.app.state.house.engine, caller, address_of(request))
    patient, now = request.path_params["id"], clock.now(request)
    await patient_or_404(record, patient)
    told = Visit(
        id=uuid4(),
        patient=f"Patient/{patient}",
        aide=me.signature,
        service={"reference": me.organization_reference, "display": me.organization_name},
        answers={"start": now.isoformat(timespec="seconds")},
        recorded=now,
    )
    finding, *_ = await record.transact(visit.home_again(library.shipped(), told))
    return RedirectResponse(f"/aujourdhui?retour={finding.partition('/')[2]}", status_code=303)
