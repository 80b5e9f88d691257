"""What a manager does with somebody of hers: a new way in, suspension, the end, other dates, and their profession.

Each act asks for a recent proof of who the manager is (`page`), and is in the journal with her name.
"""

import contextlib
from datetime import date, datetime, time

import asyncpg
from starlette.requests import Request
from starlette.responses import Response

from liaison.auth.caller import Caller
from liaison.auth.journal.acts import Act
from liaison.auth.journal.entry import Event, entry
from liaison.auth.people import accounts, first_codes, managers, professions, ways_in
from liaison.auth.people.accounts import Account, AlreadyHeld
from liaison.auth.people.managers import Person
from liaison.auth.people.ways_in import NoLink
from liaison.fhir.errors import NotFound
from liaison.fhir.model.dates import LATEST
from liaison.fhir.store import faults
from liaison.fhir.store.contract import Key
from liaison.fhir.store.ids import Ids
from liaison.services.pages import clock
from liaison.services.pages.administration.people import link
from liaison.services.pages.calendar_words import last_day_before
from liaison.services.pages.entering import asked, go
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.record import Record
from liaison.services.pages.signed_in import address_of, reference, signed_in
from liaison.services.pages.team import days, staff
from liaison.services.pages.team.listing import KIND, PATH, another_profession, show
from liaison.services.pages.team.newcomer import authorised


def end_of(until: date | None) -> datetime | None:
    """The last moment of the last day."""
    return None if until is None else datetime.combine(until, time.max, staff.PARIS)


def last_day_of(person: Person) -> date | None:
    """Of the role; None for one without an end."""
    return None if person.ends.year >= LATEST.year else last_day_before(person.ends)


def ends_with(account: Account, person: Person) -> bool:
    """Whether an account that reaches no further has the end of this role: not one that an administrator has given it."""
    day = account.ends_at.astimezone(staff.PARIS).date() if account.ends_at else None
    return person.alone and day == last_day_of(person)


async def _move_end(request: Request, person: Person, until: date | None, act: Act) -> None:
    with faults.reported():
        async with request.app.state.house.database.writing.acquire() as connection, connection.transaction():
            account = await accounts.by_number(connection, person.account)
            if account is not None and ends_with(account, person):
                # An account that is over stays so where the person has another since: the role is theirs by that one.
                with contextlib.suppress(AlreadyHeld):
                    await accounts.end_at(connection, account.number, end_of(until))
                    await note(request, connection, act, account.number)


async def _of_mine(request: Request, caller: Caller) -> Person:
    """The one whom the form names, if she is of the manager's own; else NotFound, like nobody."""
    number = str((await request.form()).get("personne", ""))
    with faults.reported():
        found = await managers.person_of(request.app.state.house.database.reading, caller, KIND, number)
    if found is None:
        raise NotFound
    return found


async def note(request: Request, connection: asyncpg.Connection, act: Act, account: int) -> None:
    caller, _ = await signed_in(request)
    told = entry(caller, Event.RIGHTS, request=asked(request), detail={"act": act, "account": account})
    await request.app.state.house.journal.record_within(connection, (told,))


async def new_code(request: Request) -> Response:
    """A new first code, for a forgotten PIN, or a new link for someone who has not used theirs. The old PIN works until she
    has chosen another; an account that reaches further than this structure is not the manager's to open."""
    caller, _ = await signed_in(request)
    person = await _of_mine(request, caller)
    on_phone = managers.by_code_on_phone(person.role_code)
    house = request.app.state.house
    if person.over or not (person.active or person.awaits):
        # They could only be refused: nobody is told that they are good.
        gettext = translations(language_of(request)).gettext
        words = (
            gettext("C’est fini : ajoutez cette personne à nouveau.")
            if person.over
            else gettext("C’est suspendu : reprenez d’abord cette personne.")
        )
        return await show(request, status=422, error=words, wrong=f"personne-{person.role}")
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
            await note(request, connection, Act.CODE if on_phone else Act.LINK, account.number)
    if on_phone:
        return await show(request, code=secret, code_for=person.username, code_name="")
    return await show(request, link=link(request, secret), link_for=person.username)


async def suspend(request: Request) -> Response:
    """Her role in this service stops, or begins again: everything open in it ends at the next request. Begun again, the account
    that ended with it is good for as long."""
    caller, _ = await signed_in(request)
    person = await _of_mine(request, caller)
    stops = person.active or person.awaits

    def change(tree: dict[str, object]) -> None:
        tree["active"] = not stops

    gettext = translations(language_of(request)).gettext
    if person.over and not stops:
        return await show(request, status=422, error=gettext("C’est fini : ajoutez cette personne à nouveau."))
    if not stops and (anew := await _begun_anew(request, caller, person)):
        words = gettext("Cette personne a déjà ce rôle dans votre structure : changez ses dates sur sa carte.")
        return await show(request, status=422, error=words, wrong=f"personne-{anew}")
    if not stops and (refused := await _not_in_the_directory(request, caller, person)):
        return refused
    if not stops and (refused := await _of_another_profession(request, person)):
        return refused
    await staff.change_role(request, caller, person.role, change)
    if not stops:
        await _move_end(request, person, last_day_of(person), Act.RESUMED)
    return go(request, PATH)


async def _not_in_the_directory(request: Request, caller: Caller, person: Person) -> Response | None:
    """Nobody begins again whom the directory has put aside, or whose identity an administrator has not found out yet."""
    house = request.app.state.house
    key = Key(0, KIND, person.practitioner)
    tree = await Record(house.engine, caller, address_of(request)).read(reference(Ids(house.vault.id_key), key))
    if tree is not None and tree.get("active") is not False:
        return None
    words = translations(language_of(request)).gettext(
        "L’annuaire ne compte pas cette personne : un administrateur vérifie d’abord qui elle est."
    )
    return await show(request, status=422, error=words, wrong=f"personne-{person.role}")


async def _of_another_profession(request: Request, person: Person) -> Response | None:
    """The directory has come to know them with another profession, and keeps no such role. It can be ended."""
    if person.role_code not in professions.IN_PLACE:
        return None
    try:
        with faults.reported():
            await professions.check(request.app.state.house.database.reading, person.practitioner, person.acts_for)
    except professions.OtherProfession as problem:
        words = another_profession(problem, translations(language_of(request)).gettext)
        return await show(request, status=422, error=words, wrong=f"personne-{person.role}")
    return None


async def _begun_anew(request: Request, caller: Caller, person: Person) -> int:
    """The same role of the same person, added since this one stopped; 0 for none."""
    with faults.reported():
        people = await managers.people_of(request.app.state.house.database.reading, caller, KIND)
    whose = (person.practitioner, person.role_code, person.acts_for)
    return next(
        (
            one.role
            for one in people
            if (one.practitioner, one.role_code, one.acts_for) == whose
            and one.role != person.role
            and (one.active or one.awaits)
            and not one.over
        ),
        0,
    )


async def finish(request: Request) -> Response:
    """The end of the contract is today: the role ends now, and so does the account if it reaches no further."""
    caller, _ = await signed_in(request)
    person = await _of_mine(request, caller)
    await staff.change_role(request, caller, person.role, staff.ended(clock.now(request).date()))
    if person.alone:
        house = request.app.state.house
        with faults.reported():
            async with house.database.writing.acquire() as connection, connection.transaction():
                await accounts.end_at(connection, person.account, await house.database.now())
                await note(request, connection, Act.ENDED, person.account)
    return go(request, PATH)


async def change_end(request: Request) -> Response:
    """Another last day, or none where there need be none. A replacement that is prolonged has a new authorisation, or is within
    what the first allows."""
    caller, _ = await signed_in(request)
    person = await _of_mine(request, caller)
    form = {name: str(value).strip()[:60] for name, value in (await request.form()).items()}
    gettext = translations(language_of(request)).gettext
    if person.over or not (person.active or person.awaits):
        return await show(request, status=422, error=gettext("C’est fini ou suspendu : les dates ne changent plus."))
    since, number = person.starts.astimezone(staff.PARIS).date(), ""
    try:
        today = clock.now(request).date()
        until = days.last(form.get("fin", ""), since, today, needed=managers.is_dated(person.role_code))
        if person.role_code == "substitute":
            # A renewal counts from today: the authorisation before it has run until now.
            longer = until is not None and until > (last_day_of(person) or until)
            spent = await staff.authorisation_of(request, caller, person.role) if longer else ""
            number = authorised(form, max(since, today), until, spent=spent)
        elif until is not None and managers.is_dated(person.role_code):
            days.check_length(since, until, student=False)
    except days.NotComplete as problem:
        words = gettext(problem.words)
        return await show(request, status=422, error=words, wrong=f"personne-{person.role}", changing=person.role)
    if refused := await _of_another_profession(request, person):
        return refused
    await staff.change_role(request, caller, person.role, staff.prolonged(until, number))
    await _move_end(request, person, until, Act.END_MOVED)
    return go(request, PATH)


async def confirm(request: Request) -> Response:
    """The referent answers for the profession of somebody whose role awaits it."""
    caller, _ = await signed_in(request)
    if not managers.vouches(caller):
        raise NotFound
    person = await _of_mine(request, caller)
    if person.awaits and not await staff.confirm_profession(request, caller, person):
        words = translations(language_of(request)).gettext(
            "L’annuaire connaît cette personne avec une autre profession : un administrateur le corrige s’il le faut."
        )
        return await show(request, status=422, error=words, wrong=f"personne-{person.role}")
    return go(request, PATH)
