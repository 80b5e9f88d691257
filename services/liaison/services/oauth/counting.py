"""What is counted of a call that proves a client: failures by address and client_id, successes by client."""

from collections.abc import Coroutine
from typing import Any

from starlette.requests import Request

from liaison.auth.oauth2 import rate_limits, rfc7523
from liaison.auth.oauth2.clients import Client
from liaison.auth.oauth2.errors import InvalidClient, OAuthError
from liaison.auth.oauth2.rfc6749.parameters import Parameters
from liaison.auth.vendors import life


async def counted(request: Request, parameters: Parameters, proving: Coroutine[Any, Any, Client]) -> Client:
    """The client that `proving` gives. Raises TooMany; a client that fails and one that does not exist count alike."""
    database = request.app.state.house.database.writing
    address = rate_limits.whose_address(request.client.host if request.client else "")
    whose = (address, _named(parameters)) if address else ()
    try:
        if whose:
            await rate_limits.allowed(database, rate_limits.FAILURES, *whose)
        client = await proving
    except InvalidClient:
        if whose:
            await rate_limits.take(database, rate_limits.FAILURES, *whose)
        raise
    finally:
        proving.close()
    # A public client has only said its name, as anyone can: it is counted for each address apart.
    if client.confidential:
        await rate_limits.take(database, rate_limits.TOKENS, client.client_id)
    elif address:
        await rate_limits.take(database, rate_limits.TOKENS, client.client_id, address)
    return client


async def refused(request: Request, parameters: Parameters, error: OAuthError) -> None:
    """For the page where a vendor sees what its software was refused."""
    if client_id := _named(parameters):
        await life.count_error(request.app.state.house.database.writing, client_id, error.error)


def _named(parameters: Parameters) -> str:
    try:
        return parameters["client_id"] or rfc7523.client_id_of(parameters["client_assertion"])
    except InvalidClient:
        return ""
