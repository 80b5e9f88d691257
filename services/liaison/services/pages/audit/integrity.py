"""Le journal est-il intact ? The verdict first, then what it covers and how to check it elsewhere."""

from starlette.requests import Request
from starlette.responses import Response

from liaison.auth.journal.entry import Event, entry
from liaison.auth.journal.live import Live
from liaison.auth.journal.verify import Broken, Verdict, verify
from liaison.services.pages.layout import render
from liaison.services.pages.signed_in import signed_in


async def integrity(request: Request) -> Response:
    caller, _ = await signed_in(request)
    house = request.app.state.house
    await house.journal.record([entry(caller, Event.JOURNAL_READ, detail={"verify": 1})])
    verdict: Verdict | None = None
    broken: Broken | None = None
    async with (
        house.database.reading.acquire() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        try:
            verdict = await verify(Live(connection), house.journal_keys.signer.verifier, house.journal_keys)
        except Broken as found:
            broken = found
    return render(request, "audit/integrity.html", verdict=verdict, broken=broken)
