"""What waits for an officer of this structure: the numbers beside the questions, and in a revue."""

from typing import NamedTuple

from starlette.requests import Request

from liaison.auth.access import adopted
from liaison.auth.journal import questions
from liaison.auth.unusual import accesses
from liaison.fhir.store import faults
from liaison.services.pages.audit import reviews
from liaison.services.pages.signed_in import signed_in


class StillOpen(NamedTuple):
    reviews: int
    unusual: int
    questions: int


async def still_open(request: Request) -> StillOpen:
    """By the rights of whoever is signed in."""
    caller, _me = await signed_in(request)
    house = request.app.state.house
    waiting = await reviews.waiting(request)
    with faults.reported():
        found = await accesses.seen(house.database.reading, caller)
        async with house.database.reading.acquire() as connection:
            asked = await questions.waiting(connection, caller.session, await adopted.in_force(connection))
    return StillOpen(waiting, len([one for one in found if one.state != "completed"]), asked)
