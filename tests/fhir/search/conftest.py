"""A real store, access filter and index; records written as a client would send them, and callers to search them."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import orjson
import pytest

from liaison.auth.access.classes import EVERYTHING, Class
from liaison.auth.access.filter import Filter
from liaison.auth.caller import Caller
from liaison.auth.smart.scopes import read_scopes
from liaison.fhir import model
from liaison.fhir.definitions import DIRECTORY_TYPES, kind_of
from liaison.fhir.search import search
from liaison.fhir.store import Store, ids
from liaison.fhir.store.contract import Answer, Change, Key, Labels, Tree, Unit
from liaison.fhir.store.database import Database
from liaison.fhir.vault import FileKeyProvider, Vault

BASE = "https://liaison.test/fhir"
PURPOSE = 1
PSY = "https://liaison.test/psy"


class PlainHooks:
    """Everything is CLIN, or PSY when its meta.security says so; everyone may write: rules are tested in auth."""

    alone: frozenset[str] = frozenset()

    def classify(self, change: Change, related: Mapping[str, Tree]) -> Labels:
        if change.key.patient == 0:
            return Labels(Class.DIRECTORY)
        security = (change.tree or {}).get("meta", {}).get("security", ())
        return Labels(Class.PSY if any(one.get("system") == PSY for one in security) else Class.CLIN)

    async def before_write(self, connection: asyncpg.Connection, units: Sequence[Unit]) -> None: ...
    async def after_write(self, connection: asyncpg.Connection, units: Sequence[Unit]) -> None: ...


class Found:
    """A searchset, taken apart."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.bundle = orjson.loads(answer.body)
        entries = self.bundle.get("entry", ())
        self.ids = [e["resource"]["id"] for e in entries if e["search"]["mode"] == "match"]
        self.included = [e["resource"]["id"] for e in entries if e["search"]["mode"] == "include"]
        self.outcomes = [e["resource"] for e in entries if e["search"]["mode"] == "outcome"]
        self.total = self.bundle.get("total")
        links = {link["relation"]: link["url"] for link in self.bundle["link"]}
        self.self_ = links["self"]
        self.next = links.get("next")
        self.previous = links.get("previous")
        self.first = links.get("first")

    @property
    def next_query(self) -> str:
        return query_of(self.next)


def query_of(link: str | None) -> str:
    assert link is not None, "there is no such page"
    return str(link.partition("?")[2])


class Territory:
    """The store, and short ways to fill it and to ask it."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.database = store.database
        self.now = datetime(2026, 3, 1, 12, tzinfo=UTC)
        self.caller: Caller

    async def session(self, session: int, principal: int, scope: str = "user/*.cruds") -> Caller:
        await self.database.writing.execute(
            "insert into access_session (session, principals, purpose, role_code, expires_at)"
            " values ($1, $2, $3, 'gp', now() + interval '1 hour')",
            session,
            [principal],
            PURPOSE,
        )
        return Caller(session, read_scopes(scope), PURPOSE, "gp", practitioner=principal)

    async def grant(self, patient: int, principal: int, classes: int = EVERYTHING & ~Class.PSY) -> None:
        keys = await self.store.vault.patient_keys(self.database.reading, [patient])
        mask = keys[patient].permute(classes)
        await self.database.writing.execute(
            "insert into access_grant (patient, principal, purpose, mask, write_mask, rule, relation, valid_from, valid_to)"
            " values ($1, $2, $3, $4, $4, 7, 8, now() - interval '1 day', now() + interval '1 day')",
            patient,
            principal,
            PURPOSE,
            mask,
        )

    def id(self, key: Key) -> str:
        id_: str = self.store.id(key)
        return id_

    def new_key(self, type_: str, patient: int = 0) -> Key:
        return self.store.new_key(patient, kind_of(type_))

    def change(self, tree: Tree, key: Key, version: int = 1) -> Change:
        """As the interactions prepare it. Each change is a second later than the last."""
        self.now += timedelta(seconds=1)
        meta = {
            **tree.get("meta", {}),
            "versionId": str(version),
            "lastUpdated": self.now.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        }
        tree = {"resourceType": tree["resourceType"], "id": self.id(key), "meta": meta} | {
            name: value for name, value in tree.items() if name not in ("resourceType", "id", "meta")
        }
        change = Change(
            "create" if version == 1 else "update", key, tree["resourceType"], version, tree, body=model.dump(tree)
        )
        change.at = self.now
        return change

    async def write(self, *changes: Change) -> None:
        async with self.database.writing.acquire() as connection, connection.transaction():
            await self.store.write(connection, self.caller, changes, {})

    async def delete(self, key: Key, version: int) -> None:
        opened = await self.store.read(self.caller, key)
        assert opened is not None
        type_ = model.read(opened.body)["resourceType"]
        await self.write(Change("delete", key, type_, version, None, before_row=opened.row))

    async def patient(self, **more: Any) -> Key:
        key = self.new_key("Patient", ids.new_patient())
        change = self.change({"resourceType": "Patient", **more}, key)
        change.new_patient = True
        await self.write(change)
        return key

    async def add(self, tree: Tree, owner: Key | None = None) -> Key:
        """Writes one resource. Its `subject`, `patient` or the like must already name the owner."""
        type_ = tree["resourceType"]
        assert owner is not None or type_ in DIRECTORY_TYPES
        key = self.new_key(type_, owner.patient if owner else 0)
        await self.write(self.change(tree, key))
        return key

    async def observation(
        self, owner: Key, code: str = "8867-4", at: str | None = "2026-01-05T10:00:00Z", **more: Any
    ) -> Key:
        tree = {
            "resourceType": "Observation",
            "status": "final",
            "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
            "subject": {"reference": f"Patient/{self.id(owner)}"},
            **({"effectiveDateTime": at} if at else {}),
            **more,
        }
        return await self.add(tree, owner)

    async def search(self, type_: str, query: str = "", caller: Caller | None = None, **more: Any) -> Found:
        return Found(await search(self.store, caller or self.caller, type_, query, base_url=BASE, **more))

    async def all_pages(self, type_: str, query: str, caller: Caller | None = None) -> list[str]:
        """The ids of every page in turn."""
        found = await self.search(type_, query, caller)
        seen = list(found.ids)
        while found.next:
            found = await self.search(type_, found.next_query, caller)
            seen += found.ids
        return seen


@asynccontextmanager
async def opened(database: Database, folder: Path) -> AsyncIterator[Territory]:
    async with database.writing.acquire() as connection:
        vault = await Vault.open(connection, FileKeyProvider.create(folder / "key"))
    async with Store(database, vault, Filter(), PlainHooks()) as store:
        made = Territory(store)
        made.caller = await made.session(1, 1)
        yield made


@pytest.fixture
async def territory(database: Database, tmp_path: Path) -> AsyncIterator[Territory]:
    """Empty. The caller is session 1 of principal 1, without any grant."""
    async with opened(database, tmp_path) as made:
        yield made


@pytest.fixture(scope="module")
async def read_territory(
    module_database: Database, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Territory]:
    """One for the tests of a module that ask and write nothing, filled once: most rows of a table take less than that."""
    async with opened(module_database, tmp_path_factory.mktemp("territory")) as made:
        yield made


async def followed(territory: Territory) -> tuple[Territory, Key]:
    """A patient on whose team the caller is."""
    one = await territory.patient(name=[{"family": "Lefèvre", "given": ["Zoé"]}], birthDate="1948-03-02")
    await territory.grant(one.patient, 1)
    return territory, one


@pytest.fixture
async def team(territory: Territory) -> tuple[Territory, Key]:
    return await followed(territory)
