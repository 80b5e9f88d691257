"""Who has accepted in writing to read the alerts of a service: on which days, at which hours of Paris, and who reads them otherwise.

A service that has recorded nobody yet has alerts addressed by the team alone. From the first one on nobody else is addressed, and where
nobody is there, the alert says so: nothing is sent to whoever has not accepted.
"""

import secrets
from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple

import asyncpg


class AlertReader(NamedTuple):
    """`days`: ISO weekdays, '12345' for Monday to Friday. `begins`, `ends`: minutes of the day; `deputy`: the reference of who reads at
    other hours, if they are there themselves; '' for nobody."""

    number: int
    reference: str
    name: str
    days: str
    begins: int
    ends: int
    deputy: str
    accepted_on: date

    def is_there(self, here: datetime) -> bool:
        """At that moment on a clock of Paris."""
        return str(here.isoweekday()) in self.days and self.begins <= here.hour * 60 + here.minute < self.ends


async def of_service(connection: "asyncpg.Connection | asyncpg.Pool", organization: int) -> list[AlertReader]:
    """Those in force, in the order in which they were recorded."""
    rows = await connection.fetch(
        "select alert_reader, reference, name, days, begins, ends, deputy, accepted_on from alert_reader"
        " where organization = $1 and ended_at is null order by since, alert_reader",
        organization,
    )
    return [AlertReader(*row) for row in rows]


async def record(connection: asyncpg.Connection, organization: int, one: AlertReader, *, by: int) -> None:
    """`by`: the account of who has seen the writing. The number is given here."""
    await connection.execute(
        "insert into alert_reader (alert_reader, organization, reference, name, days, begins, ends, deputy, accepted_on,"
        " recorded_by) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        secrets.randbits(62) or 1,
        organization,
        *one[1:],
        by,
    )


async def end(connection: asyncpg.Connection, organization: int, number: int) -> bool:
    """They read no more alerts of this service at these hours. False for one that is not in force."""
    return bool(
        await connection.fetchval(
            "update alert_reader set ended_at = now() where alert_reader = $1 and organization = $2 and ended_at is null"
            " returning true",
            number,
            organization,
        )
    )


def reading(readers: Sequence[AlertReader], here: datetime) -> dict[str, AlertReader]:
    """Who reads now what is addressed to whom, by reference: themselves, or else their deputy, who has accepted too and is there."""
    there = {one.reference: one for one in readers if one.is_there(here)}
    found = dict(there)
    for one in readers:
        if one.reference not in found and one.deputy in there:
            found[one.reference] = there[one.deputy]
    return found
