"""What PostgreSQL's errors mean for a caller. Their texts stay here: they may quote rows."""

from contextlib import AbstractContextManager
from typing import Final

import asyncpg

from liaison.fhir.errors import Unavailable

RETRIED: tuple[type[Exception], ...] = (
    asyncpg.SerializationError,
    asyncpg.DeadlockDetectedError,
)
"""The transaction lost against another and may simply run again."""

LOST: tuple[type[Exception], ...] = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError, EOFError)
"""What whoever keeps a connection of its own, for work that is nobody's request, takes for its end: it opens another."""

_OUT_OF_REACH: tuple[type[Exception], ...] = (
    OSError,  # includes ConnectionError and TimeoutError
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,  # being shut down or started, or the statement was cancelled
    asyncpg.InsufficientResourcesError,  # disk full, out of memory, too many connections
    asyncpg.PostgresSystemError,  # input or output error
    asyncpg.InternalServerError,
    asyncpg.ReadOnlySQLTransactionError,
)


def is_unavailable(error: BaseException) -> bool:
    """Whether the database, not the request, is at fault and may come back."""
    if isinstance(error, asyncpg.InterfaceError | asyncpg.InternalClientError):
        # Raised for a connection that broke; also for wrong use of the library, which stays a bug. The last of the
        # texts is what a connection says between the server's farewell and its end.
        text = str(error)
        return "closed" in text or "connection was" in text or "cannot switch to state" in text
    return isinstance(error, _OUT_OF_REACH)


class _Reported:
    """Without state: one is entered by all at once. Nearly every statement is within one, so it is no generator."""

    def __enter__(self) -> None: ...

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if isinstance(error, Exception) and is_unavailable(error):
            full = isinstance(error, asyncpg.DiskFullError)
            raise Unavailable(
                "The database's disk is full; nothing was written."
                if full
                else "The database cannot be reached. Try again in a moment."
            ) from error


_REPORTED: Final = _Reported()


def reported() -> AbstractContextManager[None]:
    """Turns an unreachable, stopping, full or failing database into Unavailable; lets everything else through."""
    return _REPORTED
