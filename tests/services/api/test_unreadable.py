"""What the parser of HTTP keeps to itself has a bound: nobody fills the memory with a head that has no end."""

import asyncio
from typing import Any

import pytest
from uvicorn import Config
from uvicorn.server import ServerState

from liaison.services.api import unreadable
from liaison.services.api.unreadable import Http

from .test_whole import Send, Socket

PART = 64 * 1024
HEAD = b"POST / HTTP/1.1\r\nHost: a\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
ENDLESS = [
    pytest.param(b"GET /", b"a" * PART, id="address"),
    pytest.param(HEAD + b"X: ", b"a" * PART, id="one header"),
    pytest.param(HEAD, b"X: a\r\n" * (PART // 6), id="many headers"),
    pytest.param(CHUNKED + b"1;", b"a" * PART, id="extension of a chunk"),
    pytest.param(CHUNKED + b"1\r\na\r\n0\r\nX: ", b"a" * PART, id="trailer"),
]


async def sent(*parts: bytes) -> tuple[Socket, list[int]]:
    """The connection, and how many bytes of body the application was given."""
    heard = []

    async def application(_scope: Any, receive: Any, send: Send) -> None:
        while (message := await receive())["type"] == "http.request":
            heard.append(len(message["body"]))
            if not message["more_body"]:
                await send({"type": "http.response.start", "status": 204, "headers": []})
                await send({"type": "http.response.body"})
                return

    state, connection = ServerState(), Socket()
    http = Http(Config(application, lifespan="off", log_config=None), state, {})
    http.connection_made(connection)
    for part in parts:
        if connection.closed:
            break
        http.data_received(part)
        await asyncio.sleep(0)
    http.connection_lost(None)
    await asyncio.gather(*state.tasks)
    return connection, heard


@pytest.mark.parametrize(("begun", "more"), ENDLESS)
async def test_a_head_without_end_is_refused(begun: bytes, more: bytes) -> None:
    connection, _ = await sent(begun, more, more, more)

    assert connection.closed
    assert connection.pieces[-1].startswith(b"HTTP/1.1 431 ")
    assert b"OperationOutcome" in connection.pieces[-1]


async def test_an_address_that_is_too_long_is_said_to_be_so() -> None:
    longest = unreadable.MOST_ADDRESS
    statuses = []
    for length in (longest, longest + 1):
        connection, _ = await sent(b"GET /" + b"a" * (length - 1) + b" HTTP/1.1\r\nHost: a\r\n\r\n")
        statuses.append(b"".join(connection.pieces).split(b" ")[1])

    assert statuses == [b"204", b"414"]
    assert b"An address has 64 KB at most" in connection.pieces[-1]


@pytest.mark.parametrize(("begun", "more"), ENDLESS)
async def test_without_the_bound_it_would_be_kept(monkeypatch: pytest.MonkeyPatch, begun: bytes, more: bytes) -> None:
    """The fault planted."""
    monkeypatch.setattr(unreadable, "MOST_UNREAD", 2**40)

    assert (await sent(begun, more, more, more))[0].pieces == []


def opened() -> tuple[Http, Socket]:
    async def application(_scope: Any, _receive: Any, send: Send) -> None:
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    connection = Socket()
    http = Http(Config(application, lifespan="off", log_config=None), ServerState(), {})
    http.connection_made(connection)
    return http, connection


@pytest.mark.parametrize("begun", [(), (HEAD,), (HEAD + b"X: a\r\nConten", b"t-"), (HEAD + b"\r\n", HEAD)])
async def test_a_head_that_never_ends_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, begun: tuple[bytes, ...]
) -> None:
    """Each connection that waits keeps a place; the last has had an answer before."""
    monkeypatch.setattr(unreadable, "SLOWEST", 0.01)
    http, connection = opened()
    for part in begun:
        http.data_received(part)
        await asyncio.sleep(0)
    async with asyncio.timeout(30):
        while not connection.closed:
            await asyncio.sleep(0.01)
    http.connection_lost(None)


async def test_a_head_that_is_whole_is_waited_for_no_more() -> None:
    http, connection = opened()
    assert http._waiting is not None
    http.data_received(HEAD)
    assert http._waiting is not None
    http.data_received(b"\r\n")

    assert http._waiting is None
    await asyncio.sleep(0)
    assert connection.pieces[0].startswith(b"HTTP/1.1 204 ")
    http.connection_lost(None)


@pytest.mark.parametrize(
    "head", [HEAD + b"Content-Length: %d\r\n\r\n" % (40 * PART), CHUNKED], ids=["of a known length", "in chunks"]
)
async def test_a_long_body_is_read(head: bytes) -> None:
    chunked = head == CHUNKED
    part = (b"%x\r\n" % PART if chunked else b"") + b"a" * PART + (b"\r\n" if chunked else b"")

    connection, heard = await sent(head, *[part] * 40, *[b"0\r\n\r\n"] * chunked)

    assert sum(heard) == 40 * PART
    assert connection.pieces[0].startswith(b"HTTP/1.1 204 ")


async def test_a_head_of_a_usual_size_is_read() -> None:
    connection, heard = await sent(HEAD + b"X: " + b"a" * PART, b"\r\nContent-Length: 0\r\n\r\n")

    assert heard == [0]
    assert connection.pieces[0].startswith(b"HTTP/1.1 204 ")
