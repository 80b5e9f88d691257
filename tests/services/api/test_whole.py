"""What is written to the connection for an answer, and in how many pieces: over the protocol that the service is served by."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import pytest
from uvicorn import Config
from uvicorn.server import ServerState

from liaison.services.api.unreadable import Http

Send = Callable[[dict[str, Any]], Awaitable[None]]
Answering = Callable[[Send], Awaitable[None]]
HEAD = b"HTTP/1.1 200 OK\r\n"
LENGTH = (b"content-length", b"2")


class Socket(asyncio.Transport):
    """Keeps each piece that is written."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[bytes] = []
        self.closed = False

    def write(self, data: Any) -> None:
        if data:
            self.pieces.append(bytes(data))

    def writelines(self, list_of_data: Iterable[Any]) -> None:
        self.write(b"".join(list_of_data))

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None: ...
    def resume_reading(self) -> None: ...


async def served(answering: Answering, method: str = "GET", version: str = "1.1") -> Socket:
    """What one request is answered by an application that sends this."""

    async def application(_scope: Any, _receive: Any, send: Send) -> None:
        await answering(send)

    state, socket = ServerState(), Socket()
    http = Http(Config(application, lifespan="off", log_config=None), state, {})
    http.connection_made(socket)
    http.data_received(f"{method} / HTTP/{version}\r\nHost: a\r\n\r\n".encode())
    await asyncio.gather(*state.tasks)
    return socket


def started(*headers: tuple[bytes, bytes]) -> dict[str, Any]:
    return {"type": "http.response.start", "status": 200, "headers": list(headers)}


def part(body: bytes, *, more: bool = False) -> dict[str, Any]:
    return {"type": "http.response.body", "body": body, "more_body": more}


async def test_head_and_body_of_a_known_length_are_one_piece() -> None:
    async def answering(send: Send) -> None:
        await send(started(LENGTH))
        await send(part(b"ye"))

    socket = await served(answering)

    assert socket.pieces == [HEAD + b"content-length: 2\r\n\r\nye"]
    assert not socket.closed


async def test_what_follows_the_first_part_is_written_as_it_comes() -> None:
    async def answering(send: Send) -> None:
        await send(started(LENGTH))
        await send(part(b"y", more=True))
        await send(part(b"e"))

    assert (await served(answering)).pieces == [HEAD + b"content-length: 2\r\n\r\ny", b"e"]


async def test_an_answer_to_head_is_its_head() -> None:
    async def answering(send: Send) -> None:
        await send(started(LENGTH))
        await send(part(b""))

    assert (await served(answering, "HEAD")).pieces == [HEAD + b"content-length: 2\r\n\r\n"]


async def test_an_answer_of_unknown_length_begins_at_once() -> None:
    async def answering(send: Send) -> None:
        await send(started())
        await send(part(b"yes"))

    assert (await served(answering)).pieces == [HEAD + b"transfer-encoding: chunked\r\n\r\n", b"3\r\nyes\r\n0\r\n\r\n"]


@pytest.mark.parametrize("version", ["1.0", "1.1"])
async def test_a_connection_that_ends_is_said_to(version: str) -> None:
    closing = [(b"connection", b"close")] if version == "1.1" else []

    async def answering(send: Send) -> None:
        await send(started(LENGTH, *closing))
        await send(part(b"ye"))

    socket = await served(answering, version=version)

    assert b"".join(socket.pieces) == HEAD + b"content-length: 2\r\nconnection: close\r\n\r\nye"
    assert socket.closed


@pytest.mark.parametrize(
    "header", [(b"etag", b"a\r\nset-cookie: b"), (b"etag", b"a\n"), (b"etag", b"a\0"), (b"e\r\ntag", b"a")],
    ids=["another-header", "end-of-line", "nul", "name"],
)  # fmt: skip
async def test_no_header_carries_another_one(header: tuple[bytes, bytes]) -> None:
    async def answering(send: Send) -> None:
        await send(started(LENGTH, header))
        await send(part(b"ye"))

    socket = await served(answering)

    assert (socket.pieces, socket.closed) == ([], True)


@pytest.mark.parametrize("body", [b"y", b"yes"], ids=["shorter", "longer"])
async def test_a_body_of_another_length_ends_the_connection(body: bytes) -> None:
    async def answering(send: Send) -> None:
        await send(started(LENGTH))
        await send(part(body))

    socket = await served(answering)

    assert socket.closed
    assert b"yes" not in b"".join(socket.pieces)


async def test_an_application_that_fails_before_its_body_has_sent_nothing() -> None:
    async def answering(send: Send) -> None:
        await send(started(LENGTH))
        raise ValueError

    socket = await served(answering)

    assert (socket.pieces, socket.closed) == ([], True)


async def test_who_has_gone_is_written_nothing() -> None:
    async def answering(send: Send) -> None:
        await send(started(LENGTH))
        http_cycle = send.__self__  # type: ignore[attr-defined]  # the cycle's own method
        http_cycle.disconnected = True
        await send(part(b"ye"))

    assert (await served(answering)).pieces == []
