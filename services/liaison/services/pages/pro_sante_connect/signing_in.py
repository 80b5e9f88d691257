"""There and back: the browser is sent to Pro Santé Connect, and comes back with what proves who it is.

The directory decides who that is here: exactly one active Practitioner with that national identifier. Nobody is made from
what the provider says, and nobody gets a role from it.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime
from urllib.parse import urlsplit

import structlog
from starlette.requests import Request
from starlette.responses import Response

from liaison.auth.journal.entry import OUTCOME_REFUSED, Entry, Event
from liaison.auth.people import browsers, ceremonies
from liaison.auth.people.pro_sante_connect import exercices, request
from liaison.auth.people.pro_sante_connect.calls import NotAnswered
from liaison.auth.people.pro_sante_connect.id_token import NotProven
from liaison.auth.people.pro_sante_connect.provider import Provider
from liaison.auth.people.sign_in import SignInRefused
from liaison.fhir.errors import NotFound
from liaison.fhir.store import faults
from liaison.services.pages import cookies
from liaison.services.pages.entering import enter, go, local, note
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.layout import render
from liaison.services.pages.pro_sante_connect.directory import account_of
from liaison.services.pages.signed_in import address_of

log = structlog.get_logger()
_FOLLOWED: int = 2000


def provider_of(request: Request) -> Provider:
    """Raises NotFound where it is not configured."""
    found: Provider | None = request.app.state.house.pro_sante_connect
    if found is None:
        raise NotFound
    return found


async def origin_of(provider: Provider | None) -> tuple[str, ...]:
    """Where the answer to the sign-in form may redirect to. () while the provider does not answer."""
    if provider is None:
        return ()
    try:
        parts = urlsplit((await provider.addresses()).authorization)
    except NotAnswered:
        return ()
    return (f"{parts.scheme}://{parts.netloc}",)


async def leave(asked: Request) -> Response:
    """Sends the browser there. Where it was going travels in its own cookie, never in an address that others see."""
    provider = provider_of(asked)
    form = await asked.form()
    follow, again = local(str(form.get("suite", "/"))), form.get("encore") == "1"
    carried = urlsafe_b64encode(follow.encode()).decode() if len(follow) < _FOLLOWED else ""
    with faults.reported():
        step = await ceremonies.begin(asked.app.state.house.database.writing, "pro-sante-connect", carrying=carried)
    try:
        address = await request.begin(provider, step, again=again)
    except NotAnswered as problem:
        log.warning("Pro Santé Connect does not answer", reason=str(problem))
        return _unanswered(asked)
    response = go(asked, address)
    cookies.give(asked, response, cookies.CHALLENGE, step)
    return response


async def come_back(asked: Request) -> Response:
    """The way back. Whatever is wrong with it reads the same; the journal says which check failed."""
    provider, house = provider_of(asked), asked.app.state.house
    step = cookies.read(asked, cookies.CHALLENGE)
    try:
        with faults.reported():
            if await ceremonies.finish(house.database.writing, step, "pro-sante-connect") is None:
                raise NotProven("browser")
        answer = dict(asked.query_params.multi_items())
        if len(answer) != len(asked.query_params.multi_items()):
            raise NotProven("form")  # a parameter that is there twice
        person, claims, token = await request.finish(provider, step, answer, house.database.clock.seconds())
        with faults.reported():
            account = await account_of(asked, person)
    except NotProven as problem:
        return await _refused(asked, problem.what)
    except SignInRefused as refusal:
        return await _refused(asked, "directory", refusal)
    except NotAnswered as problem:
        log.warning("Pro Santé Connect does not answer", reason=str(problem))
        return _unanswered(asked)
    sealed = house.vault.territory.seal(browsers.ELSEWHERE, token.encode())
    proven_at = datetime.fromtimestamp(claims.auth_time, UTC)
    stated = exercices.sealed(house.vault.territory, person.exercices)
    elsewhere = browsers.Elsewhere(
        person.roles, claims.session, sealed, proven_at, stated, provider.registration.issuer, claims.acr
    )
    return await enter(asked, account, local(_carried(step)), factors=2, elsewhere=elsewhere)


def _carried(step: str) -> str:
    try:
        return urlsafe_b64decode(step.partition(".")[2]).decode()
    except ValueError:
        return "/"


async def _refused(asked: Request, what: str, refusal: SignInRefused | None = None) -> Response:
    await note(
        asked,
        Entry(
            Event.SIGN_IN,
            OUTCOME_REFUSED,
            person=refusal.person if refusal else 0,
            account=refusal.account if refusal else 0,
            status=403,
            method=asked.method,
            path="psc/retour",
            address=address_of(asked),
            detail={"check": what},
        ),
    )
    gettext = translations(language_of(asked)).gettext
    unknown = gettext(
        "Pro Santé Connect vous a reconnu, mais l’annuaire de ce territoire ne vous connaît pas, ou votre accès est "
        "suspendu. Votre administrateur peut vous y inscrire."
    )
    failed = gettext(
        "Pro Santé Connect n’a pas confirmé votre identité pour ce navigateur. Recommencez depuis le début."
    )
    return render(
        asked,
        "message.html",
        status=403,
        heading=gettext("Vous n’êtes pas connecté"),
        sentences=[unknown if what == "directory" else failed],
    )


def _unanswered(asked: Request) -> Response:
    gettext = translations(language_of(asked)).gettext
    return render(
        asked,
        "message.html",
        status=503,
        heading=gettext("Pro Santé Connect ne répond pas"),
        sentences=[
            gettext("Réessayez dans un instant, ou prenez l’autre façon de vous connecter si vous en avez une.")
        ],
    )
