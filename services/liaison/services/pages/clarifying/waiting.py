"""How many questions wait for my answer: a number for the pages where people land. It says nothing else."""

from typing import Final

from starlette.requests import Request

from liaison.auth.access import clarifying
from liaison.services.pages.role_names import RECEIVERS, URGENT
from liaison.services.pages.signed_in import signed_in

ASKED: Final = RECEIVERS | URGENT
"""Those whose accesses are reviewed: an emergency access, or an entry into a team."""


async def waiting(request: Request) -> int:
    caller, _ = await signed_in(request)
    if caller.role_code not in ASKED:
        return 0
    engine = request.app.state.house.engine
    tasks = await clarifying.asked_of(engine.store, caller, engine.base_url)
    return len([task for task in tasks if not await clarifying.is_answered(engine.store, task)])
