"""From a proven identity to a browser session, and a proof once more within one. Every success and every failure is in
the journal before the answer leaves.

In an installation for real people one factor opens nobody's record: a person who has no second one yet is led to set it
up, in a session without any principal.
"""

import secrets
from collections.abc import Sequence
from typing import Final
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from liaison.auth.journal.entry import OUTCOME_REFUSED, Entry, Event, entry
from liaison.auth.people import browsers, devices, phones
from liaison.auth.people.accounts import Account
from liaison.auth.people.acting import NO_ROLE
from liaison.auth.people.browsers import Browser, Device, Elsewhere
from liaison.auth.people.pro_sante_connect.identity import attested
from liaison.auth.people.roles import HeldRole, held_by
from liaison.auth.people.sign_in import SignInRefused
from liaison.fhir.store import faults
from liaison.fhir.store.contract import Request as FhirRequest
from liaison.services.installation import Kind, declared
from liaison.services.pages import cookies
from liaison.services.pages.layout import confine
from liaison.services.pages.signed_in import SignInNeeded, address_of

LONGEST: Final = 1024
SECURITY: Final = "/ma-securite"
"""Where second factors are set up."""


def local(path: str) -> str:
    """An address on this site, or '/': a sign-in page must not send anyone elsewhere."""
    plain = path.startswith("/") and not path.startswith("//") and "\\" not in path and path.isprintable()
    return path if plain and len(path) < 8192 else "/"


def asked(request: Request) -> FhirRequest:
    """The request as the journal keeps it."""
    return FhirRequest(request.method, request.url.path.lstrip("/"), address=address_of(request))


async def note(request: Request, *entries: Entry) -> None:
    """Puts entries into the journal, durably."""
    await request.app.state.house.journal.record(entries)


def before_sign_in(request: Request) -> str:
    """The random value that makes a form genuine before anyone is signed in; the answer gives it back as a cookie."""
    return cookies.read(request, cookies.BEFORE) or secrets.token_urlsafe(16)


async def note_refusal(request: Request, refusal: SignInRefused) -> None:
    """The name that was typed is not recorded: people type passwords there."""
    refused = Entry(
        Event.SIGN_IN,
        OUTCOME_REFUSED,
        person=refusal.person,
        status=403,
        account=refusal.account,
        method=request.method,
        path=request.url.path.lstrip("/"),
        address=address_of(request),
    )
    await note(request, refused)


async def on_enrolled_phone(request: Request, username: str = "") -> bool:
    """Whether this browser is a phone of a service; with a `username`, of a service where that person works.

    In a sandbox every browser counts as enrolled: there is nothing real behind it, and its people have PINs."""
    house = request.app.state.house
    secret = cookies.read(request, cookies.PHONE)
    phone = await phones.find(house.database.reading, secret) if secret else None
    if phone is not None and (not username or await phones.serves(house.database.reading, phone, username)):
        return True
    return await declared(house.database.reading, house.vault) is Kind.SANDBOX


async def device_of(request: Request) -> Device:
    """What its owner knows this browser by."""
    secret = cookies.read(request, cookies.PHONE)
    phone = await phones.find(request.app.state.house.database.reading, secret) if secret else None
    return Device(devices.in_words(request.headers.get("user-agent", "")), phone.number if phone else 0)


async def two_needed(request: Request) -> bool:
    """Whether a session of one factor stays without any principal here: everywhere but in a sandbox. A base that does not
    say what it is may hold real people."""
    house = request.app.state.house
    return await declared(house.database.reading, house.vault) is not Kind.SANDBOX


async def enter(
    request: Request, account: Account, follow: str = "/", *, factors: int = 1, elsewhere: Elsewhere | None = None
) -> Response:
    """Opens a browser session for someone whose identity is proven, in their role if they hold exactly one, in none if
    they hold none.

    Always a new cookie; the one the browser came with ends. Journaled before it returns.
    """
    house = request.app.state.house
    with faults.reported():
        alone, device = factors < 2 and await two_needed(request), await device_of(request)
        async with house.database.writing.acquire() as connection:
            leaving = cookies.read(request, cookies.SESSION)
            cookie = await browsers.begin(
                connection, account, factors=factors, alone=alone, elsewhere=elsewhere, leaving=leaving, device=device
            )
            browser = await browsers.find(connection, cookie)
            if browser is not None and not browser.caller.role_code and not alone:
                held = offered(await held_by(connection, account.person.res), browser)
                if len(held) < 2:
                    cookie = await browsers.choose(connection, cookie, account, held[0] if held else NO_ROLE)
                    browser = await browsers.find(connection, cookie)
    if browser is None:
        raise SignInNeeded  # suspended in the meantime
    await note(request, entry(browser.caller, Event.SIGN_IN, request=asked(request), detail={"factors": factors}))
    if not browser.caller.role_code:
        follow = f"{SECURITY if alone else '/role'}?suite={quote(follow, safe='')}"
    response = go(request, follow)
    cookies.give(request, response, cookies.SESSION, cookie)
    cookies.take(request, response, cookies.BEFORE)
    for done in (cookies.STEP, cookies.CHALLENGE):
        if cookies.read(request, done):
            cookies.take(request, response, done)
    return response


def offered(held: Sequence[HeldRole], browser: Browser) -> list[HeldRole]:
    """The roles that may be chosen: what the directory gives, as far as a sign-in elsewhere stands behind it."""
    if browser.attested is None:
        return list(held)
    return [one for one in held if attested(one, browser.attested)]


async def proven_again(request: Request, browser: Browser, factors: int) -> str:
    """The new cookie of the same session, whose owner has just proven who they are. Journaled before it returns."""
    house = request.app.state.house
    async with house.database.writing.acquire() as connection:
        cookie = await browsers.prove_again(connection, cookies.read(request, cookies.SESSION), factors=factors)
    await note(request, entry(browser.caller, Event.SIGN_IN, request=asked(request), detail={"again": factors}))
    return cookie


def go(request: Request, path: str) -> Response:
    return confine(request, RedirectResponse(path, status_code=303))
