"""What a search of one patient costs when there are so many times the patients: two services in turn, the same people.

Two runs of `BENCH_ONLY=searches` cannot be compared: each asks other people, whose records have other lengths, at another
hour of the machine. Here a base and the same base multiplied are served side by side, and each shape is asked of the same
people in both, in turn. Beside the times stands the processor time of service and PostgreSQL, which other work on the
machine hardly moves. The first round, which fills caches, is not counted.
"""

import asyncio
import contextlib
import statistics
import subprocess
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
from tests.bench import shapes, territory

from liaison.auth.sessions import Act
from liaison.services.house import House
from liaison.services.settings import Settings

ROUNDS: Final = 6
Rows = list[tuple[str, str, str]]


@dataclass(frozen=True)
class Side:
    """One of the two: a client of its service, and the processes that work for it."""

    client: httpx.AsyncClient
    renewed: Callable[[], Awaitable[Mapping[str, str]]]
    processes: tuple[int, int]


def measure(folder: Path, samples: Path, scale: int, workers: int, people: int) -> Rows:
    """A row for each shape that is asked of one patient."""
    bases = _bases(folder, samples, scale)
    with contextlib.ExitStack() as stack:
        served = [stack.enter_context(territory.serving(settings, workers)) for settings in bases]
        return asyncio.run(_measured(bases, served, people))


def _bases(folder: Path, samples: Path, scale: int) -> tuple[Settings, Settings]:
    """The records once, and `scale` times: who is in the first base is in the second, under the same id."""
    once, many = folder / "once", folder / "many"
    once.mkdir()
    settings = territory.settings_in(once)
    territory.load(settings, samples)
    subprocess.run(["cp", "-a", once, many], check=True)  # with its owner, who runs PostgreSQL
    multiplied = settings.model_copy(update={"data": many / "data", "key_file": many / "key"})
    territory.multiplied(multiplied, scale)
    return settings, multiplied


async def _measured(bases: tuple[Settings, Settings], served: list[tuple[str, int]], people: int) -> Rows:
    """`served`: address and process of each service."""
    async with contextlib.AsyncExitStack() as stack:
        sides = [
            await _side(stack, settings, address, process)
            for settings, (address, process) in zip(bases, served, strict=True)
        ]
        patients = (await sides[0].client.get("Patient?_count=200")).json()["entry"]
        chosen = [entry["resource"] for entry in patients][:people]
        places = [await shapes.places(side.client, chosen, side.renewed) for side in sides]
        return [
            await _compared(shape, sides, places)
            for shape in shapes.SHAPES
            if not shape.once and "patient}" in shape.path
        ]


async def _side(stack: contextlib.AsyncExitStack, settings: Settings, address: str, process: int) -> Side:
    house = await stack.enter_async_context(House.opened(settings))
    act: Act = await territory.settle(house)
    await territory.define(house, shapes.PARAMETER)
    await house.database.writing.execute("vacuum analyze")
    # While the other side is asked this one is idle: the service would close a connection just as it is used again.
    limits = httpx.Limits(keepalive_expiry=1)
    client = await stack.enter_async_context(httpx.AsyncClient(base_url=f"{address}/fhir", timeout=60, limits=limits))

    async def renewed() -> dict[str, str]:
        return {"Authorization": f"Bearer {await territory.token(house, act)}"}

    client.headers.update(await renewed())
    postmaster = next(settings.data.rglob("postmaster.pid")).read_text().split()[0]
    return Side(client, renewed, (process, int(postmaster)))


async def _compared(shape: shapes.Shape, sides: list[Side], places: list[list[dict[str, str]]]) -> tuple[str, str, str]:
    asked = []
    for side, people in zip(sides, places, strict=True):
        side.client.headers.update(await side.renewed())
        asked.append(await shapes.asked_of(side.client, shape, people))
    times: list[list[float]] = [[], []]
    spent: list[list[float]] = [[], []]
    for number in range(ROUNDS + 1):
        for which in (0, 1) if number % 2 else (1, 0):
            took, each = await _round(sides[which], asked[which])
            if number:
                times[which] += took
                spent[which].append(each)
    middle = [statistics.median(some) for some in times]
    late = [statistics.quantiles(some, n=20)[18] for some in times]
    cost = [statistics.median(some) for some in spent]
    return (
        f"growth: {shape.name}",
        f"p50 {_grown(middle, '.1f')} ms, p95 {_grown(late, '.1f')} ms",
        f"processor {_grown(cost, '.0f')} µs",
    )


def _grown(pair: list[float], digits: str) -> str:
    return f"{pair[0]:{digits}} to {pair[1]:{digits}} (x{pair[1] / pair[0]:.2f})"


async def _round(side: Side, asked: list[str]) -> tuple[list[float], float]:
    """Milliseconds of each request, and the processor time of one, in microseconds."""
    before, times = _spent(), []
    for path in asked:
        began = time.perf_counter()
        answer = await side.client.get(path)
        times.append((time.perf_counter() - began) * 1000)
        if answer.status_code != 200:
            raise RuntimeError(f"{path}: {answer.text[:300]}")
    after = _spent()
    ours = _below(after, side.processes)
    used = sum(after[process][1] - before.get(process, (0, 0.0))[1] for process in ours)
    return times, used / len(asked)


def _spent() -> dict[int, tuple[int, float]]:
    """Of each process its parent, and the microseconds that it has had of a processor."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            found[int(folder.name)] = (parent, int((folder / "schedstat").read_text().split()[0]) / 1000)
    return found


def _below(processes: Mapping[int, tuple[int, float]], roots: tuple[int, ...]) -> set[int]:
    found = {root for root in roots if root in processes}
    while more := {one for one, (parent, _) in processes.items() if parent in found and one not in found}:
        found |= more
    return found
