"""The pages that put a software's request before a person: whom it is about, and what it may do."""

from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import Response

from liaison.auth.oauth2.errors import OAuthError
from liaison.auth.oauth2.rfc6749.authorization_request import AuthorizationRequest
from liaison.auth.people.browsers import Browser
from liaison.auth.smart.scopes import Scopes
from liaison.fhir.definitions import type_of
from liaison.services.oauth import consent as words
from liaison.services.oauth import encounters
from liaison.services.oauth.encounters import Visit, Visits
from liaison.services.oauth.patients import Choice, Choices
from liaison.services.pages import clock
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.layout import render
from liaison.services.pages.onward import origin

Pairs = list[tuple[str, str]]


async def pairs_of(request: Request) -> Pairs:
    """What was asked, by GET or POST, in the order it came. The language of the page is no part of it."""
    if request.method == "POST":
        form = await request.form(max_files=0, max_fields=100)
        pairs = [(name, str(value)) for name, value in form.multi_items()]
    else:
        pairs = request.query_params.multi_items()
    return [pair for pair in pairs if pair[0] != "lang"]


class Asking(NamedTuple):
    """A request (`pairs` as it came), and the person it is put before."""

    pairs: Pairs
    asked: AuthorizationRequest
    browser: Browser


def needs_patient(scopes: Scopes) -> bool:
    # An encounter is somebody's: whoever asks for one is told whose.
    return scopes.binds_patient or bool(scopes.names & {"launch/patient", encounters.SCOPE})


def origin_of(asked: AuthorizationRequest) -> str:
    """Where the answer goes, as a form's target is written."""
    return origin(asked.redirect_uri)


def _destination(asked: AuthorizationRequest) -> str:
    """Where the answer goes, as a person reads it."""
    parts = urlsplit(asked.redirect_uri)
    return parts.netloc or parts.scheme


def _chooses(about: Asking) -> bool:
    """Whether the patient was chosen, and might be another: not opened on a record, and not one's own."""
    return not about.asked.launch and type_of(about.browser.account.person.kind) == "Practitioner"


def _same(request: Request, about: Asking) -> str:
    # The pages that answer a form have no address of their own: the other language begins with the request again.
    other = "en" if language_of(request) == "fr" else "fr"
    return f"/oauth/authorize?{urlencode([*about.pairs, ('lang', other)])}"


def consent(
    request: Request,
    about: Asking,
    patient: Choice | None,
    encounter: Visit | None,
    *,
    beside: Sequence[str] = (),
    empty: bool,
) -> Response:
    """What the software asks for, each with a box, and for how long. `beside`: what else it hears that the launch is about.
    `empty`: nothing stayed ticked."""
    gettext = translations(language_of(request)).gettext
    scopes = about.asked.scopes
    return render(
        request,
        "consent.html",
        status=422 if empty else 200,
        form_targets=[origin_of(about.asked)],
        software=about.asked.client.name,
        destination=_destination(about.asked),
        lines=words.lines(scopes, gettext, language_of(request)),
        until=words.until(scopes, clock.now(request)),
        outlasting=words.outlasting(scopes),
        identity=scopes.signs_in,
        request_text=urlencode(about.pairs),
        patient=patient,
        encounter=encounter,
        beside=beside,
        no_encounter=encounters.NONE,
        empty=empty,
        other_language=_same(request, about),
    )


def whom(request: Request, about: Asking, offered: Choices, name: str, *, empty: bool) -> Response:
    """The patients whom the person may choose, a few at once, and a search among them all."""
    return render(
        request,
        "choose_patient.html",
        status=422 if empty else 200,
        form_targets=[origin_of(about.asked)],
        software=about.asked.client.name,
        request_text=urlencode(about.pairs),
        patients=offered.patients,
        more=offered.more,
        name=name,
        empty=empty,
        other_language=_same(request, about),
    )


def which(
    request: Request, about: Asking, patient: Choice, offered: Visits | None, until: str, *, empty: bool
) -> Response:
    """The patient's encounters that the person sees, the most recent first. `offered` None: `until` is no day."""
    return render(
        request,
        "choose_encounter.html",
        status=422 if empty or offered is None else 200,
        form_targets=[origin_of(about.asked)],
        software=about.asked.client.name,
        request_text=urlencode(about.pairs),
        patient=patient,
        encounters=offered.visits if offered else [],
        more=offered is None or offered.more,
        until=until,
        wrong_day=offered is None,
        without=encounters.NONE,
        again=f"/oauth/authorize?{urlencode(about.pairs)}" if _chooses(about) else "",
        empty=empty,
        other_language=_same(request, about),
    )


def not_connected(request: Request, error: OAuthError) -> Response:
    """Shown where nothing may be sent back: the error for the vendor, nothing about whether a client exists."""
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
