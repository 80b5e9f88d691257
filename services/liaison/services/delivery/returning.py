"""« Sorti(e) », told without a visit: whom the service knows to be in hospital is home again.

It is what the form of a visit says of it, filed without the visit that there was not; the manager confirms the discharge, and until then
nothing resumes (`home_service.stays`).
"""

from datetime import datetime

from liaison.auth.people.permits import Permit
from liaison.protocols import library, visit
from liaison.protocols.visit import Visit
from liaison.services.delivery.filing import recorder
from liaison.services.delivery.letter import Letter
from liaison.services.house import House


async def home_again(house: House, letter: Letter, permit: Permit, written: datetime, received: datetime) -> None:
    """`written` is by our clock. Raises NotFiled for what a person has to look at, and Unavailable when it may be sent again."""
    async with recorder(house, letter, permit, written) as record:
        told = Visit(
            id=letter.visit,
            patient=f"Patient/{letter.patient}",
            aide=permit.aide,
            service=permit.service,
            answers={"start": written.isoformat(timespec="seconds")},
            recorded=received,
            device_time=letter.written,
        )
        await record.transact(visit.home_again(library.shipped(), told))
