"""HTTP as it is spoken here: uvicorn's protocol, whose answers leave whole, and which answers what cannot be read as HTTP at
all like every other refusal: with an OperationOutcome."""

import sys
from typing import Final

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


class Http(HttpToolsProtocol):
    """uvicorn's protocol, whose own answer is a line of text. No application is asked: no caller is known, and nothing of
    the request is repeated. A method that HTTP does not know is a 501 (RFC 9110 §15.6.2), a head beyond MOST_UNREAD a 431
    (RFC 6585 §5), the rest a 400."""

    _unread = 0

    def data_received(self, data: bytes) -> None:
        self._unread += len(data)
        super().data_received(data)
        if self._unread > MOST_UNREAD and not self.transport.is_closing():
            self._refuse(431, Issue("too-long", "The line and the headers of a request have 128 KB at most."))

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
