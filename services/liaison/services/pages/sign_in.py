"""Signing in and out, choosing a role, and what I have open.

One neutral error for a wrong name, a wrong secret, a suspended account and too many attempts. Every success and every
failure is in the journal before the answer leaves.
"""

import secrets
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from liaison.auth import sessions
from liaison.auth.journal.entry import OUTCOME_REFUSED, Entry, Event, entry
from liaison.auth.people import browsers, phones
from liaison.auth.people.accounts import Account
from liaison.auth.people.acting import NO_ROLE
from liaison.auth.people.browsers import Browser
from liaison.auth.people.roles import HeldRole, held_by
from liaison.auth.people.sign_in import SignInRefused
from liaison.auth.people.sign_in import sign_in as check_secret
from liaison.fhir.definitions import kind_of
from liaison.fhir.store import faults
from liaison.fhir.store.contract import Key
from liaison.fhir.store.contract import Request as FhirRequest
from liaison.fhir.store.ids import Ids
from liaison.services.installation import Kind, declared
from liaison.services.pages import cookies
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.layout import confine, render
from liaison.services.pages.page import page, to_sign_in
from liaison.services.pages.record import Record
from liaison.services.pages.role_names import role_name
from liaison.services.pages.signed_in import SignInNeeded, address_of, browser_of, reference, signed_in

LONGEST: Final = 1024


def local(path: str) -> str:
    """An address on this site, or '/': a sign-in page must not send anyone elsewhere."""
    plain = path.startswith("/") and not path.startswith("//") and "\\" not in path and path.isprintable()
    return path if plain and len(path) < 8192 else "/"


async def _journal(request: Request, *entries: Entry) -> None:
    await request.app.state.house.journal.record(entries)


def _asked(request: Request) -> FhirRequest:
    return FhirRequest(request.method, request.url.path.lstrip("/"), address=address_of(request))


async def show_sign_in(request: Request) -> Response:
    """The form. Someone who is signed in already goes on to where they were going."""
    follow = local(request.query_params.get("suite", "/"))
    browser = await browser_of(request)
    if browser is not None:
        return _go(request, follow)
    return _form(request, follow)


def before_sign_in(request: Request) -> str:
    """The random value that makes a form genuine before anyone is signed in; the answer gives it back as a cookie."""
    return cookies.read(request, cookies.BEFORE) or secrets.token_urlsafe(16)


def _form(request: Request, follow: str, *, username: str = "", refused: bool = False) -> Response:
    before = before_sign_in(request)
    request.state.csrf = before
    response = render(
        request,
        "sign_in.html",
        status=403 if refused else 200,
        follow=follow,
        username=username,
        refused=refused,
    )
    cookies.give(request, response, cookies.BEFORE, before)
    return response


async def take_sign_in(request: Request) -> Response:
    """Name and secret. Refused: the same page, the same words, whatever was wrong."""
    form = await request.form()
    username, secret = str(form.get("identifiant", ""))[:LONGEST], str(form.get("secret", ""))[:LONGEST]
    follow = local(str(form.get("suite", "/")))
    house = request.app.state.house
    with faults.reported():
        enrolled = await _on_enrolled_phone(request)
        try:
            account = await check_secret(house.database, username, secret, on_enrolled_phone=enrolled)
        except SignInRefused as refusal:
            await _journal_refusal(request, refusal)
            return _form(request, follow, username=username, refused=True)
    return await enter(request, account, follow)


async def _journal_refusal(request: Request, refusal: SignInRefused) -> None:
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
    await _journal(request, refused)


async def prove_again(request: Request, browser: Browser, secret: str) -> str:
    """The new cookie of the same session once its owner has typed their secret again; '' when it is refused.

    For an act that asks for a recent sign-in. Counted and journaled like a sign-in.
    """
    house = request.app.state.house
    with faults.reported():
        enrolled = await _on_enrolled_phone(request)
        try:
            await check_secret(house.database, browser.account.username, secret[:LONGEST], on_enrolled_phone=enrolled)
        except SignInRefused as refusal:
            await _journal_refusal(request, refusal)
            return ""
        async with house.database.writing.acquire() as connection:
            cookie = await browsers.prove_again(connection, cookies.read(request, cookies.SESSION))
    await _journal(request, entry(browser.caller, Event.SIGN_IN, request=_asked(request)))
    return cookie


async def _on_enrolled_phone(request: Request) -> bool:
    """In a sandbox every browser counts as enrolled: there is nothing real behind it, and its people have PINs."""
    house = request.app.state.house
    secret = cookies.read(request, cookies.PHONE)
    if secret and await phones.find(house.database.reading, secret) is not None:
        return True
    return await declared(house.database.reading, house.vault) is Kind.SANDBOX


async def enter(request: Request, account: Account, follow: str = "/") -> Response:
    """Opens a browser session for someone whose identity is proven, in their role if they hold exactly one, in none if
    they hold none.

    Always a new cookie; the one the browser came with ends. Journaled before it returns.
    """
    house = request.app.state.house
    with faults.reported():
        async with house.database.writing.acquire() as connection:
            leaving = cookies.read(request, cookies.SESSION)
            cookie = await browsers.begin(connection, account, leaving=leaving)
            browser = await browsers.find(connection, cookie)
            if browser is not None and not browser.caller.role_code:
                held = await held_by(connection, account.person.res)
                if len(held) < 2:
                    cookie = await browsers.choose(connection, cookie, account, held[0] if held else NO_ROLE)
                    browser = await browsers.find(connection, cookie)
    if browser is None:
        raise SignInNeeded  # suspended in the meantime
    await _journal(request, entry(browser.caller, Event.SIGN_IN, request=_asked(request)))
    response = _go(request, follow if browser.caller.role_code else f"/role?suite={quote(follow, safe='')}")
    cookies.give(request, response, cookies.SESSION, cookie)
    cookies.take(request, response, cookies.BEFORE)
    return response


def _go(request: Request, path: str) -> Response:
    return confine(request, RedirectResponse(path, status_code=303))


async def choose_role(request: Request) -> Response:
    """The roles that the directory gives this person now. One is chosen for the whole session; another needs this page
    again, and every page shows which."""
    browser = await browser_of(request)
    if browser is None:
        return to_sign_in(request)
    house = request.app.state.house
    with faults.reported():
        held = await held_by(house.database.reading, browser.account.person.res)
    if request.method == "POST":
        form = await request.form()
        chosen = str(form.get("role", ""))
        found = next((one for one in held if f"{one.role}.{one.role_code}" == chosen), None)
        if found is not None:
            return await _take_role(request, browser.account, found, local(str(form.get("suite", "/"))))
    request.state.csrf = browser.csrf
    return render(
        request,
        "choose_role.html",
        status=200 if request.method == "GET" else 422,
        follow=local(request.query_params.get("suite", "/")),
        choices=[(f"{one.role}.{one.role_code}", await _described(request, browser.caller, one)) for one in held],
        refused=request.method == "POST",
        csrf=browser.csrf,
    )


async def _described(request: Request, caller: object, held: HeldRole) -> str:
    house = request.app.state.house
    label = role_name(held.role_code, translations(language_of(request)).gettext)
    if not held.organization:
        return label
    key = Key(0, kind_of("Organization"), held.organization)
    record = Record(house.engine, caller, address_of(request))  # type: ignore[arg-type]  # a Caller, from browser_of
    organization = await record.read(reference(Ids(house.vault.id_key), key))
    return f"{label}, {organization['name']}" if organization and "name" in organization else label


async def _take_role(request: Request, account: Account, role: HeldRole, follow: str) -> Response:
    house = request.app.state.house
    with faults.reported():
        async with house.database.writing.acquire() as connection:
            try:
                cookie = await browsers.choose(connection, cookies.read(request, cookies.SESSION), account, role)
            except sessions.NoLongerHeld:
                return _go(request, "/role")
            browser = await browsers.find(connection, cookie)
    if browser is None:
        raise SignInNeeded
    await _journal(request, entry(browser.caller, Event.SIGN_IN, request=_asked(request)))
    response = _go(request, follow)
    cookies.give(request, response, cookies.SESSION, cookie)
    return response


async def sign_out(request: Request) -> Response:
    """Ends this browser's session, in the database first, so that a copied cookie ends too."""
    browser = await browser_of(request)
    cookie = cookies.read(request, cookies.SESSION)
    if browser is not None:
        with faults.reported():
            async with request.app.state.house.database.writing.acquire() as connection:
                await browsers.end(connection, cookie)
        await _journal(request, entry(browser.caller, Event.SIGN_OUT, request=_asked(request)))
    response = _go(request, "/connexion")
    cookies.take(request, response, cookies.SESSION)
    # Whatever a page may have left on a shared machine goes too.
    response.headers["clear-site-data"] = '"cache"'
    return response


async def my_connections(request: Request) -> Response:
    """What I have open, here and elsewhere, and one button that ends it all."""
    caller, me = await signed_in(request)
    house = request.app.state.house
    if request.method == "POST":
        with faults.reported():
            async with house.database.writing.acquire() as connection, connection.transaction():
                await sessions.end_account(connection, me.account.number)
        await _journal(request, entry(caller, Event.SIGN_OUT, request=_asked(request), detail={"all": True}))
        response = _go(request, "/connexion")
        cookies.take(request, response, cookies.SESSION)
        return response
    with faults.reported():
        found = await browsers.open_now(house.database.reading, me.account.number)
    return render(request, "my_connections.html", connections=found, current=caller.session)


def routes(homes: Mapping[str, str]) -> list[Route]:
    """`homes`: where each role lands; given by the desks."""

    async def home(request: Request) -> Response:
        if getattr(request.app.state, "sandbox", False) and await browser_of(request) is None:
            return _go(request, "/territoire")
        caller, _ = await signed_in(request)
        if caller.role_code in homes:
            return _go(request, homes[caller.role_code])
        return _go(request, "/role" if caller.role_code == NO_ROLE.role_code else "/mes-connexions")

    async def connexion(request: Request) -> Response:
        return await (take_sign_in if request.method == "POST" else show_sign_in)(request)

    both = ("GET", "POST")
    return [
        page("/", home),
        page("/connexion", connexion, methods=both),
        page("/role", choose_role, methods=both),
        page("/deconnexion", sign_out, methods=("POST",)),
        page("/mes-connexions", my_connections, methods=both),
    ]
