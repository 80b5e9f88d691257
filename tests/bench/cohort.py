"""`python -m tests.bench.cohort`: the coordinator's cohort over 5,000 people, on the server: rows and page, without the network.

BENCH_PEOPLE (5,000) people whom one nurse follows as their coordinator, each with a plan, four steps done and eight to come, two CAT. The first page,
the last one, those late, by name, by a step; each asked BENCH_ROUNDS (20) times after three that are not counted, with the
processor time of the worker and of PostgreSQL together.
"""

import os
import statistics
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final, cast

import uvloop
from tests.bench import territory
from tests.bench.processor import Processor

from liaison.protocols import codes
from liaison.services import base
from liaison.services.house import House
from liaison.services.pages.coordination.asked import asked, known
from liaison.services.pages.coordination.rows import CAT, cohort
from liaison.services.pages.layout import environment
from liaison.services.pages.record import Record
from liaison.services.pages.signed_in import Me

Tree = dict[str, Any]
PEOPLE: Final = int(os.environ.get("BENCH_PEOPLE", "5000"))
ROUNDS: Final = int(os.environ.get("BENCH_ROUNDS", "20"))
TODAY: Final = date.today()
AT_ONCE: Final = 25
LOOKS: Final = {
    "first page": {},
    "last page": {"page": str(-(-PEOPLE // 50))},
    "only those late": {"retard": "1"},
    "one kind of step": {"etape": "spirometry"},
    "without an owner": {"qui": "personne"},
    "by name": {"tri": "nom"},
    "a name that begins so": {"nom": "essai-12"},
}


def _step(number: int, place: int, plan: str, patient: str) -> Tree:
    due = TODAY + timedelta(days=91 * (place - 4) + 3 + (number * 37) % 85 - (30 if number % 20 == 0 else 0))
    code = ("gp-review", "spirometry", "scores", "vaccine-influenza")[place % 4]
    task: Tree = {"resourceType": "Task", "status": "requested" if place >= 4 else "completed", "intent": "order"}
    task |= {"basedOn": [{"reference": plan}], "code": {"coding": [{"system": codes.STEP, "code": code}]}}
    task |= {"description": code, "for": {"reference": patient}, "owner": {"display": "À attribuer"}}
    task["restriction"] = {"period": {"end": due.isoformat()}}
    if place < 4:
        task["executionPeriod"] = {"start": due.isoformat(), "end": due.isoformat()}
    return task


def _person(number: int, coordinator: str) -> dict[str, Tree]:
    patient, plan = f"urn:uuid:patient-{number}", f"urn:uuid:plan-{number}"
    name = {"family": f"ESSAI-{number}", "given": ["Camille"]}
    canonical = [f"{codes.LOCAL}/PlanDefinition/bpco|1.0.0"]
    trees: dict[str, Tree] = {
        patient: {"resourceType": "Patient", "name": [name], "birthDate": "1950-01-01"},
        f"urn:uuid:team-{number}": territory.team(patient, coordinator),
        plan: {"resourceType": "CarePlan", "status": "active", "intent": "plan", "subject": {"reference": patient}}
        | {"instantiatesCanonical": canonical, "period": {"start": "2026-01-05"}, "title": "Suivi de la BPCO"},
    }
    for place in range(12):
        trees[f"urn:uuid:step-{number}-{place}"] = _step(number, place, plan, patient)
    for day, total in (("2026-03-02", 12 + number % 9), ("2026-09-02", 10 + number % 14)):
        system, code = CAT.split("|")
        trees[f"urn:uuid:cat-{number}-{day}"] = {
            "resourceType": "Observation", "status": "final", "code": {"coding": [{"system": system, "code": code}]},
            "subject": {"reference": patient}, "effectiveDateTime": day, "valueInteger": total,
        }  # fmt: skip
    return trees


async def _measured(house: House) -> list[tuple[str, float, float, float]]:
    maker = await territory.Maker.of(house)
    _person_, role, act = await maker.professional("nurse")
    coordinator = _person_
    for start in range(0, PEOPLE, AT_ONCE):
        trees: dict[str, Tree] = {}
        for number in range(start, min(start + AT_ONCE, PEOPLE)):
            trees |= _person(number, coordinator)
        await maker.write(trees)
    await house.database.writing.execute("analyze")
    record = Record(house.engine, await territory.caller(house, act))
    me = cast(Me, SimpleNamespace(person=coordinator, role_reference=role))
    template = environment("fr").get_template("coordination/cohort.html")
    processor = await Processor.beside(house.database.reading)
    rows = []
    for words, query in LOOKS.items():
        took, used = [], []
        for _round in range(ROUNDS + 3):
            began, before = time.perf_counter(), processor.used()
            choices = await known(record)
            look = asked(query, choices)
            found = await cohort(record, me, look, choices, TODAY)
            template.render(
                look=look, cohort=found, stages=(), consents={None: "", "": "", "active": "", "inactive": ""},
                protocols={look.protocol: ""}, steps={}, kept=[], questions=0, trend_said=lambda _trend: "", me=None,
                path="/cohorte", csrf="", error="", notice="", other_language="", on_phone=False, sheet="",
            )  # fmt: skip
            took.append(1000 * (time.perf_counter() - began))
            used.append(1000 * (processor.used() - before))
        assert found.all == PEOPLE, found.all
        p95 = statistics.quantiles(took[3:], n=20)[-1]
        rows.append((words, statistics.median(took[3:]), p95, statistics.median(used[3:])))
    return rows


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="liaison-bench-") as folder:
        settings = territory.settings_in(Path(folder))
        territory.migrated(settings)

        async def work() -> list[tuple[str, float, float, float]]:
            async with House.opened(settings) as house:
                return await _measured(house)

        with base.running(settings):
            rows = uvloop.run(work())
    print(f"{PEOPLE} people, {ROUNDS} rounds; p50, p95 and processor time in ms, aimed at 200")
    for words, p50, p95, used in rows:
        print(f"  {words:24} {p50:7.0f} {p95:7.0f} {used:7.0f}")


if __name__ == "__main__":
    main()
