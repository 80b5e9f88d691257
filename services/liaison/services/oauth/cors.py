"""Calls from the pages of browser apps: https://fetch.spec.whatwg.org/#http-cors-protocol.

The answers of these endpoints, errors too, may be read by the origins of the apps in force (those of their redirect
addresses) and by LIAISON_CORS_ORIGINS. Which client a request names plays no part: an answer that depended on it would
tell whether that client exists. No cookie counts here, so credentials are never allowed.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from liaison.auth.oauth2 import clients
from liaison.auth.oauth2.rate_limits import TooMany
from liaison.fhir.errors import Unavailable
from liaison.fhir.store import faults
from liaison.services import limits
from liaison.services.oauth.answers import json_answer

Endpoint = Callable[[Request], Awaitable[Response]]

_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT")
_TAKEN: Final = "authorization, content-type, dpop"
_READ: Final = "dpop-nonce, retry-after, www-authenticate"


def open_to_apps(path: str, endpoint: Endpoint, methods: Sequence[str] = ("POST",)) -> Route:
    """A route that pages of apps may call."""
    taken = {*methods, *(("HEAD",) if "GET" in methods else ())}

    async def run(request: Request) -> Response:
        if request.method == "OPTIONS":
            answer = Response(status_code=204, headers={"allow": ", ".join((*methods, "OPTIONS"))})
            if await _allowed(request, answer):
                answer.headers["access-control-allow-methods"] = ", ".join(methods)
                answer.headers["access-control-allow-headers"] = _TAKEN
                answer.headers["access-control-max-age"] = "600"
            return answer
        try:
            answer = await endpoint(request) if request.method in taken else _not_taken(methods)
        except TooMany as error:
            answer = await limits.told(request, error)
        if await _allowed(request, answer):
            answer.headers["access-control-expose-headers"] = _READ
        return answer

    return Route(path, run, methods=[*taken, *_METHODS])


def _not_taken(methods: Sequence[str]) -> Response:
    """RFC 9110 §15.5.6, in the form of every other error here."""
    told = f"Call this with {' or '.join(methods)}."
    allowed = ", ".join((*methods, "OPTIONS"))
    return json_answer({"error": "invalid_request", "error_description": told}, 405, allow=allowed)


async def _allowed(request: Request, answer: Response) -> bool:
    answer.headers["vary"] = "Origin"
    origin = request.headers.get("origin", "")
    if not origin or origin == "null":
        return False
    house = request.app.state.house
    try:
        with faults.reported():
            known = origin in house.settings.cors_origins or origin in await _of_apps(request)
    except Unavailable:
        return False
    if known:
        answer.headers["access-control-allow-origin"] = origin
    return known


async def _of_apps(request: Request) -> set[str]:
    addresses = await clients.redirects_in_force(request.app.state.house.database.reading)
    parts = [urlsplit(address) for address in addresses]
    return {f"{one.scheme}://{one.netloc}" for one in parts if one.netloc}
