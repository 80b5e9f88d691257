"""The given data in a store, with what makes its values stand for more: value sets, wholes and parts, lists, risks, tags."""

import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from liaison.fhir.model import Number
from liaison.fhir.store.database import Database

from . import corpus as sample
from .meant import code_systems, coded, value_sets
from .world import Hooks, World, forms, opened

HIDDEN = frozenset({"Condition", "Observation", "Encounter", "List"})
"""Stays and lists may be hidden, too."""


async def _furnish(world: World, bundles: list[list[dict[str, Any]]]) -> None:
    """The data, with parts of wholes in it, and what is said of its codes."""
    made = random.Random(11)
    used = sorted(set(coded(bundles)))
    systems = code_systems(used, made)
    ids = [world.make(**_split(one)) for one in (*systems, *value_sets(systems, used, made))]
    for type_, count in (("Organization", 9), ("Location", 25)):
        for number in range(count):
            id_ = world.make(type_, name=f"{type_} {number}")
            tree = world.corpus.resources[id_]
            before = [one for one in ids if world.corpus.resources[one]["resourceType"] == type_]
            if before and made.random() < 0.7:
                tree["partOf"] = {"reference": f"{type_}/{made.choice(before)}"}
            if type_ == "Location":
                tree["managingOrganization"] = {"reference": f"Organization/{made.choice(_of(world, 'Organization'))}"}
                if made.random() < 0.8:
                    latitude, longitude = made.uniform(44.4, 45.6), made.uniform(1.8, 3.2)
                    tree["position"] = {"latitude": round(latitude, 5), "longitude": round(longitude, 5)}
            ids.append(id_)
    await world.store_all(ids)
    for bundle in bundles:
        ids = world.corpus.add(bundle)
        stays = [one for one in ids if world.corpus.resources[one]["resourceType"] == "Encounter"]
        for number, id_ in enumerate(stays):
            tree = world.corpus.resources[id_]
            tree["serviceProvider"] = {"reference": f"Organization/{made.choice(_of(world, 'Organization'))}"}
            if number and made.random() < 0.7:
                tree["partOf"] = {"reference": f"Encounter/{made.choice(stays[:number])}"}
        patients = [one for one in ids if world.corpus.resources[one]["resourceType"] == "Patient"]
        for tree in (world.corpus.resources[one] for one in ids if made.random() < 0.4):
            tree["meta"] = tree.get("meta", {}) | _labels(made)
        await world.store_all(ids)
        everything = [one for one in world.corpus.resources if world.corpus.owner[one]]
        for patient in patients:
            await world.store_all([_list(world, patient, made.sample(everything, 25)) for _ in range(4)])
            await world.store_all([_risk(world, patient, made) for _ in range(6)])


def _split(resource: dict[str, Any]) -> dict[str, Any]:
    return {"type_" if name == "resourceType" else name: value for name, value in resource.items()}


def _of(world: World, type_: str) -> list[str]:
    return [id_ for id_, tree in world.corpus.resources.items() if tree["resourceType"] == type_]


def _list(world: World, patient: str, items: list[str]) -> str:
    entries = [{"item": {"reference": f"{world.corpus.resources[one]['resourceType']}/{one}"}} for one in items]
    subject = {"reference": f"Patient/{patient}"}
    gone = [one | {"deleted": True} for one in entries[::5]]
    return world.make("List", patient, status="current", mode="changes", subject=subject, entry=entries[1:] + gone)


def _labels(made: random.Random) -> dict[str, Any]:
    """Some of what a client may say of where a resource comes from."""
    found: dict[str, Any] = {"tag": [{"system": "http://tags", "code": made.choice(("red", "green", "Red"))}]}
    if made.random() < 0.5:
        found["source"] = "http://source/" + made.choice(("a", "a/b", "ab", "b"))
    return found


def _risk(world: World, patient: str, made: random.Random) -> str:
    """What R4 has numbers for."""
    numbers = (
        Number(made.choice(("0.1", "0.10", "0.15", "0.9", "1", "0.25", "3e-2"))) for _ in range(made.randint(0, 2))
    )
    return world.make(
        "RiskAssessment",
        patient,
        status="final",
        subject={"reference": f"Patient/{patient}"},
        occurrenceDateTime=f"20{made.randint(10, 26)}-0{made.randint(1, 9)}",
        prediction=[{"probabilityDecimal": one} for one in numbers],
    )


async def furnished(database: Database, tmp_path: Path, most: int, *, examples: bool = False) -> AsyncIterator[World]:
    """With so many bundles of the given data, the French `examples` too; callers who see all, some and none of it."""
    bundles = [*sample.given(most), *(sample.french() if examples else [])]
    async with opened(database, tmp_path, Hooks(HIDDEN)) as world:
        await _furnish(world, bundles)
        patients = _of(world, "Patient")
        await world.store_all(forms(world, patients))
        await world.see(1, patients)
        await world.see(2, patients[::3])
        await world.see(3, [])
        yield world
