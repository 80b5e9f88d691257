"""Which client a request to the token or revocation endpoint is from (RFC 6749 §2.3, RFC 7523 §2.2)."""

from collections.abc import Sequence

from starlette.requests import Request

from liaison.auth.oauth2 import clients, rfc7523, rfc8705, rfc9440
from liaison.auth.oauth2.clients import Client
from liaison.auth.oauth2.errors import InvalidClient, InvalidRequest
from liaison.auth.oauth2.rfc6749 import refresh_tokens
from liaison.auth.oauth2.rfc6749.parameters import Parameters
from liaison.services.oauth.counting import counted


async def authenticate(request: Request, parameters: Parameters, also: Sequence[str] = ()) -> Client:
    """Who it is, counted (oauth.counting). `also` as in `_proven`. Raises InvalidClient or TooMany."""
    return await counted(request, parameters, _proven(request, parameters, also))


async def _proven(request: Request, parameters: Parameters, also: Sequence[str]) -> Client:
    """A confidential client has signed an assertion, or shows the certificate that it is registered by; a public one
    only says its name, and proves nothing by it (its
    codes are protected by PKCE). Its refresh request need not even say that: RFC 6749 §6 asks for the token alone, which
    was issued to one client. `also`: what an assertion may name as its audience beside the token URL. Raises
    InvalidClient, with one text."""
    house = request.app.state.house
    certificate = request.headers.get(rfc9440.HEADER, "")
    if "authorization" in request.headers:
        scheme = request.headers["authorization"].partition(" ")[0]
        named = scheme if scheme.isascii() and scheme.isalnum() else "Basic"
        raise InvalidClient(f'{named} realm="oauth"')
    if "client_secret" in parameters:
        raise InvalidClient  # there are no shared secrets here
    if "client_assertion" not in parameters and "client_assertion_type" not in parameters:
        if parameters["grant_type"] == "refresh_token" and not parameters["client_id"]:
            number = await refresh_tokens.holder(house.database.reading, parameters["refresh_token"])
            client = await clients.by_number(house.database.reading, number)
        else:
            client = await clients.find(house.database.reading, parameters["client_id"])
        if client is None:
            raise InvalidClient
        if client.certificate_subject:
            rfc8705.authenticate(client, certificate)
        elif client.confidential:
            raise InvalidClient
        return client
    if parameters["client_assertion_type"] != rfc7523.ASSERTION_TYPE:
        raise InvalidRequest(f"client_assertion_type must be {rfc7523.ASSERTION_TYPE}.")
    assertion = parameters.required("client_assertion")
    named = rfc7523.client_id_of(assertion)
    if parameters["client_id"] not in ("", named):
        raise InvalidClient
    client = await clients.find(house.database.reading, named)
    if client is None:
        raise InvalidClient
    token_url = f"{house.settings.public_url}/oauth/token"
    now = house.database.clock.seconds()
    await rfc7523.accept(house.database.writing, client, assertion, token_url, house.key_sets, now, also)
    return client
