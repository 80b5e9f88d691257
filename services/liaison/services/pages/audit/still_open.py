"""What waits for an officer of this structure: the numbers beside the questions, and in a revue."""

from typing import Final, NamedTuple

from starlette.requests import Request

from liaison.auth.access import adopted, vocabulary
from liaison.auth.access.reviews import REVIEWED
from liaison.auth.journal import questions
from liaison.auth.unusual import accesses
from liaison.fhir.store import faults
from liaison.services.pages.record import Record
from liaison.services.pages.signed_in import address_of, signed_in

_CODES: Final = ",".join(f"{vocabulary.REVIEW}|{kind}" for kind in sorted(REVIEWED))


class StillOpen(NamedTuple):
    reviews: int
    unusual: int
    questions: int


async def still_open(request: Request) -> StillOpen:
    """By the rights of whoever is signed in."""
    caller, _me = await signed_in(request)
    house = request.app.state.house
    record = Record(house.engine, caller, address_of(request))
    waiting = await record.count("Task", {"code": _CODES, "status:not": "completed"})
    with faults.reported():
        found = await accesses.seen(house.database.reading, caller)
        async with house.database.reading.acquire() as connection:
            asked = await questions.waiting(connection, caller.session, await adopted.in_force(connection))
    return StillOpen(waiting, len([one for one in found if one.state != "completed"]), asked)
