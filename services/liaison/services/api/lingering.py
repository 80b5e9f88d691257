"""A refusal that reaches whoever is still sending (RFC 9112 §9.6).

An answer may come before the body has been read: it is too large, or nobody may write here. If the connection closed at
that moment, what the client sends next would be met by a reset, and many clients then lose the answer that waits for
them: they tell their user that the network failed, not what is wrong. So what is left of the body is taken in and thrown
away before the answer ends, up to MOST bytes and LONGEST seconds.
"""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

MOST: Final = 64 * 1024 * 1024
LONGEST: Final = 5.0


def has_body(scope: MutableMapping[str, Any]) -> bool:
    """The client sends one without being asked first: who waits for `100 Continue` reads our answer before it sends."""
    names = {name for name, _ in scope["headers"]}
    return b"expect" not in names and (b"content-length" in names or b"transfer-encoding" in names)


class Lingering:
    """The two ends of one request. The application reads as much of the body as it likes."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self._whole = False

    async def receive(self) -> Message:
        message = await self._receive()
        self._whole = message["type"] != "http.request" or not message.get("more_body", False)
        return message

    async def send(self, message: Message) -> None:
        last = message["type"] == "http.response.body" and not message.get("more_body", False)
        if last and not self._whole:
            await self._send({**message, "more_body": True})  # the answer is on its way while the rest arrives
            await self._take_the_rest()
            message = {"type": "http.response.body", "body": b""}
        await self._send(message)

    async def _take_the_rest(self) -> None:
        taken = 0
        try:
            async with asyncio.timeout(LONGEST):
                while not self._whole and taken < MOST:
                    taken += len((await self.receive()).get("body", b""))
        except TimeoutError:
            return
