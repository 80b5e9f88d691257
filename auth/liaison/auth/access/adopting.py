"""Putting another table of rules in force, and going back to the one before. The grants follow: access.regranting;
until they have, nobody has more than both tables give: access.narrowing.

Whoever calls journals it in the same transaction, and has shown what the table changes to whoever decides: `seen` is the
number that was in force then, and what has changed since is refused.
"""

import contextlib
import json
from datetime import date
from typing import Final, NamedTuple

import asyncpg

from liaison.auth.access import adopted, grants, narrowing, regranting, table_check
from liaison.auth.access.adopted import Current
from liaison.auth.access.table import BadTable, Table, digest_of, packaged, parse
from liaison.auth.people import notices
from liaison.fhir.vault import Vault, context

_SEAL: Final = "adopted rules"


class NotAdopted(ValueError):
    """The table does not come into force. `str()` says why."""


class Decision(NamedTuple):
    """Who decided it and why, in words."""

    by: str
    because: str


class Act(NamedTuple):
    """What came into force."""

    number: int
    version: str
    dated: date
    digest: str


async def today(connection: asyncpg.Connection) -> date:
    """The day in France, by the database's clock."""
    found: date = await connection.fetchval("select (now() at time zone 'Europe/Paris')::date")
    return found


async def adopt(connection: asyncpg.Connection, vault: Vault, text: str, decided: Decision, seen: int) -> Act:
    """In the caller's transaction. Raises NotAdopted."""
    if wrong := table_check.refusals(text):  # before anyone is kept waiting
        raise NotAdopted(" ; ".join(wrong))
    now = await _begun(connection, decided, seen)
    digest = digest_of(text)
    if digest == now.digest:
        raise NotAdopted("cette table est déjà en vigueur")
    if wrong := table_check.to_come(parse(text), await today(connection)):
        raise NotAdopted(" ; ".join(wrong))
    act = Act(now.number + 1, *_said(parse(text)), digest)
    await _put(connection, vault, act, text, decided, before=now.number)
    return act


async def withdraw(connection: asyncpg.Connection, vault: Vault, decided: Decision, seen: int) -> Act:
    """Back to the table that was in force before the one in force was adopted. In the caller's transaction. Raises
    NotAdopted."""
    now = await _begun(connection, decided, seen)
    before = await connection.fetchval("select before from adopted_rules where number = $1", now.number)
    if before is None:
        raise NotAdopted("la table livrée avec le logiciel est en vigueur : il n'y a rien à retirer")
    row = await connection.fetchrow(
        "select version, dated, digest, text, before from adopted_rules where number = $1", before
    )
    version, dated, digest, text, earlier = row or (*_said(packaged()), "", "", None)
    if text and (wrong := table_check.refusals(text)):
        raise NotAdopted("la table d'avant ne convient plus à ce logiciel : " + " ; ".join(wrong))
    act = Act(now.number + 1, version, dated, digest)
    await _put(connection, vault, act, text, decided, before=earlier, withdrawal=1)
    return act


async def returns_to(base: adopted.Asks, number: int) -> Table | None:
    """The table to which withdrawing the one of this number returns; None when there is nothing to withdraw."""
    rows = await base.fetch("select before from adopted_rules where number = $1", number)
    if not rows or rows[0][0] is None:
        return None
    known = {one.number: one for one in await adopted.reigns(base)}
    return await adopted.table_of(base, known[rows[0][0]])


async def decisions(base: adopted.Asks, vault: Vault) -> dict[int, Decision]:
    """Who put each table in force, and why, by its number."""
    return {
        number: Decision(**json.loads(vault.territory.open(context(_SEAL, number), sealed)))
        for number, sealed in await base.fetch("select number, sealed from adopted_rules order by number")
    }


async def _begun(connection: asyncpg.Connection, decided: Decision, seen: int) -> Current:
    """Waits for the grants that are being computed, and makes those to come wait: they go by what is in force then."""
    if not decided.by.strip() or not decided.because.strip():
        raise NotAdopted("il faut dire qui décide, et pourquoi")
    await grants.lock(connection, (), directory=True)
    now = await adopted.current(connection)
    if now.number != seen:
        raise NotAdopted("une autre table est entrée en vigueur entre-temps : relisez ce qui change")
    return now


def _said(table: Table) -> tuple[str, date]:
    return table.version, table.dated


async def _put(
    connection: asyncpg.Connection,
    vault: Vault,
    act: Act,
    text: str,
    decided: Decision,
    *,
    before: int | None,
    withdrawal: int = 0,
) -> None:
    tables = await adopted.behind(connection, await adopted.current(connection))
    with contextlib.suppress(BadTable):  # of one that is not understood nothing is known that could be compared
        tables.append(await adopted.in_force(connection))
    await narrowing.narrow(connection, vault, tables, parse(text) if text else packaged())
    sealed = vault.territory.seal(context(_SEAL, act.number), json.dumps(decided._asdict()).encode())
    await connection.execute(
        "insert into adopted_rules (number, version, dated, digest, text, before, withdrawal, sealed)"
        " values ($1, $2, $3, $4, $5, $6, $7, $8)",
        *act,
        text,
        before,
        withdrawal,
        sealed,
    )
    await notices.tell(connection, notices.Kind.RULES, act.number)
    await regranting.begin(connection, adopted.goal(act.digest or adopted.packaged_digest()))
