"""Who is on the other side of a page: `caller, me = await signed_in(request)`."""

from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from starlette.requests import Request

from liaison.auth.access import adopted, internal
from liaison.auth.access.roles import ROLES
from liaison.auth.caller import Caller
from liaison.auth.people import browsers, managers, notices
from liaison.auth.people.accounts import Account
from liaison.auth.people.browsers import Browser
from liaison.auth.people.roles import held_by
from liaison.fhir.definitions import kind_of, type_of
from liaison.fhir.store import faults
from liaison.fhir.store.contract import Key
from liaison.fhir.store.ids import Ids
from liaison.services.pages import cookies
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.reading import names
from liaison.services.pages.reading.identity import identity
from liaison.services.pages.record import Record
from liaison.services.pages.role_names import bare, role_name

_NAMES_KEPT = 2_000


class SignInNeeded(Exception):
    """Nobody is signed in, or no longer. The page wrapper sends the browser to the sign-in page and back."""


class RoleNeeded(Exception):
    """Signed in, but no role is chosen yet."""


@dataclass(frozen=True, slots=True)
class Me:
    """Who is signed in, as shown on every page. `person` is the reference of the Practitioner, Patient or
    RelatedPerson; `role_reference` and `organization_reference` are '' for those who have none. `unread`: notices that the
    data protection officer has not read; 0 for anyone else. `elsewhere`: through Pro Santé Connect. `manages`: has
    roles to give in the structure that they act for. `bare`: acts for a named professional and, by the table in force, reads
    nothing of what a record holds (role_names.bare)."""

    account: Account
    name: str
    role_code: str
    role_label: str
    organization_name: str
    person: str
    role_reference: str
    organization_reference: str
    csrf: str
    roles: int
    started_at: datetime
    expires_at: datetime
    unread: int = 0
    elsewhere: bool = False
    manages: bool = False
    bare: bool = False

    @property
    def signature(self) -> dict[str, str]:
        """The Reference by which what they write names them, with their role beside the name."""
        return {"reference": self.role_reference or self.person, "display": f"{self.name} ({self.role_label.lower()})"}


class SignedIn(NamedTuple):
    caller: Caller
    me: Me


async def browser_of(request: Request) -> Browser | None:
    """The live browser session, role chosen or not; None when there is none."""
    cookie = cookies.read(request, cookies.SESSION)
    if not cookie:
        return None
    database = request.app.state.house.database
    with faults.reported():
        found = await browsers.find(database.reading, cookie)
        if found is not None and found.unseen:
            await browsers.seen(database.writing, cookie)
    return found


async def signed_in(request: Request) -> SignedIn:
    """The caller for `Engine.handle`, and who that is. Raises SignInNeeded or RoleNeeded.

    The session is read from the database at each request: one that was ended is ended here at once. The answer is kept
    on the request, where `render` finds it.
    """
    kept: SignedIn | None = getattr(request.state, "signed_in", None)
    if kept is not None:
        return kept
    browser = await browser_of(request)
    if browser is None:
        raise SignInNeeded
    if not browser.caller.role_code:
        raise RoleNeeded
    found = SignedIn(browser.caller, await _me(request, browser))
    request.state.signed_in = found
    return found


@asynccontextmanager
async def identities(request: Request, caller: Caller, of: int = 0) -> AsyncIterator[Record]:
    """The record as the principal of identities sees it, for this caller: the journal shows both. `of`: one patient alone."""
    house = request.app.state.house
    cell = await internal.open_session(house.database.writing, "identity", timedelta(minutes=1), caller=caller, of=of)
    try:
        yield Record(house.engine, cell, address_of(request))
    finally:
        await internal.close_session(house.database.writing, cell)


class _Names(NamedTuple):
    person: str
    gender: str
    organization: str
    roles: int
    stands_for: str
    manages: bool


# By session: names are no rights, and change rarely. A new session reads them again.
_names: OrderedDict[int, _Names] = OrderedDict()


async def _me(request: Request, browser: Browser) -> Me:
    house = request.app.state.house
    ids = Ids(house.vault.id_key)
    caller, account = browser.caller, browser.account
    person = reference(ids, account.person)
    role = reference(ids, Key(0, kind_of("PractitionerRole"), caller.role)) if caller.role else ""
    organization = reference(ids, Key(0, kind_of("Organization"), caller.organization)) if caller.organization else ""
    names = _names.get(caller.session)
    if names is None:
        record = Record(house.engine, caller, address_of(request))
        held = await held_by(house.database.reading, caller.practitioner)
        tree = await record.read(person)
        if tree is None and account.person.kind == kind_of("RelatedPerson"):
            # Who is close to the person does not read the record that says so; they know their own name.
            async with identities(request, caller, account.person.patient) as cell:
                tree = await cell.read(person)
        names = _Names(
            human_name(tree) or account.username,
            str((tree or {}).get("gender", "")),
            str(((await record.read(organization)) or {}).get("name", "")) if organization else "",
            len(held),
            next(
                (one.stands_for for one in held if one[:3] == (caller.role, caller.organization, caller.role_code)), ""
            ),
            bool(await managers.gives(house.database.reading, caller)),
        )
        _names[caller.session] = names
        if len(_names) > _NAMES_KEPT:
            _names.popitem(last=False)
    with faults.reported():
        unread = await notices.unread(house.database.reading, caller.session) if caller.role_code == "dpo" else 0
        # NO_ROLE, of whoever holds none today, is none of them.
        delegate = caller.role_code in ROLES and ROLES[caller.role_code].category == "delegate"
        nothing = delegate and bare(await adopted.in_force(house.database.reading), caller.role_code)
    return Me(
        account=account,
        name=names.person,
        role_code=caller.role_code,
        role_label=role_name(
            caller.role_code, translations(language_of(request)).gettext, names.stands_for, names.gender
        ),
        organization_name=names.organization,
        person=person,
        role_reference=role,
        organization_reference=organization,
        csrf=browser.csrf,
        roles=names.roles,
        manages=names.manages,
        bare=nothing,
        started_at=browser.started_at,
        expires_at=browser.expires_at,
        unread=unread,
        elsewhere=browser.attested is not None,
    )


def reference(ids: Ids, key: Key) -> str:
    """'Practitioner/<id>'."""
    return f"{type_of(key.kind)}/{ids.encode(key)}"


def address_of(request: Request) -> str:
    return request.client.host if request.client else ""


def human_name(tree: dict[str, Any] | None) -> str:
    """The official name that stands today, as people write it, or ''. A patient's is as on every page of their record."""
    if tree and tree.get("resourceType") == "Patient":
        return identity(tree).full
    standing = names.standing(tree or {})
    name = next((one for one in standing if one.get("use") == "official"), next(iter(standing), {}))
    parts = [*(name.get("given") or ()), name.get("family")]
    return str(name.get("text") or " ".join(str(one) for one in parts if one))
