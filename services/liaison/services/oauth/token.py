"""/oauth/token: codes, refresh tokens and client assertions become access tokens. Journaled before it answers."""

import secrets
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from liaison.auth import sessions
from liaison.auth.journal.entry import Event, entry
from liaison.auth.oauth2 import id_token, rfc8693, rfc9068
from liaison.auth.oauth2.clients import Client
from liaison.auth.oauth2.confirmation import JKT, Confirmation
from liaison.auth.oauth2.errors import (
    InvalidDpopProof,
    InvalidGrant,
    OAuthError,
    UnauthorizedClient,
    UnsupportedGrantType,
    UseDpopNonce,
)
from liaison.auth.oauth2.rfc6749 import client_credentials, codes, refresh_tokens
from liaison.auth.oauth2.rfc6749.grant import Redeemed
from liaison.auth.oauth2.rfc6749.parameters import Parameters
from liaison.auth.oauth2.sweep import sweep
from liaison.auth.people.accounts import by_number
from liaison.auth.smart.scopes import read_scopes
from liaison.fhir.errors import Unavailable
from liaison.fhir.store import faults
from liaison.fhir.store.contract import Request as FhirRequest
from liaison.fhir.store.ids import Ids
from liaison.services.oauth import counting
from liaison.services.oauth.answers import error_answer, form_of, json_answer, unavailable
from liaison.services.oauth.binding import binding
from liaison.services.oauth.clients import authenticate
from liaison.services.oauth.pro_sante import ProSante
from liaison.services.pages.signed_in import address_of, reference

_SWEEP_ONE_IN = 500


async def token(request: Request) -> Response:
    """RFC 6749 §5: a token, or an error whose text never tells whether a client, code or person exists."""
    parameters = Parameters()
    try:
        try:
            with faults.reported():
                parameters = Parameters.read(await form_of(request))
                client = await authenticate(request, parameters)
                content = await _granted(request, client, parameters)
                if secrets.randbelow(_SWEEP_ONE_IN) == 0:
                    await sweep(request.app.state.house.database.writing)
        except OAuthError as error:
            await request.app.state.house.journal.refused_call(_asked(request), error.status)
            with faults.reported():
                await counting.refused(request, parameters, error)
            return error_answer(error)
    except Unavailable:
        return unavailable()
    return json_answer(content)


def _asked(request: Request) -> FhirRequest:
    return FhirRequest(request.method, request.url.path.lstrip("/"), address=address_of(request))


async def _granted(request: Request, client: Client, parameters: Parameters) -> dict[str, Any]:
    """A code is used up by whatever is wrong with the call that brings it: also by what is missing beside it, and by the
    proof. Not by a proof that was forgotten, or lacks the nonce that the answer gives: the same call comes again with it
    (RFC 9449 §8)."""
    try:
        return await _grant(request, client, parameters, await binding(request, client))
    except UseDpopNonce:
        raise
    except OAuthError as error:
        forgotten = isinstance(error, InvalidDpopProof) and "dpop" not in request.headers
        if parameters["grant_type"] == "authorization_code" and parameters["code"] and not forgotten:
            await codes.burn(request.app.state.house.database.writing, client, parameters["code"])
        raise


async def _grant(request: Request, client: Client, parameters: Parameters, bound_to: Confirmation) -> dict[str, Any]:
    house = request.app.state.house
    jkt = bound_to.thumbprint if bound_to.member == JKT else ""
    match parameters.required("grant_type"):
        case "client_credentials":
            session, scopes = await client_credentials.open_for(
                house.database.writing, client, parameters["scope"], rfc9068.LIFETIME
            )
            return await _answer(request, client, session, client.client_id, str(scopes), bound_to)
        case "authorization_code":
            _only_apps(client)
            code, uri = parameters.required("code"), parameters.required("redirect_uri")
            async with house.database.writing.acquire() as connection:
                redeemed = await codes.redeem(
                    connection, client, code, uri, parameters.required("code_verifier"), rfc9068.LIFETIME, jkt=jkt
                )
            return await _for_person(request, client, redeemed, bound_to)
        case "refresh_token":
            _only_apps(client)
            async with house.database.writing.acquire() as connection:
                redeemed = await refresh_tokens.rotate(
                    connection,
                    client,
                    parameters.required("refresh_token"),
                    parameters["scope"],
                    rfc9068.LIFETIME,
                    jkt=jkt,
                )
            return await _for_person(request, client, redeemed, bound_to)
        case rfc8693.GRANT_TYPE:
            return await _exchange(request, client, parameters, bound_to)
    raise UnsupportedGrantType(
        "grant_type is one of authorization_code, refresh_token, client_credentials, token-exchange."
    )


async def _exchange(request: Request, client: Client, parameters: Parameters, bound_to: Confirmation) -> dict[str, Any]:
    house, role = request.app.state.house, parameters[rfc8693.ROLE]
    key = house.store.key(*role.split("/", 1)) if role.startswith("PractitionerRole/") else None
    asked = rfc8693.read_request(parameters, house.settings.fhir_base, key.res if key else 0)

    async def verify(token: str) -> rfc9068.Verified:
        names = {"issuer": house.settings.public_url, "audience": house.settings.fhir_base}
        return await rfc9068.verify(house.signing_keys, token, **names)

    provider = house.pro_sante_connect
    found = await rfc8693.whose(client, asked, verify, ProSante(request, provider) if provider else None)
    async with house.database.writing.acquire() as connection, connection.transaction():
        made = await rfc8693.exchange(connection, client, asked, found)
    content = await _answer(request, client, made.session, str(made.account), str(made.scopes), bound_to, made.seconds)
    return {**content, "issued_token_type": rfc8693.ACCESS_TOKEN}


def _only_apps(client: Client) -> None:
    if client.kind != "app":
        raise UnauthorizedClient("This client may only use client_credentials.")


async def _for_person(request: Request, client: Client, redeemed: Redeemed, bound_to: Confirmation) -> dict[str, Any]:
    house, grant = request.app.state.house, redeemed.grant
    content = await _answer(
        request, client, redeemed.session, str(grant.account), grant.scope, bound_to, redeemed.seconds
    )
    if redeemed.refresh_token:
        content["refresh_token"] = redeemed.refresh_token
    content.update(grant.context.parameters())
    names = read_scopes(grant.scope).names
    if "openid" in names:
        account = await by_number(house.database.reading, grant.account)
        if account is None:
            raise InvalidGrant
        whole = f"{house.settings.fhir_base}/{reference(Ids(house.vault.id_key), account.person)}"
        content["id_token"] = await id_token.issue(
            house.signing_keys,
            issuer=house.settings.public_url,
            subject=str(grant.account),
            client_id=client.client_id,
            nonce=grant.nonce,
            fhir_user=whole if names & {"fhirUser", "profile"} else "",
            signed_in_at=grant.signed_in_at,
        )
    return content


async def _answer(
    request: Request,
    client: Client,
    session: int,
    subject: str,
    scope: str,
    bound_to: Confirmation,
    seconds: int = rfc9068.LIFETIME,
) -> dict[str, Any]:
    house = request.app.state.house
    caller = await sessions.made_for(house.database.writing, session)
    if caller is None:
        raise InvalidGrant
    await house.journal.record((entry(caller, Event.TOKEN, request=_asked(request)),))
    access = await rfc9068.issue(
        house.signing_keys,
        issuer=house.settings.public_url,
        audience=house.settings.fhir_base,
        subject=subject,
        client_id=client.client_id,
        session=session,
        seconds=seconds,
        bound_to=bound_to,
    )
    return {"access_token": access, "token_type": bound_to.token_type, "expires_in": seconds, "scope": scope}
