"""An open store over the real access filter, and callers with real rows in access_session and access_grant."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from liaison.auth.access.classes import Class
from liaison.auth.access.filter import Filter
from liaison.auth.caller import Caller
from liaison.auth.smart.scopes import read_scopes
from liaison.fhir.definitions import kind_of
from liaison.fhir.store import Store, ids
from liaison.fhir.store.contract import Change, Indexed, Key, Labels, Tree, Unit
from liaison.fhir.store.database import Database
from liaison.fhir.vault import FileKeyProvider, Vault

PURPOSE = 1


@dataclass
class PlainHooks:
    """Everything is CLIN and everyone may write: the rules of the areas above are tested there."""

    classes: int = Class.CLIN
    seen: list[str] = field(default_factory=list)
    alone: frozenset[str] = frozenset()

    def classify(self, change: Change, related: Mapping[str, Tree]) -> Labels:
        self.seen.append("classify")
        return Labels(self.classes)

    async def before_write(self, connection: asyncpg.Connection, units: Sequence[Unit]) -> None:
        self.seen.append("before")

    async def after_write(self, connection: asyncpg.Connection, units: Sequence[Unit]) -> None:
        self.seen.append("after")


def indexed(type_: str, tree: Tree) -> Indexed:
    """A small index: the store's promises do not depend on what the search keeps."""
    code = tree.get("code")
    codings = code.get("coding", ()) if isinstance(code, dict) else ()
    tokens = [(1, coding["code"].encode()) for coding in codings]
    at = datetime.fromisoformat(tree["effectiveDateTime"]) if "effectiveDateTime" in tree else datetime.min
    return Indexed(at, tokens, [(2, at, at)] if at != datetime.min else [])


class Records:
    """A store, and short ways to put things in it."""

    def __init__(self, store: Store, hooks: PlainHooks) -> None:
        self.store = store
        self.hooks = hooks
        self.database = store.database
        self.caller = self.caller_of(1)

    def caller_of(self, session: int, principal: int = 1) -> Caller:
        return Caller(session, read_scopes("user/*.cruds"), PURPOSE, "gp", practitioner=principal)

    async def session(self, session: int, principal: int) -> Caller:
        await self.database.writing.execute(
            "insert into access_session (session, principals, purpose, role_code, expires_at)"
            " values ($1, $2, $3, 'gp', now() + interval '1 hour')",
            session,
            [principal],
            PURPOSE,
        )
        return self.caller_of(session, principal)

    async def grant(self, patient: int, principal: int, classes: int = Class.CLIN, author: str = "") -> None:
        keys = await self.store.vault.patient_keys(self.database.reading, [patient])
        mask = keys[patient].permute(classes)
        from liaison.fhir.store.rows import owner_token

        await self.database.writing.execute(
            "insert into access_grant (patient, principal, purpose, mask, write_mask, rule, relation, author,"
            " valid_from, valid_to) values ($1, $2, $3, $4, $4, 7, 8, $5, now() - interval '1 day', now() + interval '1 day')",
            patient,
            principal,
            PURPOSE,
            mask,
            owner_token(keys[patient], author),
        )

    async def write(self, *changes: Change) -> None:
        async with self.database.writing.acquire() as connection, connection.transaction():
            await self.store.write(connection, self.caller, changes, {})

    def change(self, tree: Tree, patient: int, *, version: int = 1, key: Key | None = None) -> Change:
        type_ = tree["resourceType"]
        key = key or self.store.new_key(patient, kind_of(type_))
        meta = {"versionId": str(version), "lastUpdated": datetime.now(UTC).isoformat(timespec="milliseconds")}
        tree = {**tree, "id": self.store.id(key), "meta": meta}
        interaction: Any = "create" if version == 1 else "update"
        return Change(interaction, key, type_, version, tree)

    async def patient(self, **more: Any) -> int:
        patient = ids.new_patient()
        change = self.change({"resourceType": "Patient", "birthDate": "1948-03-02", **more}, patient)
        change.new_patient = True
        await self.write(change)
        return patient

    async def observation(self, patient: int, code: str = "59408-5") -> Key:
        change = self.change(observation(code), patient)
        await self.write(change)
        return change.key

    async def rewrite(self, key: Key) -> None:
        """Versions 2 to 5 of an observation."""
        for version in range(2, 6):
            await self.write(self.change(observation(f"new-{version}"), key.patient, version=version, key=key))

    async def tokens_of(self, parameter: int, kind: int) -> dict[int, tuple[int, int]]:
        """By resource of the type: its current version, and how many tokens of the parameter that has."""
        rows = await self.store.database.reading.fetch(
            "select v.res, v.version, count(t.token) from version v left join index_token t on t.patient = v.patient"
            " and t.kind = v.kind and t.res = v.res and t.version = v.version and t.param = $1"
            " where v.superseded is null and v.kind = $2 group by 1, 2",
            parameter,
            kind,
        )
        return {row[0]: (row[1], row[2]) for row in rows}


def observation(code: str = "59408-5") -> Tree:
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
        "effectiveDateTime": "2026-03-01T10:00:00+01:00",
        "identifier": [{"system": "urn:device", "value": f"{code}-1"}],
    }


@pytest.fixture
async def records(either_database: Database, tmp_path: Path) -> AsyncIterator[Records]:
    """Session 1 of principal 1 is there; it has no grants."""
    async with either_database.writing.acquire() as connection:
        vault = await Vault.open(connection, FileKeyProvider.create(tmp_path / "key"))
    hooks = PlainHooks()
    async with Store(either_database, vault, Filter(), hooks, index=indexed) as store:
        made = Records(store, hooks)
        await made.session(1, 1)
        yield made


async def held_up(database: Database, task: "asyncio.Task[Any]") -> None:
    """Returns when what the task has asked waits for a lock of another, or when the task has ended without waiting."""
    async with asyncio.timeout(60):
        while not task.done() and not await database.reading.fetchval(
            "select exists (select from pg_locks l join pg_stat_activity a using (pid)"
            " where not l.granted and a.datname = current_database())"
        ):
            await asyncio.sleep(0.01)
