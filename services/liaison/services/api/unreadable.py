"""HTTP as it is spoken here: uvicorn's protocol, whose answers leave whole, and which answers what cannot be read as HTTP at
all like every other refusal: with an OperationOutcome."""

import asyncio
import sys
from typing import Any, Final

import httptools
from uvicorn.protocols.http import httptools_impl
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from liaison.fhir.errors import Issue
from liaison.fhir.interactions import outcome
from liaison.services.api.whole import Cycle

# The protocol makes one a request by this name, and has no setting for it.
httptools_impl.RequestResponseCycle = Cycle  # type: ignore[misc]  # one class in the place of the one that it extends

MOST_UNREAD: Final = 128 * 1024
"""Bytes that the parser may keep to itself: of a request's line and headers, of a trailer, of a chunk's extension. It has no
bound of its own, and would keep what anybody sends, without end."""

MOST_ADDRESS: Final = 64 * 1024 - 1
"""Bytes of an address that the parser reads; a longer one it takes for a broken one."""

SLOWEST: Final = 60.0
"""Seconds that a head may take to arrive, from the opening of the connection or its own first byte: as long as nginx gives."""


class Http(HttpToolsProtocol):
    """uvicorn's protocol, whose own answer is a line of text. No application is asked: no caller is known, and nothing of
    the request is repeated. A method that HTTP does not know is a 501 (RFC 9110 §15.6.2), an address beyond MOST_ADDRESS a 414
    (§15.5.15), a head beyond MOST_UNREAD a 431 (RFC 6585 §5), the rest a 400."""

    _unread = 0
    _waiting: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        self._wait_no_more()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._unread += len(data)
        super().data_received(data)
        if not self._unread:
            self._wait_no_more()
        elif self._waiting is None:
            self._wait()
        if self._unread > MOST_UNREAD and not self.transport.is_closing():
            self._refuse(431, Issue("too-long", "The line and the headers of a request have 128 KB at most."))

    def _wait(self) -> None:
        self._waiting = self.loop.call_later(SLOWEST, self._too_slow)

    def _wait_no_more(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _too_slow(self) -> None:
        if self.cycle is not None and not self.cycle.response_complete:
            self._wait()  # of the answer before, which is still under way
        else:
            self.transport.close()

    def on_headers_complete(self) -> None:
        self._unread = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._unread = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._unread = 0
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        if isinstance(sys.exception(), httptools.HttpParserInvalidMethodError):
            self._refuse(501, Issue("not-supported", "This method is none of HTTP's."))
        elif len(self.url or b"") > MOST_ADDRESS:
            said = "An address has 64 KB at most. A longer search goes by POST, its parameters in the body."
            self._refuse(414, Issue("too-long", said))
        else:
            self._refuse(400, Issue("structure", "This is no HTTP request that can be read."))

    def _refuse(self, status: int, issue: Issue) -> None:
        body = outcome.render((issue,))
        head = (
            b"content-type: application/fhir+json\r\ncache-control: no-store\r\nconnection: close\r\n"
            b"content-length: %d\r\n\r\n" % len(body)
        )
        self.transport.write(STATUS_LINE[status] + head + body)
        self.transport.close()
