"""What the journal costs, and how long its questions take when it is long (`BENCH_ONLY=journal make bench`).

BENCH_ENTRIES entries (1,000,000) over 24 months are written by `liaison journal generate` on a base of a
thousand people. Off
exists here alone: a service whose journal answers before anything is on disk, in turn with the real one, so that the
machine's moods fall on both. Single-handed questions are asked within this process, of an officer with a mandate.
"""

import asyncio
import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, Final

import httpx
from tests.bench import territory, visibility
from tests.bench.generator import cycle, drive

from liaison.auth.access import mandates
from liaison.auth.access.purposes import Purpose
from liaison.auth.caller import Caller
from liaison.auth.journal import glance, proof
from liaison.auth.journal.audit_event import RULE
from liaison.auth.journal.commit import Journal
from liaison.auth.journal.entry import Event, entry
from liaison.auth.journal.visits import who_saw
from liaison.auth.sessions import Act
from liaison.auth.smart.scopes import read_scopes
from liaison.fhir.definitions import kind_of
from liaison.fhir.store.contract import Key, Request
from liaison.services import base
from liaison.services.house import House
from liaison.services.pages.audit.answer import answer
from liaison.services.pages.audit.person_view import as_the_person_would
from liaison.services.pages.audit.question import Question
from liaison.services.settings import Settings

ENTRIES: Final = int(os.environ.get("BENCH_ENTRIES", "1000000"))
MONTHS: Final = 24
PEOPLE: Final = 1000
SECONDS: Final = int(os.environ.get("BENCH_SECONDS", "6"))
ROUNDS: Final = 4
CALLERS: Final = 64
PROOFS: Final = 200
OFF: Final = """
from liaison.auth.journal.commit import Journal
async def record(self, entries): return None
Journal.record = record
"""
"""A `sitecustomize`, which each process of that service loads when it starts: its workers are new processes."""
Rows = list[tuple[str, str, str]]


def measure(settings: Settings) -> Rows:
    territory.migrated(settings)
    with base.running(settings):
        act, paths = asyncio.run(_settled(settings))
    rows: Rows = []
    for part in (partial(cost, settings, act, paths), partial(sustained, settings), partial(generated, settings),
                 partial(whole, settings), partial(answers, settings)):  # fmt: skip
        found = part()
        print(
            *(f"{name}: {value}  ({compared})" for name, value, compared in found),
            sep="\n",
            file=sys.stderr,
            flush=True,
        )  # a long run tells as it goes
        rows += found
    return rows


async def _settled(settings: Settings) -> tuple[Act, list[tuple[str, str, str]]]:
    """A thousand people of one doctor, and the addresses of their weights."""
    async with House.opened(settings) as house:
        maker = await territory.Maker.of(house)
        doctor, _, act = await maker.professional("gp")
        for start in range(0, PEOPLE, 50):
            await visibility.people(maker, doctor, start)
        query = "select patient, kind, res from version where superseded is null and kind = $1 limit 2000"
        rows = await house.database.reading.fetch(query, kind_of("Observation"))
        return act, [("GET", f"/fhir/Observation/{house.store.id(Key(*row))}", "") for row in rows]


# ---- what journaling costs, on and off ----------------------------------------------------------------------------


def cost(settings: Settings, act: Act, paths: list[tuple[str, str, str]]) -> Rows:
    """Reads at 64 connections with the journal and without it, in turn."""
    rates: dict[bool, list[float]] = {True: [], False: []}
    before = after = 0
    reads = 0.0
    for number in range(ROUNDS):
        for on in (True, False) if number % 2 else (False, True):
            with _serving(settings, on) as address:
                bearer = {"Authorization": f"Bearer {asyncio.run(_token(settings, act))}"}
                first = httpx.get(f"{address}{paths[0][1]}", headers=bearer)
                assert first.status_code == 200, first.text
                if on:
                    before += asyncio.run(_bytes(settings))
                got = drive(address, cycle(paths, bearer), connections=CALLERS, seconds=SECONDS)
                assert not got.refused
                rates[on].append(got.rate)
                if on:
                    time.sleep(2)  # the integrator catches up
                    reads += got.rate * SECONDS
                    after += asyncio.run(_bytes(settings))
    on_, off = statistics.median(rates[True]), statistics.median(rates[False])
    each = (after - before) / reads
    return [
        (
            "reads, 64 connections, journaled",
            f"{on_:.0f}/s",
            f"without: {off:.0f}/s; costs {1 - on_ / off:.1%} (at most 25 %)",
        ),
        ("a read in the journal", f"{each:.0f} bytes", f"{each:.0f} MB a million reads"),
    ]


@contextmanager
def _serving(settings: Settings, on: bool) -> Any:
    if on:
        with territory.serving(settings, 2) as (address, _):
            yield address
        return
    folder = settings.data.parent / "off"
    folder.mkdir(exist_ok=True)
    (folder / "sitecustomize.py").write_text(OFF)
    path = os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])
    with territory.serving(settings, 2, {"PYTHONPATH": path}) as (address, _):
        yield address


async def _token(settings: Settings, act: Act) -> str:
    async with House.opened(settings) as house:
        return await territory.token(house, act)


async def _bytes(settings: Settings) -> int:
    async with House.opened(settings) as house:
        query = "select coalesce(sum(pg_total_relation_size(oid)), 0) from pg_class where relname like 'journal%' and relkind = 'r'"
        return int(await house.database.reading.fetchval(query))


def sustained(settings: Settings) -> Rows:
    with base.running(settings):
        return asyncio.run(_sustained(settings))


async def _sustained(settings: Settings) -> Rows:
    """Entries a second that become durable in groups, asked for by 64 callers at once, and by a few with many each."""
    rows: Rows = []
    async with House.opened(settings) as house:
        for each in (1, 20):
            journal = await Journal.open(house.database, house.journal_keys)
            caller = Caller(
                session=1,
                bound=read_scopes("user/*.rs"),
                purpose=1,
                role_code="gp",
                practitioner=4,
                role=5,
                organization=6,
            )
            entries = [entry(caller, Event.READ, patient=7, items=((1, 2, 3, 2, 1),))] * each
            until, count = time.monotonic() + SECONDS, 0

            async def ask(journal: Journal = journal, entries: Sequence[Any] = entries, until: float = until) -> int:
                done = 0
                while time.monotonic() < until:
                    await journal.record(entries)
                    done += len(entries)
                return done

            count = sum(await asyncio.gather(*(ask() for _ in range(CALLERS))))
            await journal.close()
            rows.append((f"entries durable, 64 callers with {each}", f"{count / SECONDS:.0f}/s", "aimed at: 20,000/s"))
    return rows


# ---- a long journal -----------------------------------------------------------------------------------------------


def _liaison(settings: Settings, *words: str) -> tuple[str, float]:
    began = time.monotonic()
    done = subprocess.run(
        [territory.LIAISON, *words], env=territory.environment(settings), check=True, capture_output=True, text=True
    )
    return done.stdout, time.monotonic() - began


def generated(settings: Settings) -> Rows:
    said, seconds = _liaison(settings, "journal", "generate", "--entries", str(ENTRIES), "--months", str(MONTHS))
    count = int(said.split()[0])
    with base.running(settings):
        asyncio.run(_analyzed(settings))
    told, _ = _liaison(settings, "journal", "stats")
    size = re.search(r"([\d.]+) MB .*, (\d+) bytes an entry", told)
    assert size
    return [
        ("generated and integrated", f"{count} entries, {count / seconds:.0f}/s", f"over {MONTHS} months"),
        ("on disk", f"{size[2]} bytes an entry", f"{size[1]} MB in all"),
    ]


async def _analyzed(settings: Settings) -> None:
    async with House.opened(settings) as house:
        await house.database.writing.execute("vacuum analyze")


def whole(settings: Settings) -> Rows:
    """Verification with the keys and, of an export, with the public key alone; each command from its start to its end."""
    rows: Rows = []
    _, seconds = _liaison(settings, "journal", "verify")
    rows.append(("full verification", f"{seconds:.1f} s", "60 s aimed at for 1,000,000 entries"))
    file, key = settings.data.parent / "journal.jsonl", settings.data.parent / "journal.key"
    said, seconds = _liaison(settings, "journal", "export", str(file))
    rows.append(("export of all", f"{int(said.split()[0]) / seconds:.0f} entries/s", "aimed at: 20,000/s"))
    key.write_text(_liaison(settings, "journal", "key")[0])
    _, seconds = _liaison(settings, "journal", "verify", "--export", str(file), "--key", str(key))
    rows.append(
        ("verification of the export", f"{seconds:.1f} s", f"{file.stat().st_size / 1e6:.0f} MB, public key alone")
    )
    return rows


def answers(settings: Settings) -> Rows:
    with base.running(settings):
        return asyncio.run(_answers(settings))


async def _answers(settings: Settings) -> Rows:
    async with House.opened(settings) as house:
        keys = house.journal_keys
        async with house.database.reading.acquire() as one:
            size = await one.fetchval("select size from journal_head")
            times = [await _timed(partial(proof.of_position, one, at)) for at in range(0, size, size // PROOFS)]
            rows = [("inclusion proof", _told(times), "100 ms aimed at")]
            times = [await _timed(partial(glance.glance, one, keys.signer.verifier)) for _ in range(20)]
            rows.append(("is it whole, at a glance", _told(times), "1 s aimed at"))
        officer = await _officer(house)
        often, seldom = await _patients(house)
        person = await house.database.reading.fetchval("select person from journal_entry where patient <> 0 limit 1")
        name = house.audit.reference("Practitioner", 0, person)
        desk = (house.audit, house.journal, officer)
        month, week = "date=ge2026-01-01&date=lt2026-02-01", "date=ge2026-01-01&date=lt2026-01-08"
        asked: dict[str, Callable[[], Awaitable[Any]]] = {
            "who saw a record often opened, a month": partial(who_saw, *desk, often, month),
            "who saw a record seldom opened": partial(who_saw, *desk, seldom, refusals=False),
        }
        queries = (
            f"patient={often}&date=ge2026-10-01", f"agent={name}", f"entity=Patient/{seldom}", month, f"action=U&{month}",
            f"outcome=4&{month}", f"policy={RULE}/2&{week}", "_sort=date",
        )  # fmt: skip
        for query in queries:
            asked[f"AuditEvent?{re.sub(r'[0-9a-f]{32}', '…', query)}"] = partial(_searched, house, officer, query)
        now = await house.database.now()
        doctor = name.partition("/")[2]
        for words, asks in {
            "a record often opened": Question(dossier=often),
            "a record often opened, a month": Question(dossier=often, du="2026-01-01", au="2026-01-31"),
            "a record seldom opened": Question(dossier=seldom),
            "a professional, a month": Question(personne=doctor, du="2026-01-01", au="2026-01-31"),
            "everything of a month": Question(du="2026-01-01", au="2026-01-31"),
        }.items():
            asked[f"the desk: {words}"] = partial(answer, house, officer, asks, now)
        asked["the desk: the answer to a patient often opened"] = partial(as_the_person_would, house, officer, often)
        for name_, question in asked.items():
            times = [await _timed(question) for _ in range(5)]
            rows.append((name_, _told(times), "1 s aimed at"))
        return rows


async def _searched(house: House, officer: Caller, query: str) -> None:
    answer = await house.engine.handle(officer, Request("GET", "AuditEvent", query))
    assert answer.status == 200, (query, answer.body)


async def _officer(house: House) -> Caller:
    maker = await territory.Maker.of(house)
    _, _, act = await maker.professional("auditor")
    async with house.database.writing.acquire() as one, one.transaction():
        await mandates.give(one, house.vault, act.organization, "benchmark")
    assert act.purpose == Purpose.HOPERAT
    return await territory.caller(house, act)


async def _patients(house: House) -> tuple[str, str]:
    """The ids of the records that were opened most and least."""
    rows = await house.database.reading.fetch(
        "select v.patient, v.kind, v.res from version v join (select patient, count(*) as n from journal_entry"
        " where patient <> 0 group by 1) e using (patient) where v.superseded is null and v.kind = $1 order by n desc",
        kind_of("Patient"),
    )
    return house.store.id(Key(*rows[0])), house.store.id(Key(*rows[-1]))


async def _timed(work: Callable[[], Awaitable[Any]]) -> float:
    began = time.perf_counter()
    await work()
    return (time.perf_counter() - began) * 1000


def _told(times: Sequence[float]) -> str:
    return f"p50 {statistics.median(times):.1f} ms, slowest {max(times):.1f} ms"
