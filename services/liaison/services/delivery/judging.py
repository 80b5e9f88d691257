"""Whether a visit that arrives late is filed at once, or looked at by a person first: each rule in a line.

What an aide did within her permit is filed under the rights that she had then, even if her team has changed since.
"""

from datetime import datetime, timedelta
from typing import Final

import asyncpg

from liaison.auth.people.permits import DELIVERED_WITHIN, Permit
from liaison.protocols.amending import WINDOW
from liaison.services.delivery.letter import OPPOSITION, REPORT, Letter

CLOCK: Final = timedelta(minutes=5)
"""By how much a telephone's clock may be wrong before its hours are put right."""


def put_right(letter: Letter, *, by_telephone: datetime, by_us: datetime) -> datetime:
    """When it was written, by our clock: a telephone whose clock is wrong now was as wrong then."""
    wrong = by_us - by_telephone
    return letter.written if abs(wrong) <= CLOCK else letter.written + wrong


def not_covered(letter: Letter, permit: Permit, written: datetime, received: datetime) -> str:
    """Why the permit does not cover it ('' when it does), as people.sent_visits names it."""
    if letter.device != permit.device:
        return "device"
    if letter.patient not in permit.patients:
        return "person"
    if letter.kind in (OPPOSITION, REPORT):
        # What closes a record counts whenever it arrives: it is provisional, and confirmed with the person. What protects them too.
        return ""
    # A visit of the last hour is corrected the day after.
    if not permit.began <= written <= permit.ends + (WINDOW if letter.corrects else timedelta()):
        return "hours"
    if received - written > DELIVERED_WITHIN:
        return "late"
    return ""


async def ended_before(connection: "asyncpg.Connection | asyncpg.Pool", permit: Permit, written: datetime) -> bool:
    """Whether the aide's account or the telephone had been put out of force when it was written, or is now and nobody kept
    since when: then a person looks first."""
    return not await connection.fetchval(
        "select exists (select from phone p, account a where p.phone = $1 and p.active and a.account = $2"
        " and a.active and (a.ends_at is null or a.ends_at > $3))",
        permit.phone,
        permit.account,
        written,
    )
