"""One account, and what an administrator does with it: a new link, suspension, the end of a contract, getting back in.

Nothing here reaches one's own account: nobody could lift what was done by mistake, and nobody recovers themselves.
"""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from liaison.auth.journal.acts import Act
from liaison.auth.people import accounts, identity_checks, professions, recovery, ways_in
from liaison.auth.people.accounts import Account, AlreadyHeld
from liaison.auth.people.recovery import RecoveryProblem, SignsInElsewhere
from liaison.auth.people.ways_in import NoLink
from liaison.fhir.errors import NotFound
from liaison.fhir.store import faults
from liaison.services.pages.administration import people
from liaison.services.pages.administration.people import PATH, WrongDay, named, note
from liaison.services.pages.entering import go
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.layout import render
from liaison.services.pages.marking import _
from liaison.services.pages.online_access.words import DOCUMENTS
from liaison.services.pages.record import Record
from liaison.services.pages.role_names import profession_name
from liaison.services.pages.signed_in import address_of, signed_in
from liaison.services.pages.team.staff import qualify

_NO_LINK = {
    "suspended": _("Ce compte est suspendu : reprenez-le d’abord."),
    "over": _("Ce compte est fini : changez d’abord son dernier jour, ou la représentation dans le dossier."),
    "elsewhere": _("Cette personne se connecte avec Pro Santé Connect : elle n’a pas de secret ici."),
    "used": _("Cette personne a déjà choisi comment elle entre. Si elle a tout perdu, demandez le rétablissement."),
}


async def show(request: Request) -> Response:
    """GET: the account by the number in the address."""
    return await _show(request, await named(request, str(request.path_params["compte"])))


async def _show(request: Request, account: Account, *, status: int = 200, **context: Any) -> Response:
    _, me = await signed_in(request)
    reading = request.app.state.house.database.reading
    with faults.reported():
        ways = await ways_in.of(reading, account.number)
        waiting = (await recovery.asked(reading)).get(account.number, 0)
        check = await identity_checks.of_account(reading, account.number)
        awaited = await professions.awaited(reading, account.person.res)
    gettext = translations(language_of(request)).gettext
    return render(
        request,
        "administration/account.html",
        status=status,
        one=account,
        name=await people.name_of(request, account),
        reference=request.app.state.house.store.reference(account.person),
        ways=ways,
        check=check,
        checker=await people.checker_of(request, check) if check else "",
        documents=DOCUMENTS,
        elsewhere=account.username.startswith(ways_in.ELSEWHERE),
        asked_by=waiting,
        awaited=sorted(profession_name(one, gettext) for one in awaited),
        mine=me.account,
        own=account.person == me.account.person,
        **context,
    )


async def _of_another(request: Request) -> tuple[Account, dict[str, str]]:
    """The account that the form names, never one's own person's, and the form. Raises NotFound."""
    form = {name: str(value).strip()[:128] for name, value in (await request.form()).items()}
    account = await named(request, form.get("compte", ""))
    _, me = await signed_in(request)
    if account.person == me.account.person:
        raise NotFound
    return account, form


def _there(request: Request, account: Account) -> Response:
    return go(request, f"{PATH}/{account.number}")


async def suspend(request: Request) -> Response:
    """Stops an account, or lets it begin again."""
    account, _form = await _of_another(request)
    with faults.reported():
        async with request.app.state.house.database.writing.acquire() as connection, connection.transaction():
            await accounts.suspend(connection, account.username, active=not account.active)
            await note(request, connection, Act.SUSPENDED if account.active else Act.RESUMED, account)
    return _there(request, account)


async def new_link(request: Request) -> Response:
    """For someone who has not chosen a secret yet, and lost the link or let it run out."""
    account, _form = await _of_another(request)
    with faults.reported():
        async with request.app.state.house.database.writing.acquire() as connection, connection.transaction():
            try:
                token = await ways_in.link_again(connection, account)
            except NoLink as problem:
                words = translations(language_of(request)).gettext(_NO_LINK[problem.why])
                return await _show(request, account, status=422, error=words)
            await note(request, connection, Act.LINK, account)
    return await _show(request, account, link=people.link(request, token))


async def change_end(request: Request) -> Response:
    """The last day of the contract, or none; or its end today."""
    account, form = await _of_another(request)
    try:
        now = await request.app.state.house.database.now()
        ends_at = now if form.get("maintenant") else people.last_moment(form.get("fin", ""))
    except WrongDay:
        gettext = translations(language_of(request)).gettext
        problem = gettext("La date de fin n’est pas une date.")
        return await _show(request, account, status=422, error=problem, wrong="fin", given=form)
    with faults.reported():
        async with request.app.state.house.database.writing.acquire() as connection, connection.transaction():
            try:
                await accounts.end_at(connection, account.number, ends_at)
            except AlreadyHeld:
                problem = translations(language_of(request)).gettext("Cette personne a déjà un compte.")
                return await _show(request, account, status=422, error=problem, wrong="fin", given=form)
            await note(request, connection, Act.ENDED if form.get("maintenant") else Act.END_MOVED, account)
    return _there(request, account)


async def confirm_profession(request: Request) -> Response:
    """An administrator answers for the profession that a role in someone's place awaits, and writes it into the directory."""
    account, _form = await _of_another(request)
    caller, _ = await signed_in(request)
    house = request.app.state.house
    with faults.reported():
        awaited = await professions.awaited(house.database.reading, account.person.res)
    if awaited:
        record = Record(house.engine, caller, address_of(request))
        await qualify(record, house.store.reference(account.person), awaited)
    return _there(request, account)


async def recover(request: Request) -> Response:
    """Asks for it, or grants what another administrator has asked for."""
    account, token = await named(request, str((await request.form()).get("compte", ""))), ""
    _, me = await signed_in(request)
    with faults.reported():
        async with request.app.state.house.database.writing.acquire() as connection, connection.transaction():
            try:
                waiting = (await recovery.asked(connection)).get(account.number)
                if waiting is None or waiting == me.account.number:
                    await recovery.ask(connection, account, me.account)
                    await note(request, connection, Act.RECOVERY_ASKED, account)
                else:
                    token = await recovery.grant(connection, account, me.account)
                    await note(request, connection, Act.RECOVERY_GRANTED, account)
            except SignsInElsewhere:
                gettext = translations(language_of(request)).gettext
                problem = gettext("Cette personne se connecte avec Pro Santé Connect : elle n’a pas de secret ici.")
                return await _show(request, account, status=422, error=problem)
            except RecoveryProblem:
                gettext = translations(language_of(request)).gettext
                problem = gettext("Il faut deux administrateurs, et ni l’un ni l’autre n’est la personne concernée.")
                return await _show(request, account, status=422, error=problem)
    if token:
        return await _show(request, account, link=people.link(request, token))
    return _there(request, account)
