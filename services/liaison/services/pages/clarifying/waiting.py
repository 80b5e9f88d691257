"""How many questions wait for my answer: a number for the pages where people land. It says nothing else."""

from typing import Final

from starlette.requests import Request

from liaison.auth.access import clarifying
from liaison.auth.access.roles import ROLES
from liaison.auth.unusual import accesses
from liaison.fhir.store import faults
from liaison.services.pages.signed_in import signed_in

ASKED: Final = frozenset(code for code, role in ROLES.items() if role.category not in ("person", "control"))
"""Those whose accesses are reviewed: an emergency access, an entry into a team, or one that a rule found unusual."""


async def waiting(request: Request) -> int:
    caller, _ = await signed_in(request)
    if caller.role_code not in ASKED:
        return 0
    house = request.app.state.house
    engine, reading = house.engine, house.database.reading
    tasks = await clarifying.asked_of(engine.store, caller, engine.base_url)
    with faults.reported():
        unusual = [
            one
            for one in await accesses.asked_of(reading, caller)
            if (await accesses.words(reading, house.vault, one))[-1].outcome  # the last word is a reviewer's
        ]
    return len([task for task in tasks if not await clarifying.is_answered(engine.store, task)]) + len(unusual)
