"""Mon équipe: who works in my service, until when, and with which way in.

Each act asks for a recent proof of who the manager is (`page`), and is in the journal with her name. A first code is shown on the
page that answers, once, to be printed or spoken.
"""

import re
import secrets
import unicodedata
from datetime import date, datetime, time
from typing import Any, Final

import asyncpg
from starlette.requests import Request
from starlette.responses import Response

from liaison.auth.access.roles import ROLES
from liaison.auth.caller import Caller
from liaison.auth.journal.entry import Event, entry
from liaison.auth.people import accounts, first_codes, invitations, managers, ways_in
from liaison.auth.people.managers import Person
from liaison.auth.people.ways_in import NoLink
from liaison.fhir.definitions import kind_of
from liaison.fhir.errors import NotFound
from liaison.fhir.model.dates import LATEST
from liaison.fhir.store import faults
from liaison.fhir.store.contract import Key
from liaison.fhir.store.ids import Ids
from liaison.services.pages.administration.people import link
from liaison.services.pages.entering import asked, go
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.layout import render
from liaison.services.pages.record import Record
from liaison.services.pages.role_names import role_name
from liaison.services.pages.signed_in import address_of, human_name, reference, signed_in
from liaison.services.pages.team import staff
from liaison.services.pages.team.newcomer import NotComplete, entered

PATH: Final = "/equipe"
LONGEST: Final = 60
_KIND: Final = kind_of("Practitioner")


async def show(request: Request, *, status: int = 200, **context: Any) -> Response:
    """The list, with what has just happened."""
    caller, me = await signed_in(request)
    house = request.app.state.house
    with faults.reported():
        found = await managers.people_of(house.database.reading, caller, _KIND)
        gives = await managers.gives(house.database.reading, caller)
        elsewhere = house.pro_sante_connect is not None
    record, ids = Record(house.engine, caller, address_of(request)), Ids(house.vault.id_key)
    gettext = translations(language_of(request)).gettext
    people = [
        (
            one,
            human_name(await record.read(reference(ids, Key(0, _KIND, one.practitioner)))) or one.username,
            role_name(one.role_code, gettext),
            None if one.ends.year >= LATEST.year else one.ends,
            managers.by_code_on_phone(one.role_code),
        )
        for one in found
    ]
    roles = sorted(((role_name(code, gettext), code) for code in gives), key=lambda one: one[0].casefold())
    answering = [
        (one.role, name) for one, name, _, _, _ in people if one.active and not one.over and answers_for(one.role_code)
    ]
    return render(
        request,
        "team/team.html",
        status=status,
        people=people,
        roles=roles,
        answering=answering,
        elsewhere=elsewhere,
        for_oneself=bool(managers.answers_alone(caller)),
        service=me.organization_name,
        **context,
    )


def answers_for(role: str) -> bool:
    """Whether someone in this role may have a substitute, a trainee or a secretary."""
    return ROLES[role].category == "health"


async def _of_mine(request: Request, caller: Caller) -> Person:
    """The one whom the form names, if she is of the manager's own; else NotFound, like nobody."""
    number = str((await request.form()).get("personne", ""))
    with faults.reported():
        found = await managers.person_of(request.app.state.house.database.reading, caller, _KIND, number)
    if found is None:
        raise NotFound
    return found


async def _note(request: Request, connection: asyncpg.Connection, act: str, account: int) -> None:
    caller, _ = await signed_in(request)
    told = entry(caller, Event.RIGHTS, request=asked(request), detail={"act": act, "account": account})
    await request.app.state.house.journal.record_within(connection, (told,))


async def invite(request: Request) -> Response:
    """A new person of the structure, her account, and her first way in: three minutes before a weekend."""
    caller, _ = await signed_in(request)
    form = {name: str(value).strip()[:LONGEST] for name, value in (await request.form()).items()}
    gettext = translations(language_of(request)).gettext
    house = request.app.state.house
    with faults.reported():
        gives = await managers.gives(house.database.reading, caller)
        mine = await managers.people_of(house.database.reading, caller, _KIND)
    try:
        newcomer = entered(form, gives, mine, managers.answers_alone(caller))
        person, new = await staff.engage(request, caller, newcomer)
    except NotComplete as problem:
        return await show(request, status=422, given=form, wrong=problem.field, error=gettext(problem.words))
    except staff.Oneself:
        words = gettext("C’est votre propre numéro : personne ne se donne un rôle.")
        return await show(request, status=422, given=form, wrong="rpps", error=words)
    except staff.HeldAlready:
        words = gettext("Cette personne a déjà ce rôle dans votre structure.")
        return await show(request, status=422, given=form, wrong="rpps", error=words)
    name = f"{newcomer.given} {newcomer.family}"
    if house.pro_sante_connect is not None and managers.needs_number(newcomer.role):
        return await show(request, added=name, way="psc")
    with faults.reported():
        async with house.database.writing.acquire() as connection, connection.transaction():
            if not new and (way := await _known_already(connection, caller, person)):
                return await show(request, added=name, way=way)
            username = await _free_username(connection, newcomer.given, newcomer.family)
            account = await accounts.add(
                connection, username, person, invited=True, ends_at=_end_of(newcomer.until) if new else None
            )
            on_phone = managers.by_code_on_phone(newcomer.role)
            secret = await (first_codes.give if on_phone else invitations.invite)(connection, account.number)
            await _note(request, connection, "invite", account.number)
    if on_phone:
        return await show(request, code=secret, code_for=username, code_name=name)
    return await show(request, link=link(request, secret), link_for=username)


async def _known_already(connection: asyncpg.Connection, caller: Caller, person: Key) -> str:
    """How someone whom the directory knew gets in: 'own', by the account they have; 'admin', when they also work
    elsewhere, where the manager could act as them by a link that she has seen; '' when a link is hers to give."""
    if await accounts.of_person(connection, person):
        return "own"
    further = await connection.fetchval(
        "select exists (select from held_role where practitioner = $1 and organization <> $2)",
        person.res,
        caller.organization,
    )
    return "admin" if further else ""


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
    """A new first code, for a forgotten PIN, or a new link for someone who has not used theirs. The old PIN works until she
    has chosen another; an account that reaches further than this structure is not the manager's to open."""
    caller, _ = await signed_in(request)
    person = await _of_mine(request, caller)
    on_phone = managers.by_code_on_phone(person.role_code)
    house = request.app.state.house
    with faults.reported():
        account = await accounts.by_number(house.database.reading, person.account)
        async with house.database.writing.acquire() as connection, connection.transaction():
            try:
                if not person.own or account is None:
                    raise NoLink("used")
                secret = await (
                    first_codes.give(connection, account.number)
                    if on_phone
                    else ways_in.link_again(connection, account)
                )
            except NoLink:
                gettext = translations(language_of(request)).gettext
                problem = gettext(
                    "Cette personne travaille aussi ailleurs, ou entre autrement : un administrateur rétablit son accès."
                )
                return await show(request, status=422, error=problem)
            await _note(request, connection, "code" if on_phone else "link", account.number)
    if on_phone:
        return await show(request, code=secret, code_for=person.username, code_name="")
    return await show(request, link=link(request, secret), link_for=person.username)


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
    if person.alone:
        house = request.app.state.house
        with faults.reported():
            async with house.database.writing.acquire() as connection, connection.transaction():
                await accounts.end_at(connection, person.account, now)
                await _note(request, connection, "end", person.account)
    return go(request, PATH)
