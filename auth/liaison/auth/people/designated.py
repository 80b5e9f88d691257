"""Who reads the reports of suspected abuse of a service: people whom its manager has named (row 26b), never a function.

Whoever was named when a tour was taken along may be told; a name that was taken off since is known still, so that what was written to
them reaches them and nobody else.
"""

from datetime import datetime
from typing import NamedTuple

import asyncpg


class Designated(NamedTuple):
    """`reference`: their PractitionerRole. `name`: as the directory had it. `manages`: it is the manager of the service, whom a report
    must be able to avoid."""

    reference: str
    name: str
    manages: bool
    since: datetime


async def of_service(connection: "asyncpg.Connection | asyncpg.Pool", organization: int) -> list[Designated]:
    """Those in force, whoever does not manage the service first."""
    rows = await connection.fetch(
        "select reference, name, manages, since from designated where organization = $1 and ended_at is null"
        " order by manages, since",
        organization,
    )
    return [Designated(*row) for row in rows]


async def ever(connection: "asyncpg.Connection | asyncpg.Pool", organization: int, reference: str) -> Designated | None:
    row = await connection.fetchrow(
        "select reference, name, manages, since from designated where organization = $1 and reference = $2"
        " order by since desc limit 1",
        organization,
        reference,
    )
    return Designated(*row) if row else None


async def services_of(connection: "asyncpg.Connection | asyncpg.Pool", reference: str) -> list[int]:
    """The services that have named them, now or before."""
    rows = await connection.fetch("select distinct organization from designated where reference = $1", reference)
    return [row["organization"] for row in rows]


async def name(
    connection: asyncpg.Connection, organization: int, reference: str, said: str, *, manages: bool, by: int
) -> bool:
    """False when they are named already."""
    return bool(
        await connection.fetchval(
            "insert into designated (organization, reference, name, manages, named_by) values ($1, $2, $3, $4, $5)"
            " on conflict (organization, reference) where ended_at is null do nothing returning true",
            organization,
            reference,
            said,
            manages,
            by,
        )
    )


async def take_off(connection: asyncpg.Connection, organization: int, reference: str) -> bool:
    return bool(
        await connection.fetchval(
            "update designated set ended_at = now() where organization = $1 and reference = $2 and ended_at is null"
            " returning true",
            organization,
            reference,
        )
    )
