"""A proof once more, before an act that asks for a recent one: a passkey or a code where the account has one, else its
password or PIN. A sign-in of two factors less than half an hour old is enough (`Browser.recent`)."""

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from liaison.auth.people import passkeys, second_factor
from liaison.auth.people.browsers import Browser
from liaison.auth.people.sign_in import SignInRefused, looks_like_pin, sign_in
from liaison.fhir.store import faults
from liaison.services.pages import cookies
from liaison.services.pages.entering import LONGEST, go, local, note_refusal, on_enrolled_phone, proven_again
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.layout import render
from liaison.services.pages.onward import software_of
from liaison.services.pages.page import to_sign_in
from liaison.services.pages.pro_sante_connect.signing_in import origin_of
from liaison.services.pages.signed_in import SignInNeeded, browser_of, signed_in


@dataclass(frozen=True, slots=True)
class Again:
    """What the form asks for. `passkey`: offered by a button; `code` or `secret`: the one field to fill in, if any;
    `elsewhere`: Pro Santé Connect is asked, and nothing here."""

    passkey: bool = False
    code: bool = False
    secret: bool = False
    elsewhere: bool = False


async def what_to_ask(request: Request, browser: Browser) -> Again:
    if browser.attested is not None:
        return Again(elsewhere=True)
    house = request.app.state.house
    with faults.reported():
        factors = await second_factor.factors_of(house.database.reading, browser.account.number)
    site = passkeys.site_of(house.settings.public_url)
    return Again(site is not None and factors.passkeys > 0, factors.codes, not factors.any)


async def prove(request: Request, browser: Browser, form: Mapping[str, object]) -> str:
    """The new cookie of the same session once its owner has proven who they are again; '' when it is refused. Counted
    and journaled like a sign-in."""
    house = request.app.state.house
    ask = await what_to_ask(request, browser)
    if ask.elsewhere:
        return ""
    with faults.reported():
        try:
            if ask.secret:
                secret = str(form.get("secret", ""))[:LONGEST]
                enrolled = await on_enrolled_phone(request, browser.account.username)
                await sign_in(house.database, browser.account.username, secret, on_enrolled_phone=enrolled)
                factors = 2 if enrolled and looks_like_pin(secret) else 1
            else:
                code = str(form.get("totp", "")).replace(" ", "")[:LONGEST]
                await second_factor.check(house.database.writing, house.vault, browser.account, code)
                factors = 2
        except SignInRefused as refusal:
            await note_refusal(request, refusal)
            return ""
        return await proven_again(request, browser, factors)


async def recently(request: Request) -> Browser | Response:
    """The browser when its proof is recent enough for a grave act; else the answer that asks for it, and leads back."""
    browser = await browser_of(request)
    if browser is None:
        raise SignInNeeded
    if browser.recent:
        return browser
    return go(request, to_sign_in(request, "/confirmer").headers["location"])


async def confirm(request: Request) -> Response:
    """The page that asks, and leads back to where it was needed."""
    browser = await browser_of(request)
    if browser is None:
        return to_sign_in(request)
    follow, error = local(request.query_params.get("suite", "/")), ""
    if request.method == "POST":
        form = dict(await request.form())
        follow = local(str(form.get("suite", "/")))
        typed = form.get("totp") or form.get("secret")
        if browser.recent and not typed and (await what_to_ask(request, browser)).passkey:
            return go(request, follow)  # the passkey has proven it already, without this form
        # Sent without anything, before the passkey was touched: no try.
        cookie = await prove(request, browser, form) if typed else ""
        if cookie:
            response = go(request, follow)
            cookies.give(request, response, cookies.SESSION, cookie)
            return response
        gettext = translations(language_of(request)).gettext
        error = (
            gettext("Ce n’est pas le bon code ou mot de passe, ou il y a eu trop d’essais.")
            if typed
            else gettext("Prouvez une fois de plus que c'est vous.")
        )
    request.state.csrf = browser.csrf
    if browser.caller.role_code:
        await signed_in(request)  # for the header: whose proof is asked for
    return render(
        request,
        "factors/confirm.html",
        software=follow.startswith("/oauth/authorize"),
        status=403 if error else 200,
        again=await what_to_ask(request, browser),
        follow=follow,
        error=error,
        form_targets=(
            *await origin_of(request.app.state.house.pro_sante_connect),
            *await software_of(request, follow),
        ),
    )
