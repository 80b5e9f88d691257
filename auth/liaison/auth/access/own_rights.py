"""Nobody adds to their own rights: after a write, whoever made it may see and write no more than before.

Compared over all time to come, for the caller's every role, not only the one they act in. `$register`, `$join` and
emergency access have their own rules, and are carried out by the identity cell in the caller's name.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

import asyncpg

from liaison.auth.access.standing import Standing
from liaison.fhir.errors import Forbidden


class Held(NamedTuple):
    """One row of access_grant, as far as it says what may be seen."""

    patient: int
    purpose: int
    author: int
    service: int
    addressee: int
    mask: int
    write_mask: int
    start: datetime
    end: datetime


async def held(connection: asyncpg.Connection, who: Standing, patients: Iterable[int]) -> list[Held]:
    """What the caller, in any of their roles, may see of these patients now and later."""
    rows = await connection.fetch(
        """
        select patient, purpose, author, service, addressee, mask, write_mask, valid_from, valid_to from access_grant
        where patient = any($1::bigint[]) and valid_to > now() and principal in (
            select unnest($2::bigint[]) union select role from held_role where practitioner = $3)
        """,
        sorted(set(patients)),
        list(who.principals),
        who.practitioner,
    )
    return [Held(*row) for row in rows]


def widened(before: Sequence[Held], after: Sequence[Held], now: datetime) -> bool:
    """Whether anything is allowed after that was not allowed before, at any moment from now on."""
    known = set(before)
    return any(not _within(grant, before, now) for grant in after if grant not in known)


def _within(grant: Held, before: Sequence[Held], now: datetime) -> bool:
    wider = [other for other in before if _applies_wherever(other, grant)]
    start, end = max(grant.start, now), grant.end
    edges = sorted({start, *(edge for one in wider for edge in (one.start, one.end) if start < edge < end)})
    for moment in edges if start < end else ():
        read = write = 0
        for one in wider:
            if one.start <= moment < one.end:
                read, write = read | one.mask, write | one.write_mask
        if grant.mask & ~read or grant.write_mask & ~write:
            return False
    return True


def _applies_wherever(other: Held, grant: Held) -> bool:
    """Whether `other` applies to every row that `grant` applies to."""
    return (
        other.patient == grant.patient
        and other.purpose == grant.purpose
        and other.author in (0, grant.author)
        and other.service in (0, grant.service)
        and other.addressee in (0, grant.addressee)
    )


def refuse() -> None:
    raise Forbidden("Nobody adds to their own rights: another member of the team, or the patient, must do it.")
