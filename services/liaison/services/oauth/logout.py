"""/oauth/logout (OpenID Connect RP-Initiated Logout 1.0): software asks that the person be signed out here too.

The person is always asked, since anything else would let any page sign anyone out. Afterwards the browser goes on to an
address that is registered, exactly, for the software that the id_token_hint names, and to no other.
"""

from typing import NamedTuple
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from liaison.auth.oauth2 import clients, id_token
from liaison.auth.oauth2.errors import InvalidRequest, OAuthError
from liaison.auth.oauth2.rfc6749.parameters import Parameters
from liaison.fhir.store import faults
from liaison.services.oauth.asking import Pairs, not_connected, pairs_of
from liaison.services.pages.layout import confine, render
from liaison.services.pages.sign_in import sign_out
from liaison.services.pages.signed_in import RoleNeeded, SignInNeeded, signed_in


class Leaving(NamedTuple):
    """Who asks ('' when that is not proven), and where the browser goes afterwards ('' for our sign-in page)."""

    software: str
    onward: str


async def logout(request: Request) -> Response:
    """GET and POST: the page that asks. Someone who is not signed in goes on at once."""
    pairs = await pairs_of(request)
    try:
        leaving = await _read(request, pairs)
    except OAuthError as error:
        return not_connected(request, error)
    try:
        await signed_in(request)
    except (SignInNeeded, RoleNeeded) as nobody:
        if isinstance(nobody, SignInNeeded):
            return confine(request, RedirectResponse(leaving.onward or "/connexion", status_code=303))
    where = urlsplit(leaving.onward)
    return render(
        request,
        "logout.html",
        form_targets=[f"{where.scheme}://{where.netloc}"] if where.netloc else [],
        software=leaving.software,
        request_text=urlencode(pairs),
    )


async def leave(request: Request) -> Response:
    """The person has said yes. The form is genuine: `page` has checked it."""
    form = await request.form()
    try:
        leaving = await _read(request, parse_qsl(str(form.get("request", "")), keep_blank_values=True))
    except OAuthError as error:
        return not_connected(request, error)
    answer = await sign_out(request)
    if leaving.onward:
        answer.headers["location"] = leaving.onward
    return answer


async def _read(request: Request, pairs: Pairs) -> Leaving:
    """Raises InvalidRequest, with one text, for an address that is not registered for the software of the hint."""
    house = request.app.state.house
    parameters = Parameters.read(pairs)
    onward = parameters["post_logout_redirect_uri"]
    with faults.reported():
        hint = await id_token.read_hint(house.signing_keys, parameters["id_token_hint"], house.settings.public_url)
        client = await clients.find(house.database.reading, hint.client_id) if hint else None
    if client is not None and parameters["client_id"] not in ("", client.client_id):
        client = None
    if onward and (client is None or onward not in client.post_logout_redirect_uris):
        raise InvalidRequest("The post_logout_redirect_uri is not registered for the software of the id_token_hint.")
    if onward and parameters["state"]:
        parts = urlsplit(onward)
        query = [*parse_qsl(parts.query, keep_blank_values=True), ("state", parameters["state"])]
        onward = urlunsplit(parts._replace(query=urlencode(query)))
    return Leaving(client.name if client else "", onward)
