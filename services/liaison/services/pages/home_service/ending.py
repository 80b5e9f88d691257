"""What a home service has noted with hours ends at one touch, and stands in the journal in the same transaction."""

from collections.abc import Awaitable, Callable

import asyncpg
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from liaison.auth.journal.acts import Act
from liaison.auth.journal.entry import Event, entry
from liaison.fhir.store import faults
from liaison.fhir.store.contract import Request as FhirRequest
from liaison.services.house import House
from liaison.services.pages.signed_in import address_of, signed_in

End = Callable[[asyncpg.Connection, int, int], Awaitable[bool]]
"""Ends what has this number in this organisation; False for one that is not in force there."""


async def ended(request: Request, end: End, event: Event, act: Act, path: str) -> Response:
    """The page again, whether there was something to end or not."""
    caller, _me = await signed_in(request)
    house: House = request.app.state.house
    number = str((await request.form()).get("numero", ""))
    if number.isascii() and number.isdigit() and len(number) < 20 and int(number) < 2**62:
        with faults.reported():
            async with house.database.writing.acquire() as connection, connection.transaction():
                if await end(connection, caller.organization, int(number)):
                    told = FhirRequest("POST", f"{path.lstrip('/')}/fin", address=address_of(request))
                    await house.journal.record_within(
                        connection, (entry(caller, event, request=told, detail={"act": act}),)
                    )
    return RedirectResponse(path, status_code=303)
