"""What deciding who may see costs: the predicate on and off, a caller of two thousand, a change that touches fifty.

Off exists here alone: a filter that lets everything pass, put in the place of the real one in a second engine on the same
base. The two are asked in turn, round after round, so that the machine's moods fall on both.
"""

import json
import statistics
import tempfile
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import uvloop
from tests.bench import territory
from tests.bench.processor import Processor

from liaison.auth.access.filter import Filter
from liaison.auth.access.hooks import Hooks
from liaison.auth.caller import Caller
from liaison.fhir.store import Store
from liaison.fhir.store.contract import Answer, Request, Row
from liaison.services import base, memory
from liaison.services.engine import Engine
from liaison.services.house import House
from liaison.services.operations import OPERATIONS
from liaison.services.settings import Settings

PATIENTS: Final = 2000
EACH: Final = 6
"""Observations of each patient: a weight a month."""
TOUCHED: Final = 50
CHANGES: Final = 10
ROUNDS: Final = 60
A_ROUND: Final = 40
Tree = dict[str, Any]
Rows = list[tuple[str, str, str]]


_GRANT: Final = "'{{-1,-1,0,0,0,1,1,0}}'::text"
"""What the journal writes down of a grant."""


class Open(Filter):
    """Everything is visible to everyone, by a grant that nobody looked up."""

    def visible(self, row: str, session: str) -> str:
        return f"({row}.classes <> 0 and ({session})::bigint is not null)"  # PostgreSQL wants each parameter used

    def decided(self, row: str, session: str) -> str:
        return f"lateral (select ({session})::bigint is not null as allowed, {_GRANT} as evidence)"

    def held(self, patient: str, session: str) -> str:
        return f"select ({patient})::bigint as patient where ({session})::bigint is not null"

    def summed(self, held: str) -> str:
        return f"select 1 from {held}"

    def covered(self, row: str, held: str, summed: str) -> str:
        return f"{row}.classes <> 0"

    def evidence(self, held: str) -> str:
        return f"(select {_GRANT} from {held})"

    def second_wall(self, caller: Caller, row: Row, unpermuted: int) -> bool:
        return True


def measure() -> Rows:
    with tempfile.TemporaryDirectory(prefix="liaison-bench-") as folder:
        settings = territory.settings_in(Path(folder))
        territory.migrated(settings)
        with base.running(settings):
            return uvloop.run(_measured(settings))


async def _measured(settings: Settings) -> Rows:
    async with House.opened(settings) as house:
        memory.settle()  # as a worker does once it has started
        maker = await territory.Maker.of(house)
        doctor, _role, act = await maker.professional("gp")
        patients = [one for start in range(0, PATIENTS, 50) for one in await people(maker, doctor, start)]
        await house.database.writing.execute("vacuum analyze")
        caller = await territory.caller(house, act)
        rows = await predicate(house, caller)
        rows += await across(house, caller)
        rows += await touched(house, maker, patients[:TOUCHED])
    return rows


async def people(maker: territory.Maker, doctor: str, start: int) -> list[str]:
    """Fifty people in one transaction, each with the doctor on the team."""
    trees: dict[str, Tree] = {}
    for number in range(start, start + 50):
        urn = f"urn:uuid:patient-{number}"
        name = {"use": "official", "family": f"ESSAI{number}", "given": ["Camille"]}
        born = f"{1930 + number % 60}-03-04"
        trees[urn] = {"resourceType": "Patient", "name": [name], "birthDate": born}
        trees[f"urn:uuid:team-{number}"] = territory.team(urn, doctor)
        trees |= {f"urn:uuid:weight-{number}-{month}": _weight(urn, number, month) for month in range(EACH)}
    return [one for one in await maker.write(trees) if one.startswith("Patient/")]


def _weight(patient: str, number: int, month: int) -> Tree:
    when = datetime.now(UTC) - timedelta(days=30 * month + number % 30, minutes=number)
    kilograms = {"value": 50 + number % 50, "unit": "kg", "system": "http://unitsofmeasure.org", "code": "kg"}
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]},
        "subject": {"reference": patient},
        "effectiveDateTime": when.isoformat(timespec="seconds"),
        "valueQuantity": kilograms,
    }


async def predicate(house: House, caller: Caller) -> Rows:
    """On beside off, for a read and for a search of one patient: of the medians of the rounds by the clock, and the median of
    the rounds' own ratios of processor time, which is what a busy machine leaves to compare."""
    processor = await Processor.beside(house.database.writing)
    async with Store(house.database, house.vault, Open(), Hooks(house.vault, house.journal)) as store:
        without = Engine(store, house.journal, house.settings.fhir_base, OPERATIONS, {})
        found = await _asked(house.engine, caller, "Observation", "_count=200")
        ids = [str(entry["resource"]["id"]) for entry in found["entry"]]
        patients = [str(entry["resource"]["subject"]["reference"]) for entry in found["entry"]]
        reads = [(f"Observation/{id_}", "") for id_ in ids]
        searches = [
            ("Observation", f"patient={one}&code=http://loinc.org%7C29463-7&_sort=-date&_count=20") for one in patients
        ]
        engines = {"on": house.engine, "off": without}
        rows = []
        for name, asked in (("a read", reads), ("a patient-level search", searches)):
            rows += await _compared(name, engines, processor, caller, asked)
        return rows


async def _compared(
    name: str, engines: Mapping[str, Engine], processor: Processor, caller: Caller, asked: Sequence[tuple[str, str]]
) -> Rows:
    times: dict[str, list[float]] = {which: [] for which in engines}
    used: dict[str, list[float]] = {which: [] for which in engines}
    for number in range(ROUNDS):
        chosen = [asked[(number * A_ROUND + i) % len(asked)] for i in range(A_ROUND)]
        for which in sorted(engines, reverse=bool(number % 2)):
            began, before = time.perf_counter(), processor.used()
            for path, query in chosen:
                await _asked(engines[which], caller, path, query)
            times[which].append((time.perf_counter() - began) / A_ROUND * 1e6)
            used[which].append((processor.used() - before) / A_ROUND * 1e6)
    more = statistics.median(on / off for on, off in zip(used["on"], used["off"], strict=True))
    _, medians, _ = _row(name, used)
    return [_row(f"predicate, {name}", times), (f"predicate, {name}, processor", medians, _percent(more))]


def _row(name: str, figures: Mapping[str, Sequence[float]]) -> tuple[str, str, str]:
    on, off = (statistics.median(figures[which]) for which in ("on", "off"))
    return (name, f"{on:.0f} µs with it, {off:.0f} without", _percent(on / off))


def _percent(ratio: float) -> str:
    return f"{(ratio - 1) * 100:+.1f} %"


async def across(house: House, caller: Caller) -> Rows:
    """One code since a day, newest first, over everyone that the caller follows."""
    since = (datetime.now(UTC) - timedelta(days=60)).date().isoformat()
    rows = []
    for name, query in (
        ("a page", f"code=http://loinc.org%7C29463-7&date=ge{since}&_sort=-date&_count=20"),
        ("with the exact total", f"code=http://loinc.org%7C29463-7&date=ge{since}&_sort=-date&_total=accurate"),
    ):
        times = []
        for _ in range(40):
            began = time.perf_counter()
            found = await _asked(house.engine, caller, "Observation", query)
            times.append((time.perf_counter() - began) * 1000)
            assert found["entry"]
        p95 = sorted(times)[int(len(times) * 0.95)]
        said = f"p50 {statistics.median(times):.1f} ms, p95 {p95:.1f} ms"
        rows.append((f"code and date over {PATIENTS} patients, {name}", said, "aimed at: under 100 ms"))
    return rows


async def touched(house: House, maker: territory.Maker, patients: Sequence[str]) -> Rows:
    """A nurse comes on fifty teams in one transaction, and sees them all; she leaves them in one, and sees nobody. From the
    request that changes it to the answer that shows it."""
    _person, role, act = await maker.professional("nurse")
    teams = {f"urn:uuid:{number}": territory.team(one, role) for number, one in enumerate(patients)}
    names = await maker.write(teams)
    caller = await territory.caller(house, act)
    times: dict[bool, list[float]] = {False: [], True: []}
    for _ in range(CHANGES):
        for present in (False, True):
            changed = [{**tree, "status": "active" if present else "inactive"} for tree in teams.values()]
            began = time.perf_counter()
            await maker.rewrite(dict(zip(names, changed, strict=True)))
            seen = await _asked(house.engine, caller, "Patient", "_summary=count")
            times[present].append((time.perf_counter() - began) * 1000)
            assert seen["total"] == (len(patients) if present else 0)
    return [
        (
            f"{len(patients)} teams {'joined' if present else 'left'} at once, until seen",
            f"p50 {statistics.median(found):.1f} ms, slowest {max(found):.1f} ms",
            "aimed at: under 100 ms",
        )
        for present, found in times.items()
    ]


async def _asked(engine: Engine, caller: Caller, path: str, query: str) -> Tree:
    answer: Answer = await engine.handle(caller, Request("GET", path, query, b""))
    assert answer.status == 200, answer.body
    tree: Tree = json.loads(answer.body)
    return tree
