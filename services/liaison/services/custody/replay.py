"""Puts back into a restored base what happened after the backup: erasures, oppositions, revocations, holds, tables of
rules. Before it serves.

A resource kept outside whose version is newer than the restored one takes its place, with its facts; grants are then
computed again. A version number never goes back, so replaying twice changes nothing.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import asyncpg

from liaison.auth.access import grants
from liaison.auth.people import professions
from liaison.auth.people.accounts import close_of_record
from liaison.fhir.definitions import DIRECTORY_TYPES, type_of
from liaison.fhir.search.index import indexed
from liaison.fhir.store import ids, referring, walking
from liaison.fhir.store.contract import Key
from liaison.fhir.store.erasure import erase
from liaison.fhir.store.index_rows import IndexRows
from liaison.fhir.store.schema import metadata
from liaison.fhir.vault import Vault
from liaison.services.custody import in_force, outside
from liaison.services.custody.archive import columns


@dataclass(slots=True)
class Replayed:
    """What was put back, for the journal and for the person at the console."""

    erased: int = 0
    resources: int = 0
    accounts: int = 0
    clients: int = 0
    phones: int = 0
    secrets: int = 0
    rules: int = 0
    unknown: int = 0
    """Resources of patients whom the backup does not know: nothing of theirs is in the base."""


async def replay(connection: asyncpg.Connection, vault: Vault, folder: Path) -> Replayed:
    """Inside the caller's transaction."""
    done = Replayed()
    state = outside.read_state(folder) or outside.State()
    touched: set[int] = set()
    everyone = False
    put: list[Key] = []
    for line in outside.read_rights(folder):
        patient = line["patient"]
        if patient and not await _in_force(connection, patient):
            done.unknown += 1
            continue
        if await _newer(connection, line):
            await _put(connection, line)
            put.append(Key(patient, line["kind"], line["res"]))
            done.resources += 1
            touched.add(patient)
            everyone |= patient == 0
    await _refer(connection, vault, put)
    for patient in state.erased:
        await close_of_record(connection, patient)
        done.erased += await erase(connection, vault, patient)
    await hold(connection, state)
    done.rules = await rule(connection, state)
    for account in state.accounts:
        done.accounts += await _changed(
            connection,
            "update account set active = active and $2, not_before = greatest(not_before, $3::text::timestamptz),"
            " ends_at = least(ends_at, $4::text::timestamptz) where account = $1",
            account["account"],
            account["active"],
            account["not_before"],
            account.get("ends_at"),
        )
    for client in state.clients:
        done.clients += await _changed(
            connection, "update client set active = false where client = $1 and active", client
        )
    for phone in state.phones:
        done.phones += await _changed(connection, "update phone set active = false where phone = $1 and active", phone)
    done.secrets = await in_force.forget_others(connection, state.in_force)
    if everyone and await _keeps_professions(connection):
        await professions.settle_all(connection)
    if everyone:  # A role or a structure changed: whom it concerns is not told by its row.
        touched |= {row[0] for row in await connection.fetch("select patient from patient where state = 0")}
    # A base of an older revision says of no table that it is in force: `restore` computes everyone's grants at its end.
    if await connection.fetchval("select to_regclass('adopted_rules') is not null"):
        await grants.recompute(connection, vault, touched)
    return done


async def hold(connection: asyncpg.Connection, state: outside.State) -> None:
    """Legal holds placed or lifted since. A base of an older revision has no table for them: once it is migrated."""
    if await connection.fetchval("select to_regclass('legal_hold') is not null"):
        await connection.execute(
            "insert into legal_hold select h.* from json_populate_recordset(null::legal_hold, $1::json) h"
            " join patient p on p.patient = h.patient and p.state = 0"
            " on conflict (patient, hold) do update set lifting = excluded.lifting, lifted_at = excluded.lifted_at",
            json.dumps(state.holds),
        )


async def rule(connection: asyncpg.Connection, state: outside.State) -> int:
    """Tables of rules that came into force since: the last of them is in force again. Everyone's grants by it are
    computed at the end of `restore`. A base of an older revision has no table for them, or no classification in it: once it
    is migrated."""
    if not state.rules or not await connection.fetchval(_HAS_CLASSES):
        return 0
    return await _changed(
        connection,
        "insert into adopted_rules select * from json_populate_recordset(null::adopted_rules, $1::json)"
        " on conflict (number) do nothing",
        json.dumps(state.rules),
    )


_HAS_CLASSES: Final = """
    select exists (select from information_schema.columns
                   where table_schema = current_schema() and table_name = 'adopted_rules' and column_name = 'classes')
"""


async def _changed(connection: asyncpg.Connection, statement: str, *values: Any) -> int:
    status = await connection.execute(statement, *values)
    return int(status.rpartition(" ")[2])


async def _in_force(connection: asyncpg.Connection, patient: int) -> bool:
    found: bool = await connection.fetchval(
        "select exists (select from patient where patient = $1 and state = 0)", patient
    )
    return found


def _prefix(kind: int) -> str:
    return "directory_" if type_of(kind) in DIRECTORY_TYPES else ""


async def _newer(connection: asyncpg.Connection, line: dict[str, Any]) -> bool:
    kept = max((row["version"] for row in line["rows"]["version"]), default=0)
    there = await connection.fetchval(
        f"select max(version) from {_prefix(line['kind'])}version where patient = $1 and kind = $2 and res = $3",
        line["patient"],
        line["kind"],
        line["res"],
    )
    return kept > (there or 0)


_LEFT_ALONE: Final = frozenset({"superseded"})


async def _put(connection: asyncpg.Connection, line: dict[str, Any]) -> None:
    prefix, key = _prefix(line["kind"]), (line["patient"], line["kind"], line["res"])
    await connection.execute(
        f"update {prefix}version set superseded = pg_current_xact_id()"
        " where patient = $1 and kind = $2 and res = $3 and superseded is null",
        *key,
    )
    rows = line["rows"]
    for table in ("version", "index_token", "index_date"):
        await _insert(connection, f"{prefix}{table}", rows[table])
    await connection.execute("delete from relation where patient = $1 and source_kind = $2 and source_res = $3", *key)
    await _insert(connection, "relation", rows["relation"])
    match type_of(line["kind"]):
        case "PractitionerRole":
            await connection.execute("delete from held_role where role = $1", line["res"])
            await _insert(connection, "held_role", rows["held_role"])
            if await _keeps_professions(connection):
                await connection.execute("delete from awaiting_role where role = $1", line["res"])
                await _insert(connection, "awaiting_role", rows.get("awaiting_role", []))
        case "Practitioner" if await _keeps_professions(connection):
            await connection.execute("delete from known_profession where practitioner = $1", line["res"])
            await _insert(connection, "known_profession", rows.get("known_profession", []))
            await _put_aside(connection, line)
        case "Organization":
            await connection.execute("delete from organization_part where organization = $1", line["res"])
            await _insert(connection, "organization_part", rows["organization_part"])
            await _put_aside(connection, line)


async def _put_aside(connection: asyncpg.Connection, line: dict[str, Any]) -> None:
    """A base of an older revision has no table for it: it is read from the directory once the service runs."""
    if await connection.fetchval("select to_regclass('put_aside') is not null"):
        await connection.execute("delete from put_aside where kind = $1 and res = $2", line["kind"], line["res"])
        await _insert(connection, "put_aside", line["rows"].get("put_aside", []))


async def _keeps_professions(connection: asyncpg.Connection) -> bool:
    """A base of an older revision has no table for them: once it is migrated, `liaison rights rebuild` reads them."""
    return bool(await connection.fetchval("select to_regclass('known_profession') is not null"))


async def _refer(connection: asyncpg.Connection, vault: Vault, put: Sequence[Key]) -> None:
    """Leaves with the records that these refer to what the store's writer left there. A base of an older revision has no
    table for it yet: there `liaison reindex` does it."""
    if await connection.fetchval("select to_regclass('referring') is null"):
        return
    keys = sorted({key for key in put if key.patient})
    new, versions = IndexRows(), []
    decode = ids.Ids(vault.id_key).decode
    for row, key, tree in await walking.opened(connection, vault, "version", keys) if keys else ():
        versions.append(row.key)
        new.add_tokens(len(versions), key, indexed(type_of(row.key.kind), tree), decode)
    await referring.add(connection, vault, new.references, versions)


async def _insert(connection: asyncpg.Connection, table: str, rows: list[dict[str, Any]]) -> None:
    names = ", ".join(column.name for column in columns(metadata.tables[table]) if column.name not in _LEFT_ALONE)
    if rows:
        await connection.execute(
            f"insert into {table} ({names}) select {names} from json_populate_recordset(null::{table}, $1::json)",
            json.dumps(rows),
        )
