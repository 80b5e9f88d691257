"""Fixtures of every area: real PostgreSQL, one server a test process, one fresh migrated database a test.

`database` (connected) and `database_url` come from the embedded server, `either_database` from the embedded one and
from PostgreSQL 15 in turn. The server of these fixtures does not fsync: tests of durability start their own.
"""

import asyncio
import contextlib
import gc
import importlib.util
import itertools
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import AsyncIterator, Coroutine, Iterator
from concurrent.futures import Future
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar
from urllib.parse import urlsplit

import asyncpg
import httpx
import hypothesis
import pytest
import uvloop
from argon2 import PasswordHasher

from liaison.auth.people import hashes
from liaison.fhir.store.database import Database
from liaison.fhir.store.embedded import Embedded, Programs
from liaison.fhir.store.lanes import Lanes
from liaison.fhir.store.schema import metadata
from liaison.services.migrations import migrate

from .services.running_sandbox import sandbox

__all__ = ["sandbox"]

T = TypeVar("T")

POSTGRES_15 = Path("/usr/lib/postgresql/15/bin")
FAST = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "64MB",
    "max_wal_size": "256MB",
}

ACROSS_PATIENTS = {"import_ledger", "journal_entry", "notice"}
"""Tables with a patient column that are not of the patient family: found by token, or kept beside the patients."""

_numbers = itertools.count(1)

# A law is tried on some examples each time, which are others each time, and on many by `make proof`. No time is asserted:
# neither how long an example takes, nor how long it takes to be made, on a machine that does other things.
_UNTIMED: Any = {"deadline": None, "suppress_health_check": [hypothesis.HealthCheck.too_slow]}
hypothesis.settings.register_profile("short", max_examples=40, **_UNTIMED)
hypothesis.settings.register_profile("thorough", max_examples=1000, **_UNTIMED)
hypothesis.settings.load_profile("short")


class Server:
    """A running PostgreSQL with a migrated template, from which a database is made in some hundredths of a second."""

    def __init__(self, embedded: Embedded) -> None:
        self.embedded = embedded
        # In a thread and a loop of its own: tests have theirs, and to connect for each base anew, twice, is a fifth of
        # what a base takes.
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="bases", daemon=True)
        self._thread.start()
        self._administrator: asyncpg.Connection = self._run(asyncpg.connect(embedded.administrator_url)).result()
        self._run(self._prepare()).result()

    def _run(self, work: Coroutine[Any, Any, T]) -> "Future[T]":
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def close(self) -> None:
        self._run(self._administrator.close()).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _prepare(self) -> None:
        await self._administrator.execute("create database template_liaison owner liaison")
        await migrate(self.url("template_liaison"))
        # Dense: each copy of it is read by several new connections, from the catalogue on.
        connection = await asyncpg.connect(self.url("template_liaison"))
        try:
            await connection.execute("vacuum (full, freeze, analyze)")
        finally:
            await connection.close()

    async def _as_administrator(self, statement: str) -> None:
        await asyncio.wrap_future(self._run(self._administrator.execute(statement)))

    def url(self, name: str) -> str:
        return urlsplit(self.embedded.url)._replace(path=f"/{name}").geturl()

    async def create(self, template: str = "template_liaison") -> str:
        """A database that holds what the template does: the tables, unless it is a database that a test filled."""
        name = f"test_{next(_numbers)}"
        # The files are copied as they are, which takes half the time of copying them through the WAL.
        await self._as_administrator(f"create database {name} template {template} owner liaison strategy file_copy")
        return name

    async def drop(self, name: str) -> None:
        await self._as_administrator(f"drop database {name} with (force)")


def _serve(programs: Programs) -> Iterator[Server]:
    # In memory where there is room: copying the template takes 10 ms there and up to 300 ms on a disk.
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and shutil.disk_usage(memory).free > 2 * 1024**3
    directory = Path(tempfile.mkdtemp(prefix="liaison-test-", dir=memory if roomy else None))
    # As root the server's account has to reach it: where mounting is forbidden, PostgreSQL 15 knows no other way.
    directory.chmod(0o755)
    with Embedded(directory, programs=programs, settings=FAST) as embedded:
        # A test run that is killed must not leave its server running.
        watch = f"while kill -0 {os.getpid()} 2>/dev/null; do sleep 1; done; kill -QUIT {embedded.pid}"
        clean = f"rm -rf {directory} {embedded.runtime}"
        watchdog = subprocess.Popen(["sh", "-c", f"{watch}; sleep 1; {clean}"], start_new_session=True)
        try:
            with contextlib.closing(Server(embedded)) as server:
                yield server
        finally:
            watchdog.kill()
            watchdog.wait()
    shutil.rmtree(directory)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """The embedded server. Under xdist each worker has its own."""
    yield from _serve(Programs.of_wheel())


@pytest.fixture(scope="session")
def postgres_15() -> Iterator[Server]:
    """Debian's PostgreSQL 15, the oldest one we support."""
    if not (POSTGRES_15 / "postgres").exists():
        pytest.skip(f"PostgreSQL 15 is not installed in {POSTGRES_15}")
    yield from _serve(Programs.in_folder(POSTGRES_15))


@pytest.fixture
async def database_url(postgres: Server) -> AsyncIterator[str]:
    """A fresh migrated database."""
    name = await postgres.create()
    yield postgres.url(name)
    await postgres.drop(name)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """A fresh migrated database, connected."""
    async with await Database.connect(database_url, check=False) as connected:
        yield connected


@pytest.fixture(scope="module")
async def module_database(postgres: Server) -> AsyncIterator[Database]:
    """A fresh migrated database that the tests of a module share: each then looks at what it wrote itself."""
    name = await postgres.create()
    async with await Database.connect(postgres.url(name), check=False) as connected:
        yield connected
    await postgres.drop(name)


@pytest.fixture(params=["embedded", "postgresql-15"])
async def either_database(request: pytest.FixtureRequest) -> AsyncIterator[Database]:
    """The same test on the embedded PostgreSQL and on the oldest supported one."""
    server: Server = request.getfixturevalue("postgres" if request.param == "embedded" else "postgres_15")
    name = await server.create()
    async with await Database.connect(server.url(name), check=False) as connected:
        yield connected
    await server.drop(name)


@pytest.fixture(scope="session", autouse=True)
def costly() -> Iterator[PasswordHasher]:
    """What the service hashes secrets with. Hundreds of tests sign somebody in: in this process, and in none that serves,
    their Argon2id takes a hundredth of the time. A test that is about the cost puts this one back (`at_full_cost`)."""
    real = hashes._HASHER
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(hashes, "_HASHER", PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1))
        yield real


@pytest.fixture
def at_full_cost(costly: PasswordHasher, monkeypatch: pytest.MonkeyPatch) -> None:
    """Secrets are hashed as the service hashes them."""
    monkeypatch.setattr(hashes, "_HASHER", costly)
    monkeypatch.setattr(hashes, "_nobody", "")


@pytest.fixture(scope="session", autouse=True)
def _authorities_are_read_once() -> Iterator[None]:
    """httpx reads the authorities of the web anew for each client, and for each `httpx.get`: a tenth of a second of
    processor time for each of the thousands that only ever speak to this machine."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("httpx._transports.default.create_ssl_context", cache(httpx.create_ssl_context))
        yield


@pytest.fixture(scope="session", autouse=True)
def _few_connections() -> Iterator[None]:
    """A new connection takes PostgreSQL 15 ms, and a page that asks for six things at once opens six. What a test opens in
    this process reads on one connection and searches on one; whoever held one while asking for another would never get
    it. The services that tests start have all of theirs."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Lanes.__init__, "__defaults__", (1,))
        patched.setitem(Database.connect.__func__.__kwdefaults__, "readers", 1)  # type: ignore[attr-defined]  # a classmethod has it
        yield


@pytest.fixture(scope="session")
def dump() -> ModuleType:
    """tests/proof/dump.py: `await dump.find_leaks(directory, administrator_url, texts)` after a load."""
    return _module("proof/dump.py")


@pytest.fixture(scope="session")
def statements() -> ModuleType:
    """tests/proof/statements.py."""
    return _module("proof/statements.py")


@pytest.fixture(scope="session")
def sent() -> Any:
    """Every statement of the service, from now on."""
    watch = _module("proof/watching.py").Watch()
    watch.install()
    return watch


@pytest.fixture(autouse=True)
def _no_statement_joins_patients_without_the_patient(sent: Any, statements: ModuleType) -> Iterator[None]:
    """Whatever a test is about, the statements it makes the service send are looked at."""
    yield
    tables = {name for name, table in metadata.tables.items() if "patient" in table.c and name not in ACROSS_PATIENTS}
    for text, sender in sent.new():
        assert statements.unscoped(text, tables) == [], f"{sender} joins patient tables without the patient: {text}"


def _module(path: str) -> ModuleType:
    """A module of ours beside this file; tests are no package."""
    where = Path(__file__).parent / path
    spec = importlib.util.spec_from_file_location(f"tests_{where.stem}", where)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def pytest_configure() -> None:
    """Nothing that is loaded to find the tests is garbage."""
    gc.disable()


def pytest_collection_finish() -> None:
    """What is there by now stays until the end: that the collector does not walk it again saves a tenth of the time."""
    gc.collect()
    gc.freeze()
    gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first, which have a `timeout` of their own: at the end, one process would be busy with them while the
    others have nothing left to do."""
    items.sort(key=lambda item: item.get_closest_marker("timeout") is None)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """How long the tests of each stage took, added up over the processes."""
    spent: Counter[str] = Counter()
    for reports in terminalreporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport):
                stage = next((name for name in ("browser", "http") if name in report.keywords), "unit and store")
                spent[stage] += round(report.duration * 1000)
    told = ", ".join(f"{name} {milliseconds / 1000:.0f} s" for name, milliseconds in sorted(spent.items()))
    terminalreporter.write_line(f"== busy in tests: {told}")


def pytest_make_parametrize_id(val: object) -> str | None:
    """Keys and clocks made at import differ between the processes of a parallel run; their ids must not."""
    return "given" if isinstance(val, dict | list) else None


def pytest_asyncio_loop_factories(config: pytest.Config, item: pytest.Item) -> dict[str, Any]:
    """The loop of the service, which is also the quicker one."""
    return {"uvloop": uvloop.new_event_loop}
