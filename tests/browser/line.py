"""The line between a telephone and the service, which a test cuts, or has answer otherwise than the service would."""

import asyncio
from contextlib import suppress
from urllib.parse import urlsplit

SENDING = "/telephone/visites"


class Line:
    """Listens on a port of its own and passes on what comes. `answers`: what is said to a visit that is brought instead of the
    service's own words: a status and a body, or "half" for the first half of them, the visit being filed."""

    def __init__(self, to: str) -> None:
        self._to = urlsplit(to)
        self._server: asyncio.Server | None = None
        self._port = 0
        self.answers: tuple[int, bytes] | str = ""
        self.brought = 0
        self._open: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._answer, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        """As when the service is stopped: nobody listens any more, and nothing that was asked is answered."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for one in self._open:
            one.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._open.add(task)
        task.add_done_callback(self._open.discard)
        task.add_done_callback(lambda _: writer.close())

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            asked = await _request(reader)
            sending = asked.split(b" ", 2)[1].decode() == SENDING
            self.brought += sending
            if sending and isinstance(self.answers, tuple):
                status, body = self.answers
                head = b"HTTP/1.1 %d Planned\r\ncontent-length: %d\r\nconnection: close\r\n\r\n"
                writer.write(head % (status, len(body)) + body)
            else:
                answer = await self._passed_on(asked)
                writer.write(answer[: len(answer) - 40] if sending and self.answers == "half" else answer)
            await writer.drain()

    async def _passed_on(self, asked: bytes) -> bytes:
        reader, writer = await asyncio.open_connection(self._to.hostname, self._to.port)
        try:
            writer.write(asked)
            return await reader.read()
        finally:
            writer.close()


async def _request(reader: asyncio.StreamReader) -> bytes:
    """One request, which asks for the end of the connection after its answer."""
    head = (await reader.readuntil(b"\r\n\r\n")).removesuffix(b"\r\n\r\n")
    lines = [one for one in head.split(b"\r\n") if not one.lower().startswith(b"connection:")]
    lengths = [int(one.partition(b":")[2]) for one in lines if one.lower().startswith(b"content-length:")]
    body = await reader.readexactly(lengths[0]) if lengths else b""
    return b"\r\n".join([*lines, b"connection: close", b"", b""]) + body
