"""A FhirError as an OperationOutcome, for an answer of its own or for an entry of a batch response."""

import orjson

from liaison.fhir.errors import FhirError, Issue
from liaison.fhir.store.contract import Answer

ALL_OK = Issue("informational", "Done.", severity="information")


def tree(issues: tuple[Issue, ...]) -> dict[str, object]:
    """The OperationOutcome of these issues, each with its FHIRPath expression where there is one."""
    return {
        "resourceType": "OperationOutcome",
        "issue": [
            {"severity": issue.severity, "code": issue.code, "diagnostics": issue.diagnostics}
            | ({"expression": [issue.expression]} if issue.expression else {})
            for issue in issues
        ],
    }


def render(issues: tuple[Issue, ...] = (ALL_OK,)) -> bytes:
    return orjson.dumps(tree(issues))


def answer(error: FhirError) -> Answer:
    """The one place where an error becomes an answer."""
    return Answer(error.status, render(error.issues), consulted=error.consulted, singled=error.singled)


_STATUS_TEXT = {
    200: "200 OK",
    201: "201 Created",
    204: "204 No Content",
    304: "304 Not Modified",
    400: "400 Bad Request",
    401: "401 Unauthorized",
    403: "403 Forbidden",
    404: "404 Not Found",
    405: "405 Method Not Allowed",
    406: "406 Not Acceptable",
    409: "409 Conflict",
    410: "410 Gone",
    412: "412 Precondition Failed",
    413: "413 Content Too Large",
    415: "415 Unsupported Media Type",
    422: "422 Unprocessable Content",
    500: "500 Internal Server Error",
    503: "503 Service Unavailable",
}


def status_text(status: int) -> str:
    """Bundle.entry.response.status: the code and its phrase."""
    return _STATUS_TEXT.get(status, str(status))
