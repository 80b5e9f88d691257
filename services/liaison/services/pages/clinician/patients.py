"""Mes patients: the people on whose team I am, those with an alert first; and those of them who bear a name.

A name is typed in a form and sent in its body: it stands in no address.
"""

import re
from dataclasses import dataclass
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from liaison.services.pages.clarifying.waiting import waiting
from liaison.services.pages.clinician.alerts import open_alerts, patient_of
from liaison.services.pages.countersign.countersign import BACK, SUPERVISORS
from liaison.services.pages.countersign.written import trainees
from liaison.services.pages.layout import render
from liaison.services.pages.letters.letters import DOCTORS
from liaison.services.pages.letters.letters import waiting as letters_waiting
from liaison.services.pages.opposing.confirming import counted
from liaison.services.pages.reading.identity import Identity, identity
from liaison.services.pages.record import Record
from liaison.services.pages.signed_in import address_of, signed_in

Tree = dict[str, Any]
MOST: Final = 500
A_SCREEN: Final = 12
"""People whom one sees without looking for a name."""
FOUND: Final = 100
"""Most people who bear a name. Who is not among them is found by typing more of it."""
_PARTED: Final = re.compile(r"[\s,$|\\]+")


@dataclass(frozen=True, slots=True)
class Line:
    id: str
    identity: Identity
    alerts: int


async def my_patients(request: Request) -> Response:
    caller, me = await signed_in(request)
    record = Record(request.app.state.house.engine, caller, address_of(request))
    typed = str((await request.form()).get("nom", "")).strip()[:80] if request.method == "POST" else ""
    patients = await (called(record, typed) if typed else record.search("Patient", {"_count": "200"}, most=MOST))
    alerts = await open_alerts(record)
    alarming = [patient_of(task) for task in alerts]
    cut = len(patients) == (FOUND if typed else MOST)
    if cut and not typed:
        patients += await beyond(record, patients, alarming)
    lines = [Line(p["id"], identity(p), alarming.count(f"Patient/{p['id']}")) for p in patients]
    lines.sort(key=lambda line: (-line.alerts, line.identity.sorting))
    only = next(iter(patients), None) if caller.only_patient or caller.role_code in ("patient", "guardian") else None
    return render(
        request,
        "clinician/patients.html",
        lines=lines,
        typed=typed,
        searchable=bool(typed) or len(lines) > A_SCREEN,
        cut=cut,
        own=only,
        questions=await waiting(request),
        letters=len(await letters_waiting(request, record, me)) if caller.role_code in DOCTORS else 0,
        supervisor=bool(await trainees(request, caller, BACK)) if caller.role_code in SUPERVISORS else False,
        oppositions=await counted(record, caller.role_code),
    )


async def beyond(record: Record, shown: list[Tree], alarming: list[str]) -> list[Tree]:
    """Those with an alert whom a list that was cut leaves out: nobody would look for their name."""
    missing = {one.removeprefix("Patient/") for one in alarming} - {str(one["id"]) for one in shown}
    return await record.search("Patient", {"_id": ",".join(sorted(missing)), "_count": "200"}) if missing else []


async def called(record: Record, typed: str) -> list[Tree]:
    """Those of mine in whose names, of birth, use or given, each of the words begins one."""
    words = [("name", word) for word in _PARTED.split(typed) if any(letter.isalnum() for letter in word)][:6]
    return await record.search("Patient", [*words, ("_count", str(FOUND))], most=FOUND) if words else []
