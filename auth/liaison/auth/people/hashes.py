"""Passwords and PINs as Argon2id hashes (RFC 9106, its second recommended choice: 64 MiB, 3 passes)."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from liaison.fhir.errors import Unavailable

_HASHER: Final = PasswordHasher()
# Two at a time: each holds 64 MiB, and a storm of attempts must not fill the memory of a worker.
_AT_ONCE: Final = 2
WAITING: Final = 64
"""Attempts that may wait in one worker; beyond, the answer is 'try again in a moment', and nothing is counted."""
_turns: dict[int, asyncio.Semaphore] = {}
_waiting = 0
_nobody = ""


@asynccontextmanager
async def _turn() -> AsyncIterator[None]:
    global _waiting
    loop = id(asyncio.get_running_loop())
    if loop not in _turns:
        _turns.clear()  # a loop that has ended has no use for its own
        _turns[loop] = asyncio.Semaphore(_AT_ONCE)
    if _waiting >= WAITING:
        raise Unavailable("Too many people are signing in at this moment.")
    _waiting += 1
    try:
        async with _turns[loop]:
            yield
    finally:
        _waiting -= 1


async def hashed(secret: str) -> str:
    """The hash to keep. Off the event loop."""
    async with _turn():
        return await asyncio.to_thread(_HASHER.hash, secret)


async def matches(secret: str, kept: str | None) -> bool:
    """Whether the secret made this hash. Takes as long for an account that does not exist (`kept` None), so that time
    does not tell."""
    async with _turn():
        return await asyncio.to_thread(_matches, secret, kept)


def _matches(secret: str, kept: str | None) -> bool:
    global _nobody
    if kept is None:
        _nobody = _nobody or _HASHER.hash(secrets.token_urlsafe(16))
    try:
        return _HASHER.verify(kept or _nobody, secret) and kept is not None
    except (VerificationError, InvalidHashError, UnicodeError):
        return False
