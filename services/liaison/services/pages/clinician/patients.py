"""Mes patients: the people on whose team I am, those with an alert first."""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from liaison.services.pages.clarifying.waiting import waiting
from liaison.services.pages.clinician.alerts import open_alerts, patient_of
from liaison.services.pages.countersign.countersign import SUPERVISORS, trainees
from liaison.services.pages.layout import render
from liaison.services.pages.letters.letters import DOCTORS
from liaison.services.pages.letters.letters import waiting as letters_waiting
from liaison.services.pages.opposing.confirming import waiting_count
from liaison.services.pages.reading.identity import Identity, identity
from liaison.services.pages.record import Record
from liaison.services.pages.signed_in import address_of, signed_in

MOST = 500


@dataclass(frozen=True, slots=True)
class Line:
    id: str
    identity: Identity
    alerts: int


async def my_patients(request: Request) -> Response:
    caller, me = await signed_in(request)
    record = Record(request.app.state.house.engine, caller, address_of(request))
    patients = await record.search("Patient", {"_count": "200"}, most=MOST)
    alerts = await open_alerts(record)
    alarming = [patient_of(task) for task in alerts]
    lines = [Line(p["id"], identity(p), alarming.count(f"Patient/{p['id']}")) for p in patients]
    lines.sort(key=lambda line: (-line.alerts, line.identity.sorting))
    only = next(iter(patients), None) if caller.only_patient or caller.role_code in ("patient", "guardian") else None
    return render(
        request,
        "clinician/patients.html",
        lines=lines,
        cut=len(patients) == MOST,
        own=only,
        questions=await waiting(request),
        letters=len(await letters_waiting(request, record, me)) if caller.role_code in DOCTORS else 0,
        supervisor=bool(await trainees(request, caller)) if caller.role_code in SUPERVISORS else False,
        to_confirm=await waiting_count(record, caller.role_code),
    )
