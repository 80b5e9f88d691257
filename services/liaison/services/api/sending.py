"""An answer on its way out: laid out and compressed as the client asked, with the headers that every answer has."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

from liaison.fhir.store.contract import Answer
from liaison.services.api import compression, pretty
from liaison.services.api.negotiation import FHIR_JSON, Wanted

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

_WITHOUT_BODY: Final = (204, 304)
_ALWAYS: Final = ((b"x-content-type-options", b"nosniff"), (b"vary", b"accept, accept-encoding"))
_NOT_KEPT: Final = (b"cache-control", b"no-store")


def _content_type(media: str) -> tuple[bytes, bytes]:
    return (b"content-type", f"{media}; charset=utf-8".encode())


_USUAL: Final = _content_type(FHIR_JSON)


async def send_answer(send: Send, method: str, answer: Answer, request_id: str, wanted: Wanted, more: Headers) -> None:
    """Sends it whole, once it is. A HEAD has the headers of its GET; only the length of a compressed answer, which is
    not the same twice, is left out."""
    headers = [_USUAL if wanted.media is FHIR_JSON else _content_type(wanted.media), *_ALWAYS]
    headers.append((b"x-request-id", request_id.encode()))
    headers += more
    keepable = False
    for name, value in answer.headers:
        headers.append((name.encode(), value.encode("latin-1")))
        keepable = keepable or name == "cache-control"
    if not keepable:
        headers.append(_NOT_KEPT)
    body = b""
    if answer.status not in _WITHOUT_BODY:
        body = await _shaped(answer.body, wanted, headers, measured=method != "HEAD")
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if method == "HEAD" else body})


async def _shaped(body: bytes, wanted: Wanted, headers: Headers, *, measured: bool) -> bytes:
    """The body in the form that is wanted, and what the headers say of it."""
    if wanted.pretty and body:
        body = await pretty.laid_out(body)
    if _is_packed(body, wanted):
        headers.append((b"content-encoding", b"gzip"))
        if not measured:
            return b""
        body = await compression.gzip(body, apart=wanted.apart)
    headers.append((b"content-length", str(len(body)).encode()))
    return body


def _is_packed(body: bytes, wanted: Wanted) -> bool:
    match wanted.coding:
        case "identity":
            return False
        case "gzip":
            return len(body) >= compression.SMALLEST and not wanted.apart
        case _:
            return bool(body)
