"""Whom the people of a home service call, at which hours: its desk, whoever is on duty at night. Numbers of the service alone.

The hours are those of Paris. Where two hold at once the first recorded comes first. A span that ends at or before the minute at
which it begins goes on into the next day.
"""

import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

import asyncpg

_DAY: Final = 24 * 60


class ServiceNumber(NamedTuple):
    """`days`: ISO weekdays on which it begins, as '12345'; `begins`, `ends`: minutes of the day."""

    number: int
    name: str
    phone: str
    days: str
    begins: int
    ends: int

    def holds(self, here: datetime) -> bool:
        """At that moment on a clock of Paris."""
        day, minute = here.isoweekday(), here.hour * 60 + here.minute
        if self.begins < self.ends:
            return str(day) in self.days and self.begins <= minute < self.ends
        before = str(day - 1 or 7)
        return (str(day) in self.days and minute >= self.begins) or (before in self.days and minute < self.ends % _DAY)


def at(numbers: Sequence[ServiceNumber], here: datetime) -> ServiceNumber | None:
    """The one to call at that moment."""
    return next((one for one in numbers if one.holds(here)), None)


async def of_service(connection: "asyncpg.Connection | asyncpg.Pool", organization: int) -> list[ServiceNumber]:
    """Those in force, in the order in which they were recorded."""
    rows = await connection.fetch(
        "select service_number, name, phone, days, begins, ends from service_number"
        " where organization = $1 and ended_at is null order by since, service_number",
        organization,
    )
    return [ServiceNumber(*row) for row in rows]


async def record(connection: asyncpg.Connection, organization: int, one: ServiceNumber, *, by: int) -> None:
    """`by`: the account of who says so. The number is given here."""
    await connection.execute(
        "insert into service_number (service_number, organization, name, phone, days, begins, ends, recorded_by)"
        " values ($1, $2, $3, $4, $5, $6, $7, $8)",
        secrets.randbits(62) or 1,
        organization,
        *one[1:],
        by,
    )


async def end(connection: asyncpg.Connection, organization: int, number: int) -> bool:
    """False for one that is not in force in this service."""
    return bool(
        await connection.fetchval(
            "update service_number set ended_at = now() where service_number = $1 and organization = $2 and ended_at is null"
            " returning true",
            number,
            organization,
        )
    )
