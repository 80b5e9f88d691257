"""The closed tree of errors. Each becomes an HTTP answer in one place, liaison.services.api.errors.

* FhirError                 an OperationOutcome with a status
  - BadRequest        400   malformed, wrong type, unknown parameter
  - Unauthorized      401   no caller, or one whose token is not valid
  - Forbidden         403   the caller's scope does not allow the interaction at all (never says whether a record exists)
  - NotFound          404   absent, deleted unseen, erased or not visible: one answer, from one code path
  - UnknownPath       404   a path or a type that this service does not know: never about a record
  - MethodNotAllowed  405
  - NotAcceptable     406
  - Conflict          409
  - Gone              410   a deleted resource the caller could see; a dead cursor
  - PreconditionFailed 412
  - TooLarge          413
  - UnsupportedMedia  415
  - Unprocessable     422   valid JSON, but not a resource that can be stored; too costly
  - TooManyRequests   429   questions about identities are limited
  - Unavailable       503   the database or the journal cannot be reached: nothing is disclosed
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar


def shown(text: str, most: int = 40) -> str:
    """A piece of what was sent, as an error may repeat it: short and printable."""
    return "".join(c if c.isprintable() else "?" for c in text[:most])


@dataclass(frozen=True, slots=True)
class Issue:
    """One OperationOutcome.issue. `code` is from http://hl7.org/fhir/issue-type; `expression` is FHIRPath or empty.

    `diagnostics` is English, never holds a value taken from a record, and names what is wrong and where.
    """

    code: str
    diagnostics: str
    expression: str = ""
    severity: str = "error"


class FhirError(Exception):
    """Base of all; raised anywhere, mapped to HTTP once. Always has at least one issue.

    `consulted` is what was read of the record before it was raised (store.contract.Disclosure): a refusal may tell of it.
    `singled` are the patients whom the question was about (store.contract.Answer).
    """

    status: ClassVar[int] = 500
    code: ClassVar[str] = "exception"

    def __init__(self, diagnostics: str = "", expression: str = "", *, issues: Sequence[Issue] = ()) -> None:
        self.issues: tuple[Issue, ...] = tuple(issues) or (Issue(self.code, diagnostics, expression),)
        self.consulted: tuple[Any, ...] = ()
        self.singled: frozenset[int | bytes] = frozenset()
        super().__init__(self.issues[0].diagnostics)


class BadRequest(FhirError):
    status, code = 400, "invalid"


class Unauthorized(FhirError):
    status, code = 401, "login"


class Forbidden(FhirError):
    status, code = 403, "forbidden"


class NotFound(FhirError):
    """The one answer for absent, erased, deleted-unseen and not visible. Takes no text, so that it cannot differ."""

    status, code = 404, "not-found"

    def __init__(self) -> None:
        super().__init__("No such resource, or you may not see it.")


class UnknownPath(FhirError):
    """A path that is no endpoint, or a type that is not FHIR R4's. Decided before any record is looked at."""

    status, code = 404, "not-supported"


class MethodNotAllowed(FhirError):
    """Carries the methods that are served there: the answer has them in Allow (RFC 9110 §15.5.6)."""

    status, code = 405, "not-supported"

    def __init__(self, text: str, allowed: Sequence[str]) -> None:
        super().__init__(text)
        self.allowed = tuple(allowed)


class NotAcceptable(FhirError):
    status, code = 406, "not-supported"


class Conflict(FhirError):
    status, code = 409, "conflict"


class Gone(FhirError):
    status, code = 410, "deleted"


class PreconditionFailed(FhirError):
    status, code = 412, "conflict"


class TooLarge(FhirError):
    status, code = 413, "too-long"


class UnsupportedMedia(FhirError):
    status, code = 415, "not-supported"


class Unprocessable(FhirError):
    status, code = 422, "processing"


class TooCostly(Unprocessable):
    """A search that would decide after decryption over more than the stated budget; says what to add."""

    code = "too-costly"


class TooManyRequests(FhirError):
    """Carries the seconds after which there is room again, for Retry-After (RFC 9110 §10.2.3)."""

    status, code = 429, "throttled"

    def __init__(self, text: str, *, retry_after: int) -> None:
        super().__init__(text)
        self.retry_after = retry_after


class Unavailable(FhirError):
    status, code = 503, "transient"
