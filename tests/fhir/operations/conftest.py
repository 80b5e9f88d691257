"""The small territory of the access tests: operations are asked through the engine, by callers with real rights."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from liaison.auth.access import internal
from liaison.auth.access.filter import Filter
from liaison.auth.access.hooks import Hooks
from liaison.auth.journal.commit import Journal
from liaison.auth.journal.keys import JournalKeys
from liaison.auth.smart.scopes import read_scopes
from liaison.fhir.store import Store
from liaison.fhir.store.contract import Answer
from liaison.fhir.store.database import Database
from liaison.fhir.vault import FileKeyProvider, Vault
from liaison.services.engine import Engine
from liaison.services.operations import OPERATIONS

from ...auth.access import territory as access

Tree = dict[str, Any]


class Bundle:
    """A Bundle, taken apart. Names are 'Type/id'."""

    def __init__(self, answer: Answer) -> None:
        assert answer.status == 200, answer.body
        self.answer = answer
        self.tree: Tree = json.loads(answer.body)
        entries = self.tree.get("entry", ())
        self.trees: list[Tree] = [one["resource"] for one in entries]
        self.names = [f"{one['resourceType']}/{one['id']}" for one in self.trees if "id" in one]
        self.matches = [f"{e['resource']['resourceType']}/{e['resource']['id']}" for e in entries
                        if e.get("search", {}).get("mode") == "match"]  # fmt: skip
        self.next = next((link["url"] for link in self.tree.get("link", ()) if link["relation"] == "next"), None)

    @property
    def next_path(self) -> str:
        assert self.next is not None, "there is no further page"
        return str(self.next.removeprefix(f"{access.BASE}/"))


class Territory(access.Territory):
    """With short ways to call operations."""

    async def call(self, caller: Any, path: str, body: Tree | None = None, **headers: str) -> Bundle:
        return Bundle(await self.ask(caller, "POST" if body is not None else "GET", path, body, **headers))

    async def pages(self, caller: Any, path: str) -> list[Bundle]:
        found = [await self.call(caller, path)]
        while found[-1].next:
            found.append(await self.call(caller, found[-1].next_path))
        return found

    @staticmethod
    def scoped(caller: Any, scope: str) -> Any:
        """The same caller with a narrower token."""
        return replace(caller, bound=read_scopes(scope))

    async def journaled(self, since: int = 0) -> list[Any]:
        """(event, patient) of the entries after the first `since`, in order."""
        rows = await self.database.reading.fetch("select event, patient from journal_entry order by at, sequence")
        return [tuple(row) for row in rows][since:]


@asynccontextmanager
async def opened(database: Database, folder: Path) -> AsyncIterator[Territory]:
    async with database.writing.acquire() as connection:
        vault = await Vault.open(connection, FileKeyProvider.create(folder / "key"))
        keys = await JournalKeys.load(connection, vault)
    journal = await Journal.open(database, keys)
    async with Store(database, vault, Filter(), Hooks(vault, journal)) as store:
        engine = Engine(store, journal, access.BASE, OPERATIONS, {})
        yield Territory(store, journal, engine, await internal.open_session(database.writing, "sandbox"))
    await journal.close()


@pytest.fixture
async def territory(database: Database, tmp_path: Path) -> AsyncIterator[Territory]:
    async with opened(database, tmp_path) as made:
        yield made


@pytest.fixture(scope="module")
async def read_territory(
    module_database: Database, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Territory]:
    """One for the tests of a module that ask and write nothing."""
    async with opened(module_database, tmp_path_factory.mktemp("territory")) as made:
        yield made


def parameters(**values: Any) -> Tree:
    """A Parameters resource: name_valueType=value; '_' at the start of a name stays."""
    parts = []
    for name, value in values.items():
        plain, _, element = name.rpartition("__")
        parts.append({"name": plain, element: value})
    return {"resourceType": "Parameters", "parameter": parts}
