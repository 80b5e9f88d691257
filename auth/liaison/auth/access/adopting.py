"""Putting another table of rules in force, or another classification, and going back to what was before. The grants follow: access.regranting;
until they have, nobody has more than both tables give: access.narrowing.

Whoever calls journals it in the same transaction, and has shown what the table changes to whoever decides: `seen` is the
number that was in force then, and what has changed since is refused.
"""

import contextlib
import json
from datetime import date
from typing import Final, NamedTuple

import asyncpg

from liaison.auth.access import adopted, class_check, class_text, grants, narrowing, regranting, table_check
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
    """What came into force: a table of rules, or a classification (`classes`)."""

    number: int
    version: str
    dated: date
    digest: str
    classes: bool = False


class _Both(NamedTuple):
    """What a decision puts in force, as columns of adopted_rules: the table, '' where it is the packaged one, and the
    classification, None where it is."""

    version: str
    dated: date
    digest: str
    text: str
    classes_version: str | None
    classes_digest: str | None
    classes: str | None

    @property
    def table(self) -> Table:
        return parse(self.text) if self.text else packaged()


async def today(connection: asyncpg.Connection) -> date:
    """The day in France, by the database's clock."""
    found: date = await connection.fetchval("select (now() at time zone 'Europe/Paris')::date")
    return found


async def adopt(connection: asyncpg.Connection, vault: Vault, text: str, decided: Decision, seen: int) -> Act:
    """A table of rules or a classification, as the text is. In the caller's transaction. Raises NotAdopted."""
    of_classes = class_check.is_one(text)
    if wrong := (class_check if of_classes else table_check).refusals(text):  # before anyone is kept waiting
        raise NotAdopted(" ; ".join(wrong))
    now = await _begun(connection, decided, seen)
    digest, both = digest_of(text), await _both(connection, now.number)
    new = class_text.parse(text) if of_classes else parse(text)
    if digest == (now.classes or digest_of(class_text.packaged_text()) if of_classes else now.digest):
        raise NotAdopted("ce classement est déjà en vigueur" if of_classes else "cette table est déjà en vigueur")
    if wrong := table_check.to_come(new, await today(connection), "le classement" if of_classes else "la table"):
        raise NotAdopted(" ; ".join(wrong))
    if of_classes:
        both = both._replace(classes_version=new.version, classes_digest=digest, classes=text)
    else:
        both = both._replace(version=new.version, dated=new.dated, digest=digest, text=text)
    await _put(connection, vault, now.number + 1, both, decided, before=now.number)
    return Act(now.number + 1, new.version, new.dated, digest, of_classes)


async def withdraw(connection: asyncpg.Connection, vault: Vault, decided: Decision, seen: int) -> Act:
    """Back to what was in force before the last adoption. In the caller's transaction. Raises NotAdopted."""
    now = await _begun(connection, decided, seen)
    before = await connection.fetchval("select before from adopted_rules where number = $1", now.number)
    if before is None:
        raise NotAdopted("la table livrée avec le logiciel est en vigueur : il n'y a rien à retirer")
    both = await _both(connection, before)
    if both.text and (wrong := table_check.refusals(both.text)):
        raise NotAdopted("la table d'avant ne convient plus à ce logiciel : " + " ; ".join(wrong))
    if both.classes and (wrong := class_check.refusals(both.classes)):
        raise NotAdopted("le classement d'avant ne convient plus à ce logiciel : " + " ; ".join(wrong))
    earlier = await connection.fetchval("select before from adopted_rules where number = $1", before)
    await _put(connection, vault, now.number + 1, both, decided, before=earlier, withdrawal=1)
    if (both.classes_digest or "") != now.classes:
        known = class_text.parse(both.classes or class_text.packaged_text())
        return Act(now.number + 1, known.version, known.dated, both.classes_digest or "", classes=True)
    return Act(now.number + 1, both.version, both.dated, both.digest)


async def _both(base: adopted.Asks, number: int) -> _Both:
    """What the decision of this number put in force; 0 is what the software came with."""
    columns = ", ".join(_Both._fields)
    rows = await base.fetch(f"select {columns} from adopted_rules where number = $1", number)
    return _Both(*rows[0]) if rows else _Both(packaged().version, packaged().dated, "", "", None, None, None)


async def returns_to(base: adopted.Asks, number: int) -> tuple[Table, str] | None:
    """The table, and the text of the classification, to which withdrawing the decision of this number returns; None when there
    is nothing to withdraw."""
    rows = await base.fetch("select before from adopted_rules where number = $1", number)
    if not rows or rows[0][0] is None:
        return None
    both = await _both(base, rows[0][0])
    return both.table, both.classes or class_text.packaged_text()


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


async def _put(
    connection: asyncpg.Connection,
    vault: Vault,
    number: int,
    both: _Both,
    decided: Decision,
    *,
    before: int | None,
    withdrawal: int = 0,
) -> None:
    now = await adopted.current(connection)
    tables = await adopted.behind(connection, now)
    with contextlib.suppress(BadTable):  # of one that is not understood nothing is known that could be compared
        tables.append(await adopted.in_force(connection))
    await narrowing.narrow(connection, vault, tables, both.table)
    sealed = vault.territory.seal(context(_SEAL, number), json.dumps(decided._asdict()).encode())
    await connection.execute(
        f"insert into adopted_rules (number, {', '.join(_Both._fields)}, before, withdrawal, sealed)"
        " values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        number,
        *both,
        before,
        withdrawal,
        sealed,
    )
    await notices.tell(connection, notices.Kind.RULES, number)
    goal = adopted.goal(both.digest or adopted.packaged_digest(), both.classes_digest or "")
    await regranting.begin(connection, goal)
