"""Mes connexions: each thing that is open in my name, with a button that ends it; all the others; all of it.

Beside them the phones of my service, and who made each one such.
"""

from datetime import datetime
from typing import Final, NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from liaison.auth import sessions
from liaison.auth.caller import Caller
from liaison.auth.journal.entry import Event, entry
from liaison.auth.people import accounts, open_sessions, phones
from liaison.fhir.store import faults
from liaison.services.pages import cookies
from liaison.services.pages.entering import asked, go
from liaison.services.pages.layout import render
from liaison.services.pages.record import Record
from liaison.services.pages.signed_in import address_of, human_name, signed_in

PATH: Final = "/mes-connexions"
ALL: Final = "all"
OTHERS: Final = "others"


class OwnPhone(NamedTuple):
    """`by`: who enrolled it; '' where that is not known, or not visible."""

    label: str
    since: datetime
    by: str
    here: bool


async def my_connections(request: Request) -> Response:
    if request.method == "POST":
        return await _end(request)
    caller, me = await signed_in(request)
    house = request.app.state.house
    with faults.reported():
        found = await open_sessions.of_account(house.database.reading, me.account.number)
        own = await _phones(request, caller)
    return render(request, "connections/mine.html", found=found, current=f"browser.{caller.session}", phones=own)


async def _end(request: Request) -> Response:
    """What the form names; without a name, everything. Of another person's nothing is ended, and nothing is said."""
    caller, me = await signed_in(request)
    which = str((await request.form()).get("fermer", ALL))
    here = which in (ALL, f"browser.{caller.session}")
    with faults.reported():
        async with request.app.state.house.database.writing.acquire() as connection, connection.transaction():
            if which == ALL:
                await sessions.end_account(connection, me.account.number)
            elif which == OTHERS:
                await open_sessions.end_others(connection, me.account.number, caller.session)
            elif not await open_sessions.end_one(connection, me.account.number, which):
                return go(request, PATH)
            told = entry(caller, Event.SIGN_OUT, request=asked(request), detail={"ended": which})
            await request.app.state.house.journal.record_within(connection, (told,))
    response = go(request, "/connexion" if here else PATH)
    if here:
        cookies.take(request, response, cookies.SESSION)
    return response


async def _phones(request: Request, caller: Caller) -> list[OwnPhone]:
    """Of the service that I work in; none for who acts for themselves."""
    if not caller.organization:
        return []
    house = request.app.state.house
    record = Record(house.engine, caller, address_of(request))
    here = await phones.find(house.database.reading, cookies.read(request, cookies.PHONE))
    found = []
    for one in await phones.of_organization(house.database.reading, caller.organization):
        if one.active:
            account = await accounts.by_number(house.database.reading, one.enrolled_by) if one.enrolled_by else None
            by = human_name(await record.read(str(house.store.reference(account.person)))) if account else ""
            found.append(OwnPhone(one.label, one.enrolled_at, by, here is not None and here.number == one.number))
    return found
