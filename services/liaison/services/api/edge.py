"""The FHIR API as one plain ASGI application: the hot path knows no framework, no middleware and no model.

HTTP semantics only: what is asked, by whom, how large, in which format; the engine does the rest. Nothing is sent
before `Engine.handle` has returned, and that returns when the journal holds the entry.
"""

import os
import re
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, Final, Protocol
from urllib.parse import unquote

from liaison.auth.caller import Caller
from liaison.auth.smart.scopes import Scopes
from liaison.fhir.errors import BadRequest, FhirError, Unavailable
from liaison.fhir.interactions.routing import route
from liaison.fhir.store.contract import Answer, Request
from liaison.services.api import errors, negotiation
from liaison.services.api.access_log import AccessLog
from liaison.services.api.body import Disconnected, read_body
from liaison.services.api.metrics import Metrics

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_KEPT: Final[dict[bytes, str]] = {
    name.encode(): name
    for name in (
        "accept",
        "authorization",
        "content-encoding",
        "content-length",
        "content-type",
        "if-match",
        "if-modified-since",
        "if-none-exist",
        "if-none-match",
        "origin",
        "prefer",
        "transfer-encoding",
        "x-request-id",
    )
}
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_ID_SHAPE: Final = re.compile(r"[A-Z][A-Za-z]*|[_$][a-z-]*|metadata|")
# Any page may call with a token it was given; there is no cookie here that the browser would add by itself.
_ORIGIN: Final = [
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", b"etag, last-modified, location, preference-applied, x-request-id"),
]
_PREFLIGHT: Final = (
    ("access-control-allow-methods", "GET, HEAD, POST, PUT, DELETE"),
    (
        "access-control-allow-headers",
        "authorization, content-type, if-match, if-modified-since, if-none-exist, if-none-match, prefer, x-request-id",
    ),
    ("access-control-max-age", "3600"),
)
_KEEPABLE: Final = [
    (b"content-type", negotiation.FHIR_JSON.encode()),
    (b"x-content-type-options", b"nosniff"),
]
_FIXED: Final = [*_KEEPABLE, (b"cache-control", b"no-store")]


class Handler(Protocol):
    """What the edge asks of the engine."""

    async def handle(self, caller: Caller, request: Request) -> Answer: ...
    async def refused(self, request: Request, error: Exception) -> Answer: ...


class Authenticator(Protocol):
    """Who is calling. Raises Unauthorized; the rights themselves are looked up by SQL at each request."""

    async def caller(self, authorization: str) -> Caller: ...


def _headers(scope: Scope) -> dict[str, str]:
    """The headers that mean something here. One that comes twice is refused: proxy and service could differ."""
    found: dict[str, str] = {}
    for name, value in scope["headers"]:
        known = _KEPT.get(name)
        if known is not None:
            if known in found and known not in ("accept", "prefer", "if-none-match", "if-match"):
                raise BadRequest(f"The header {known} comes twice.")
            text = value.decode("latin-1")
            found[known] = f"{found[known]}, {text}" if known in found else text
    return found


def shape(path: str) -> str:
    """A path for the log and the metrics: ids and anything unknown are left out."""
    return "/".join(part if _ID_SHAPE.fullmatch(part) else "{id}" for part in path.split("/")[:4])


def path_below(scope: Scope, prefix: str) -> str:
    """The path below the FHIR base, each segment decoded once. A dot segment or an encoded slash is refused."""
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    path = raw.decode("latin-1").partition("?")[0].removeprefix(prefix).removeprefix("/")
    if "%" not in path and "." not in path:
        return path
    segments = [unquote(segment) for segment in path.split("/")]
    if any(segment in (".", "..") or "/" in segment or "\\" in segment or "\0" in segment for segment in segments):
        raise BadRequest("The path holds a dot segment or an encoded slash.")
    return "/".join(segments)


class FhirEdge:
    """Serves everything under `prefix`. One instance a worker; `engine` and `authenticator` are set by the lifespan."""

    def __init__(self, prefix: str, body_limit: int, access_log: AccessLog, metrics: Metrics) -> None:
        self.prefix = prefix
        self.engine: Handler | None = None
        self.authenticator: Authenticator | None = None
        self._limit = body_limit
        self._log = access_log
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        method: str = scope["method"]
        headers: dict[str, str] = {}
        request_id = ""
        path = ""
        try:
            headers = _headers(scope)
            request_id = _request_id(headers)
            path = path_below(scope, self.prefix)
            if method == "OPTIONS":
                answer = Answer(204, b"", _PREFLIGHT)
            else:
                answer = await self._answer(scope, receive, headers, method, path, request_id)
        except Disconnected:
            return
        except Exception as error:  # noqa: BLE001  # every failure becomes an answer, here and nowhere else
            answer = errors.answer(error)
        request_id = request_id or _request_id({})
        await _send(send, method, answer, request_id, "origin" in headers)
        self._log.add(method, shape(path), answer.status, started, request_id)
        self._metrics.observe(method, path, answer.status, time.perf_counter() - started)

    async def _answer(
        self, scope: Scope, receive: Receive, headers: Mapping[str, str], method: str, path: str, request_id: str
    ) -> Answer:
        if self.engine is None:
            raise Unavailable("The service waits for its database. Try again.")
        client = scope.get("client")
        query: str = scope["query_string"].decode("latin-1")
        request = Request(method, path, query, b"", headers, request_id, client[0] if client else "")
        try:
            caller = await self._caller(path, headers)
        except FhirError as error:
            return await self.engine.refused(request, error)
        if not negotiation.names_format(query):
            negotiation.acceptable(headers.get("accept", ""))
        query = negotiation.without_format(query)
        body = b""
        if method not in ("GET", "HEAD"):
            if not _has_route(method, path):
                return await self.engine.handle(caller, request)  # refused and journaled there, the body unread
            body, query = await self._body(receive, headers, method, path, query)
        return await self.engine.handle(
            caller, Request(method, path, query, body, headers, request_id, request.address)
        )

    async def _caller(self, path: str, headers: Mapping[str, str]) -> Caller:
        assert self.authenticator is not None
        if path.removesuffix("/") == "metadata":
            return ANYONE
        return await self.authenticator.caller(headers.get("authorization", ""))

    async def _body(
        self, receive: Receive, headers: Mapping[str, str], method: str, path: str, query: str
    ) -> tuple[bytes, str]:
        if "content-length" in headers and "transfer-encoding" in headers:
            raise BadRequest("Content-Length and Transfer-Encoding do not go together.")
        body = await read_body(receive, headers.get("content-length", ""), self._limit)
        kind, encoding = headers.get("content-type", ""), headers.get("content-encoding", "")
        if path.rpartition("/")[2] == "_search":
            form = negotiation.form_body(kind, encoding, body)
            return b"", negotiation.without_format("&".join(part for part in (query, form) if part))
        if method != "DELETE" and (body or not path.partition("$")[1]):
            (negotiation.patch_body if method == "PATCH" else negotiation.json_body)(kind, encoding)
            if not body:
                raise BadRequest("The body is empty: send a resource.")
        return body, query


ANYONE: Final = Caller(session=0, bound=Scopes(()), purpose=0, role_code="")
"""The caller of /metadata, which names no record. Session 0 does not exist, so SQL gives it nothing."""


def _has_route(method: str, path: str) -> bool:
    try:
        route(method, path)
    except FhirError:
        return False
    return True


def _request_id(headers: Mapping[str, str]) -> str:
    given = headers.get("x-request-id", "")
    return given if _REQUEST_ID.fullmatch(given) else os.urandom(8).hex()


async def _send(send: Send, method: str, answer: Answer, request_id: str, cross_origin: bool) -> None:
    body = answer.body
    kept = any(name == "cache-control" for name, _ in answer.headers)
    headers = [*(_KEEPABLE if kept else _FIXED), (b"x-request-id", request_id.encode())]
    if cross_origin:
        headers += _ORIGIN
    headers += [(name.encode(), value.encode("latin-1")) for name, value in answer.headers]
    if answer.status not in (204, 304):
        headers.append((b"content-length", str(len(body)).encode()))
    else:
        body = b""
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if method == "HEAD" else body})
