"""Who answers a software's request: `prompt`, `max_age` and `id_token_hint` (OpenID Connect Core §3.1.2.1).

Whoever has to prove who they are, or to say as whom they go on, is led there and back with a mark in the request
(auth.oauth2.prompts): asked once, and not to be passed by with a session that was there before. With `prompt=none` no page
is shown. A request that is for one person is answered by no other: software hears `login_required`, and may ask for a
choice of account.
"""

import secrets
from datetime import datetime
from typing import Final
from urllib.parse import parse_qsl, urlencode

from starlette.requests import Request
from starlette.responses import Response

from liaison.auth.oauth2 import id_token, prompts, rfc9126
from liaison.auth.oauth2.errors import InteractionRequired, InvalidRequest, LoginRequired, OAuthError
from liaison.auth.oauth2.prompts import NEVER, Mark
from liaison.auth.oauth2.rfc6749.authorization_request import Answerable, AuthorizationRequest, read_request
from liaison.auth.people.browsers import Browser
from liaison.fhir.store import faults
from liaison.services.oauth.asking import Pairs, not_connected, origin_of
from liaison.services.pages import cookies
from liaison.services.pages.entering import go
from liaison.services.pages.layout import render
from liaison.services.pages.sign_in import sign_out
from liaison.services.pages.signed_in import SignInNeeded, browser_of, signed_in

FIELD: Final = "liaison_asked"
"""The mark, among the parameters of the request that a browser brings back."""


async def whoever_answers(request: Request, pairs: Pairs, asked: AuthorizationRequest) -> Browser | Response:
    """The person before whom the request may be put now; or where they go first. Raises Answerable for `prompt=none`."""
    wanted, silent = asked.wanted, "none" in asked.wanted.prompts
    meant = await _meant(request, asked)
    browser = await browser_of(request)
    if browser is None:
        if silent:
            raise _answer(asked, LoginRequired("Nobody is signed in."))
        return await _leave(request, pairs, asked, "/connexion", nobody=True)
    if wanted.marked:
        now = await _now(request)
        mark = await _mark(request, pairs, asked, now)
        if wanted.choice(browser, mark):
            return await _choose(request, pairs, asked)
        if wanted.proof(browser, mark, now):
            if silent:
                raise _answer(asked, LoginRequired("The sign-in is older than max_age."))
            return await _leave(request, pairs, asked, "/confirmer", account=mark.account)
    if meant and meant != str(browser.account.number):
        raise _answer(asked, LoginRequired("Another person than the one of the id_token_hint is signed in."))
    if not browser.caller.role_code:
        if silent:
            raise _answer(asked, InteractionRequired("The person has to choose a role."))
        return go(request, f"/role?{urlencode({'suite': _address(pairs)})}")
    return browser


async def _meant(request: Request, asked: AuthorizationRequest) -> str:
    """Whom the request is for: the subject of an id_token that this software had from us, also one that is over; '' for
    whoever comes. Raises Answerable for a hint that is anything else."""
    if not asked.hint:
        return ""
    house = request.app.state.house
    with faults.reported():
        hint = await id_token.read_hint(house.signing_keys, asked.hint, house.settings.public_url)
    if hint is None or hint.client_id != asked.client.client_id:
        raise _answer(asked, InvalidRequest("The id_token_hint is no id_token that this client had from here."))
    return hint.subject


def _answer(asked: AuthorizationRequest, error: OAuthError) -> Answerable:
    return Answerable(error, asked.redirect_uri, asked.state)


async def use_up(request: Request, pairs: Pairs, asked: AuthorizationRequest) -> None:
    """What was asked of the person counts for one decision. Raises Answerable for a second one."""
    if not asked.wanted.marked or not (text := dict(pairs).get(FIELD, "")):
        return
    if not await prompts.use(request.app.state.house.database.writing, asked.client.number, text):
        raise _answer(asked, LoginRequired("What the person was asked counts for one decision."))


async def take_choice(request: Request) -> Response:
    """As whom the person goes on: the account that is signed in, or another, for which this session ends. The form is
    genuine: `page` has checked it."""
    form = await request.form()
    house, pairs = request.app.state.house, parse_qsl(str(form.get("request", "")), keep_blank_values=True)
    try:
        with faults.reported():
            whole, _ = await rfc9126.unfold(house.database.reading, house.vault.territory, pairs)
            asked = await read_request(house.database.reading, whole, house.settings.fhir_base)
    except (Answerable, OAuthError) as refused:
        return not_connected(request, refused.error if isinstance(refused, Answerable) else refused)
    browser = await browser_of(request)
    if browser is None:
        raise SignInNeeded
    if form.get("decision") == "same":
        return await _leave(request, pairs, asked, account=browser.account.number)
    answer = await sign_out(request)
    if answer.headers["location"] == "/connexion":  # else Pro Santé Connect, to be signed out there too
        onward = await _leave(request, pairs, asked, "/connexion", nobody=True)
        for name, value in onward.raw_headers:
            if name == b"set-cookie":
                answer.raw_headers.append((name, value))
        answer.headers["location"] = onward.headers["location"]
    return answer


def _address(pairs: Pairs) -> str:
    return f"/oauth/authorize?{urlencode(pairs)}"


def _unmarked(pairs: Pairs) -> Pairs:
    return [pair for pair in pairs if pair[0] != FIELD]


async def _now(request: Request) -> datetime:
    # Of the clock that sign-ins are dated by: the database's.
    with faults.reported():
        now: datetime = await request.app.state.house.database.reading.fetchval("select clock_timestamp()")
    return now


async def _mark(request: Request, pairs: Pairs, asked: AuthorizationRequest, now: datetime) -> Mark:
    text, house = dict(pairs).get(FIELD, ""), request.app.state.house
    if not text or await prompts.used(house.database.reading, asked.client.number, text):
        return NEVER
    return prompts.read(house.vault.territory, text, _unmarked(pairs), cookies.read(request, cookies.ASKED), now)


async def _leave(
    request: Request,
    pairs: Pairs,
    asked: AuthorizationRequest,
    where: str = "",
    *,
    account: int = 0,
    nobody: bool = False,
) -> Response:
    """To a page and back to the request (or straight to it), with a mark of what is asked now."""
    plain = _unmarked(pairs)
    if not asked.wanted.marked:
        return go(request, f"{where}?{urlencode({'suite': _address(plain)})}")
    cookie = cookies.read(request, cookies.ASKED) or secrets.token_urlsafe(16)
    mark = Mark(await _now(request), account, nobody)
    written = prompts.write(request.app.state.house.vault.territory, mark, plain, cookie)
    back = _address([*plain, (FIELD, written)])
    response = go(request, f"{where}?{urlencode({'suite': back})}" if where else back)
    cookies.give(request, response, cookies.ASKED, cookie, seconds=prompts.LIFETIME)
    return response


async def _choose(request: Request, pairs: Pairs, asked: AuthorizationRequest) -> Response:
    browser = await browser_of(request)
    if browser is not None and browser.caller.role_code:
        await signed_in(request)  # for the header: who that is
    elif browser is not None:
        request.state.csrf = browser.csrf
    return render(
        request,
        "choose_account.html",
        form_targets=[origin_of(asked)],
        software=asked.client.name,
        request_text=urlencode(_unmarked(pairs)),
        username=browser.account.username if browser else "",
    )
