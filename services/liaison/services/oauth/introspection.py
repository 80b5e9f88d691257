"""/oauth/introspect (RFC 7662): for clients with keys, by an assertion or by an access token of their own."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from liaison.auth.oauth2 import clients, rfc7662, rfc9449
from liaison.auth.oauth2.clients import Client
from liaison.auth.oauth2.errors import InvalidClient, OAuthError
from liaison.auth.oauth2.rfc6749.parameters import Parameters
from liaison.auth.oauth2.rfc6750 import NoToken, UnboundProof
from liaison.auth.oauth2.rfc7662 import Active
from liaison.auth.people.accounts import by_number
from liaison.auth.sessions import is_alive
from liaison.auth.smart.scopes import read_scopes
from liaison.fhir.errors import Unauthorized, Unavailable
from liaison.fhir.store import faults
from liaison.fhir.store.ids import Ids
from liaison.services.oauth.answers import error_answer, form_of, json_answer, unavailable
from liaison.services.oauth.binding import call_of
from liaison.services.oauth.clients import authenticate
from liaison.services.pages.signed_in import reference


async def introspect(request: Request) -> Response:
    house = request.app.state.house
    try:
        with faults.reported():
            parameters = Parameters.read(await form_of(request))
            asker = await _asker(request, parameters)
            found = await rfc7662.introspect(
                house.database.writing,
                asker,
                parameters.required("token"),
                keys=house.signing_keys,
                issuer=house.settings.public_url,
                audience=house.settings.fhir_base,
            )
            return json_answer({"active": False} if found is None else await _described(request, found))
    except OAuthError as error:
        return error_answer(error)
    except Unavailable:
        return unavailable()


async def _asker(request: Request, parameters: Parameters) -> Client:
    """Raises InvalidClient for anyone who proves nothing: a public client says a name that anyone could say. A token that does
    not do is answered as RFC 6750 §3 has it (RFC 7662 §2.1), and a proof as RFC 9449 §7.1 has it."""
    if request.headers.get("authorization", "").partition(" ")[0].lower() in ("bearer", "dpop"):
        return await _bearer(request)
    client = await authenticate(request, parameters)
    if not client.confidential:
        raise InvalidClient
    return client


async def _bearer(request: Request) -> Client:
    """The confidential client whose access token speaks for it."""
    house = request.app.state.house
    dpop = request.headers["authorization"].lower().startswith("dpop ")
    scheme, known = ("DPoP", f', algs="{" ".join(rfc9449.ALGORITHMS)}"') if dpop else ("Bearer", "")
    try:
        caller = await house.authenticator.caller(request.headers["authorization"], call_of(request))
    except UnboundProof as error:
        raise InvalidClient(f'{scheme} realm="oauth", error="{error.error}"{known}', error.nonce) from None
    except NoToken:
        raise InvalidClient('Bearer realm="oauth"') from None
    except Unauthorized:
        caller = None
    if caller is not None and await is_alive(house.database.writing, caller.session):
        client = await clients.by_number(house.database.reading, caller.client)
        if client is not None and client.confidential:
            return client
    raise InvalidClient(f'{scheme} realm="oauth", error="invalid_token"{known}')


async def _described(request: Request, found: Active) -> dict[str, Any]:
    house = request.app.state.house
    made: dict[str, Any] = {
        "active": True,
        "scope": found.scope,
        "client_id": found.client_id,
        "token_type": found.token_type,
        "exp": found.expires_at,
        "iss": house.settings.public_url,
        "aud": house.settings.fhir_base,
        "sub": found.subject,
        **({"iat": found.issued_at} if found.issued_at else {}),
        **found.bound_to.claim(),
        **found.context.parameters(),
    }
    if found.account and read_scopes(found.scope).names & {"fhirUser", "profile"}:
        account = await by_number(house.database.reading, found.account)
        if account is not None:
            whom = reference(Ids(house.vault.id_key), account.person)
            made["fhirUser"] = f"{house.settings.fhir_base}/{whom}"
    return made
