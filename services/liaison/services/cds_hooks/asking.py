"""Whose question a hook is: the software's, by a JWT that it signed, and the person's, by the access token within.

https://cds-hooks.hl7.org/2.0/#trusting-cds-clients: `iss` is the client_id under which the software is registered here, `aud`
the address of the service that it calls. Stricter than the specification where OAuth here is: the algorithm registered, `jku`
only as registered, one use of a `jti`, at most five minutes.
"""

from collections.abc import Mapping
from typing import Any, Final

from starlette.requests import Request

from liaison.auth.caller import Caller
from liaison.auth.oauth2 import clients, rfc7523
from liaison.auth.oauth2.errors import InvalidClient
from liaison.auth.sessions import is_alive
from liaison.fhir.errors import BadRequest, Forbidden, PreconditionFailed, Unauthorized
from liaison.fhir.store import faults

Tree = dict[str, Any]
_NOBODY: Final = "fhirAuthorization.access_token is no access token of this service, or it is over."


async def asked_by(request: Request, service: str, question: Mapping[str, Any]) -> Caller:
    """The caller of the record. Raises Unauthorized for software that is not known or has not signed this, PreconditionFailed
    without an access token, Forbidden for one of other software, BadRequest for what cannot be an authorization."""
    house = request.app.state.house
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthorized("Sign the call: Authorization: Bearer and a JWT of the registered client.")
    address = f"{house.settings.public_url}{service}"
    with faults.reported():
        try:
            client = await clients.find(house.database.reading, rfc7523.client_id_of(token))
            if client is None:
                raise InvalidClient
            await rfc7523.accept_hook(
                house.database.writing, client, token, address, house.key_sets, house.database.clock.seconds()
            )
        except InvalidClient:
            raise Unauthorized(f"The JWT is not one of a registered client for {address}.") from None
        caller: Caller = await house.authenticator.caller(f"Bearer {_token_of(house.settings.fhir_base, question)}")
        if not await is_alive(house.database.reading, caller.session):
            raise Unauthorized(_NOBODY)
    if caller.client != client.number:
        raise Forbidden("The access token was given to other software than the one that signed the call.")
    return caller


def _token_of(fhir_base: str, question: Mapping[str, Any]) -> str:
    server = question.get("fhirServer")
    if server is not None and str(server).rstrip("/") != fhir_base:
        raise PreconditionFailed(
            f"Only the record of {fhir_base} is read here, by an access token of it.", "fhirServer"
        )
    told = question.get("fhirAuthorization")
    if told is None:
        raise PreconditionFailed(
            "fhirAuthorization is required: what is told is what its person may see.", "fhirAuthorization"
        )
    if not isinstance(told, Mapping) or not isinstance(told.get("access_token"), str):
        raise BadRequest("fhirAuthorization.access_token is a text.", "fhirAuthorization.access_token")
    if str(told.get("token_type", "Bearer")).lower() != "bearer":
        raise BadRequest("fhirAuthorization.token_type is Bearer.", "fhirAuthorization.token_type")
    return str(told["access_token"])
