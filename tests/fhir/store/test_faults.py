"""The database stopped, killed or full: 503 for the caller, nothing half written, and the same store goes on after."""

import asyncio
import os
import signal
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from liaison.auth.access.filter import Filter
from liaison.auth.caller import Caller
from liaison.auth.smart.scopes import read_scopes
from liaison.fhir.definitions import kind_of
from liaison.fhir.errors import Unavailable
from liaison.fhir.store import Store
from liaison.fhir.store.contract import Change, Indexed, Labels
from liaison.fhir.store.database import Database
from liaison.fhir.store.embedded import Embedded, process
from liaison.fhir.store.faults import is_unavailable, reported
from liaison.fhir.vault import FileKeyProvider, Vault
from liaison.services.migrations import migrate

CALLER = Caller(1, read_scopes("user/*.rs"), 1, "gp")


class Hooks:
    alone: frozenset[str] = frozenset()

    def classify(self, change: Change, related: Any) -> Labels:
        return Labels(1)

    async def before_write(self, *_: Any) -> None: ...

    async def after_write(self, *_: Any) -> None: ...


class Running:
    def __init__(self, server: Embedded, store: Store) -> None:
        self.server, self.store = server, store

    async def write(self, size: int = 10) -> Change:
        """One Organization, which every session may read."""
        key = self.store.new_key(0, kind_of("Organization"))
        tree = {
            "resourceType": "Organization",
            "id": self.store.id(key),
            "meta": {"versionId": "1", "lastUpdated": datetime.now(UTC).isoformat(timespec="milliseconds")},
            "name": os.urandom(size).hex(),
        }
        change = Change("create", key, "Organization", 1, tree)
        with reported():
            async with self.store.database.writing.acquire() as connection, connection.transaction():
                await self.store.write(connection, CALLER, [change], {})
        return change

    async def kill(self) -> None:
        """kill -9 of the whole server, and waits until it has happened."""
        os.kill(int(self.server.pid or 0), signal.SIGKILL)
        while process.on_cluster(self.server.cluster):
            await asyncio.sleep(0.02)

    async def works(self, key: Any) -> None:
        assert await self.store.read(CALLER, key) is not None
        assert await self.store.version(CALLER, key, 1) is not None
        assert await self.store.read(CALLER, (await self.write()).key) is not None

    async def works_again(self, key: Any, seconds: float = 20) -> None:
        """Nobody restarts the store."""
        for _ in range(int(seconds * 10)):
            try:
                await self.works(key)
                return
            except Unavailable:
                await asyncio.sleep(0.1)
        await self.works(key)


async def run(directory: Path, settings: dict[str, str], test: Callable[[Running], Awaitable[None]]) -> None:
    server = await asyncio.to_thread(Embedded(directory / "data", settings=settings).start)
    try:
        await migrate(server.url)
        async with await Database.connect(server.url) as database:
            async with database.writing.acquire() as connection:
                vault = await Vault.open(connection, FileKeyProvider.create(directory / "key"))
                await connection.execute(
                    "insert into access_session (session, principals, purpose, role_code, expires_at)"
                    " values (1, '{1}', 1, 'gp', now() + interval '1 hour')"
                )
            index = lambda *_: Indexed(datetime.min, (), ())  # nothing is searched here
            async with Store(database, vault, Filter(), Hooks(), index=index) as store:
                await test(Running(server, store))
    finally:
        await asyncio.to_thread(server.stop)


async def test_a_killed_database_is_a_503_and_comes_back(tmp_path: Path) -> None:
    async def test(running: Running) -> None:
        known = (await running.write()).key
        await running.works(known)
        await running.kill()
        attempts: tuple[Callable[[], Awaitable[Any]], ...] = (
            lambda: running.store.read(CALLER, known),
            lambda: running.store.version(CALLER, known, 1),
            running.write,
        )
        for attempt in attempts:
            with pytest.raises(Unavailable):
                await attempt()

        await asyncio.to_thread(running.server.ensure)
        await running.works_again(known)

    await run(tmp_path, {}, test)


async def test_what_waits_when_the_database_dies_is_told_so(tmp_path: Path) -> None:
    async def test(running: Running) -> None:
        known = (await running.write()).key
        reads = [asyncio.ensure_future(running.store.read(CALLER, known)) for _ in range(300)]
        await asyncio.sleep(0)
        os.kill(int(running.server.pid or 0), signal.SIGKILL)
        found = await asyncio.wait_for(asyncio.gather(*reads, return_exceptions=True), 20)
        assert all(isinstance(one, Unavailable) or (one and one.row.key == known) for one in found)  # type: ignore[union-attr]  # an exception has no row, and is told apart before

        await asyncio.to_thread(running.server.ensure)
        await running.works_again(known)

    await run(tmp_path, {}, test)


@pytest.fixture
async def small_disk(tmp_path: Path) -> AsyncIterator[Path]:
    """A disk of 220 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=220m,mode=0755", "none", folder], check=False)
    if mounted.returncode:
        pytest.skip("mounting a small disk needs root's rights")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


async def test_a_full_disk_is_a_503_writes_nothing_and_is_over_when_there_is_room(small_disk: Path) -> None:
    async def test(running: Running) -> None:
        known = (await running.write()).key
        count = await running.store.database.reading.fetchval("select count(*) from directory_version")
        filler = small_disk / "filler"
        with running.server.watched():
            await asyncio.to_thread(fill, filler)
            with pytest.raises(Unavailable) as told:
                for _ in range(40):
                    await running.write(2_000_000)
                    count += 1
            assert "disk is full" in str(told.value) or "cannot be reached" in str(told.value)
            filler.unlink()
            await running.works_again(known)
            after = await running.store.database.reading.fetchval("select count(*) from directory_version")
            # The row of works_again, and one more for each time that works_again got no further than its write.
            assert count < after <= count + 20

    await run(small_disk, {"shared_buffers": "16MB", "max_wal_size": "48MB"}, test)


def fill(path: Path) -> None:
    """All that is left but 10 MB."""
    free = os.statvfs(path.parent).f_bavail * os.statvfs(path.parent).f_frsize - 10 * 2**20
    with path.open("wb") as file:
        for _ in range(free // 2**20):
            file.write(bytes(2**20))


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ConnectionRefusedError(), True),
        (TimeoutError(), True),
        (asyncpg.CannotConnectNowError(), True),
        (asyncpg.AdminShutdownError(), True),
        (asyncpg.DiskFullError(), True),
        (asyncpg.TooManyConnectionsError(), True),
        (asyncpg.ReadOnlySQLTransactionError(), True),
        (asyncpg.InterfaceError("connection is closed"), True),
        (asyncpg.InterfaceError("the server expects 2 arguments"), False),
        (asyncpg.UniqueViolationError(), False),
        (asyncpg.UndefinedTableError(), False),
        (ValueError(), False),
    ],
)
def test_only_what_may_pass_by_itself_is_unavailable(error: Exception, expected: bool) -> None:
    assert is_unavailable(error) is expected


def test_what_postgresql_said_does_not_reach_the_caller() -> None:
    with pytest.raises(Unavailable) as told, reported():
        raise asyncpg.DiskFullError('could not extend file "base/planted"')

    assert "planted" not in str(told.value)
