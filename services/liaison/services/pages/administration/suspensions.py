"""Suspensions demandées: an officer asks for it in a case, an administrator does it at one touch. Nothing of the record is shown.

All accounts of the person are suspended, and all they hold open ends; the case keeps who did it.
"""

from typing import Final, NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from liaison.auth.journal.acts import Act
from liaison.auth.people import accounts
from liaison.auth.unusual import cases
from liaison.auth.unusual.cases import Suspension
from liaison.fhir.definitions import kind_of
from liaison.fhir.errors import NotFound
from liaison.fhir.store import faults
from liaison.fhir.store.contract import Key
from liaison.services.pages.administration.people import note
from liaison.services.pages.entering import go
from liaison.services.pages.layout import render
from liaison.services.pages.record import Record
from liaison.services.pages.signed_in import address_of, human_name, signed_in

PATH: Final = "/administration/suspensions"


class Line(NamedTuple):
    """Names as the directory has them."""

    asked: Suspension
    name: str
    by: str


async def suspensions(request: Request) -> Response:
    """GET: what is asked. POST `affaire`: it is done."""
    caller, me = await signed_in(request)
    house = request.app.state.house
    if request.method == "POST":
        number = str((await request.form()).get("affaire", ""))
        if not (number.isascii() and number.isdigit() and len(number) < 9):
            raise NotFound
        await _suspend(request, int(number))
        return go(request, PATH)
    with faults.reported():
        found = await cases.suspensions(house.database.reading, house.vault)
    record = Record(house.engine, caller, address_of(request))
    lines = [
        Line(one, await _name(request, record, one.case.person), await _name(request, record, one.by)) for one in found
    ]
    return render(request, "administration/suspensions.html", found=lines, mine=me.account.person.res)


async def _suspend(request: Request, number: int) -> None:
    caller, me = await signed_in(request)
    house = request.app.state.house
    with faults.reported():
        async with house.database.writing.acquire() as connection, connection.transaction():
            case = await cases.suspended(connection, house.vault, caller, number)
            if case.person == me.account.person.res:
                raise NotFound  # nobody reaches their own account here
            for account in await accounts.of_person(connection, Key(0, kind_of("Practitioner"), case.person)):
                if account.active:
                    await accounts.suspend(connection, account.username)
                    await note(request, connection, Act.SUSPENDED, account, case=case.number)


async def _name(request: Request, record: Record, practitioner: int) -> str:
    reference = str(request.app.state.house.store.reference(Key(0, kind_of("Practitioner"), practitioner)))
    return human_name(await record.read(reference))
