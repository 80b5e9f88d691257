"""Who reads something of these classes on one record at this moment: from the grants in force, as a read is decided.

So delegates are there, and whoever an opposition stops is not, whatever a team says. Software counts with the rest. What begins
later is not told.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

import asyncpg

from liaison.auth.access.classes import Class
from liaison.auth.access.second_wall import NEVER
from liaison.fhir.definitions import kind_of
from liaison.fhir.store.contract import Key
from liaison.fhir.store.ids import Ids
from liaison.fhir.store.rows import owner_token
from liaison.fhir.vault import Vault


class Reader(NamedTuple):
    """`principal` is their role, or the person of the record or close to it, or a client of software, where `role_code` is
    ''. `organization` is that of the role, 0 for none."""

    principal: int
    role_code: str
    organization: int


async def readers_of(
    connection: "asyncpg.Connection | asyncpg.Pool",
    vault: Vault,
    patient: int,
    classes: Class,
    *,
    author: int = 0,
    addressees: Iterable[str] = (),
) -> list[Reader]:
    """Those who read what is of these classes, written by this Practitioner (its number, 0 for none), addressed to one of these
    references. Nobody for a person who is not there."""
    key = (await vault.patient_keys(connection, {patient})).get(patient)
    if key is None:
        return []
    by = Key(0, kind_of("Practitioner"), author)
    rows = await connection.fetch(
        _IN_FORCE,
        patient,
        key.permute(int(classes)),
        [owner_token(key, f"Practitioner/{Ids(vault.id_key).encode(by)}")] if author else [],
        [owner_token(key, one) for one in addressees],
    )
    found = [Reader(*row) for row in rows]
    return [one for one in found if not (one.role_code and int(classes) & NEVER.get(one.role_code, 0))]


_IN_FORCE: Final = """
    select g.principal, coalesce(h.role_code, ''), coalesce(h.organization, 0)
    from (
        select principal, purpose from access_grant
        where patient = $1 and valid_from <= now() and valid_to > now() and service = 0
          and (author = 0 or author = any($3::bigint[])) and (addressee = 0 or addressee = any($4::bigint[]))
        group by principal, purpose having bit_or(mask) & $2 = $2
    ) g left join held_role h on h.role = g.principal and h.active and h.valid_from <= now() and h.valid_to > now()
    group by 1, 2, 3 order by 1, 2
"""
