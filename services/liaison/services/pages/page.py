"""A route that is a page: forms are genuine, refusals are pages in plain words, and nothing is kept by the browser.

def routes() -> list[Route]:
    return [page("/mes-patients", my_patients), page("/visite", visit, methods=("GET", "POST"))]
"""

from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Final
from urllib.parse import quote

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from liaison.auth.access.superseded import Superseded
from liaison.auth.journal.entry import ASKED, BEGUN
from liaison.auth.people.browsers import Browser
from liaison.fhir.errors import BadRequest, FhirError, Forbidden, TooLarge
from liaison.fhir.store.contract import Request as FhirRequest
from liaison.services.pages import cookies, left_open, onward
from liaison.services.pages.form_tokens import token_of
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.layout import confine, render
from liaison.services.pages.marking import _
from liaison.services.pages.once import once
from liaison.services.pages.signed_in import RoleNeeded, SignInNeeded, address_of, browser_of, signed_in

Endpoint = Callable[[Request], Awaitable[Response]]

FORM_LIMIT: Final = 512 * 1024
_SAFE: Final = frozenset({"GET", "HEAD"})
log = structlog.get_logger()


_WORDS: Final = {
    400: (_("La demande n’est pas complète"), _("Quelque chose manque ou n’est pas reconnu. Revenez en arrière et vérifiez.")),
    403: (_("Cela ne vous est pas ouvert"), _("Votre rôle ne permet pas cette action.")),
    404: (_("Rien ici"), _("Cette page ou ce dossier n’existe pas, ou ne vous est pas ouvert.")),
    409: (_("Déjà modifié"), _("Quelqu’un a modifié ces informations entre-temps. Revenez en arrière et rechargez la page.")),
    413: (_("Trop volumineux"), _("Ce qui a été envoyé est trop volumineux.")),
    422: (_("Cela ne peut pas être enregistré"), _("Une information n’est pas acceptable. Revenez en arrière et vérifiez.")),
    500: (_("Une erreur de notre côté"), _("Rien n’a été enregistré. Réessayez ; si cela continue, prévenez votre administrateur.")),
    503: (_("Indisponible pour un moment"), _("Rien n’a été enregistré. Réessayez dans un instant.")),
}  # fmt: skip
_SAID: Final = {
    Superseded.code: (
        _("Ce dossier est remplacé par un autre"),
        _("Rien n’a été enregistré. La personne a un autre dossier, que vous voyez aussi : écrivez dans celui-là. Il est sous Identité, dans celui-ci."),
    ),
}  # fmt: skip
_LIKE: Final = {401: 403, 405: 404, 406: 400, 410: 404, 412: 409, 415: 400}


def refusal(request: Request, status: int, code: str = "") -> Response:
    """The page that says no, in two plain sentences. Never says whether a record exists. `code`: of the issue, where it says more."""
    heading, sentence = _SAID.get(code) or _WORDS.get(_LIKE.get(status, status), _WORDS[500])
    gettext = translations(language_of(request)).gettext
    return render(request, "message.html", status=status, heading=gettext(heading), sentences=[gettext(sentence)])


async def bounded_body(request: Request, limit: int = FORM_LIMIT) -> bytes:
    """The body, never more than `limit`; afterwards `request.form()` and `request.json()` read it too."""
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit:
            raise TooLarge(f"The body is larger than {limit} bytes.")
        chunks.append(chunk)
    request._body = b"".join(chunks)
    return request._body


class LeftOpen(Forbidden):
    """The form is not one that this service gave to this session: forged, or shown before a session ended or began."""


async def check_origin(request: Request) -> Browser | None:
    """Who is signed in. Raises Forbidden unless the form came from our own page, by the browser's word, and LeftOpen
    unless it has the token of this session.

    The token is in the field `csrf` or the header X-CSRF-Token. Before sign-in it is compared with a cookie.
    """
    if not _from_here(request):
        raise Forbidden("The form came from another site.")
    given = request.headers.get("x-csrf-token", "")
    if not given:
        form = await request.form(max_files=20, max_fields=2000)
        _check_characters(*form.multi_items())
        given = str(form.get("csrf", ""))
    browser = await browser_of(request)
    if browser is not None:
        genuine = browser.csrf_matches(token_of(given))
    else:
        before = cookies.read(request, cookies.BEFORE)
        genuine = bool(before) and given == before
    if not genuine:
        raise LeftOpen("The form is not one that this service gave to this browser.")
    return browser


def _from_here(request: Request) -> bool:
    """Whether the browser names this service as where the form was: by Fetch Metadata, an older one by Origin (RFC 6454
    §7). What names nothing is decided by the token alone; so is "null", which pages that give no referrer send too."""
    if site := request.headers.get("sec-fetch-site"):
        return site == "same-origin"
    origin, public = request.headers.get("origin", "null"), request.app.state.house.settings.public_url
    return origin in ("null", public) or origin.partition("://")[2] == request.url.netloc


def _check_characters(*given: tuple[str, object]) -> None:
    """Raises BadRequest for the character that neither a text of FHIR nor one of the database holds. Files are what they are."""
    if any("\0" in text for pair in given for text in pair if isinstance(text, str)):
        raise BadRequest("The character U+0000 is no text.")


def to_sign_in(request: Request, path: str = "/connexion") -> Response:
    """Sends the browser to sign in and, when it asked for a page, back to it."""
    query = f"?{request.url.query}" if request.url.query else ""
    back = f"?suite={quote(request.url.path + query, safe='')}" if request.method in _SAFE else ""
    return confine(request, RedirectResponse(path + back, status_code=303))


class Page(Route):
    """A route that is a page. `roles`: who it is for, None for anyone. `proven`: '' or the page that one comes back to."""

    def __init__(self, path: str, run: Endpoint, methods: list[str], roles: frozenset[str] | None, proven: str) -> None:
        super().__init__(path, run, methods=methods)
        self.roles, self.proven = roles, proven


def to_confirm(request: Request, back: str) -> Response:
    """Sends the browser to prove once more who is there, and then to `back`: a page, also for a form that was kept."""
    return confine(request, RedirectResponse(f"/confirmer?suite={quote(back, safe='')}", status_code=303))


def page(
    path: str,
    endpoint: Endpoint,
    *,
    methods: tuple[str, ...] = ("GET",),
    body_limit: int = FORM_LIMIT,
    roles: frozenset[str] | None = None,
    changes_nothing: bool = False,
    proven: str = "",
    taken_again: bool = False,
) -> Page:
    """A route whose forms are checked for origin and token, and whose refusals become pages.

    `roles`: who the page is for; anyone else signed in gets the 404 page, nobody signed in goes to sign in. This is
    convenience, not protection: what a page can show or do is decided by the engine. `changes_nothing`: a POST that
    another site may send, because it only shows a page. `proven`: what changes anything here asks for a proof of who one
    is of less than half an hour (Browser.recent); nothing is done before. What the form held is found again after that,
    to be sent at one touch or left: `proven` is the page that leads back to, with the parameters of `path`.
    `taken_again`: the endpoint itself says what sending a form again does, also after another was sent in between (the
    first words of a visit, once corrected, are a correction of the correction); `once` leaves it alone.
    """

    async def run(request: Request) -> Response:
        # What the journal says of it, where nothing more is said: the route, since an address may hold a secret.
        told = FhirRequest(request.method, path.lstrip("/"), address=address_of(request))
        asked, begun = ASKED.set(told), BEGUN.set(monotonic())
        try:
            return await answer(request)
        finally:
            ASKED.reset(asked)
            BEGUN.reset(begun)

    async def answer(request: Request) -> Response:
        browser = None
        if request.method == "HEAD":
            # Endpoints take what is no GET for a form; the server leaves out the body of the answer.
            request = Request({**request.scope, "method": "GET"}, request.receive)
        try:
            _check_characters(*request.query_params.multi_items())
            if request.method not in _SAFE:
                await bounded_body(request, body_limit)
                if not changes_nothing:
                    try:
                        browser = await check_origin(request)
                    except LeftOpen:
                        return await left_open.show(request)
            if roles is not None and (await signed_in(request)).caller.role_code not in roles:
                return refusal(request, 404)
            if proven and request.method not in _SAFE and not (browser is not None and browser.recent):
                if browser is None:
                    raise SignInNeeded
                back = proven.format_map(request.path_params)
                return to_confirm(request, await left_open.until_proven(request, browser, back))
            taken_by = None if taken_again else browser
            return onward.away(request, await once(request, taken_by, lambda: endpoint(request)))
        except SignInNeeded:
            return to_sign_in(request)
        except RoleNeeded:
            return to_sign_in(request, "/role")
        except FhirError as error:
            return refusal(request, getattr(error, "answered", error.status), error.issues[0].code)
        except HTTPException as error:  # Starlette's, of a body that it cannot read as the form that it says to be
            return refusal(request, error.status_code)
        except Exception:
            # The traceback has no local variables: they could hold a record.
            log.exception("page failed", path=route.path)
            return refusal(request, 500)

    route = Page(path, run, list(methods), roles, proven)
    return route
