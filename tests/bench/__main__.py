"""`make bench`: measures the running service over HTTP and prints one table.

Two cores are shared by the service, PostgreSQL and the load generator, as on the small machine it is meant for. Each
figure stands beside the limit of the same run: the sketch of the read path (sketch.py) and a bare ASGI endpoint.
Environment: LIAISON_SAMPLE_DATA (the records to load; a `synthea` folder in it is taken), BENCH_SECONDS, BENCH_WORKERS,
BENCH_SCALE (the records so many times over, as other people's: multiply.py), BENCH_ONLY=searches (leaves the load
tests out), BENCH_ONLY=growth (what BENCH_SCALE, or 50, times the records cost a search of one: growth.py), BENCH_ONLY=visibility (only what deciding who may see costs: visibility.py), BENCH_ONLY=journal (the journal, and
a long one of BENCH_ENTRIES entries: journal.py) BENCH_ONLY=telephones (an evening of visits: telephones.py)
or BENCH_ONLY=protocols ($apply, the nightly calendar, signals: protocols.py).
"""

import asyncio
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
from tests.bench import growth, journal, protocols, shapes, telephones, territory, tokens, visibility
from tests.bench.generator import Measured, cycle, drive

from liaison.auth.sessions import Act
from liaison.services import base
from liaison.services.house import House
from liaison.services.settings import Settings

SCALE: Final = int(os.environ.get("BENCH_SCALE", "1"))
ONLY: Final = os.environ.get("BENCH_ONLY", "")
PEOPLE: Final = 20
"""People of whom each shape of search is asked."""
SECONDS: Final = int(os.environ.get("BENCH_SECONDS", "6"))
WORKERS: Final = int(os.environ.get("BENCH_WORKERS", "2"))
RECORD: Final = 234
"""Entries of the record that $everything is measured on, or the nearest there is."""
LARGEST: Final = "$everything of the largest record"
GOALS: Final = {
    "import": 2000,
    "code and date": 1500,
    "family name": 600,
    "two includes": 500,
    "$everything": 100,
    "create": 600,
}
"""What is aimed at, a second at 16 connections, on a machine whose sketch gives GOALS_AT. Elsewhere their ratio counts."""
GOALS_AT: Final = 9070
Rows = list[tuple[str, str, str]]
Limits = dict[int, tuple[Measured, Measured]]
"""By number of connections: the sketch, and the bare endpoint."""


def main() -> None:
    if ONLY == "visibility":
        show(visibility.measure())
        return
    if ONLY == "journal":
        with tempfile.TemporaryDirectory(prefix="liaison-bench-") as folder:
            show(journal.measure(territory.settings_in(Path(folder))))
        return
    if ONLY == "telephones":
        with tempfile.TemporaryDirectory(prefix="liaison-bench-") as folder:
            show(telephones.measure(territory.settings_in(Path(folder)))[0])
        return
    if ONLY == "protocols":
        with tempfile.TemporaryDirectory(prefix="liaison-bench-") as folder:
            show(protocols.measure(territory.settings_in(Path(folder))))
        return
    samples = os.environ.get("LIAISON_SAMPLE_DATA")
    if not samples or not shutil.which("wrk"):
        sys.exit("bench: LIAISON_SAMPLE_DATA names the records to load, and wrk drives (Debian: apt-get install wrk).")
    with tempfile.TemporaryDirectory(prefix="liaison-bench-") as folder:
        if ONLY == "growth":
            records = Path(samples) / "synthea"
            show(growth.measure(Path(folder), records, SCALE if SCALE > 1 else 50, WORKERS, PEOPLE))
            return
        show(measure(Path(folder), Path(samples)) + ([] if ONLY else visibility.measure()))


def measure(folder: Path, samples: Path) -> Rows:
    rows: Rows = [("median fdatasync", f"{fdatasync(folder):.2f} ms", "")]
    settings = territory.settings_in(folder)
    stored, seconds = territory.load(settings, samples / "synthea")
    rows.append((f"import of {stored} resources", f"{stored / seconds:.0f} resources/s", "start-up included"))
    held = stored
    if SCALE > 1:
        held = territory.multiplied(settings, SCALE)
        rows.append(("multiplied", f"{held} resources of patients", f"{SCALE} times"))
    with territory.serving(settings, WORKERS) as (address, process):
        rows += asyncio.run(served(settings, address, process, held, stored / seconds))
    return rows


def beside_goal(name: str, rate: float, limits: Limits) -> str:
    """The rate as a part of what the sketch gives in this run, and the part that is aimed at."""
    return f"{rate / limits[16][0].rate:.3f} of the sketch at 16 connections; aimed at: {GOALS[name] / GOALS_AT:.3f}"


async def served(settings: Settings, address: str, process: int, stored: int, imported: float) -> Rows:
    rows: Rows = []
    async with House.opened(settings) as house:
        rows.append(("disk", f"{await size(house) / stored / 1024:.2f} kB/resource", "tables and indexes"))
        act = await territory.settle(house)
        rows += await searches(house, act, address)
        if ONLY == "searches":
            return rows
        bearer = {"Authorization": f"Bearer {await territory.token(house, act)}"}
        asked = await questions(address, bearer)
        limits = await limit(settings, address)
        rows.append(("import, compared", f"{imported:.0f} resources/s", beside_goal("import", imported, limits)))
        await house.database.writing.execute("vacuum analyze")
        before, reads = await journal_bytes(house), 0.0
        for connections in (1, 16, 64):
            bearer = {"Authorization": f"Bearer {await territory.token(house, act)}"}
            got = drive(address, cycle(asked["read"], bearer), connections=connections, seconds=SECONDS)
            reads += got.rate * SECONDS
            sketch, bare = limits[connections]
            compared = (
                f"{got.rate / sketch.rate:.2f} of the sketch ({sketch.rate:.0f}), {got.rate / bare.rate:.2f} of bare"
            )
            rows.append((f"reads, {connections} connections", told(got), compared))
        await asyncio.sleep(2)  # the journal's integrator catches up
        rows.append(("journal", f"{(await journal_bytes(house) - before) / reads:.0f} bytes/read", ""))
        bearer = {"Authorization": f"Bearer {await territory.token(house, act)}"}
        got = drive(address, cycle(asked[LARGEST], bearer), connections=1, seconds=SECONDS)
        rows.append((LARGEST, told(got), "aimed at: under 1 s"))
        for name in ("code and date", "family name", "two includes", "$everything", "create"):
            bearer = {"Authorization": f"Bearer {await territory.token(house, act)}"}
            if name == "create":
                bearer["Content-Type"] = "application/fhir+json"
            for connections in (1, 16):
                got = drive(address, cycle(asked[name], bearer), connections=connections, seconds=SECONDS)
                compared = beside_goal(name, got.rate, limits) if connections == 16 else ""
                rows.append((f"{name}, {connections} connections", told(got), compared))
        rows += await tokens.measured(house, address, act.organization, SECONDS)
    rows.append(("resident memory", ", ".join(f"{mb:.0f} MB" for mb in resident(process)), "each process"))
    return rows


async def searches(house: House, act: Act, address: str) -> Rows:
    """Each shape of search, one client, before anything else is asked."""
    await territory.define(house, shapes.PARAMETER)
    await house.database.writing.execute("vacuum analyze")
    caller = await territory.caller(house, act)

    async def renewed() -> dict[str, str]:
        return {"Authorization": f"Bearer {await territory.token(house, act)}"}

    async with httpx.AsyncClient(base_url=f"{address}/fhir", timeout=60) as client:
        client.headers.update(await renewed())
        patients = (await everything(client, "Patient"))[:PEOPLE]
        people = await shapes.places(client, patients, renewed)
        return await shapes.measured(house, caller, client, people, renewed)


async def questions(address: str, bearer: dict[str, str]) -> dict[str, list[tuple[str, str, str]]]:
    """The requests of each scenario, sampled from what the doctor sees, always the same sample of it."""
    chosen = random.Random(7)
    reads, searches, includes, families, creates, records = [], [], [], [], [], []
    async with httpx.AsyncClient(base_url=f"{address}/fhir", headers=bearer, timeout=60) as client:
        patients = await everything(client, "Patient")
        for patient in patients:
            id_ = patient["id"]
            whole = (await client.get(f"Patient/{id_}/$everything", headers=bearer)).json()
            records.append((whole["total"], ("GET", f"/fhir/Patient/{id_}/$everything", "")))
            families.append(("GET", f"/fhir/Patient?family={patient['name'][0]['family'][:4]}", ""))
            includes.append(
                (
                    "GET",
                    f"/fhir/Encounter?patient={id_}&_include=Encounter:patient&_include=Encounter:participant&_count=20",
                    "",
                )
            )
            for one in chosen.sample(
                found := await everything(client, f"Observation?patient={id_}"), min(60, len(found))
            ):
                reads.append(("GET", f"/fhir/Observation/{one['id']}", ""))
                coding = one["code"]["coding"][0]
                code = f"{coding['system']}%7C{coding['code']}"
                searches.append(("GET", f"/fhir/Observation?patient={id_}&code={code}&_sort=-date&_count=20", ""))
                body = {k: v for k, v in one.items() if k not in ("id", "meta", "encounter")}
                creates.append(("POST", "/fhir/Observation", json.dumps(body)))
    for several in (reads, searches, creates):
        chosen.shuffle(several)
    check(httpx.get(f"{address}{searches[0][1]}", headers=bearer), "code and date")
    check(httpx.get(f"{address}{families[0][1]}", headers=bearer), "family name")
    check(httpx.get(f"{address}{includes[0][1]}", headers=bearer), "two includes")
    return {
        "$everything": [min(records, key=lambda one: abs(one[0] - RECORD))[1]], LARGEST: [max(records)[1]], "read": reads, "code and date": searches, "family name": families, "two includes": includes, "create": creates,
    }  # fmt: skip


def check(answer: httpx.Response, name: str) -> None:
    """A fast server that answers with nothing measures nothing."""
    if answer.status_code != 200 or not answer.json().get("entry"):
        raise RuntimeError(f"{name}: the first answer is {answer.status_code} without entries")


async def everything(client: httpx.AsyncClient, path: str) -> list[dict[str, Any]]:
    following, found = f"/{path}{'&' if '?' in path else '?'}_count=200", []
    while following:
        page = (await client.get(following)).json()
        found += [entry["resource"] for entry in page.get("entry", [])]
        links = {link["relation"]: link["url"] for link in page.get("link", [])}
        parts = urlsplit(links.get("next", ""))
        following = f"{parts.path.removeprefix('/fhir')}?{parts.query}" if parts.query else ""
    return found


async def limit(settings: Settings, address: str) -> Limits:
    """The sketch and the bare endpoint on the same database server, while the service is idle."""
    port = urlsplit(address).port or 0
    process = subprocess.Popen([sys.executable, "-m", "tests.bench.sketch", base.url(settings), str(port + 1)])
    sketch = f"http://127.0.0.1:{port + 1}"
    try:
        for _ in range(600):
            try:
                httpx.get(f"{sketch}/bare", timeout=1)
                break
            except httpx.TransportError:
                await asyncio.sleep(0.1)
        script = 'request = function() return wrk.format("GET", "/Observation/o" .. math.random(0, 49999)) end'
        bare = 'request = function() return wrk.format("GET", "/bare") end'
        return {
            n: (drive(sketch, script, connections=n, seconds=SECONDS), drive(sketch, bare, connections=n, seconds=3))
            for n in (1, 16, 64)
        }
    finally:
        process.terminate()
        process.wait()


def told(got: Measured) -> str:
    refused = f", {got.refused} refused" if got.refused else ""
    return f"{got.rate:.0f}/s, p50 {got.p50:.2f} ms, p95 {got.p95:.2f} ms, p99 {got.p99:.2f} ms{refused}"


def fdatasync(folder: Path) -> float:
    """Median milliseconds of a 4 kB append and fdatasync in the folder of the database."""
    times = []
    descriptor = os.open(folder / "fsync", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    for _ in range(200):
        os.write(descriptor, b"\0" * 4096)
        began = time.perf_counter()
        os.fdatasync(descriptor)
        times.append((time.perf_counter() - began) * 1000)
    os.close(descriptor)
    return statistics.median(times)


async def size(house: House) -> int:
    return int(await house.database.reading.fetchval("select pg_database_size(current_database())"))


async def journal_bytes(house: House) -> int:
    """Everything a journal entry costs: its row, indexes, position and its part of the tree."""
    query = """
    select coalesce(sum(pg_total_relation_size(oid)), 0) from pg_class where relname like 'journal%' and relkind = 'r'
    """
    return int(await house.database.reading.fetchval(query))


def resident(process: int) -> list[float]:
    """Megabytes of the service's own processes (PostgreSQL's are not counted)."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            status = dict(
                line.split(":\t", 1) for line in (folder / "status").read_text().splitlines() if ":\t" in line
            )
            command = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        ours = int(folder.name) == process or int(status["PPid"]) == process
        if ours and b"postgres" not in command.split(b"\0")[0] and b"resource_tracker" not in command:
            found.append(int(status["VmRSS"].split()[0]) / 1024)
    return sorted(found, reverse=True)


def show(rows: Rows) -> None:
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


if __name__ == "__main__":
    main()
