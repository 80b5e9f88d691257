"""An import by several processes leaves what one by itself leaves, whoever is killed on the way."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from liaison.auth.journal.sealing import COLUMNS, Record, unseal
from liaison.fhir.vault import FileKeyProvider
from liaison.services.house import House
from liaison.services.loading import team
from liaison.services.settings import Settings

from .conftest import NPI

Tree = dict[str, Any]

SEVERAL = "from liaison.services.loading import loads, team; team.WORTH_BYTES = {worth}; loads.ENOUGH = 1"
MAIN = "from liaison.services.command import main; main()"

KEPT = {
    "version": "kind, version, clinical, bit_count(classes::bit(64)), author <> 0, service <> 0, addressee <> 0",
    "directory_version": "kind, version, clinical",
    "index_token": "kind, param, clinical",
    "index_date": "kind, param, low, high",
    "directory_index_token": "kind, param",
    "identity_token": "space, kind",
    "relation": "relation",
    "access_grant": "rule, relation, bit_count(mask::bit(64))",
    "import_ledger": "kind",
}
"""What does not depend on ids, keys and times of day."""


class Place:
    """An installation with a base of its own."""

    def __init__(self, folder: Path, url: str) -> None:
        folder.mkdir()
        FileKeyProvider.create(folder / "key")
        self.url = url
        self._settings = Settings(database_url=url, data=folder / "data", key_file=folder / "key")
        settings = {"DATABASE_URL": url, "DATA": str(folder / "data"), "KEY_FILE": str(folder / "key")}
        self._environment = {**os.environ, **{f"LIAISON_{name}": value for name, value in settings.items()}}

    def start(self, *paths: Path, several: bool = True) -> subprocess.Popen[str]:
        code = f"{SEVERAL.format(worth=0 if several else 10**12)}; {MAIN}"
        command = [sys.executable, "-c", code, "import", "--json", "--unresolved", "logical", *map(str, paths)]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, env=self._environment, stdout=pipe, stderr=pipe, text=True)

    def run(self, *paths: Path, several: bool = True) -> Tree:
        process = self.start(*paths, several=several)
        out, error = process.communicate(timeout=240)
        assert process.returncode == 0, error
        report: Tree = json.loads(out)
        return report

    async def kept(self) -> dict[str, Counter[tuple[Any, ...]]]:
        connection = await asyncpg.connect(self.url)
        try:
            return {
                table: Counter(tuple(row) for row in await connection.fetch(f"select {columns} from {table}"))
                for table, columns in KEPT.items()
            }
        finally:
            await connection.close()

    async def journaled(self) -> Counter[tuple[int, int, int]]:
        """What was done to how many resources of which kind, and to which version of them, by the journal."""
        async with House.opened(self._settings) as house:
            rows = await house.database.reading.fetch(f"select {', '.join(COLUMNS)} from journal_entry")
            entries = [unseal(house.journal_keys, Record(*row)) for row in rows]
        return Counter((entry.event, item[0], item[2]) for entry in entries for item in entry.items)

    async def stored(self) -> int:
        connection = await asyncpg.connect(self.url)
        try:
            query = "select (select count(*) from version) + (select count(*) from directory_version)"
            return int(await connection.fetchval(query))
        finally:
            await connection.close()


@pytest.fixture
async def places(postgres: Any, tmp_path: Path) -> AsyncIterator[Callable[[str], Any]]:
    made: list[str] = []

    async def place(name: str) -> Place:
        made.append(await postgres.create())
        return Place(tmp_path / name, postgres.url(made[-1]))

    yield place
    for name in made:
        await postgres.drop(name)


@pytest.fixture
def files(tmp_path: Path, practitioners_bundle: Tree, record_bundle: Callable[[str, int], Tree]) -> Path:
    """Practitioners, the records that name them, one that comes before its practitioner, and resources of one file."""
    folder = tmp_path / "files"
    folder.mkdir()
    shared = {"resourceType": "Practitioner", "identifier": [{"system": NPI, "value": "shared"}]}
    again: Tree = {"fullUrl": "urn:uuid:00000000-0000-4000-8000-00000000000a", "resource": shared}
    again["request"] = {"method": "POST", "url": "Practitioner", "ifNoneExist": f"identifier={NPI}|shared"}
    flag = {"resourceType": "Flag", "id": "f", "status": "active", "code": {"text": "x"}}
    trees: dict[str, Tree] = {
        "0": practitioners_bundle,
        **{str(number): record_bundle(f"record {number}", 40) for number in range(1, 7)},
        "8": {"resourceType": "Bundle", "type": "batch", "entry": [again]},
        "9": {"resourceType": "Bundle", "type": "batch", "entry": [{**again, "fullUrl": again["fullUrl"][:-1] + "b"}]},
    }
    (folder / "9x").mkdir()
    trees |= {"9x/a": {**flag, "subject": {"reference": "Patient/p"}}, "9x/b": {"resourceType": "Patient", "id": "p"}}
    for name, tree in trees.items():
        (folder / f"{name}.json").write_text(json.dumps(tree))
    return folder


@pytest.mark.http
async def test_the_base_is_the_same_as_after_one_process(places: Callable[[str], Any], files: Path) -> None:
    one, several = await places("one"), await places("several")

    reports = [one.run(files, several=False), several.run(files)]

    assert reports[0]["created"]["Practitioner"] == reports[1]["created"]["Practitioner"] == 8  # the last one once
    for report in reports:
        del report["seconds"], report["resources_per_second"]
    assert reports[0] == reports[1]
    assert await one.kept() == await several.kept()
    assert await one.journaled() == await several.journaled()
    assert (await several.journaled()).total() >= await several.stored()


def members_of(process: int) -> list[int]:
    """The processes that a process has started: with a base elsewhere, those that import."""
    children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return [int(one) for one in children]


@pytest.mark.http
@pytest.mark.parametrize("victim", ["first", pytest.param("member", marks=pytest.mark.proof)])
async def test_what_a_killed_import_has_stored_is_stored_once(
    places: Callable[[str], Any], files: Path, victim: str
) -> None:
    place = await places("killed")
    process = place.start(files)
    members: list[int] = []
    while process.poll() is None and await place.stored() < 60:
        await asyncio.sleep(0.01)
    members = members_of(process.pid)
    os.kill(process.pid if victim == "first" else members[-1], signal.SIGKILL)
    _, error = process.communicate(timeout=240)
    assert len(members) >= 2
    if victim == "member":
        assert process.returncode == 1
        assert "run the import again" in error

    deadline = time.monotonic() + 60  # a process whose first one was killed ends its transaction before it goes
    while any(Path(f"/proc/{one}/cmdline").exists() for one in members) and time.monotonic() < deadline:
        await asyncio.sleep(0.05)
    before = await place.stored()
    report = place.run(files)

    assert report["refused"] == []
    assert 60 <= before < report["read"]
    assert await place.stored() == before + sum(report["created"].values())
    assert sum(report["created"].values()) + sum(report["unchanged"].values()) == report["read"]
    assert report["updated"] == {}
    assert report["unchanged"]["Practitioner"] >= 7


@pytest.mark.http
async def test_nobody_begins_while_a_process_of_a_killed_import_may_still_write(
    places: Callable[[str], Any], files: Path
) -> None:
    place = await places("busy")
    outliving = await asyncpg.connect(place.url)
    await outliving.execute("select pg_advisory_lock_shared(hashtextextended('import writes files', 0))")

    process = place.start(files)
    _, error = process.communicate(timeout=240)
    await outliving.close()

    assert process.returncode == 1
    assert "under way" in error
    assert await place.stored() == 0


def test_few_files_are_no_work_for_several(tmp_path: Path) -> None:
    small, large = tmp_path / "a.json", tmp_path / "b.json"
    small.write_text("{}")
    large.write_bytes(b" " * (team.WORTH_BYTES + 1))

    assert team.members([small]) == 0
    assert 2 <= team.members([large]) <= team.MOST
