"""Comptes: every account, its state, and what an administrator may do with it. Roles are not here: the directory's.

Each act asks for a recent proof, and is in the journal in its own transaction. A link is shown on the page that answers,
once; it is for its owner alone.
"""

from typing import Any, Final

import asyncpg
from starlette.requests import Request
from starlette.responses import Response

from liaison.auth.journal.entry import Event, entry
from liaison.auth.people import accounts, invitations, recovery
from liaison.auth.people.accounts import Account, AccountProblem
from liaison.auth.people.recovery import RecoveryProblem
from liaison.auth.people.second_factor import factors_of
from liaison.fhir.errors import NotFound
from liaison.fhir.store import faults
from liaison.fhir.store.contract import Key
from liaison.services.pages.entering import asked, go
from liaison.services.pages.factors.again import recently
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.layout import render
from liaison.services.pages.record import Record
from liaison.services.pages.signed_in import address_of, human_name, signed_in

PATH: Final = "/administration/comptes"
ADMINISTRATORS: Final = frozenset({"admin"})
READERS: Final = frozenset({"dpo", "auditor"})


async def show(request: Request, *, status: int = 200, **context: Any) -> Response:
    """Every account, by user name."""
    caller, me = await signed_in(request)
    house = request.app.state.house
    record = Record(house.engine, caller, address_of(request))
    with faults.reported():
        found = await accounts.every(house.database.reading)
        waiting = await recovery.asked(house.database.reading)
        rows = []
        for one in found:
            factors = await factors_of(house.database.reading, one.number)
            reference = str(house.store.reference(one.person))
            name = human_name(await record.read(reference)) if reference.startswith("Practitioner/") else ""
            rows.append((one, name or reference, factors, waiting.get(one.number)))
    return render(request, "administration/people.html", status=status, people=rows, mine=me.account.number, **context)


async def _named(request: Request) -> Account:
    number = str((await request.form()).get("compte", ""))
    if not (number.isascii() and number.isdigit() and len(number) < 20 and int(number) < 2**62):
        raise NotFound
    with faults.reported():
        found = await accounts.by_number(request.app.state.house.database.reading, int(number))
    if found is None:
        raise NotFound
    return found


async def _note(request: Request, connection: asyncpg.Connection, act: str, account: Account) -> None:
    caller, _ = await signed_in(request)
    told = entry(caller, Event.RIGHTS, request=asked(request), detail={"act": act, "account": account.number})
    await request.app.state.house.journal.record_within(connection, (told,))


def _link(request: Request, token: str) -> str:
    return f"{request.app.state.house.settings.public_url}/premier-acces/{token}"


async def _exists(reading: asyncpg.Pool, key: Key) -> bool:
    """Whether the directory or a record has such a person. Whoever has an id knows that much; ids are not to be guessed."""
    if key.patient:
        text = "select exists (select from version where patient = $1 and kind = $2 and res = $3)"
        return bool(await reading.fetchval(text, key.patient, key.kind, key.res))
    text = "select exists (select from directory_version where kind = $1 and res = $2)"
    return bool(await reading.fetchval(text, key.kind, key.res))


async def invite(request: Request) -> Response:
    """Opens an account for someone of the directory or record, and shows their link."""
    if isinstance(proven := await recently(request), Response):
        return proven
    form = {name: str(value).strip()[:128] for name, value in (await request.form()).items()}
    house = request.app.state.house
    gettext = translations(language_of(request)).gettext
    type_, _, id_ = form.get("personne", "").partition("/")
    key = house.store.key(type_, id_) if type_ in accounts.KINDS and id_ else None
    with faults.reported():
        known = key is not None and await _exists(house.database.reading, key)
    if key is None or not known:
        problem = gettext("Cette personne n’est pas dans l’annuaire, ni dans les dossiers.")
        return await show(request, status=422, error=problem, given=form)
    with faults.reported():
        async with house.database.writing.acquire() as connection, connection.transaction():
            try:
                account = await accounts.add(connection, form.get("identifiant", ""), key, invited=True)
            except AccountProblem:
                problem = gettext(
                    "Cet identifiant est pris, ou n’a pas la bonne forme (lettres, chiffres, points, tirets)."
                )
                return await show(request, status=422, error=problem, given=form)
            token = await invitations.invite(connection, account.number)
            await _note(request, connection, "invite", account)
    return await show(request, link=_link(request, token), link_for=account.username)


async def suspend(request: Request) -> Response:
    """Stops an account, or lets it begin again. Never one's own: nobody could lift it."""
    if isinstance(proven := await recently(request), Response):
        return proven
    account, house = await _named(request), request.app.state.house
    if account.person == proven.account.person:
        raise NotFound
    with faults.reported():
        async with house.database.writing.acquire() as connection, connection.transaction():
            await accounts.suspend(connection, account.username, active=not account.active)
            await _note(request, connection, "suspend" if account.active else "resume", account)
    return go(request, PATH)


async def recover(request: Request) -> Response:
    """Asks for it, or grants what another administrator has asked for."""
    if isinstance(proven := await recently(request), Response):
        return proven
    account, house, token = await _named(request), request.app.state.house, ""
    with faults.reported():
        async with house.database.writing.acquire() as connection, connection.transaction():
            try:
                waiting = (await recovery.asked(connection)).get(account.number)
                if waiting is None or waiting == proven.account.number:
                    await recovery.ask(connection, account, proven.account)
                    await _note(request, connection, "ask for recovery", account)
                else:
                    token = await recovery.grant(connection, account, proven.account)
                    await _note(request, connection, "grant recovery", account)
            except RecoveryProblem:
                gettext = translations(language_of(request)).gettext
                problem = gettext("Il faut deux administrateurs, et ni l’un ni l’autre n’est la personne concernée.")
                return await show(request, status=422, error=problem)
    if token:
        return await show(request, link=_link(request, token), link_for=account.username)
    return go(request, PATH)


async def recovered(request: Request) -> Response:
    """Accès rétablis: for the data protection officer, who signs each one off, and for auditors."""
    caller, _ = await signed_in(request)
    house = request.app.state.house
    if request.method == "POST":
        number = str((await request.form()).get("acces", ""))
        if caller.role_code != "dpo" or not (number.isascii() and number.isdigit() and len(number) < 20):
            raise NotFound
        with faults.reported():
            async with house.database.writing.acquire() as connection, connection.transaction():
                if int(number) < 2**62 and await recovery.sign_off(connection, int(number)):
                    told = entry(caller, Event.RIGHTS, request=asked(request), detail={"act": "recovery read"})
                    await house.journal.record_within(connection, (told,))
        return go(request, "/acces-retablis")
    with faults.reported():
        names = {one.number: one.username for one in await accounts.every(house.database.reading)}
        found = await recovery.granted(house.database.reading)
    return render(request, "administration/recovered.html", found=found, names=names, reads=caller.role_code == "dpo")
