"""`BENCH_ONLY=protocols make bench`: what protocols cost. One process, its database beside it; no load generator.

`$apply` of the BPCO plan, as it is asked for; the calendar of everybody's steps, as a nightly pass over BENCH_PEOPLE (5,000)
people reads and computes it; and how many records a second the signals look at when a weight has come into each.
"""

import os
import statistics
import time
from dataclasses import replace
from datetime import date
from typing import Any, Final

import orjson
import uvloop
from tests.bench import territory
from tests.bench.processor import Processor

from liaison.auth.access import internal
from liaison.auth.caller import Caller
from liaison.fhir.store.contract import Request
from liaison.protocols.apply import propose
from liaison.protocols.carry_out import carry_out
from liaison.protocols.library import shipped
from liaison.services import base
from liaison.services.house import House
from liaison.services.installation import Kind, declare
from liaison.services.jobs.signalling import signal
from liaison.services.library.publishing import publish_shipped
from liaison.services.planned.asking import steps
from liaison.services.settings import Settings

PEOPLE: Final = int(os.environ.get("BENCH_PEOPLE", "5000"))
WEIGHED: Final = min(1000, PEOPLE)
TIMES: Final = 40
BPCO: Final = "https://liaison.example/fhir/PlanDefinition/bpco"
HEART: Final = "https://liaison.example/fhir/PlanDefinition/heart-failure"
Tree = dict[str, Any]
Rows = list[tuple[str, str, str]]


def measure(settings: Settings) -> Rows:
    territory.migrated(settings)
    with base.running(settings):
        return uvloop.run(_measured(settings))


async def _measured(settings: Settings) -> Rows:
    async with House.opened(settings) as house:
        async with house.database.writing.acquire() as one:
            await declare(one, house.vault, Kind.SANDBOX)
        await publish_shipped(house, "bench")
        maker = await internal.open_session(house.database.writing, "sandbox")
        made = await _ask(house, maker, "POST", "", _bundle({"resourceType": "Practitioner", "active": True}))
        doctor = house.store.key("Practitioner", _ids(made)[0].partition("/")[2])
        assert doctor is not None
        caller = replace(maker, practitioner=doctor.res)
        began = time.perf_counter()
        people = [patient for number in range(0, PEOPLE, 50) for patient in await _people(house, maker, number)]
        made_in = time.perf_counter() - began
        rows: Rows = [("people with a plan", str(len(people)), f"written in {made_in:.0f} s")]
        rows += await _applied(house, caller, people)
        rows.append(await _nightly(house, people))
        rows.append(await _signalled(house, maker, people))
        return rows


async def _applied(house: House, caller: Caller, people: list[str]) -> Rows:
    [definition] = (await _ask(house, caller, "GET", "PlanDefinition", query=f"url={BPCO}&_count=1"))["entry"]
    where = f"PlanDefinition/{definition['resource']['id']}/$apply"
    rows: Rows = []
    for name, flag in (
        ("preview", {"name": "preview", "valueBoolean": True}),
        ("written", {"name": "again", "valueBoolean": True}),
    ):
        taken = []
        for patient in people[:TIMES]:
            body = {"resourceType": "Parameters", "parameter": [{"name": "subject", "valueString": patient}, flag]}
            began = time.perf_counter()
            await _ask(house, caller, "POST", where, body)
            taken.append((time.perf_counter() - began) * 1000)
        told = f"{statistics.median(taken):.0f} ms, p95 {sorted(taken)[int(len(taken) * 0.95)]:.0f} ms"
        rows.append((f"$apply of the BPCO plan, {name}", told, "aimed at: under 150 ms"))
    return rows


async def _nightly(house: House, people: list[str]) -> tuple[str, str, str]:
    """Every step of everybody, told late, due, done or excused by SQL to the job that may know."""
    caller = await internal.open_session(house.database.writing, "protocols")
    processor = await Processor.beside(house.database.reading)
    began, before = time.perf_counter(), processor.used()
    found = await steps(house.store, caller, date(2027, 3, 1))
    taken, used = time.perf_counter() - began, processor.used() - before
    said = f"{taken:.1f} s for {len(people)} people, {len(found)} steps"
    return "nightly calendar", said, f"{used:.1f} s of processor time; aimed at: 5,000 people under 60 s on one core"


async def _signalled(house: House, maker: Caller, people: list[str]) -> tuple[str, str, str]:
    async with house.database.writing.acquire() as one:
        while await signal(one, house.engine):
            pass
        for start in range(0, WEIGHED, 100):
            weights = [_weight(patient, house) for patient in people[start : min(start + 100, WEIGHED)]]
            await _ask(house, maker, "POST", "", _bundle(*weights))
        processor = await Processor.beside(house.database.reading)
        began, before = time.perf_counter(), processor.used()
        looked = 0
        while looked < WEIGHED:
            looked += await signal(one, house.engine)
        taken, used = time.perf_counter() - began, processor.used() - before
    more = f"a weight into each of {WEIGHED}; {1000 * used / looked:.1f} ms of processor time each; aimed at: 200/s"
    return "signals", f"{looked / taken:.0f} records/s", more


async def _people(house: House, maker: Caller, number: int) -> list[str]:
    """Fifty people, each following the two protocols, as a transaction."""
    entries: list[Tree] = []
    urns = []
    at = house.database.clock.now()
    for one in range(number, min(number + 50, PEOPLE)):
        urn = f"urn:uuid:00000000-0000-4000-8000-{one:012d}"
        urns.append(urn)
        name = [{"family": f"BANC{one}", "given": ["Essai"]}]
        trees: list[Tree] = [
            {"resourceType": "Patient", "name": name, "birthDate": "1950-01-01"},
            {"resourceType": "CareTeam", "status": "active", "subject": {"reference": urn}},
            _measured_at(urn, "20152-5", 45, "%"),
        ]
        entries += _bundle(*trees)["entry"]
        entries[-3]["fullUrl"] = urn
        for protocol in (BPCO, HEART):
            proposal = propose(shipped(), protocol, urn, trees, at.date())
            entries += carry_out(proposal, {"display": "Banc"}, at)["entry"]
    made = await _ask(house, maker, "POST", "", {"resourceType": "Bundle", "type": "transaction", "entry": entries})
    return [one for one in _ids(made) if one.startswith("Patient/")]


def _measured_at(subject: str, code: str, value: float, unit: str, at: str = "2026-11-02") -> Tree:
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
        "subject": {"reference": subject},
        "effectiveDateTime": at,
        "valueQuantity": {"value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit},
    }


def _weight(patient: str, house: House) -> Tree:
    return _measured_at(patient, "29463-7", 70, "kg", house.database.clock.now().isoformat(timespec="seconds"))


def _bundle(*trees: Tree) -> Tree:
    entries = [{"resource": tree, "request": {"method": "POST", "url": tree["resourceType"]}} for tree in trees]
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


def _ids(answered: Tree) -> list[str]:
    return ["/".join(one["response"]["location"].split("/")[-4:-2]) for one in answered["entry"]]


async def _ask(house: House, caller: Caller, method: str, path: str, tree: Tree | None = None, query: str = "") -> Any:
    body = orjson.dumps(tree) if tree is not None else b""
    answer = await house.engine.handle(caller, Request(method, path, query, body))
    if answer.status >= 300:
        raise RuntimeError(f"{method} {path}: {answer.status} {answer.body[:500]!r}")
    return orjson.loads(answer.body)
