"""The FHIR API as one plain ASGI application: the hot path knows no framework, no middleware and no model.

HTTP semantics only: what is asked, by whom, how large, in which format; the engine does the rest. Nothing is sent
before `Engine.handle` has returned, and that returns when the journal holds the entry.
"""

import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping, Sequence
from typing import Any, Final, Protocol

from liaison.auth.caller import Caller
from liaison.auth.oauth2.rfc6750 import Call
from liaison.auth.smart.scopes import Scopes
from liaison.fhir.errors import BadRequest, FhirError, Unavailable
from liaison.fhir.interactions.routing import route
from liaison.fhir.store.contract import Answer, Request
from liaison.services.api import compression, errors, negotiation
from liaison.services.api.access_log import AccessLog
from liaison.services.api.body import Disconnected, read_body
from liaison.services.api.cors import Origins
from liaison.services.api.incoming import headers_of, path_below, request_id_of
from liaison.services.api.metrics import Metrics
from liaison.services.api.negotiation import Wanted
from liaison.services.api.sending import send_answer

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class Handler(Protocol):
    """What the edge asks of the engine."""

    async def handle(self, caller: Caller, request: Request) -> Answer: ...
    async def refused(self, request: Request, error: Exception) -> Answer: ...
    def allowed(self, path: str) -> Sequence[str]: ...


class Authenticator(Protocol):
    """Who is calling. Raises Unauthorized; the rights themselves are looked up by SQL at each request."""

    async def caller(self, authorization: str, call: Call) -> Caller: ...


class FhirEdge:
    """Serves everything under `prefix`. One instance a worker; `engine` and `authenticator` are set by the lifespan."""

    def __init__(
        self, prefix: str, body_limit: int, access_log: AccessLog, metrics: Metrics, origins: Iterable[str] = ()
    ) -> None:
        self.prefix = prefix
        self.engine: Handler | None = None
        self.authenticator: Authenticator | None = None
        self._limit = body_limit
        self._log = access_log
        self._metrics = metrics
        self._origins = Origins(origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        method: str = scope["method"]
        headers: dict[str, str] = {}
        request_id = ""
        path = ""
        wanted = Wanted()
        try:
            headers = headers_of(scope)
            request_id = request_id_of(headers)
            path = path_below(scope, self.prefix)
            if method == "OPTIONS":
                answer = self._options(headers, path)
            else:
                answer = await self._answer(scope, receive, headers, method, path, request_id, wanted)
        except Disconnected:
            return
        except Exception as error:  # noqa: BLE001  # every failure becomes an answer, here and nowhere else
            answer = errors.answer(error)
        request_id = request_id or request_id_of({})
        await send_answer(send, method, answer, request_id, wanted, self._origins.answer(headers, path))
        self._log.add(method, path, answer.status, started, request_id)
        self._metrics.observe(method, path, answer.status, time.perf_counter() - started)

    def _options(self, headers: Mapping[str, str], path: str) -> Answer:
        """What may be done at a path (RFC 9110 §9.3.7), also to a browser that asks before it lets a page call. Needs no
        caller: it is said of the path, never of a record."""
        if self.engine is None:
            raise Unavailable("The service waits for its database. Try again.")
        methods = ", ".join(self.engine.allowed(path))
        return Answer(204, b"", (("allow", f"{methods}, OPTIONS"), *self._origins.preflight(headers, path, methods)))

    async def _answer(
        self,
        scope: Scope,
        receive: Receive,
        headers: Mapping[str, str],
        method: str,
        path: str,
        request_id: str,
        wanted: Wanted,
    ) -> Answer:
        if self.engine is None:
            raise Unavailable("The service waits for its database. Try again.")
        client = scope.get("client")
        asked: str = scope["query_string"].decode("latin-1")
        request = Request(method, path, asked, b"", headers, request_id, client[0] if client else "")
        try:
            caller = await self._caller(method, path, headers)
        except FhirError as error:
            wanted.pretty = "_pretty=true" in asked
            return await self.engine.refused(request, error)
        wanted.coding = compression.accepted(headers.get("accept-encoding", ""))
        query = negotiation.without_format(asked, wanted)
        searched = path.rpartition("/")[2] == "_search" and method == "POST"
        if not searched:
            _settle_media(asked, headers, wanted)
        body = b""
        carried = asked
        if method not in ("GET", "HEAD"):
            if not _has_route(method, path):
                return await self.engine.handle(caller, request)  # refused and journaled there, the body unread
            body = await self._body(receive, headers)
            # Some operations give out tokens, also as entries of a batch; no caller's text is compressed with one.
            wanted.apart = "$" in path or (not path and b"/$" in body)
            if searched:
                form = negotiation.form_body(headers.get("content-type", ""), body)
                _settle_media(f"{asked}&{form}", headers, wanted)
                carried = f"{asked}&{form}"
                body, query = b"", _joined(query, negotiation.without_format(form, wanted))
            elif method != "DELETE" and (body or not path.partition("$")[1]):
                _require_resource(method, headers, body)
        if carried and _has_pages(method, path):
            query = _joined(query, negotiation.general(carried))
        if body or query != asked:
            request = Request(method, path, query, body, headers, request_id, request.address)
        return await self.engine.handle(caller, request)

    async def _caller(self, method: str, path: str, headers: Mapping[str, str]) -> Caller:
        assert self.authenticator is not None
        if path.removesuffix("/") == "metadata":
            return ANYONE
        call = Call(method, path, headers.get("dpop", ""), headers.get("client-cert", ""))
        return await self.authenticator.caller(headers.get("authorization", ""), call)

    async def _body(self, receive: Receive, headers: Mapping[str, str]) -> bytes:
        if "content-length" in headers and "transfer-encoding" in headers:
            raise BadRequest("Content-Length and Transfer-Encoding do not go together.")
        coding = headers.get("content-encoding", "")
        compression.require_known(coding)
        body = await read_body(receive, headers.get("content-length", ""), self._limit)
        return await compression.received(body, coding, self._limit)


ANYONE: Final = Caller(session=0, bound=Scopes(()), purpose=0, role_code="")
"""The caller of /metadata, which names no record. Session 0 does not exist, so SQL gives it nothing."""


_PAGED: Final = frozenset({"search", "history", "history-type", "history-system"})
"""Their answers have links, which give the next page in the form that was asked for."""


def _has_route(method: str, path: str) -> bool:
    try:
        route(method, path)
    except FhirError:
        return False
    return True


def _has_pages(method: str, path: str) -> bool:
    try:
        return route(method, path).name in _PAGED
    except FhirError:
        return False


def _joined(*queries: str) -> str:
    return "&".join(part for part in queries if part)


def _settle_media(query: str, headers: Mapping[str, str], wanted: Wanted) -> None:
    """Accept decides unless `_format` does (R4 http.html#parameters)."""
    if not negotiation.names_format(query):
        wanted.media = negotiation.acceptable(headers.get("accept", ""))


def _require_resource(method: str, headers: Mapping[str, str], body: bytes) -> None:
    if body or "content-type" in headers:  # who sends nothing names no type of it
        kind = headers.get("content-type", "")
        (negotiation.patch_body if method == "PATCH" else negotiation.json_body)(kind)
    if not body:
        raise BadRequest("The body is empty: send a resource.")
