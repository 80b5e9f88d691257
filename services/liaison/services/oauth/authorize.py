"""/oauth/authorize: software asks, a person who is signed in decides (RFC 6749 §4.1, SMART App Launch 2.2).

The request itself travels through sign-in and consent and is read again, wholly, at each step: nothing of it is kept by
the server, and nothing that a browser brings back is believed. Until client and redirect address are proven to belong
together, errors are shown here and nothing is sent anywhere.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from liaison.auth.journal.entry import OUTCOME_REFUSED, Event, entry
from liaison.auth.oauth2.errors import AccessDenied, ConsentRequired, LoginRequired, OAuthError
from liaison.auth.oauth2.rfc6749 import codes
from liaison.auth.oauth2.rfc6749.authorization_request import Answerable, AuthorizationRequest, read_request
from liaison.auth.oauth2.rfc6749.grant import Grant
from liaison.auth.oauth2.rfc9207 import response_url
from liaison.auth.people.acting import NO_ROLE, as_oneself, in_role
from liaison.auth.people.browsers import Browser
from liaison.auth.people.roles import HeldRole
from liaison.auth.sessions import Act
from liaison.fhir.store import faults
from liaison.fhir.store.contract import Request as FhirRequest
from liaison.services.oauth import consent, patients
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.layout import confine, render
from liaison.services.pages.signed_in import address_of, browser_of, signed_in

Pairs = list[tuple[str, str]]
CarryOn = Callable[[Request, Pairs, AuthorizationRequest], Awaitable[Response]]


async def authorize(request: Request) -> Response:
    """GET and POST. The request is checked, then the person signs in if need be, then reads the consent page."""
    if request.method == "POST":
        form = await request.form(max_files=0, max_fields=100)
        pairs = [(name, str(value)) for name, value in form.multi_items()]
    else:
        pairs = request.query_params.multi_items()
    pairs = [pair for pair in pairs if pair[0] != "lang"]
    return await _answered(request, pairs, _show)


async def decide(request: Request) -> Response:
    """What the person answered on the consent page. The form is genuine: `page` has checked it."""
    form = await request.form()
    pairs = parse_qsl(str(form.get("request", "")), keep_blank_values=True)
    return await _answered(request, pairs, _decide)


async def _answered(request: Request, pairs: Pairs, carry_on: CarryOn) -> Response:
    house = request.app.state.house
    try:
        with faults.reported():
            asked = await read_request(house.database.reading, pairs, house.settings.fhir_base)
            return await carry_on(request, pairs, asked)
    except Answerable as refused:
        parameters = {"error": refused.error.error, "error_description": refused.error.description}
        return _redirect(request, refused.redirect_uri, refused.state, parameters)
    except OAuthError as error:
        return _not_connected(request, error)


def _redirect(request: Request, uri: str, state: str, parameters: Mapping[str, str]) -> Response:
    issuer: str = request.app.state.house.settings.public_url
    return confine(request, RedirectResponse(response_url(uri, issuer, state, parameters), status_code=303))


def _not_connected(request: Request, error: OAuthError) -> Response:
    gettext = translations(language_of(request)).gettext
    return render(
        request,
        "message.html",
        status=400,
        heading=gettext("Ce logiciel ne peut pas être relié"),
        sentences=[
            gettext("La demande qu’il a envoyée n’est pas acceptable. Rien ne lui a été transmis."),
            gettext("Pour son éditeur : {reason}").format(reason=f"{error.error} – {error.description}"),
        ],
    )


async def _show(request: Request, pairs: Pairs, asked: AuthorizationRequest) -> Response:
    browser = await browser_of(request)
    prompts = asked.prompt.split()
    if browser is None or not browser.caller.role_code:
        if "none" in prompts:
            raise Answerable(LoginRequired("Nobody is signed in."), asked.redirect_uri, asked.state)
        page = "/connexion" if browser is None else "/role"
        back = urlencode({"suite": f"/oauth/authorize?{urlencode(pairs)}"})
        return confine(request, RedirectResponse(f"{page}?{back}", status_code=303))
    if "none" in prompts:
        raise Answerable(ConsentRequired("The person has to be asked."), asked.redirect_uri, asked.state)
    return await _page(request, pairs, asked, browser)


async def _page(
    request: Request, pairs: Pairs, asked: AuthorizationRequest, browser: Browser, *, missing: bool = False
) -> Response:
    await signed_in(request)
    gettext = translations(language_of(request)).gettext
    needed = _needs_patient(asked)
    offered = await patients.choices(request, browser) if needed else []
    if needed and not offered:
        raise Answerable(AccessDenied("There is no patient to put in context."), asked.redirect_uri, asked.state)
    where = urlsplit(asked.redirect_uri)
    origin = f"{where.scheme}://{where.netloc}" if where.netloc else f"{where.scheme}:"
    return render(
        request,
        "consent.html",
        status=422 if missing else 200,
        form_targets=[origin],
        software=asked.client.name,
        destination=where.netloc or where.scheme,
        lines=consent.lines(asked.scopes, gettext),
        duration=consent.duration(asked.scopes, gettext),
        identity="openid" in asked.scopes.names,
        request_text=urlencode(pairs),
        patients=offered,
        missing=missing,
    )


def _needs_patient(asked: AuthorizationRequest) -> bool:
    return asked.scopes.binds_patient or "launch/patient" in asked.scopes.names


async def _decide(request: Request, pairs: Pairs, asked: AuthorizationRequest) -> Response:
    house, form = request.app.state.house, await request.form()
    browser = await browser_of(request)
    if browser is None or not browser.caller.role_code:
        return await _show(request, pairs, asked)
    told = FhirRequest(request.method, "oauth/consent", address=address_of(request))
    detail = {"client": asked.client.client_id, "scope": str(asked.scopes)}
    if form.get("decision") != "accept":
        refusal = entry(browser.caller, Event.TOKEN, request=told, outcome=OUTCOME_REFUSED, status=403, detail=detail)
        await house.journal.record((refusal,))
        raise Answerable(AccessDenied("The person refused."), asked.redirect_uri, asked.state)
    patient, number = str(form.get("patient", "")), 0
    if _needs_patient(asked):
        number = await patients.number_of(request, browser.caller, patient)
        if not number:
            return await _page(request, pairs, asked, browser, missing=True)
    act = replace(_act(browser), client=asked.client.number, only_patient=number if asked.scopes.binds_patient else 0)
    grant = Grant(
        client=asked.client.number,
        account=browser.account.number,
        act=act,
        scope=str(asked.scopes),
        patient=patient if number else "",
        nonce=asked.nonce,
        redirect_uri=asked.redirect_uri,
        challenge=asked.challenge,
        signed_in_at=int(browser.started_at.timestamp()),
    )
    code = await codes.issue(house.database.writing, grant)
    await house.journal.record((entry(browser.caller, Event.TOKEN, request=told, patient=number, detail=detail),))
    return _redirect(request, asked.redirect_uri, asked.state, {"code": code})


def _act(browser: Browser) -> Act:
    caller = browser.caller
    if caller.role:
        return in_role(browser.account, HeldRole(caller.role, caller.organization, caller.role_code))
    # Without a role: a patient or a representative, or else a professional who holds none today and sees nobody.
    return as_oneself(browser.account) or in_role(browser.account, NO_ROLE)
