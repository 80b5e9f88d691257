"""Killed at any moment under load, the service has disclosed nothing without its entry and lost nothing it confirmed.

The whole process group is killed (kill -9), every other time with PostgreSQL. After each restart what an outside client
received is compared with the journal and the base, and the journal is verified.
"""

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import pytest

from liaison.auth.journal.entry import Entry, Event, digest
from liaison.auth.journal.live import Live
from liaison.auth.journal.sealing import COLUMNS, Record, unseal
from liaison.auth.journal.verify import verify
from liaison.fhir.definitions import kind_of
from liaison.fhir.store.contract import Disclosure, Key
from liaison.fhir.store.database import connection
from liaison.fhir.store.embedded import Embedded
from liaison.fhir.vault import FileKeyProvider
from liaison.services import base, migrations
from liaison.services.house import House
from liaison.services.settings import Settings

from .conftest import Service, address, alone, settle, write
from .outside_client import Call, Client, observation

pytestmark = pytest.mark.http

OBSERVATION = kind_of("Observation")
CONNECTIONS = 16
KILLS = int(os.environ.get("PROOF_KILLS", "500"))
SEED = int(os.environ.get("PROOF_SEED", "20261123"))
"""Kills in `make proof`, and what their moments are drawn from: a hundred at a time under five seeds are five hundred too."""
WHOLE: Final = 25
"""Kills between two looks at everything there is: at each, the proof would take longer with each."""


@dataclass
class Town:
    """A service on an embedded base of its own, with fsync, that is killed and started again."""

    environment: dict[str, str]
    settings: Settings
    service: Service | None = None
    process: subprocess.Popen[str] | None = None
    patients: list[str] = field(default_factory=list)
    known: list[str] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)

    def start(self) -> str:
        self.process = subprocess.Popen(
            [str(Path(sys.executable).with_name("liaison")), "serve", "--port", "0", "--workers", "2"],
            env={**os.environ, **self.environment},
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,  # a process group of its own, to be killed as one
        )
        return address(self.process)

    def kill(self, *, with_database: bool) -> None:
        assert self.process is not None
        assert self.process.stdout is not None
        database = Embedded.attach(base.folder(self.settings)).pid if with_database else None
        os.killpg(self.process.pid, signal.SIGKILL)
        if database is not None:
            os.kill(database, signal.SIGKILL)
        self.process.wait()
        self.process.stdout.close()
        self.process = None


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    FileKeyProvider.create(tmp_path / "key")
    environment = {
        "LIAISON_DATA": str(tmp_path / "data"),
        "LIAISON_KEY_FILE": str(tmp_path / "key"),
        "LIAISON_ACCESS_LOG": "false",
        "LIAISON_PUBLIC_URL": "https://liaison.test",
    }
    settings = Settings(
        data=tmp_path / "data", key_file=tmp_path / "key", access_log=False, public_url="https://liaison.test"
    )
    made = Town(environment, settings)
    with base.running(settings):
        alone(lambda: migrations.migrate(base.url(settings)))
        people, organization = alone(lambda: settle(settings))
        unused: Any = None
        service = Service("", settings, unused, people, organization)
        made.service = service
        made.patients = [service.patient() for _ in range(4)]
        made.known = alone(lambda: _observations(settings, made.patients))
    try:
        yield made
    finally:
        if made.process is not None:
            made.kill(with_database=True)
        with base.running(settings):  # adopts an orphan, and stops it
            pass


async def _observations(settings: Settings, patients: list[str]) -> list[str]:
    async with House.opened(settings) as house:
        entries = [
            {
                "fullUrl": f"urn:uuid:00000000-0000-4000-8000-{5 * of + n:012}",
                "resource": observation(patient, 95),
                "request": {"method": "POST", "url": "Observation"},
            }
            for of, patient in enumerate(patients)
            for n in range(5)
        ]
        return [reference.partition("/")[2] for reference in await write(house, entries)]


async def load_until(town: Town, url: str, responses: int, *, with_database: bool, seed: int) -> None:
    """Loads, and kills when about so many responses have begun to arrive."""
    assert town.service is not None
    token = await asyncio.to_thread(town.service.token, "gp")
    parts = urlsplit(url)
    assert parts.hostname
    assert parts.port
    client = Client(parts.hostname, parts.port, token, town.patients, town.known, seed)
    loading = asyncio.create_task(client.load(CONNECTIONS))
    async with asyncio.timeout(60):
        while sum(bool(call.got) for call in client.calls) < responses:
            await asyncio.sleep(0.001)
    town.kill(with_database=with_database)
    async with asyncio.timeout(30):
        await loading
    town.calls += client.calls


# ---- what is compared ----------------------------------------------------------------------------------------------


@dataclass
class Truth:
    """The journal by request id, and the Observations of the base."""

    house: House
    entries: dict[str, list[Entry]]
    stored: set[tuple[int, int, int]]  # patient, res, version
    read: set[tuple[int, int]]  # worker, sequence
    since: str = "0"
    """Entries of transactions before this one were all read."""

    def key(self, id_: str) -> Key:
        key = self.house.store.key("Observation", id_)
        assert key is not None
        return key


async def truth(house: House, before: Truth | None = None) -> Truth:
    """All of it, the journal verified; or, with what was read `before`, what has been written since, added to that."""
    found = replace(before, house=house) if before else Truth(house, {}, set(), set())
    one = await connection(house.database.url)
    try:
        async with one.transaction(isolation="repeatable_read", readonly=True):
            if before is None:
                checkpoint = house.settings.outside_folder / "journal.checkpoint"
                held = [checkpoint.read_text()] if checkpoint.exists() else []
                verdict = await verify(Live(one), house.journal_keys.signer.verifier, house.journal_keys, held)
                assert verdict.at is not None
            rows = await one.fetch(
                f"select {', '.join(COLUMNS)} from journal_entry where written >= $1::text::xid8", found.since
            )
            found.since = await one.fetchval("select pg_snapshot_xmin(pg_current_snapshot())::text")
            for row in rows:
                record = Record(*row)
                if (record.worker, record.sequence) not in found.read:
                    found.read.add((record.worker, record.sequence))
                    entry = unseal(house.journal_keys, record)
                    found.entries.setdefault(entry.request, []).append(entry)
            versions = await one.fetch("select patient, res, version from version where kind = $1", OBSERVATION)
        found.stored = {tuple(row) for row in versions}
        return found
    finally:
        await one.close()


def compare(found: Truth, calls: list[Call]) -> dict[str, int]:
    """Raises AssertionError for a response without its entry, or a confirmed write that is not there."""
    counts: dict[str, int] = {}
    for call in calls:
        entries = found.entries.get(call.request_id, [])
        if call.got:
            assert len(call.got) < 12 or call.status in (200, 201, 404, 503), call
            if call.status != 503:
                assert entries, f"a byte of {call.kind} {call.request_id} left without an entry"
                _agrees(found, call, entries)
                counts[call.kind] = counts.get(call.kind, 0) + 1
        for id_ in call.created:
            key = found.key(id_)
            assert (key.patient, key.res, 1) in found.stored, f"{call.request_id} was confirmed and is lost"
            written = [entry for entry in entries if entry.event == Event.CREATE and entry.patient == key.patient]
            assert [item for entry in written for item in entry.items if item[1] == key.res], (
                "a write without its entry"
            )
        assert len([entry for entry in entries if entry.event == Event.CREATE]) <= 1, "a write was recorded twice"
    _nothing_by_halves(found)
    return counts


def _agrees(found: Truth, call: Call, entries: list[Entry]) -> None:
    match call.kind, call.status:
        case "read", 200:
            key = found.key(call.asked)
            assert [(entry.patient, entry.items[0][:3]) for entry in entries] == [
                (key.patient, (OBSERVATION, key.res, 1))
            ]
        case "absent", 404:
            assert [(entry.outcome, entry.requested) for entry in entries] == [(4, ("Observation", call.asked))]
        case "search", 200 if call.whole:
            resources = [entry["resource"] for entry in call.body.get("entry", [])]
            shown = [Disclosure(found.key(one["id"]), int(one["meta"]["versionId"]), ()) for one in resources]
            (query,) = [entry for entry in entries if entry.event == Event.SEARCH and entry.patient == 0]
            assert (query.returned, query.digest) == (len(shown), digest(shown))
            assert {entry.patient for entry in entries} - {0} == {one.key.patient for one in shown}


def _nothing_by_halves(found: Truth) -> None:
    """Each Observation has the entry of its creation, and each such entry has all its Observations."""
    recorded = {
        (entry.patient, item[1], item[2])
        for entries in found.entries.values()
        for entry in entries
        if entry.event == Event.CREATE and not entry.outcome
        for item in entry.items
        if item[0] == OBSERVATION
    }
    assert recorded == found.stored


# ---- the tests -----------------------------------------------------------------------------------------------------


async def run(town: Town, kills: int) -> dict[str, int]:
    """Compares after each kill what is new, and now and then, as after the last one, all of it from the start: what was
    compared once stays as it was."""
    chance = random.Random(SEED)
    counts: dict[str, int] = {}
    found: Truth | None = None
    url = await asyncio.to_thread(town.start)
    for number in range(kills):
        moment, seed, before = chance.randint(20, 400), chance.getrandbits(32), len(town.calls)
        await load_until(town, url, moment, with_database=number % 2 == 1, seed=seed)
        url = await asyncio.to_thread(town.start)
        whole = number < 10 or number % WHOLE == WHOLE - 1 or number == kills - 1
        async with House.opened(town.settings) as house:
            found = await truth(house, None if whole else found)
            counts = compare(found, town.calls if whole else town.calls[before:])
            if number == kills - 1:
                not_blind(found, town.calls)
    return counts


async def run_machines(town: Town, rounds: int) -> dict[str, int]:
    """Two machines, each with a folder of its own, on one database: each is killed under load while the other goes on, or dies
    at about the same moment, and starts again."""
    chance = random.Random(SEED)
    there = base.url(town.settings)
    machines = [
        replace(
            town,
            environment=town.environment
            | {"LIAISON_DATA": f"{town.settings.data}-{name}", "LIAISON_DATABASE_URL": there},
            calls=town.calls,
        )
        for name in ("east", "west")
    ]
    counts: dict[str, int] = {}
    try:
        for number in range(rounds):
            urls = [await asyncio.to_thread(one.start) for one in machines]
            await asyncio.gather(
                *(
                    load_until(one, url, chance.randint(150, 300), with_database=False, seed=chance.getrandbits(32))
                    for one, url in zip(machines, urls, strict=True)
                )
            )
            async with House.opened(town.settings) as house:
                found = await truth(house)
                counts = compare(found, town.calls)
                if number == rounds - 1:
                    not_blind(found, town.calls)
    finally:
        for one in machines:
            if one.process is not None:
                one.kill(with_database=False)
    return counts


def not_blind(found: Truth, calls: list[Call]) -> None:
    """Plants each fault that the comparison is there to find: it must fail."""
    whole = [call for call in calls if call.whole and call.status < 500]
    for kind in ("read", "absent", "search", "create", "transaction"):
        call = next(call for call in whole if call.kind == kind)
        entries = dict(found.entries)
        del entries[call.request_id]
        with pytest.raises(AssertionError):
            compare(replace(found, entries=entries), calls)
    for kind in ("create", "transaction"):
        key = found.key(next(call for call in whole if call.kind == kind).created[-1])
        with pytest.raises(AssertionError):
            compare(replace(found, stored=found.stored - {(key.patient, key.res, 1)}), calls)


@pytest.mark.timeout(600)
async def test_ten_kills_under_load_lose_and_hide_nothing(town: Town) -> None:
    started = time.monotonic()
    counts = await run(town, 10)
    print(f"\n10 kills in {time.monotonic() - started:.0f} s; responses compared: {counts}")
    assert min(counts[kind] for kind in ("read", "absent", "search", "create", "transaction")) > 20


@pytest.mark.timeout(600)
async def test_two_machines_on_one_base_lose_and_hide_nothing(town: Town) -> None:
    with base.running(town.settings):
        counts = await run_machines(town, 1)
    assert min(counts[kind] for kind in ("read", "absent", "search", "create", "transaction")) > 5


@pytest.mark.proof
@pytest.mark.timeout(6 * 3600)
async def test_hundreds_of_kills_under_load_lose_and_hide_nothing(town: Town) -> None:
    print(f"\n{KILLS} kills; responses compared: {await run(town, KILLS)}")


@pytest.mark.proof
@pytest.mark.timeout(6 * 3600)
async def test_two_machines_on_one_base_many_times(town: Town) -> None:
    rounds = -(-KILLS // 10)
    with base.running(town.settings):
        print(f"\n{rounds} rounds of two machines; responses compared: {await run_machines(town, rounds)}")
