"""Séances: those to come, and those of the last weeks, whose attendance may wait to be written down."""

from datetime import timedelta
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from liaison.services.pages.layout import render
from liaison.services.pages.record import Record
from liaison.services.pages.signed_in import address_of, signed_in
from liaison.services.pages.workshops import agenda

PAST: Final = timedelta(days=60)


async def listing(request: Request) -> Response:
    caller, _me = await signed_in(request)
    record = Record(request.app.state.house.engine, caller, address_of(request))
    now = record.now()
    found = await agenda.since(record, now - PAST)
    return render(
        request,
        "workshops/listing.html",
        coming=[one for one in found if one.end > now],
        past=[one for one in reversed(found) if one.end <= now],
        taken=await agenda.taken(request, caller, (one.id for one in found)),
    )
