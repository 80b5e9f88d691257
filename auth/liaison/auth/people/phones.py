"""Phones that a service has enrolled. A PIN works on these alone: the phone is one factor, the PIN the other."""

import secrets
from datetime import datetime
from typing import Final, NamedTuple

import asyncpg

from liaison.auth.digests import digest
from liaison.auth.people import browsers
from liaison.auth.people.accounts import IN_FORCE, normal
from liaison.auth.people.managers import REFERENT
from liaison.fhir.definitions import kind_of

MANAGERS: Final = frozenset({"home-service-manager", REFERENT})
"""Of the phones of the structure in which they work: a service, a practice, a unit."""


class Phone(NamedTuple):
    """`label` is the manager's word for it ('Téléphone 3'): never a person's name."""

    number: int
    organization: int
    label: str
    active: bool
    enrolled_at: datetime
    enrolled_by: int
    """The account; 0: not known."""


_COLUMNS: Final = "phone, organization, label, active, enrolled_at, coalesce(enrolled_by, 0)"


async def enrol(connection: asyncpg.Connection, organization: int, label: str, *, by: int = 0) -> str:
    """The secret that the phone will keep as a cookie. It is shown to that phone once, and kept here as SHA-256."""
    secret = secrets.token_urlsafe(32)
    await connection.execute(
        "insert into phone (phone, token, organization, label, enrolled_by) values ($1, $2, $3, $4, nullif($5::bigint, 0))",
        secrets.randbits(62) or 1,
        digest(secret),
        organization,
        label,
        by,
    )
    return secret


async def find(connection: "asyncpg.Connection | asyncpg.Pool", secret: str) -> Phone | None:
    """The phone that holds this secret; None when it is unknown or was revoked."""
    row = await connection.fetchrow(f"select {_COLUMNS} from phone where token = $1 and active", digest(secret))
    return None if row is None else Phone(*row)


async def of_organization(connection: "asyncpg.Connection | asyncpg.Pool", organization: int) -> list[Phone]:
    rows = await connection.fetch(
        f"select {_COLUMNS} from phone where organization = $1 order by enrolled_at",
        organization,
    )
    return [Phone(*row) for row in rows]


async def every(connection: "asyncpg.Connection | asyncpg.Pool") -> list[Phone]:
    """Of all organisations, those that were revoked too."""
    rows = await connection.fetch(f"select {_COLUMNS} from phone order by organization, enrolled_at")
    return [Phone(*row) for row in rows]


MOST_NAMES: Final = 40


async def users_of(connection: "asyncpg.Connection | asyncpg.Pool", phone: Phone) -> list[str]:
    """The user names of those who sign in with a PIN in the phone's service today: what whoever holds the phone may touch
    instead of typing."""
    rows = await connection.fetch(
        f"""
        select distinct a.username from account a
        join held_role h on h.practitioner = a.fhir_res and h.organization = $1
        where a.pin is not null and {IN_FORCE}
          and h.active and h.valid_from <= now() and h.valid_to > now()
        order by a.username limit $2
        """,
        phone.organization,
        MOST_NAMES,
    )
    return [row["username"] for row in rows]


async def serves(connection: "asyncpg.Connection | asyncpg.Pool", phone: Phone, username: str) -> bool:
    """Whether this account's person holds a role in the phone's service, or will: whoever was engaged for Monday chooses
    a PIN on Friday. On any other phone a PIN is no second factor, and counts for nothing."""
    return bool(
        await connection.fetchval(
            f"""
            select exists (
                select from account a join held_role h on h.practitioner = a.fhir_res and h.organization = $1
                where a.username = $2 and a.fhir_kind = {kind_of("Practitioner")} and h.active and h.valid_to > now())
            """,
            phone.organization,
            normal(username),
        )
    )


async def revoke(connection: asyncpg.Connection, organization: int, number: int) -> bool:
    """A lost phone, in one call, in a transaction: who is signed in on it is so no longer. False when the organisation has no
    such phone in force."""
    gone = await connection.fetchval(
        "update phone set active = false where phone = $1 and organization = $2 and active returning true",
        number,
        organization,
    )
    if gone:
        await browsers.end_on_phone(connection, number)
    return bool(gone)
