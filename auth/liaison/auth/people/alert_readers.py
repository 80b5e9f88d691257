"""Who has accepted in writing to read the alerts of a service: on which days, at which hours of Paris, and who reads them otherwise.

A service that has recorded nobody yet has alerts addressed by the team alone. From the first one on nobody else is addressed, and where
nobody is there, the alert says so: nothing is sent to whoever has not accepted, nor by a channel that they have not accepted.
"""

import json
import secrets
from collections.abc import Sequence
from datetime import date, datetime
from typing import Final, NamedTuple

import asyncpg

from liaison.fhir.vault import PatientKey, context

CHANNELS: Final = ("mssante", "email", "sms")
"""The first carries the alert; the two others say only that a message waits."""


class AlertReader(NamedTuple):
    """`days`: ISO weekdays, '12345' for Monday to Friday. `begins`, `ends`: minutes of the day; `deputy`: the reference of who reads at
    other hours, if they are there themselves; '' for nobody. `channels`: by which they are written to; none for those who look by
    themselves. `sealed`: the addresses that they gave (addresses_of)."""

    number: int
    reference: str
    name: str
    days: str
    begins: int
    ends: int
    deputy: str
    accepted_on: date
    channels: tuple[str, ...] = ()
    sealed: bytes = b""

    def is_there(self, here: datetime) -> bool:
        """At that moment on a clock of Paris."""
        return str(here.isoweekday()) in self.days and self.begins <= here.hour * 60 + here.minute < self.ends


class Addresses(NamedTuple):
    """Where the notices without content go. The mailbox of MSSanté is the directory's."""

    email: str = ""
    mobile: str = ""


_COLUMNS: Final = (
    "alert_reader, reference, name, days, begins, ends, deputy, accepted_on,"
    " string_to_array(channels, ','), coalesce(addresses, '')"
)


async def of_service(connection: "asyncpg.Connection | asyncpg.Pool", organization: int) -> list[AlertReader]:
    """Those in force, in the order in which they were recorded."""
    rows = await connection.fetch(
        f"select {_COLUMNS} from alert_reader where organization = $1 and ended_at is null order by since, alert_reader",
        organization,
    )
    return [_reader(row) for row in rows]


async def of_person(connection: "asyncpg.Connection | asyncpg.Pool", reference: str) -> list[AlertReader]:
    """What one PractitionerRole has accepted, whatever the service, the latest first."""
    rows = await connection.fetch(
        f"select {_COLUMNS} from alert_reader where reference = $1 and ended_at is null order by since desc, alert_reader",
        reference,
    )
    return [_reader(row) for row in rows]


def _reader(row: asyncpg.Record) -> AlertReader:
    *known, channels, sealed = row
    return AlertReader(*known)._replace(channels=tuple(channels), sealed=bytes(sealed))


def addresses_of(key: PatientKey, one: AlertReader) -> Addresses:
    """Raises NotAuthentic for what was not sealed for this person under the territory's key."""
    if not one.sealed:
        return Addresses()
    return Addresses(*json.loads(key.open(context("alert reader", one.reference), one.sealed)))


def sealed_for(key: PatientKey, reference: str, addresses: Addresses) -> bytes:
    return key.seal(context("alert reader", reference), json.dumps(addresses).encode())


async def record(connection: asyncpg.Connection, organization: int, one: AlertReader, *, by: int) -> None:
    """`by`: the account of who has seen the writing. The number is given here."""
    *known, channels, sealed = one[1:]
    await connection.execute(
        "insert into alert_reader (alert_reader, organization, reference, name, days, begins, ends, deputy, accepted_on,"
        " channels, addresses, recorded_by) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        secrets.randbits(62) or 1,
        organization,
        *known,
        ",".join(channels),
        sealed or None,
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
