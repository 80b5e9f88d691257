"""Reading a request body, never more of it than allowed."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from liaison.fhir.errors import BadRequest, TooLarge

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]


class Disconnected(Exception):
    """The client went away before its request was whole. Nobody is there to answer."""


def _refuse(limit: int) -> TooLarge:
    return TooLarge(f"The body is larger than {limit} bytes. Send it in parts.")


async def read_body(receive: Receive, declared: str, limit: int) -> bytes:
    """The whole body. A Content-Length over the limit is refused at once; a chunked body as soon as it passes it."""
    if declared:
        if not (declared.isascii() and declared.isdigit()):
            raise BadRequest("Content-Length is not a number.")
        if int(declared) > limit:
            raise _refuse(limit)
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Disconnected
        chunk: bytes = message.get("body", b"")
        size += len(chunk)
        if size > limit:
            raise _refuse(limit)
        chunks.append(chunk)
        if not message.get("more_body", False):
            return b"".join(chunks) if len(chunks) > 1 else chunk
