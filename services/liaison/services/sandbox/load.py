"""Writes the territory into the store, through the engine like any transaction, as the internal principal 'sandbox'."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final

import orjson

from liaison.auth.access import internal
from liaison.auth.caller import Caller
from liaison.fhir.store.contract import Request
from liaison.services.house import House
from liaison.services.library.publishing import publish_shipped
from liaison.services.sandbox.territory import Patient, Territory

Tree = dict[str, Any]
LONGEST: Final = timedelta(hours=4)
TOGETHER: Final = 3
"""Patients written at once: while the database works on one, the next is prepared."""


class NotLoaded(RuntimeError):
    """The engine refused a part of the territory: a fault of this program, told with the outcome's own words."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """Where everything is now: 'Type/id' by urn:uuid for the directory and the people; the patients with theirs."""

    references: Mapping[str, str]
    patients: tuple[tuple[Patient, str], ...]


async def load_directory(house: House, territory: Territory) -> dict[str, str]:
    """The structures, the professionals and the protocols: 'Type/id' by urn:uuid."""
    async with _maker(house) as caller:
        written = await _write(house, caller, territory.directory.bundle(), {})
    await publish_shipped(house, "liaison sandbox")
    return written


async def load_patients(
    house: House, territory: Territory, directory: Mapping[str, str], progress: Callable[[int], None]
) -> Loaded:
    """One transaction a patient; `progress` is told how many resources are written so far."""
    kept = dict(directory)
    wanted = {person.subject for person in territory.people}
    patients: list[tuple[Patient, str]] = []
    written = len(directory)

    async def write_some(source: Iterator[Patient]) -> None:
        nonlocal written
        for patient in source:  # shared: each takes the next patient when it has written one
            made = await _write(house, caller, patient.bundle, directory)
            patients.append((replace(patient, bundle={}), made[patient.urn]))
            kept.update({urn: reference for urn, reference in made.items() if urn in wanted})
            written += len(made)
            progress(written)

    async with _maker(house) as caller, asyncio.TaskGroup() as group:
        source = territory.patients()
        for _ in range(TOGETHER):
            group.create_task(write_some(source))
    order = {story.key: number for number, story in enumerate(territory.stories)}
    return Loaded(kept, tuple(sorted(patients, key=lambda one: order[one[0].key])))


@asynccontextmanager
async def _maker(house: House) -> AsyncIterator[Caller]:
    caller = await internal.open_session(house.database.writing, "sandbox", LONGEST)
    try:
        yield caller
    finally:
        await internal.close_session(house.database.writing, caller)


async def _write(house: House, caller: Caller, bundle: Tree, known: Mapping[str, str]) -> dict[str, str]:
    body = orjson.dumps(_linked(bundle, known))
    answer = await house.engine.handle(caller, Request("POST", "", "", body, {"prefer": "return=minimal"}))
    if answer.status != 200:
        raise NotLoaded(answer.body.decode())
    entries = orjson.loads(answer.body)["entry"]
    return {
        given["fullUrl"]: "/".join(entry["response"]["location"].split("/")[-4:-2])
        for given, entry in zip(bundle["entry"], entries, strict=True)
    }


def _linked(node: Any, known: Mapping[str, str]) -> Any:
    """The tree with references to the directory made literal; those within the bundle stay urn:uuid."""
    if isinstance(node, dict):
        return {
            name: known.get(child, child) if name == "reference" and isinstance(child, str) else _linked(child, known)
            for name, child in node.items()
        }
    if isinstance(node, list):
        return [_linked(child, known) for child in node]
    return node
