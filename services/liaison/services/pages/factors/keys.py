"""The two halves of each passkey ceremony, as static/passkey.js calls them: a challenge, and the key's answer to it.

Answers are JSON: where to go on, or that it is refused. What is wrong is said by the page, in the reader's language.
"""

from typing import Any, Final

import orjson
from starlette.requests import Request
from starlette.responses import Response

from liaison.auth.journal.acts import Act
from liaison.auth.journal.entry import Entry, Event
from liaison.auth.people import accounts, ceremonies, devices, invitations, passkeys
from liaison.auth.people.accounts import Account
from liaison.auth.people.ceremonies import Kind
from liaison.auth.people.passkeys import NotAPasskey, Site
from liaison.auth.people.sign_in import SignInRefused
from liaison.fhir.errors import NotFound
from liaison.fhir.store import faults
from liaison.services.pages import clock, cookies
from liaison.services.pages.calendar_words import day_said
from liaison.services.pages.entering import enter, local, note_refusal, proven_again
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.layout import confine
from liaison.services.pages.marking import _
from liaison.services.pages.signed_in import SignInNeeded, browser_of

_USE: Final = "challenge"
LABEL_LONGEST: Final = 40


def _site(request: Request) -> Site:
    site = passkeys.site_of(request.app.state.house.settings.public_url)
    if site is None:
        raise NotFound
    return site


def _json(request: Request, content: bytes, status: int = 200) -> Response:
    return confine(request, Response(content, status, media_type="application/json"))


def _refused(request: Request) -> Response:
    return _json(request, b'{"refused":true}', 403)


async def _begun(request: Request, kind: Kind, account: int) -> str:
    with faults.reported():
        return await ceremonies.begin(request.app.state.house.database.writing, kind, account)


def _challenge(request: Request, options: str, step: str) -> Response:
    response = _json(request, options.encode())
    cookies.give(request, response, cookies.CHALLENGE, step)
    return response


async def _body(request: Request) -> dict[str, Any]:
    try:
        found = orjson.loads(await request.body())
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def _answer(body: dict[str, Any]) -> dict[str, Any]:
    given = body.get("credential")
    return given if isinstance(given, dict) else {}


def _onward(request: Request, entered: Response) -> Response:
    """The redirect of a page, told to a script, with the cookies it gives."""
    response = _json(request, orjson.dumps({"next": entered.headers["location"]}))
    for name, value in entered.raw_headers:
        if name == b"set-cookie":
            response.raw_headers.append((name, value))
    return response


# ---- signing in ---------------------------------------------------------------------------------------------------


async def enter_challenge(request: Request) -> Response:
    """For whoever comes; or, after a password, for the keys of that account."""
    house = request.app.state.house
    with faults.reported():
        number = await ceremonies.account_of(house.database.reading, cookies.read(request, cookies.STEP), "second")
        known = await passkeys.of_account(house.database.reading, number) if number else []
    step = await _begun(request, "enter-by-passkey", number or 0)
    return _challenge(request, passkeys.options_to_prove(_site(request), ceremonies.derived(step, _USE), known), step)


async def enter_answer(request: Request) -> Response:
    """The key is two factors at once: whoever has it is in."""
    house = request.app.state.house
    step, body = cookies.read(request, cookies.CHALLENGE), await _body(request)
    with faults.reported():
        try:
            number = await ceremonies.finish(house.database.writing, step, "enter-by-passkey")
            if number is None:
                raise SignInRefused
            challenge = ceremonies.derived(step, _USE)
            async with house.database.writing.acquire() as connection:
                account = await passkeys.prove(connection, _site(request), challenge, _answer(body), account=number)
        except SignInRefused as refusal:
            await note_refusal(request, refusal)
            return _refused(request)
    return _onward(request, await enter(request, account, local(str(body.get("suite", "/"))), factors=2))


# ---- once more, before a grave act --------------------------------------------------------------------------------


async def confirm_challenge(request: Request) -> Response:
    browser = await browser_of(request)
    if browser is None:
        raise SignInNeeded
    with faults.reported():
        known = await passkeys.of_account(request.app.state.house.database.reading, browser.account.number)
    if not known:
        raise NotFound
    step = await _begun(request, "confirm-by-passkey", browser.account.number)
    return _challenge(request, passkeys.options_to_prove(_site(request), ceremonies.derived(step, _USE), known), step)


async def confirm_answer(request: Request) -> Response:
    browser = await browser_of(request)
    if browser is None:
        raise SignInNeeded
    house = request.app.state.house
    step, body = cookies.read(request, cookies.CHALLENGE), await _body(request)
    mine = browser.account
    with faults.reported():
        try:
            if await ceremonies.finish(house.database.writing, step, "confirm-by-passkey") != mine.number:
                raise SignInRefused(mine.number, mine.person.res)
            challenge = ceremonies.derived(step, _USE)
            async with house.database.writing.acquire() as connection:
                await passkeys.prove(connection, _site(request), challenge, _answer(body), account=mine.number)
        except SignInRefused as refusal:
            await note_refusal(request, refusal)
            return _refused(request)
        cookie = await proven_again(request, browser, 2)
    response = _json(request, b'{"proven":true}')
    cookies.give(request, response, cookies.SESSION, cookie)
    return response


# ---- adding one ---------------------------------------------------------------------------------------------------


async def _adding(request: Request) -> Account:
    """Who adds a key: the owner of a one-time link, or someone whose sign-in is recent."""
    database = request.app.state.house.database
    token = str(request.path_params.get("token", ""))[:100]
    with faults.reported():
        if token:
            number = await invitations.account_of(database.reading, token)
            account = await accounts.by_number(database.reading, number) if number else None
            if account is None:
                raise NotFound
            return account
    browser = await browser_of(request)
    if browser is None or not browser.recent:
        raise SignInNeeded
    if browser.attested is not None:  # see mine.py
        raise NotFound
    return browser.account


async def add_challenge(request: Request) -> Response:
    account = await _adding(request)
    with faults.reported():
        present = await passkeys.of_account(request.app.state.house.database.reading, account.number)
    step = await _begun(request, "add-passkey", account.number)
    made = passkeys.options_to_add(_site(request), account, ceremonies.derived(step, _USE), present)
    return _challenge(request, made, step)


async def add_answer(request: Request) -> Response:
    """Keeps the key. Its owner is then in with two factors; a one-time link that led here is spent."""
    account = await _adding(request)
    house, body = request.app.state.house, await _body(request)
    step, token = cookies.read(request, cookies.CHALLENGE), str(request.path_params.get("token", ""))[:100]
    label = str(body.get("label", "")).strip()[:LABEL_LONGEST] or _kind_said(request, body)
    with faults.reported():
        async with house.database.writing.acquire() as connection, connection.transaction():
            if await ceremonies.finish(connection, step, "add-passkey") != account.number:
                return _refused(request)
            if token and await invitations.spend(connection, token) != account.number:
                return _refused(request)
            try:
                challenge = ceremonies.derived(step, _USE)
                await passkeys.add(connection, _site(request), account, challenge, _answer(body), label)
            except NotAPasskey:
                # The link is not spent on it: nothing of this transaction stays.
                raise _Undone from None
            await note_change(request, connection, account, Act.PASSKEY_ADDED)
    return _onward(request, await enter(request, account, local(str(body.get("suite", "/"))), factors=2))


_KINDS: Final = {
    "platform": _("Clé de l’appareil"),
    "cross-platform": _("Clé à part (téléphone ou clé de sécurité)"),
}
"""By PublicKeyCredential.authenticatorAttachment (WebAuthn §5.1): what the browser says, of no weight for anybody's rights."""


def _kind_said(request: Request, body: dict[str, Any]) -> str:
    """What a key is called that nobody has named: its kind, with the browser that added it where it is known, and the day."""
    language = language_of(request)
    gettext = translations(language).gettext
    attached = str(_answer(body).get("authenticatorAttachment", ""))
    where = devices.in_words(request.headers.get("user-agent", "")) if attached == "platform" else ""
    kind = gettext(_KINDS.get(attached, _("Clé d’accès")))
    return f"{kind} ({where}), {day_said(clock.now(request).date(), 'd MMM y', language)}".replace(" ()", "")


class _Undone(NotFound):
    """Rolls the transaction back."""


async def note_change(request: Request, connection: Any, account: Account, act: Act) -> None:
    """In the transaction of the change: a factor without its entry does not exist."""
    done = Entry(
        Event.RIGHTS,
        person=account.person.res,
        account=account.number,
        method=request.method,
        path=request.url.path.lstrip("/"),
        detail={"act": act},
    )
    await request.app.state.house.journal.record_within(connection, (done,))
