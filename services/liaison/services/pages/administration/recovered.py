"""Accès rétablis: for the data protection officer, who signs each one off, and for auditors."""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from liaison.auth.journal.acts import Act
from liaison.auth.journal.entry import Event, entry
from liaison.auth.people import accounts, recovery
from liaison.fhir.errors import NotFound
from liaison.fhir.store import faults
from liaison.services.pages.administration import people
from liaison.services.pages.entering import asked, go
from liaison.services.pages.layout import render
from liaison.services.pages.signed_in import signed_in

READERS: Final = frozenset({"dpo", "auditor"})


async def recovered(request: Request) -> Response:
    """The list, those that nobody has read first; and the officer's word on one."""
    caller, _ = await signed_in(request)
    house = request.app.state.house
    if request.method == "POST":
        number = str((await request.form()).get("acces", ""))
        if caller.role_code != "dpo" or not (number.isascii() and number.isdigit() and len(number) < 20):
            raise NotFound
        with faults.reported():
            async with house.database.writing.acquire() as connection, connection.transaction():
                if int(number) < 2**62 and await recovery.sign_off(connection, int(number)):
                    told = entry(caller, Event.RIGHTS, request=asked(request), detail={"act": Act.RECOVERY_READ})
                    await house.journal.record_within(connection, (told,))
        return go(request, "/acces-retablis")
    with faults.reported():
        found = await recovery.granted(house.database.reading)
        concerned = {number for one in found for number in (one.account, one.asked_by, one.granted_by) if number}
        known = await accounts.numbered(house.database.reading, sorted(concerned))
    # Names, to call whom it concerns; whoever is of a record is not read by an officer, and has the user name.
    names = {one.number: await people.name_of(request, one) or one.username for one in known}
    return render(request, "administration/recovered.html", found=found, names=names, reads=caller.role_code == "dpo")
