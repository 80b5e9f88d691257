"""Mon équipe: who works in my service, until when, and with which way in.

Each act asks for a recent proof of who the manager is (`page`), and is in the journal with her name. A first code is shown on the
page that answers, once, to be printed or spoken.
"""

import re
import secrets
import unicodedata
from datetime import date, datetime, time
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from liaison.auth.caller import Caller
from liaison.auth.journal.entry import Event, entry
from liaison.auth.people import accounts, first_codes, managers
from liaison.auth.people.managers import GIVES, Person
from liaison.fhir.definitions import kind_of
from liaison.fhir.errors import NotFound
from liaison.fhir.model.dates import LATEST
from liaison.fhir.store import faults
from liaison.fhir.store.contract import Key
from liaison.fhir.store.ids import Ids
from liaison.services.pages.entering import asked, go
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.layout import render
from liaison.services.pages.record import Record
from liaison.services.pages.role_names import role_name
from liaison.services.pages.signed_in import address_of, human_name, reference, signed_in
from liaison.services.pages.team import staff

PATH: Final = "/equipe"
MANAGERS: Final = frozenset(GIVES)
LONGEST: Final = 60
_KIND: Final = kind_of("Practitioner")


async def show(request: Request, *, status: int = 200, **context: Any) -> Response:
    """The list, with what has just happened."""
    caller, me = await signed_in(request)
    house = request.app.state.house
    with faults.reported():
        found = await managers.people_of(house.database.reading, caller, _KIND)
    record, ids = Record(house.engine, caller, address_of(request)), Ids(house.vault.id_key)
    gettext = translations(language_of(request)).gettext
    people = [
        (
            one,
            human_name(await record.read(reference(ids, Key(0, _KIND, one.practitioner)))) or one.username,
            role_name(one.role_code, gettext),
            None if one.ends == LATEST else one.ends,
        )
        for one in found
    ]
    return render(request, "team/team.html", status=status, people=people, service=me.organization_name, **context)


async def _of_mine(request: Request, caller: Caller) -> Person:
    """The one whom the form names, if she is of the manager's own; else NotFound, like nobody."""
    number = str((await request.form()).get("personne", ""))
    with faults.reported():
        found = await managers.person_of(request.app.state.house.database.reading, caller, _KIND, number)
    if found is None:
        raise NotFound
    return found


async def invite(request: Request) -> Response:
    """A new person of the service, her account, and her first code: three minutes before a weekend."""
    caller, _ = await signed_in(request)
    form = {name: str(value).strip()[:LONGEST] for name, value in (await request.form()).items()}
    gettext = translations(language_of(request)).gettext
    role = next(iter(sorted(GIVES[caller.role_code])))
    family, given = form.get("nom", ""), form.get("prenom", "")
    if not family or not given:
        return await show(request, status=422, given=form, error=gettext("Le nom et le prénom sont nécessaires."))
    try:
        until = date.fromisoformat(form["fin"]) if form.get("fin") else None
    except ValueError:
        until = None
        return await show(request, status=422, given=form, error=gettext("La date de fin n’est pas une date."))
    if until is not None and until < datetime.now(staff.PARIS).date():
        return await show(request, status=422, given=form, error=gettext("La date de fin est passée."))
    house = request.app.state.house
    with faults.reported():
        person = await staff.engage(request, caller, family, given, role, until)
        async with house.database.writing.acquire() as connection, connection.transaction():
            username = await _free_username(connection, given, family)
            account = await accounts.add(connection, username, person, invited=True, ends_at=_end_of(until))
            code = await first_codes.give(connection, account.number)
            await house.journal.record_within(
                connection,
                (
                    entry(
                        caller,
                        Event.RIGHTS,
                        request=asked(request),
                        detail={"act": "invite", "account": account.number},
                    ),
                ),
            )
    return await show(request, code=code, code_for=username, code_name=f"{given} {family}")


def _end_of(until: date | None) -> datetime | None:
    """The last moment of the last day."""
    return None if until is None else datetime.combine(until, time.max, staff.PARIS)


async def _free_username(connection: Any, given: str, family: str) -> str:
    """'maelle.tanguy', or with a number after it."""
    plain = unicodedata.normalize("NFKD", f"{given}.{family}".casefold()).encode("ascii", "ignore").decode()
    base = re.sub(r"[^a-z0-9.-]+", "-", plain).strip(".-")[:40] or "personne"
    for number in ("", *map(str, range(2, 20))):
        if await accounts.by_username(connection, base + number) is None:
            return base + number
    return f"{base}{secrets.randbelow(10**6)}"


async def new_code(request: Request) -> Response:
    """A new first code, for a forgotten PIN. The old PIN works until she has chosen another; an account that reaches
    further than this service is not the manager's to open."""
    caller, _ = await signed_in(request)
    person = await _of_mine(request, caller)
    if not person.own:
        gettext = translations(language_of(request)).gettext
        problem = gettext(
            "Cette personne travaille aussi ailleurs, ou entre autrement : un administrateur rétablit son accès."
        )
        return await show(request, status=422, error=problem)
    house = request.app.state.house
    with faults.reported():
        async with house.database.writing.acquire() as connection, connection.transaction():
            code = await first_codes.give(connection, person.account)
            await house.journal.record_within(
                connection,
                (
                    entry(
                        caller, Event.RIGHTS, request=asked(request), detail={"act": "code", "account": person.account}
                    ),
                ),
            )
    return await show(request, code=code, code_for=person.username, code_name="")


async def suspend(request: Request) -> Response:
    """Her role in this service stops, or begins again: everything open in it ends at the next request."""
    caller, _ = await signed_in(request)
    person = await _of_mine(request, caller)
    await staff.change_role(request, caller, person.role, active=not person.active)
    return go(request, PATH)


async def finish(request: Request) -> Response:
    """The end of the contract is today: the role ends now, and so does the account if it reaches no further."""
    caller, _ = await signed_in(request)
    person = await _of_mine(request, caller)
    now = datetime.now(staff.PARIS)
    await staff.change_role(request, caller, person.role, active=False, until=now.date().isoformat())
    if person.own:
        house = request.app.state.house
        with faults.reported():
            async with house.database.writing.acquire() as connection, connection.transaction():
                await accounts.end_at(connection, person.account, now)
                await house.journal.record_within(
                    connection,
                    (
                        entry(
                            caller,
                            Event.RIGHTS,
                            request=asked(request),
                            detail={"act": "end", "account": person.account},
                        ),
                    ),
                )
    return go(request, PATH)
