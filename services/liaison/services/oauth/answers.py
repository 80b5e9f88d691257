"""JSON answers of the authorization server: never kept by anyone, errors as RFC 6749 §5.2 writes them."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qsl

import orjson
from starlette.requests import Request
from starlette.responses import Response

from liaison.auth.oauth2.errors import InvalidClient, InvalidRequest, OAuthError, UseDpopNonce

FORM_LIMIT: Final = 64 * 1024
FORM: Final = "application/x-www-form-urlencoded"


def json_answer(content: Mapping[str, Any], status: int = 200, **headers: str) -> Response:
    response = Response(orjson.dumps(content), status, media_type="application/json")
    response.headers["cache-control"] = "no-store"
    response.headers["pragma"] = "no-cache"  # RFC 6749 §5.1
    response.headers["x-content-type-options"] = "nosniff"
    for name, value in headers.items():
        response.headers[name.replace("_", "-")] = value
    return response


def error_answer(error: OAuthError) -> Response:
    response = json_answer({"error": error.error, "error_description": error.description}, error.status)
    if isinstance(error, UseDpopNonce | InvalidClient) and error.nonce:
        response.headers["dpop-nonce"] = error.nonce
    if isinstance(error, InvalidClient) and error.challenge:
        response.headers["www-authenticate"] = error.challenge
    return response


def unavailable() -> Response:
    return json_answer({"error": "temporarily_unavailable"}, 503, retry_after="2")


async def form_of(request: Request) -> list[tuple[str, str]]:
    """The pairs of a form body, in order, repeated ones included. Nothing is ever taken from the query."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        raise InvalidRequest(f"The body must be {FORM}.")
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > FORM_LIMIT:
            raise InvalidRequest("The body is too large.")
    try:
        return parse_qsl(
            body.decode("ascii"), keep_blank_values=True, strict_parsing=bool(body), max_num_fields=100, errors="strict"
        )
    except ValueError:
        raise InvalidRequest("The body is not a well-formed form.") from None
