"""Signing in and out, and choosing a role.

One neutral error for a wrong name, a wrong secret, a suspended account and too many attempts. Every success and every
failure is in the journal before the answer leaves.
"""

from collections.abc import Mapping
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from liaison.auth import sessions
from liaison.auth.journal.entry import Event, entry
from liaison.auth.people import browsers, passkeys, phones
from liaison.auth.people.accounts import Account
from liaison.auth.people.acting import NO_ROLE
from liaison.auth.people.roles import HeldRole, held_by
from liaison.auth.people.second_factor import factors_of
from liaison.auth.people.sign_in import SignInRefused, looks_like_pin
from liaison.auth.people.sign_in import sign_in as check_secret
from liaison.fhir.definitions import kind_of
from liaison.fhir.store import faults
from liaison.fhir.store.contract import Key
from liaison.fhir.store.ids import Ids
from liaison.services.pages import cookies
from liaison.services.pages.entering import (
    LONGEST,
    SECURITY,
    asked,
    before_sign_in,
    enter,
    go,
    local,
    note,
    note_refusal,
    offered,
    on_enrolled_phone,
    two_needed,
)
from liaison.services.pages.factors.second import ask_second
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.layout import render
from liaison.services.pages.onward import software_of
from liaison.services.pages.page import page, to_sign_in
from liaison.services.pages.pro_sante_connect.signing_in import origin_of
from liaison.services.pages.pro_sante_connect.signing_out import signed_out_here
from liaison.services.pages.pro_sante_connect.stated import stated
from liaison.services.pages.record import Record
from liaison.services.pages.role_names import role_name
from liaison.services.pages.signed_in import SignInNeeded, address_of, browser_of, reference, signed_in


async def show_sign_in(request: Request) -> Response:
    """The form. Someone who is signed in already goes on to where they were going."""
    follow = local(request.query_params.get("suite", "/"))
    browser = await browser_of(request)
    if browser is not None:
        return go(request, follow)
    return await _form(request, follow)


async def _names(request: Request) -> list[str]:
    """On a phone of a service: who works with it, to be touched instead of typed. Nowhere else."""
    database, secret = request.app.state.house.database, cookies.read(request, cookies.PHONE)
    with faults.reported():
        phone = await phones.find(database.reading, secret) if secret else None
        return await phones.users_of(database.reading, phone) if phone else []


async def _form(request: Request, follow: str, *, username: str = "", refused: bool = False) -> Response:
    names = await _names(request)
    provider = request.app.state.house.pro_sante_connect
    before = before_sign_in(request)
    request.state.csrf = before
    response = render(
        request,
        "sign_in.html",
        status=403 if refused else 200,
        follow=follow,
        username=username,
        names=names,
        chosen=username in names,
        refused=refused,
        form_targets=(*await origin_of(provider), *await software_of(request, follow)),
        psc=provider is not None,
        passkeys=passkeys.site_of(request.app.state.house.settings.public_url) is not None,
    )
    cookies.give(request, response, cookies.BEFORE, before)
    return response


async def take_sign_in(request: Request) -> Response:
    """Name and secret. Refused: the same page, the same words, whatever was wrong."""
    form = await request.form()
    username, secret = str(form.get("identifiant", ""))[:LONGEST], str(form.get("secret", ""))[:LONGEST]
    follow = local(str(form.get("suite", "/")))
    if form.get("qui"):  # a name was touched: the code is asked for next
        return await _form(request, follow, username=str(form["qui"])[:LONGEST])
    house = request.app.state.house
    with faults.reported():
        enrolled = await on_enrolled_phone(request, username)
        try:
            account = await check_secret(house.database, username, secret, on_enrolled_phone=enrolled)
        except SignInRefused as refusal:
            await note_refusal(request, refusal)
            return await _form(request, follow, username=username, refused=True)
        if enrolled and looks_like_pin(secret):
            return await enter(request, account, follow, factors=2)  # the phone, and the PIN
        if (await factors_of(house.database.reading, account.number)).any:
            return await ask_second(request, account, follow)
    return await enter(request, account, follow)


async def choose_role(request: Request) -> Response:
    """The roles that the directory gives this person now. One is chosen for the whole session; another needs this page
    again, and every page shows which."""
    browser = await browser_of(request)
    if browser is None:
        return to_sign_in(request)
    if browser.factors < 2 and await two_needed(request):
        return go(request, f"{SECURITY}?suite={quote(request.query_params.get('suite', '/'), safe='')}")
    house = request.app.state.house
    with faults.reported():
        given = await held_by(house.database.reading, browser.account.person.res)
    held = offered(given, browser)
    if request.method == "POST":
        form = await request.form()
        chosen = str(form.get("role", ""))
        found = next((one for one in held if f"{one.role}.{one.role_code}" == chosen), None)
        if found is not None:
            return await _take_role(request, browser.account, found, local(str(form.get("suite", "/"))))
    request.state.csrf = browser.csrf
    if browser.caller.role_code and browser.caller.role:
        await signed_in(request)  # for the header: the role that one leaves by choosing another
    follow = local(request.query_params.get("suite", "/"))
    return render(
        request,
        "choose_role.html",
        status=200 if request.method == "GET" else 422,
        form_targets=await software_of(request, follow),
        follow=follow,
        choices=[(f"{one.role}.{one.role_code}", await _described(request, browser.caller, one)) for one in held],
        withheld=[await _described(request, browser.caller, one) for one in given if one not in held],
        stated=await stated(request, browser, given),
        current=f"{browser.caller.role}.{browser.caller.role_code}",
        refused=request.method == "POST",
        csrf=browser.csrf,
    )


async def _described(request: Request, caller: object, held: HeldRole) -> str:
    house = request.app.state.house
    label = role_name(held.role_code, translations(language_of(request)).gettext, held.stands_for)
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
                return go(request, "/role")
            browser = await browsers.find(connection, cookie)
    if browser is None:
        raise SignInNeeded
    await note(request, entry(browser.caller, Event.SIGN_IN, request=asked(request)))
    response = go(request, follow)
    cookies.give(request, response, cookies.SESSION, cookie)
    return response


async def sign_out(request: Request) -> Response:
    """Ends this browser's session, in the database first, so that a copied cookie ends too."""
    browser = await browser_of(request)
    cookie = cookies.read(request, cookies.SESSION)
    elsewhere = None
    if browser is not None:
        with faults.reported():
            async with request.app.state.house.database.writing.acquire() as connection:
                elsewhere = await browsers.token_elsewhere(connection, cookie)
                await browsers.end(connection, cookie)
        await note(request, entry(browser.caller, Event.SIGN_OUT, request=asked(request)))
    response = (await signed_out_here(request, elsewhere) if elsewhere else None) or go(request, "/connexion")
    cookies.take(request, response, cookies.SESSION)
    # Whatever a page may have left on a shared machine goes too.
    response.headers["clear-site-data"] = '"cache"'
    return response


def routes(homes: Mapping[str, str]) -> list[Route]:
    """`homes`: where each role lands; given by the desks."""

    async def home(request: Request) -> Response:
        if getattr(request.app.state, "sandbox", False) and await browser_of(request) is None:
            return go(request, "/territoire")
        caller, _ = await signed_in(request)
        if caller.role_code in homes:
            return go(request, homes[caller.role_code])
        return go(request, "/role" if caller.role_code == NO_ROLE.role_code else "/mes-connexions")

    async def connexion(request: Request) -> Response:
        return await (take_sign_in if request.method == "POST" else show_sign_in)(request)

    both = ("GET", "POST")
    return [
        page("/", home),
        page("/connexion", connexion, methods=both),
        page("/role", choose_role, methods=both),
        page("/deconnexion", sign_out, methods=("POST",)),
    ]
