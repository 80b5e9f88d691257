"""HTTP as it is spoken here: uvicorn's protocol, whose answers leave whole, and which answers what cannot be read as HTTP at
all like every other refusal: with an OperationOutcome."""

import sys

import httptools
from uvicorn.protocols.http import httptools_impl
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from liaison.fhir.errors import Issue
from liaison.fhir.interactions import outcome
from liaison.services.api.whole import Cycle

# The protocol makes one a request by this name, and has no setting for it.
httptools_impl.RequestResponseCycle = Cycle  # type: ignore[misc]  # one class in the place of the one that it extends


class Http(HttpToolsProtocol):
    """uvicorn's protocol, whose own answer is a line of text. No application is asked: no caller is known, and nothing of
    the request is repeated. A method that HTTP does not know is a 501 (RFC 9110 §15.6.2), the rest a 400."""

    def send_400_response(self, msg: str) -> None:
        if isinstance(sys.exception(), httptools.HttpParserInvalidMethodError):
            status, issue = 501, Issue("not-supported", "This method is none of HTTP's.")
        else:
            status, issue = 400, Issue("structure", "This is no HTTP request that can be read.")
        body = outcome.render((issue,))
        head = (
            b"content-type: application/fhir+json\r\ncache-control: no-store\r\nconnection: close\r\n"
            b"content-length: %d\r\n\r\n" % len(body)
        )
        self.transport.write(STATUS_LINE[status] + head + body)
        self.transport.close()
