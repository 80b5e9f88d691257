"""Mon équipe: someone begins in a manager's structure, with an account and the first way in.

It asks for a recent proof of who the manager is (`page`), and is in the journal with her name. A first code is shown on the
page that answers, once, to be printed or spoken.
"""

import contextlib
import re
import secrets
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final, NamedTuple

import asyncpg
from starlette.requests import Request
from starlette.responses import Response

from liaison.auth.caller import Caller
from liaison.auth.journal.acts import Act
from liaison.auth.people import accounts, first_codes, invitations, managers, professions
from liaison.auth.people.accounts import AlreadyHeld
from liaison.fhir.store import faults
from liaison.fhir.store.contract import Key
from liaison.services.pages import clock
from liaison.services.pages.administration.people import link
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.record import Record
from liaison.services.pages.signed_in import address_of, signed_in
from liaison.services.pages.team import acts, engaging, knowing
from liaison.services.pages.team.called import described
from liaison.services.pages.team.days import NotComplete
from liaison.services.pages.team.listing import KIND, another_profession, nothing_to_give, show
from liaison.services.pages.team.newcomer import Newcomer, entered

LONGEST: Final = 60


async def invite(request: Request) -> Response:
    """A new person of the structure, her account, and her first way in: three minutes before a weekend."""
    caller, _ = await signed_in(request)
    form = {name: str(value).strip()[:LONGEST] for name, value in (await request.form()).items()}
    gettext = translations(language_of(request)).gettext
    house = request.app.state.house
    with faults.reported():
        gives = await managers.gives(house.database.reading, caller)
        mine = await managers.people_of(house.database.reading, caller, KIND)
    if not gives:
        return nothing_to_give(request, gettext)
    try:
        newcomer = entered(form, gives, mine, clock.now(request).date(), managers.answers_alone(caller))
        person, new, unsure = await engaging.engage(request, caller, newcomer, vouched=managers.vouches(caller))
    except NotComplete as problem:
        return await show(request, status=422, given=form, wrong=problem.field, error=gettext(problem.words))
    except engaging.Oneself:
        words = gettext("C’est vous : personne ne se donne un rôle.")
        return await show(request, status=422, given=form, wrong="rpps" if newcomer.rpps else "nom", error=words)
    except engaging.HeldAlready as problem:
        words = gettext("Cette personne a déjà ce rôle dans votre structure : changez ses dates sur sa carte.")
        return await show(request, status=422, given=form, wrong=f"personne-{problem.role}", error=words)
    except knowing.Namesakes as problem:
        return await _of_that_name(request, form, problem.trees)
    except knowing.OtherName as problem:
        words = gettext("L’annuaire a ce numéro RPPS pour {name} : vérifiez le numéro, et le nom.")
        return await show(request, status=422, given=form, wrong="rpps", error=words.format(name=problem.name))
    except professions.OtherProfession as problem:
        return await show(request, status=422, given=form, wrong="rpps", error=another_profession(problem, gettext))
    with faults.reported():
        awaits = bool(await professions.awaited(house.database.reading, person.res))
        async with house.database.writing.acquire() as connection, connection.transaction():
            await _last_as_long(connection, caller, person, newcomer.until)
    if house.pro_sante_connect is not None and managers.needs_number(newcomer.role):
        return await show(request, added=newcomer.name, way="psc", awaits=awaits, unsure=unsure)
    with faults.reported():
        async with house.database.writing.acquire() as connection, connection.transaction():
            way = "" if new else await _known_already(connection, caller, person)
            first = None if way else await _first_way(request, connection, person, newcomer, new=new)
    if first is None:
        return await show(request, added=newcomer.name, way=way, awaits=awaits, unsure=unsure)
    if first.on_phone:
        return await show(
            request,
            code=first.secret,
            code_for=first.username,
            code_name=newcomer.name,
            added=newcomer.name if unsure else "",
            unsure=unsure,
        )
    return await show(
        request,
        link=link(request, first.secret),
        link_for=first.username,
        added=newcomer.name if awaits or unsure else "",
        awaits=awaits,
        unsure=unsure,
    )


class _First(NamedTuple):
    """A new account, and what opens it once: a code on the service's telephone, or else a link."""

    username: str
    secret: str
    on_phone: bool


async def _first_way(
    request: Request, connection: asyncpg.Connection, person: Key, newcomer: Newcomer, *, new: bool
) -> _First:
    username = await _free_username(connection, newcomer.given, newcomer.family)
    ends_at = acts.end_of(newcomer.until) if new else None
    account = await accounts.add(connection, username, person, invited=True, ends_at=ends_at)
    on_phone = managers.by_code_on_phone(newcomer.role)
    secret = await (first_codes.give if on_phone else invitations.invite)(connection, account.number)
    await acts.note(request, connection, Act.INVITED, account.number)
    return _First(username, secret, on_phone)


async def _of_that_name(request: Request, form: dict[str, str], trees: Sequence[Mapping[str, Any]]) -> Response:
    """Asks whether it is one of these."""
    caller, _ = await signed_in(request)
    gettext = translations(language_of(request)).gettext
    record = Record(request.app.state.house.engine, caller, address_of(request))
    called = [(f"Practitioner/{tree['id']}", await described(record, tree, gettext)) for tree in trees]
    words = gettext("L’annuaire connaît déjà quelqu’un de ce nom. Est-ce la même personne ?")
    return await show(request, status=422, given=form, wrong="homonyme", error=words, same_name=called)


async def _last_as_long(connection: asyncpg.Connection, caller: Caller, person: Key, until: date | None) -> None:
    """An account that ends, or has ended, with another role of hers is good for as long as the new one."""
    held = [one for one in await managers.people_of(connection, caller, KIND) if one.practitioner == person.res]
    account = await accounts.by_number(connection, held[0].account) if held else None
    end = acts.end_of(until)
    if account is None or not any(acts.ends_with(account, one) for one in held):
        return
    if account.ends_at is not None and (end is None or account.ends_at < end):
        # Not where the person has another since, by which the new role is theirs.
        with contextlib.suppress(AlreadyHeld):
            await accounts.end_at(connection, account.number, end)


async def _known_already(connection: asyncpg.Connection, caller: Caller, person: Key) -> str:
    """How someone whom the directory knew gets in: 'own', by the account they have; 'closed', when it is
    suspended or over; 'known', where the link would be given by the one in whose place they are to act, to whomever that is: with the
    number of a colleague whom the directory knows, anybody could be that colleague; 'admin', when they also work
    elsewhere, where the manager could act as them by a link that she has seen; '' when a link is hers to give."""
    if held := await accounts.of_person(connection, person):
        good = [one for one in held if await accounts.in_force(connection, one.number)]
        return "own" if good else "closed"
    if managers.answers_alone(caller):
        return "known"
    further = await connection.fetchval(
        "select exists (select from held_role where practitioner = $1 and organization <> $2)",
        person.res,
        caller.organization,
    )
    return "admin" if further else ""


async def _free_username(connection: Any, given: str, family: str) -> str:
    """'maelle.tanguy', or with a number after it."""
    plain = unicodedata.normalize("NFKD", f"{given}.{family}".casefold()).encode("ascii", "ignore").decode()
    base = re.sub(r"[^a-z0-9.-]+", "-", plain).strip(".-")[:40] or "personne"
    for number in ("", *map(str, range(2, 20))):
        if await accounts.by_username(connection, base + number) is None:
            return base + number
    return f"{base}{secrets.randbelow(10**6)}"
