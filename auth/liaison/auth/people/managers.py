"""What a manager may do with people: those of her own service, in the roles that she may give there, never herself.

The rules are two tables and one question. They are looked up in the transaction that acts, over the directory's own rows.
A role elsewhere, or one that she could not give, puts a person's *account* out of her reach: whoever sets someone's PIN
could otherwise act as them there. Their role in her service stays hers to suspend and to end.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import asyncpg

from liaison.auth.caller import Caller

GIVES: Final[Mapping[str, frozenset[str]]] = {"home-service-manager": frozenset({"home-aide"})}
"""Which roles a manager gives, in her own organisation."""


@dataclass(frozen=True, slots=True)
class Person:
    """Someone of her service, by one of its roles. `role` is res of the PractitionerRole, `practitioner` of the person;
    `account` 0 for one who has none. `own`: she may also reach the account."""

    practitioner: int
    role: int
    role_code: str
    active: bool
    ends: datetime
    account: int
    username: str
    own: bool
    has_secret: bool


_PEOPLE: Final = """
    select h.practitioner, h.role, h.role_code, h.active, h.valid_to as ends, coalesce(a.account, 0) as account,
           coalesce(a.username, '') as username, coalesce(a.pin is not null or a.password is not null, false) as has_secret,
           a.account is not null and a.password is null
           and not exists (select from passkey p where p.account = a.account)
           and not exists (
               select from held_role o where o.practitioner = h.practitioner
               and (o.organization <> h.organization or o.role_code <> all ($2::text[]))) as own
    from held_role h
    left join account a on a.fhir_res = h.practitioner and a.fhir_kind = $3
    where h.organization = $1 and h.role_code = any ($2::text[]) and h.practitioner <> $4
    order by h.active desc, h.valid_to desc, h.role
"""


async def people_of(connection: "asyncpg.Connection | asyncpg.Pool", caller: Caller, kind: int) -> list[Person]:
    """Everyone whom this manager may act on, those who have left last. Nobody, for someone who manages nothing."""
    gives = GIVES.get(caller.role_code)
    if not gives or not caller.organization or not caller.practitioner:
        return []
    rows = await connection.fetch(_PEOPLE, caller.organization, sorted(gives), kind, caller.practitioner)
    return [Person(**dict(row)) for row in rows]


async def person_of(
    connection: "asyncpg.Connection | asyncpg.Pool", caller: Caller, kind: int, role: str
) -> Person | None:
    """One of them, by the number of their role in her service, as a form sends it; None for anyone else, who is like
    nobody, and for someone with two accounts: whose would it be?"""
    found = [one for one in await people_of(connection, caller, kind) if str(one.role) == role]
    return found[0] if len(found) == 1 else None
