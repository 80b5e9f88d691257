"""Comptes: every account, its state, and what an administrator may do with it. Roles are not here: the directory's.

Each act asks for a recent proof, and is in the journal in its own transaction. A link is shown on the page that answers,
once; it is for its owner alone.
"""

from datetime import date, datetime, time
from typing import Any, Final, NamedTuple

import asyncpg
from starlette.requests import Request
from starlette.responses import Response

from liaison.auth.journal.acts import Act
from liaison.auth.journal.entry import Event, entry
from liaison.auth.people import accounts, identity_checks, invitations, recovery, ways_in
from liaison.auth.people.accounts import Account, AccountProblem, AlreadyHeld
from liaison.auth.people.identity_checks import Check, NotChecked
from liaison.auth.people.ways_in import Ways
from liaison.fhir.errors import NotFound
from liaison.fhir.store import faults
from liaison.services.pages import clock
from liaison.services.pages.administration import directory, doubtful
from liaison.services.pages.entering import asked
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.layout import PARIS, render
from liaison.services.pages.marking import _
from liaison.services.pages.online_access.words import DOCUMENTS
from liaison.services.pages.record import Record
from liaison.services.pages.signed_in import address_of, human_name, signed_in

PATH: Final = doubtful.PATH
ADMINISTRATORS: Final = frozenset({"admin"})


MOST: Final = 50
"""Accounts on one page of the list."""


_NOT_CHECKED: Final = {
    "unchecked": _(
        "Personne n’a enregistré avoir vérifié son identité depuis 90 jours : un professionnel qui voit le dossier le fait dans « Accès en ligne »."
    ),
    "alone": _("C’est vous qui avez vérifié cette identité : un autre administrateur ouvre le compte."),
    "known": _("Cette personne a déjà un compte."),
    "unrepresented": _("Cette personne ne représente personne en ce moment."),
}


class Line(NamedTuple):
    """One account of the list. `name` is '' for people of a record, whom administrators do not read."""

    account: Account
    name: str
    ways: Ways
    asked_by: int


class Seen(NamedTuple):
    """A patient or representative whose identity staff have checked: an account may be opened for them."""

    reference: str
    check: Check
    by: str


async def show(request: Request, *, status: int = 200, **context: Any) -> Response:
    """Accounts by user name, all or those that a word of their name or user name finds, and whom one may be opened for: who
    of the directory is so called, and whose identity staff have checked. What waits for a second administrator comes first."""
    _caller, me = await signed_in(request)
    reading = request.app.state.house.database.reading
    words = request.query_params.get("q", "").strip()[:64]
    after = request.query_params.get("apres", "")[:64]
    called = await directory.called(request, words)
    with faults.reported():
        waiting = await recovery.asked(reading)
        first = [] if words or after else await accounts.numbered(reading, list(waiting))
        found = await accounts.find(
            reading, words, list(called), after=after, but=[one.number for one in first], most=MOST + 1
        )
        without = await accounts.without(reading, list(called))
        ways = await ways_in.of_all(reading)
        checks = await identity_checks.waiting(reading)
    lines = [
        Line(one, await name_of(request, one), ways.get(one.number, Ways()), waiting.get(one.number, 0))
        for one in (*first, *found[:MOST])
    ]
    given = {"personne": request.query_params.get("personne", "")[:90], **context.pop("given", {})}
    return render(
        request,
        "administration/people.html",
        status=status,
        people=lines,
        mine=me.account,
        words=words,
        more=found[MOST - 1].username if len(found) > MOST else "",
        without=await directory.described_of(request, [called[one] for one in without]),
        seen=[await _seen(request, one) for one in checks],
        doubtful=await doubtful.waiting(request),
        documents=DOCUMENTS,
        given=given,
        **context,
    )


async def _seen(request: Request, check: Check) -> Seen:
    return Seen(request.app.state.house.store.reference(check.person), check, await checker_of(request, check))


async def checker_of(request: Request, check: Check) -> str:
    """What whoever has checked an identity is called."""
    with faults.reported():
        by = await accounts.by_number(request.app.state.house.database.reading, check.by)
    return "" if by is None else await name_of(request, by) or by.username


async def name_of(request: Request, account: Account) -> str:
    """What the directory calls them; '' for someone of a record."""
    house = request.app.state.house
    caller, _me = await signed_in(request)
    reference = str(house.store.reference(account.person))
    if not reference.startswith("Practitioner/"):
        return ""
    return human_name(await Record(house.engine, caller, address_of(request)).read(reference))


async def named(request: Request, number: str) -> Account:
    """The account of that number. Raises NotFound."""
    if not (number.isascii() and number.isdigit() and len(number) < 20 and int(number) < 2**62):
        raise NotFound
    with faults.reported():
        found = await accounts.by_number(request.app.state.house.database.reading, int(number))
    if found is None:
        raise NotFound
    return found


async def note(request: Request, connection: asyncpg.Connection, act: Act, account: Account, **more: Any) -> None:
    """Into the journal, in the transaction of the act."""
    caller, _me = await signed_in(request)
    patient = account.person.patient
    told = entry(
        caller,
        Event.RIGHTS,
        patient=patient,
        request=asked(request),
        detail={"act": act, "account": account.number, **more},
    )
    await request.app.state.house.journal.record_within(connection, (told,))


def link(request: Request, token: str) -> str:
    return f"{request.app.state.house.settings.public_url}/premier-acces/{token}"


class WrongDay(ValueError):
    """The last day of a contract that was typed is no day."""


def last_moment(typed: str) -> datetime | None:
    """Of the day that was typed; None for none. Raises WrongDay."""
    try:
        return datetime.combine(date.fromisoformat(typed), time.max, PARIS) if typed else None
    except ValueError:
        raise WrongDay from None


async def invite(request: Request) -> Response:
    """Opens an account for someone of the directory or record, and shows their link."""
    form = {name: str(value).strip()[:128] for name, value in (await request.form()).items()}
    house = request.app.state.house
    _caller, me = await signed_in(request)
    gettext = translations(language_of(request)).gettext
    type_, _slash, id_ = form.get("personne", "").partition("/")
    key = house.store.key(type_, id_) if type_ in accounts.KINDS and id_ else None
    with faults.reported():
        known = key is not None and await accounts.known(house.database.reading, key)
    if key is None or not known:
        problem = gettext("Cette personne n’est pas dans l’annuaire, ni dans les dossiers.")
        return await show(request, status=422, error=problem, given=form)
    try:
        ends_at = last_moment(form.get("fin", ""))
    except WrongDay:
        problem = gettext("La date de fin n’est pas une date.")
        return await show(request, status=422, error=problem, wrong="fin", given=form)
    if ends_at is not None and ends_at < clock.now(request):
        problem = gettext("La date de fin est passée.")
        return await show(request, status=422, error=problem, wrong="fin", given=form)
    with faults.reported():
        async with house.database.writing.acquire() as connection, connection.transaction():
            try:
                account = await accounts.add(
                    connection,
                    form.get("identifiant", ""),
                    key,
                    invited=True,
                    ends_at=ends_at,
                    opener=me.account.person,
                )
            except NotChecked as refused:
                words = gettext(_NOT_CHECKED[refused.why])
                return await show(request, status=422, error=words, given=form)
            except AlreadyHeld:
                problem = gettext(
                    "Cette personne a déjà un compte. S’il est terminé, changez son dernier jour. Si elle n’a plus de quoi"
                    " entrer, deux administrateurs le rétablissent."
                )
                return await show(request, status=422, error=problem, given=form)
            except AccountProblem:
                problem = gettext(
                    "Cet identifiant est pris, ou n’a pas la bonne forme (lettres, chiffres, points, tirets)."
                )
                return await show(request, status=422, error=problem, wrong="identifiant", given=form)
            token = await invitations.invite(connection, account.number)
            await note(request, connection, Act.INVITED, account)
            check = await identity_checks.of_account(connection, account.number)
    through = await checker_of(request, check) if check else ""
    return await show(request, link=link(request, token), link_for=account.username, through=through)
