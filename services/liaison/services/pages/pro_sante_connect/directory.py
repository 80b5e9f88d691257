"""Who in our directory is the professional that Pro Santé Connect has recognised, and the account that is theirs."""

import secrets
from urllib.parse import quote

import structlog
from starlette.requests import Request

from liaison.auth.access import internal
from liaison.auth.access.roles import profession_of
from liaison.auth.journal.acts import Act
from liaison.auth.journal.entry import Entry, Event
from liaison.auth.people import accounts, professions
from liaison.auth.people.accounts import Account
from liaison.auth.people.pro_sante_connect.identity import Professional
from liaison.auth.people.sign_in import SignInRefused
from liaison.auth.people.ways_in import ELSEWHERE
from liaison.fhir.model import glance
from liaison.fhir.store.contract import Key
from liaison.fhir.store.contract import Request as FhirRequest
from liaison.services.pages.record import Record, Refused
from liaison.services.pages.signed_in import address_of
from liaison.services.pages.team.staff import qualify

log = structlog.get_logger()


async def account_of(request: Request, person: Professional) -> Account:
    """Raises SignInRefused for someone whom the directory does not know, knows twice, or has ended; and for one whose
    accounts are all suspended. Whoever has no account yet gets one, without any secret of its own."""
    key = await _practitioner(request, person)
    house = request.app.state.house
    await _state_profession(request, key, person)
    known = await accounts.of_person(house.database.reading, key)
    if known:
        for one in known:
            if await accounts.in_force(house.database.reading, one.number):
                return one
        raise SignInRefused(known[0].number, key.res)
    async with house.database.writing.acquire() as connection, connection.transaction():
        made = await accounts.add(connection, f"{ELSEWHERE}{secrets.token_hex(8)}", key, invited=True)
        opened = Entry(
            Event.RIGHTS,
            person=key.res,
            account=made.number,
            method=request.method,
            path="psc/retour",
            detail={"act": Act.ACCOUNT_ELSEWHERE, "account": made.number},
        )
        await house.journal.record_within(connection, (opened,))
    return made


async def _practitioner(request: Request, person: Professional) -> Key:
    house = request.app.state.house
    caller = await internal.open_session(house.database.writing, "sign-in")
    wanted = ",".join(f"{system}|{value}" for system, value in person.identifiers)
    asked = FhirRequest("GET", "Practitioner", f"identifier={quote(wanted)}&_count=2", address=address_of(request))
    answer = await house.engine.handle(caller, asked)
    await internal.close_session(house.database.writing, caller)
    found = [one["resource"] for one in glance(answer.body).get("entry", ()) if answer.status == 200]
    if len(found) != 1 or found[0].get("active") is False:
        raise SignInRefused
    key = house.store.key("Practitioner", found[0]["id"])
    if not isinstance(key, Key):
        raise SignInRefused
    return key


async def _state_profession(request: Request, key: Key, person: Professional) -> None:
    """What the provider has recognised somebody as is known from then on, where a role in someone's place awaits it: an exercice
    of that very profession. Where that cannot be written, the role goes on waiting, and one is in without it."""
    house = request.app.state.house
    stated = {profession_of(role) for role in person.roles} & await professions.awaited(house.database.reading, key.res)
    if stated:
        caller = await internal.open_session(house.database.writing, "sign-in")
        try:
            await qualify(Record(house.engine, caller, address_of(request)), house.store.reference(key), stated)
        except Refused as refused:
            log.warning("a profession could not be written", status=refused.answered)
        finally:
            await internal.close_session(house.database.writing, caller)
