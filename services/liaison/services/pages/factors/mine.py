"""My security: the passkeys and the authenticator app by which I prove who I am. Each for oneself.

A first one may be set up by whoever has just signed in; with one in place, changing anything asks for it again.
"""

import io
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from urllib.parse import urlsplit

import segno
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from liaison.auth.journal.acts import Act
from liaison.auth.people import passkeys, second_factor, totp
from liaison.auth.people.browsers import Browser
from liaison.fhir.errors import NotFound
from liaison.fhir.store import faults
from liaison.services.pages.entering import enter, go, local, two_needed
from liaison.services.pages.factors.again import recently
from liaison.services.pages.factors.keys import note_change
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.layout import render
from liaison.services.pages.signed_in import signed_in


async def mine(request: Request) -> Response:
    """What I have, and what is missing."""
    browser = await recently(request)
    if isinstance(browser, Response):
        return browser
    if browser.attested is not None:
        gettext = translations(language_of(request)).gettext
        words = gettext("Vous entrez par Pro Santé Connect : votre carte ou votre e-CPS est votre second facteur.")
        return await _render(request, browser, "message.html", heading=gettext("Ma sécurité"), sentences=[words])
    house = request.app.state.house
    with faults.reported():
        found = await passkeys.of_account(house.database.reading, browser.account.number)
        factors = await second_factor.factors_of(house.database.reading, browser.account.number)
    return await _render(
        request,
        browser,
        "factors/mine.html",
        keys=[(urlsafe_b64encode(one.credential).decode(), one) for one in found],
        codes=factors.codes,
        offered=passkeys.site_of(house.settings.public_url) is not None,
        missing=not factors.any and await two_needed(request),
        last=factors.passkeys + factors.codes < 2,
        follow=local(request.query_params.get("suite", "/ma-securite")),
    )


async def _local(request: Request) -> Browser | Response:
    """As `recently`. Whoever came through Pro Santé Connect makes no way in of their own here: it would go round what
    their exercices stand behind."""
    found = await recently(request)
    if isinstance(found, Browser) and found.attested is not None:
        raise NotFound
    return found


async def _render(request: Request, browser: Browser, template: str, **context: object) -> Response:
    request.state.csrf = browser.csrf
    if browser.caller.role_code:
        await signed_in(request)  # for the header
    return render(request, template, **context)  # type: ignore[arg-type]  # the page's own variables


async def prepare_app(request: Request) -> Response:
    """Proposes a secret for an authenticator app. It counts for nothing until a code of it has come back."""
    browser = await _local(request)
    if isinstance(browser, Response):
        return browser
    house = request.app.state.house
    with faults.reported():
        async with house.database.writing.acquire() as connection, connection.transaction():
            await second_factor.propose(connection, house.vault, browser.account.number)
    follow = str((await request.form()).get("suite", "/"))
    return go(request, f"/ma-securite/code?suite={local(follow)}")


async def add_app(request: Request) -> Response:
    """Shows the proposed secret, and takes the code that shows that the app has it."""
    browser = await _local(request)
    if isinstance(browser, Response):
        return browser
    house, account = request.app.state.house, browser.account
    follow, error = local(request.query_params.get("suite", "/")), ""
    if request.method == "POST":
        form = await request.form()
        follow, code = local(str(form.get("suite", "/"))), str(form.get("code", "")).replace(" ", "")
        with faults.reported():
            async with house.database.writing.acquire() as connection, connection.transaction():
                added = await second_factor.confirm(connection, house.vault, account.number, code)
                if added:
                    await note_change(request, connection, account, Act.APP_ADDED)
        if added:
            return await enter(request, account, follow, factors=2)
        error = translations(language_of(request)).gettext("Ce n’est pas le code affiché en ce moment.")
    with faults.reported():
        secret = await second_factor.proposed(house.database.reading, house.vault, account.number)
    if secret is None:
        return go(request, "/ma-securite")
    issuer = f"Liaison {urlsplit(house.settings.public_url).hostname}"
    return await _render(
        request,
        browser,
        "factors/app.html",
        status=422 if error else 200,
        picture=_picture(totp.address(secret, issuer, account.username)),
        typed=totp.typed(secret),
        follow=follow,
        error=error,
    )


def _picture(address: str) -> Markup:
    """The QR code, as markup: it is in no address that could be kept or logged."""
    out = io.BytesIO()
    segno.make(address, error="m").save(
        out, kind="svg", xmldecl=False, svgns=True, scale=5, border=4, light="#fff", dark="#000", omitsize=False
    )
    return Markup(out.getvalue().decode())  # noqa: S704  # segno's own; the address is in its pattern, not in its text


async def remove_app(request: Request) -> Response:
    """Only beside a passkey: a password alone would be left."""
    browser = await _local(request)
    if isinstance(browser, Response):
        return browser
    house, account = request.app.state.house, browser.account
    with faults.reported():
        async with house.database.writing.acquire() as connection, connection.transaction():
            if (await second_factor.factors_of(connection, account.number)).passkeys:
                await second_factor.forget(connection, account.number)
                await note_change(request, connection, account, Act.APP_REMOVED)
    return go(request, "/ma-securite")


async def remove_key(request: Request) -> Response:
    """Not the last factor: it would leave a password alone, or nothing."""
    browser = await _local(request)
    if isinstance(browser, Response):
        return browser
    house, account = request.app.state.house, browser.account
    try:
        credential = urlsafe_b64decode(str((await request.form()).get("cle", "")))
    except (NotBase64, ValueError):
        credential = b""
    with faults.reported():
        async with house.database.writing.acquire() as connection, connection.transaction():
            factors = await second_factor.factors_of(connection, account.number)
            if factors.passkeys + factors.codes > 1 and await passkeys.remove(connection, account.number, credential):
                await note_change(request, connection, account, Act.PASSKEY_REMOVED)
    return go(request, "/ma-securite")
