"""What a form that was sent led to, so that sending it again leads there too and does nothing twice.

A form is known by the SHA-256 of who sent what and where, the number of the page it stood on included. The first to come
claims it; the others wait for where it led. Whoever claimed and came to nothing gives it back.

Where it led is kept sealed: for consent given to an app, that address holds an authorization code.
"""

import asyncio
from datetime import timedelta
from typing import Final

import asyncpg

from liaison.fhir.vault import PatientKey, context

_CLAIM: Final = """
    insert into sent_form (form) values ($1)
    on conflict (form) do update set taken_at = now()
        where sent_form.sealed is null and sent_form.taken_at < now() - interval '1 minute'
    returning true
"""
_PAUSE: Final = 0.1
KEPT: Final = timedelta(hours=12)
"""Longer than any session lasts: a form is worth nothing after its session."""


async def claim(pool: asyncpg.Pool, key: PatientKey, form: bytes) -> str | None:
    """None: the caller's to act on. Else where the first sending led, once it is known.

    A claim of more than a minute is its worker's no longer: that one has died.
    """
    while not await pool.fetchval(_CLAIM, form):
        sealed: bytes | None = await pool.fetchval("select sealed from sent_form where form = $1", form)
        if sealed is not None:
            return key.open(_bound_to(form), sealed).decode()
        # Another worker acts on it: there is no event here to wait on.
        await asyncio.sleep(_PAUSE)
    return None


async def led_to(pool: asyncpg.Pool, key: PatientKey, form: bytes, location: str) -> None:
    sealed = key.seal(_bound_to(form), location.encode())
    await pool.execute("update sent_form set sealed = $2 where form = $1", form, sealed)


async def give_back(pool: asyncpg.Pool, form: bytes) -> None:
    """Nothing came of it: what was typed may be mended and sent again, or just sent again."""
    await pool.execute("delete from sent_form where form = $1 and sealed is null", form)


async def sweep(connection: "asyncpg.Connection | asyncpg.Pool") -> None:
    await connection.execute("delete from sent_form where taken_at < now() - $1::interval", KEPT)


def _bound_to(form: bytes) -> bytes:
    return context("where a form led", form.hex())
