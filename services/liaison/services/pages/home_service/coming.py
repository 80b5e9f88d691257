"""The visits of one person by the home service, those that have paused too: what a stay in hospital pauses, and its end resumes.

A line of the service's planning says by its service type that it is a visit. One that says nothing of what it is, as another
software may write it, is one when somebody of this service who is an aide is to make it, or nobody yet and it is for what this service
offers (HealthcareService). The appointment of anybody else is not; whose one is that names the person alone, nobody can tell: it stays.
"""

import asyncio
from datetime import date, datetime
from typing import Any, Final

from liaison.auth.access import vocabulary
from liaison.protocols import codes
from liaison.protocols.forms import READY
from liaison.services.pages.clinician.dossier import found
from liaison.services.pages.clock import PARIS
from liaison.services.pages.home_service.differences import is_staff
from liaison.services.pages.record import Record

Tree = dict[str, Any]
MOST: Final = 200
"""Of each kind, the first."""
_ANY_FORM: Final = ",".join(f"{codes.HOME_CARE}|{code}" for code in READY)
"""A visit is one of the home service whichever form is filled in there."""


async def visits(record: Record, service: str, patient: str, since: date) -> list[Tree]:
    """From that day on, in no order. `service`: the reference of its Organization; '' for somebody of none."""
    begin = datetime.combine(since, datetime.min.time(), PARIS)
    of_person = {"patient": patient, "date": f"ge{begin.isoformat()}", "_sort": "date", "_count": "100"}
    untold = {**of_person, "service-type:missing": "true"}
    aides = {
        "actor:PractitionerRole.organization": service,
        "actor:PractitionerRole.role": f"{vocabulary.ROLE}|home-aide",
    }
    told = found(record, "Appointment", {**of_person, "service-type": _ANY_FORM}, MOST)
    if not service:
        return await told
    told_of, taken, own = await asyncio.gather(
        told,
        found(record, "Appointment", {**untold, **aides}, MOST),
        found(record, "Appointment", {**untold, "actor:HealthcareService.organization": service}, MOST),
    )
    return [*told_of, *taken, *(one for one in own if not any(map(is_staff, one["participant"])))]
