"""The one place where something that went wrong becomes an HTTP answer with an OperationOutcome."""

import traceback
from typing import Final

import asyncpg
import structlog

from liaison.auth.oauth2.rfc6750 import NoToken, UnboundProof
from liaison.auth.oauth2.rfc9449 import ALGORITHMS
from liaison.auth.oauth2.rfc9470 import ProofTooOld, challenge
from liaison.fhir.errors import FhirError, Issue, MethodNotAllowed, TooManyRequests, Unauthorized, Unavailable
from liaison.fhir.interactions import outcome
from liaison.fhir.store.contract import Answer
from liaison.fhir.store.faults import is_unavailable
from liaison.services.api.compression import UnknownCoding

log = structlog.get_logger()

_RETRY: Final = ("retry-after", "2")


class InternalError(FhirError):
    """A bug of ours. The text says nothing of it: the traceback is in the log, under the same request id."""

    status, code = 500, "exception"


def _frames(error: Exception) -> list[str]:
    """Where it happened, without the message: that could repeat a value of a record."""
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)]


def as_fhir(error: Exception) -> FhirError:
    """The FhirError that says what the caller may know of `error`. A bug is logged with its traceback here."""
    match error:
        case FhirError():
            return error
        case asyncpg.DiskFullError():
            return Unavailable("The disk of the service is full. Nothing was written.")
        case asyncpg.SerializationError() | asyncpg.DeadlockDetectedError():
            return Unavailable("Too many changes at the same place at the same time. Try again.")
        case _ if is_unavailable(error):
            log.warning("database unavailable", kind=type(error).__name__)
            return Unavailable("The service cannot reach its database. Nothing was disclosed or written. Try again.")
        case _:
            log.error("unexpected error", kind=type(error).__name__, trace=_frames(error))
            return InternalError(issues=[Issue("exception", "An internal error. Its trace is in the service's log.")])


def answer(error: Exception) -> Answer:
    """The answer to a request that failed with `error`, whatever it is."""
    known = as_fhir(error)
    found = outcome.answer(known)
    match known:
        case UnboundProof():
            return found._replace(headers=_asking_for_proof(known))
        case ProofTooOld():
            return found._replace(headers=(("www-authenticate", challenge()),))
        case NoToken():
            return found._replace(headers=(("www-authenticate", 'Bearer realm="fhir"'),))
        case Unauthorized():
            return found._replace(headers=(("www-authenticate", 'Bearer realm="fhir", error="invalid_token"'),))
        case Unavailable():
            return found._replace(headers=(_RETRY,))
        case TooManyRequests():
            return found._replace(headers=(("retry-after", str(known.retry_after)),))
        case UnknownCoding():
            return found._replace(headers=(("accept-encoding", "gzip"),))
        case MethodNotAllowed():
            return found._replace(headers=(("allow", ", ".join([*known.allowed, "OPTIONS"])),))
        case _:
            return found


def _asking_for_proof(error: UnboundProof) -> tuple[tuple[str, str], ...]:
    """RFC 9449 §7.1, §9."""
    challenge = f'DPoP realm="fhir", error="{error.error}", algs="{" ".join(ALGORITHMS)}"'
    asked = (("www-authenticate", challenge),)
    return (*asked, ("dpop-nonce", error.nonce)) if error.nonce else asked


def no_journal(error: Exception) -> Answer:
    """No journal, no data (design §6): the answer that was ready is thrown away."""
    log.warning("journal unavailable", kind=type(error).__name__)
    return answer(Unavailable("The access journal cannot be written, so nothing is disclosed. Try again."))
