"""Indicateurs: counts without names, for those whose role opens no record. Small numbers are hidden, and said to be."""

from starlette.requests import Request
from starlette.responses import Response

from liaison.protocols.measures import SMALLEST
from liaison.services import measuring
from liaison.services.pages.layout import render
from liaison.services.pages.signed_in import signed_in


async def indicators(request: Request) -> Response:
    caller, _me = await signed_in(request)
    start, end, found = await measuring.indicators(request.app.state.house.engine, caller)
    return render(
        request, "coordination/indicators.html", indicators=found, start=start, end=end, smallest=SMALLEST,
        leads=caller.role_code != "coordinator-admin",
    )  # fmt: skip
