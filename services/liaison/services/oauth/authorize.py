"""/oauth/authorize: software asks, a person who is signed in decides (RFC 6749 §4.1, SMART App Launch 2.2).

The request itself travels through sign-in and consent and is read again, wholly, at each step: nothing of it is kept by
the server (unless it was pushed), and nothing that a browser brings back is believed. Until client and redirect address
are proven to belong together, errors are shown here and nothing is sent anywhere.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from liaison.auth.journal.entry import OUTCOME_REFUSED, Event, entry
from liaison.auth.oauth2 import rfc9126
from liaison.auth.oauth2.errors import (
    AccessDenied,
    ConsentRequired,
    InteractionRequired,
    InvalidRequest,
    LoginRequired,
    OAuthError,
    TemporarilyUnavailable,
)
from liaison.auth.oauth2.rfc6749 import codes
from liaison.auth.oauth2.rfc6749.authorization_request import Answerable, AuthorizationRequest, read_request
from liaison.auth.oauth2.rfc6749.grant import Grant
from liaison.auth.oauth2.rfc9207 import response_url
from liaison.auth.people.acting import NO_ROLE, as_oneself, in_role
from liaison.auth.people.browsers import Browser
from liaison.auth.people.roles import HeldRole
from liaison.auth.sessions import Act
from liaison.auth.smart import launch
from liaison.auth.smart.scopes import Scopes
from liaison.auth.vendors import activations
from liaison.fhir.errors import Unavailable
from liaison.fhir.store import faults
from liaison.fhir.store.contract import Request as FhirRequest
from liaison.services.oauth import asking, consent, contexts, encounters, patients, prompting
from liaison.services.oauth.asking import Asking, Pairs
from liaison.services.oauth.subject import Chosen, settled
from liaison.services.pages.layout import confine
from liaison.services.pages.signed_in import RoleNeeded, SignInNeeded, address_of, signed_in

CarryOn = Callable[[Request, Pairs, AuthorizationRequest], Awaitable[Response]]


async def authorize(request: Request) -> Response:
    """GET and POST. The request is checked, then the person signs in if need be, then reads the consent page."""
    return await _answered(request, await asking.pairs_of(request), _show)


async def decide(request: Request) -> Response:
    """What the person answered on the consent page. The form is genuine: `page` has checked it."""
    form = await request.form()
    pairs = parse_qsl(str(form.get("request", "")), keep_blank_values=True)
    return await _answered(request, pairs, _decide)


async def _answered(request: Request, pairs: Pairs, carry_on: CarryOn) -> Response:
    house = request.app.state.house
    try:
        with faults.reported():
            whole, reference = await rfc9126.unfold(house.database.reading, house.vault.territory, pairs)
            asked = await read_request(house.database.reading, whole, house.settings.fhir_base)
            return await _carried(request, pairs, replace(asked, pushed=reference), carry_on)
    except Answerable as refused:
        parameters = {"error": refused.error.error, "error_description": refused.error.description}
        return _redirect(request, refused.redirect_uri, refused.state, parameters)
    except OAuthError as error:
        return asking.not_connected(request, error)


async def _carried(request: Request, pairs: Pairs, asked: AuthorizationRequest, carry_on: CarryOn) -> Response:
    """With `prompt=none` no page is shown, not even the one that says that the base does not answer."""
    try:
        with faults.reported():
            return await carry_on(request, pairs, asked)
    except Unavailable:
        if "none" not in asked.wanted.prompts:
            raise
        error = TemporarilyUnavailable("The service cannot look who is signed in. Try again.")
        raise Answerable(error, asked.redirect_uri, asked.state) from None


def _redirect(request: Request, uri: str, state: str, parameters: Mapping[str, str]) -> Response:
    issuer: str = request.app.state.house.settings.public_url
    return confine(request, RedirectResponse(response_url(uri, issuer, state, parameters), status_code=303))


async def _show(request: Request, pairs: Pairs, asked: AuthorizationRequest) -> Response:
    browser = await prompting.whoever_answers(request, pairs, asked)
    if isinstance(browser, Response):
        return browser
    return await _ask(request, Asking(pairs, asked, browser), await _launched(request, asked, browser), Chosen())


async def _launched(request: Request, asked: AuthorizationRequest, browser: Browser) -> launch.LaunchContext:
    """What an EHR launch is about; nothing for a standalone launch. One text whatever is wrong with the handle."""
    if not asked.launch:
        return launch.LaunchContext()
    reading = request.app.state.house.database.reading
    found = await launch.find(reading, asked.launch, asked.client.number, browser.account.number)
    if found is None:
        raise _no_launch(asked)
    named = [f"Encounter/{found.encounter}"] if found.encounter else []
    if not await patients.all_visible(request, browser.caller, [f"Patient/{found.patient}", *named, *found.references]):
        denied = AccessDenied("What the launch is about is not open to this person.")
        raise Answerable(denied, asked.redirect_uri, asked.state)
    return found


def _no_launch(asked: AuthorizationRequest) -> Answerable:
    error = InvalidRequest("The launch is not valid for this software and this person.")
    return Answerable(error, asked.redirect_uri, asked.state)


async def _ask(
    request: Request, about: Asking, context: launch.LaunchContext, chosen: Chosen, *, empty: bool = False
) -> Response:
    """The page on which patient or encounter is chosen, when one is needed and not yet clear; else the consent page."""
    asked, browser = about.asked, about.browser
    try:
        await signed_in(request)
    except (SignInNeeded, RoleNeeded):
        if "none" not in asked.wanted.prompts:
            raise
        raise Answerable(LoginRequired("Nobody is signed in."), asked.redirect_uri, asked.state) from None
    async with request.app.state.house.database.writing.acquire() as connection, connection.transaction():
        if not await activations.standing(connection, asked.client.number, _act(browser).organization):
            denied = AccessDenied("The software is not activated for this organisation.")
            raise Answerable(denied, asked.redirect_uri, asked.state)
    found = await settled(request, about, context, chosen)
    if "none" in asked.wanted.prompts:
        required = InteractionRequired if isinstance(found, Response) else ConsentRequired
        raise Answerable(required("The person has to be asked."), asked.redirect_uri, asked.state)
    if isinstance(found, Response):
        return found
    beside = await contexts.told(request, browser.caller, context.references)
    return asking.consent(request, about, *found, beside=beside, empty=empty)


async def _decide(request: Request, pairs: Pairs, asked: AuthorizationRequest) -> Response:
    house, form = request.app.state.house, await request.form()
    browser = await prompting.whoever_answers(request, pairs, asked)
    if isinstance(browser, Response):
        return browser
    context = await _launched(request, asked, browser)
    about, chosen = Asking(pairs, asked, browser), Chosen.of(form)
    decision = str(form.get("decision", ""))
    if decision in ("search", "choose"):
        return await _ask(request, about, context, chosen)
    told = FhirRequest(request.method, "oauth/consent", address=address_of(request))
    granted = consent.chosen(asked.scopes, {str(box) for box in form.getlist("scope")})
    number = 0
    if decision == "accept":
        if not granted.scopes and not granted.signs_in:
            return await _ask(request, about, context, chosen, empty=True)
        if context.patient or asking.needs_patient(granted):
            about_whom = context.patient or chosen.patient
            number = await patients.number_of(request, browser.caller, about_whom)
            if not number:
                return await _ask(request, about, context, Chosen(empty=True), empty=True)
            context = replace(context, patient=about_whom)
        if encounters.needed(granted, context):
            if chosen.encounter == encounters.NONE:
                granted = granted.without(encounters.SCOPE)  # asked for in vain, like a launch without a handle
            elif await encounters.named(request, browser.caller, context.patient, chosen.encounter) is None:
                return await _ask(request, about, context, Chosen(chosen.patient, empty=True))
            else:
                context = replace(context, encounter=chosen.encounter)
    detail = {"client": asked.client.client_id, "scope": str(granted)}
    await prompting.use_up(request, pairs, asked)
    await _use_up(request, asked, browser)
    if decision != "accept":
        refusal = entry(browser.caller, Event.TOKEN, request=told, outcome=OUTCOME_REFUSED, status=403, detail=detail)
        await house.journal.record((refusal,))
        raise Answerable(AccessDenied("The person refused."), asked.redirect_uri, asked.state)
    code = await codes.issue(house.database.writing, _grant(about, granted, context, number))
    await house.journal.record((entry(browser.caller, Event.TOKEN, request=told, patient=number, detail=detail),))
    return _redirect(request, asked.redirect_uri, asked.state, {"code": code})


async def _use_up(request: Request, asked: AuthorizationRequest, browser: Browser) -> None:
    """A launch and a pushed request are decided upon once."""
    writing = request.app.state.house.database.writing
    if asked.launch and not await launch.use(writing, asked.launch, asked.client.number, browser.account.number):
        raise _no_launch(asked)
    if asked.pushed and not await rfc9126.use(writing, asked.pushed):
        error = InvalidRequest("The request_uri is not valid for this client.")
        raise Answerable(error, asked.redirect_uri, asked.state)


def _grant(about: Asking, granted: Scopes, context: launch.LaunchContext, patient: int) -> Grant:
    asked, browser = about.asked, about.browser
    act = replace(
        _act(browser),
        client=asked.client.number,
        only_patient=patient if granted.binds_patient else 0,
        proven=browser.caller.proven,
    )
    return Grant(
        client=asked.client.number,
        account=browser.account.number,
        act=act,
        scope=str(granted),
        context=context,
        nonce=asked.nonce,
        redirect_uri=asked.redirect_uri,
        challenge=asked.challenge,
        signed_in_at=int(browser.started_at.timestamp()),
        browser=browser.caller.session,
        dpop_jkt=asked.dpop_jkt,
    )


def _act(browser: Browser) -> Act:
    caller = browser.caller
    if caller.role:
        return in_role(browser.account, HeldRole(caller.role, caller.organization, caller.role_code))
    # Without a role: a patient or a representative, or else a professional who holds none today and sees nobody.
    oneself = as_oneself(browser.account, representing=caller.role_code == "guardian")
    return oneself or in_role(browser.account, NO_ROLE)
