"""The authorization request (RFC 6749 §4.1.1), as SMART App Launch 2.2 profiles it.

Until client and redirect address are proven to belong together, nothing is ever sent to that address: such an error is
an OAuthError, shown on our own page. From then on errors are `Answerable`, and go back to the client.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import asyncpg

from liaison.auth.oauth2 import clients, rfc7636, rfc9449
from liaison.auth.oauth2.clients import Client
from liaison.auth.oauth2.errors import (
    InvalidRequest,
    InvalidScope,
    InvalidTarget,
    OAuthError,
    RequestNotSupported,
    RequestUriNotSupported,
    UnauthorizedClient,
    UnsupportedResponseType,
)
from liaison.auth.oauth2.prompts import NOTHING, Wanted, read_max_age, read_prompt
from liaison.auth.oauth2.rfc6749.parameters import Parameters
from liaison.auth.smart.scopes import ScopeError, Scopes, read_scopes


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """A request that may be put before a person. `scopes` is already cut to what the client is registered for."""

    client: Client
    redirect_uri: str
    state: str
    scopes: Scopes
    challenge: str
    nonce: str = ""
    wanted: Wanted = NOTHING
    launch: str = ""
    """The handle that came back from an EHR launch; '' for a standalone launch."""
    pushed: str = ""
    """The request_uri that it was read from (RFC 9126), to be used up when the person has decided."""
    dpop_jkt: str = ""
    hint: str = ""
    """The id_token_hint (OpenID Connect Core §3.1.2.1): for whom the request is, unread."""


class Answerable(Exception):
    """An error that goes back to the client, at an address proven to be its own."""

    def __init__(self, error: OAuthError, redirect_uri: str, state: str) -> None:
        self.error = error
        self.redirect_uri = redirect_uri
        self.state = state
        super().__init__(error.description)


async def read_request(
    connection: "asyncpg.Connection | asyncpg.Pool", pairs: Iterable[tuple[str, str]], fhir_base: str
) -> AuthorizationRequest:
    """Raises OAuthError for what is shown to the person, Answerable for what is sent back."""
    parameters, fault = Parameters.looked_at(pairs)
    if fault is not None and not {"client_id", "redirect_uri"} <= parameters.keys():
        raise fault
    client = await clients.find(connection, parameters.required("client_id"))
    redirect_uri = parameters.required("redirect_uri")
    # One text for an unknown client and for a foreign address. The comparison is exact (RFC 9700 §2.1).
    if client is None or client.kind != "app" or redirect_uri not in client.redirect_uris:
        raise InvalidRequest("The software or its redirect address is not registered here.")
    state = parameters["state"]
    try:
        if fault is not None:  # told to the software, now that its address is proven (RFC 6749 §4.1.2.1)
            raise fault
        return _request(client, redirect_uri, state, parameters, fhir_base)
    except OAuthError as error:
        raise Answerable(error, redirect_uri, state) from None


def _request(
    client: Client, redirect_uri: str, state: str, parameters: Parameters, fhir_base: str
) -> AuthorizationRequest:
    if "request" in parameters:
        raise RequestNotSupported
    if "request_uri" in parameters:
        raise RequestUriNotSupported
    if parameters.required("response_type") != "code":
        raise UnsupportedResponseType("response_type must be code.")
    if parameters["response_mode"] not in ("", "query"):
        raise InvalidRequest("response_mode must be query.")
    parameters.required("state")
    if parameters.required("aud").rstrip("/") != fhir_base:
        raise InvalidTarget("aud must be the FHIR base URL of this server.")
    rfc7636.check_challenge(parameters["code_challenge"], parameters["code_challenge_method"])
    scopes = _scopes(client, parameters.required("scope"))
    if "launch" in parameters and "launch" not in scopes.names:
        raise InvalidScope("The launch parameter needs the scope 'launch', asked for and registered.")
    if "launch" not in parameters:
        scopes = scopes.without("launch")  # nothing to hand over: what is asked for in vain is left out
    return AuthorizationRequest(
        client=client,
        redirect_uri=redirect_uri,
        state=state,
        scopes=scopes,
        challenge=parameters["code_challenge"],
        nonce=parameters["nonce"],
        wanted=Wanted(read_prompt(parameters["prompt"]), read_max_age(parameters["max_age"])),
        launch=parameters["launch"],
        dpop_jkt=rfc9449.check_thumbprint(parameters["dpop_jkt"]),
        hint=parameters["id_token_hint"],
    )


def _scopes(client: Client, asked: str) -> Scopes:
    scopes = cut(asked, client, signing_in=True)
    if scopes.context == "system":
        raise UnauthorizedClient("system/ scopes are for backend clients.")
    return scopes


def cut(asked: str, client: Client, *, signing_in: bool = False) -> Scopes:
    """What is asked within what is registered. Raises InvalidScope for malformed scopes, or when nothing is left.
    `signing_in`: to be told who someone is, is something."""
    try:
        scopes = read_scopes(asked).intersection(client.scopes)
    except ScopeError as error:
        raise InvalidScope(str(error)) from None
    if not scopes.scopes and not (signing_in and scopes.signs_in):
        raise InvalidScope("None of the scopes asked for is registered for this client.")
    return scopes
