"""An answer leaves in one piece: its head waits for what follows it.

uvicorn writes the head when the answer starts and the body when that comes: two calls of the kernel, two packets and two
wake-ups of whoever waits, for an answer of a few hundred bytes. Of an answer whose length is known, head and body are
written together here; everything else, and every check, stays uvicorn's.
"""

from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

_PLAIN: Final = bytes(byte for byte in range(256) if byte == 0x09 or (byte >= 0x20 and byte != 0x7F))
"""What a header may hold (RFC 9110 §5.5): no end of line, nor another control."""


class Cycle(RequestResponseCycle):
    """One request and its answer."""

    _head = b""

    async def send(self, message: Any) -> None:
        if self._head:
            message = await self._joined(message)
        elif not self.response_started and not self.disconnected and (begun := self._begun(message)):
            self._head, self.expected_content_length = begun
            self.chunked_encoding = False
            self.response_started = True
            self.waiting_for_100_continue = False
            return
        await super().send(message)

    def _begun(self, message: Any) -> tuple[bytes, int] | None:
        """The head of an answer of known length, and that length. None for any other, and for one that holds what no head
        may: uvicorn says so."""
        if message["type"] != "http.response.start" or not self.keep_alive:
            return None
        length = None
        lines = [STATUS_LINE[message["status"]]]
        for name, value in (*self.default_headers, *message["headers"]):
            if (name + value).translate(None, _PLAIN):
                return None
            if name == b"content-length":
                length = int(value)
            elif name in (b"connection", b"transfer-encoding"):
                return None
            lines += (name, b": ", value, b"\r\n")
        lines.append(b"\r\n")
        return None if length is None else (b"".join(lines), length)

    async def _joined(self, message: Any) -> Any:
        """Writes the head with what `message` brings; what is left of the message to do."""
        if self.flow.write_paused and not self.disconnected:
            await self.flow.drain()
        head, self._head = self._head, b""
        body = b"" if self.scope["method"] == "HEAD" else message.get("body", b"")
        if self.disconnected or len(body) > self.expected_content_length:
            return message
        self.transport.writelines((head, body))
        self.expected_content_length -= len(body)
        return {**message, "body": b""}
