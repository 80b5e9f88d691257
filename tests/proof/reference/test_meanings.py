"""Values that stand for more than themselves, against the reference: value sets, hierarchies, lists, composites, places."""

import random
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from liaison.fhir.search import composite, conditions, date, near
from liaison.fhir.search.resolve import _Base
from liaison.fhir.store.database import Database
from liaison.fhir.terminology import Members

from . import corpus as sample
from .evaluator import matching
from .meanings import Meanings
from .meant import Meant, code_systems, coded, value_sets
from .world import Hooks, World, compare, opened

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
        await world.store_all(ids)
        everything = [one for one in world.corpus.resources if world.corpus.owner[one]]
        for patient in patients:
            await world.store_all([_list(world, patient, made.sample(everything, 25)) for _ in range(4)])


def _split(resource: dict[str, Any]) -> dict[str, Any]:
    return {"type_" if name == "resourceType" else name: value for name, value in resource.items()}


def _of(world: World, type_: str) -> list[str]:
    return [id_ for id_, tree in world.corpus.resources.items() if tree["resourceType"] == type_]


def _list(world: World, patient: str, items: list[str]) -> str:
    entries = [{"item": {"reference": f"{world.corpus.resources[one]['resourceType']}/{one}"}} for one in items]
    subject = {"reference": f"Patient/{patient}"}
    return world.make("List", patient, status="current", mode="working", subject=subject, entry=entries)


async def _furnished(database: Database, tmp_path: Path, most: int) -> AsyncIterator[World]:
    bundles = sample.given(most)
    async with opened(database, tmp_path, Hooks(HIDDEN)) as world:
        await _furnish(world, bundles)
        patients = _of(world, "Patient")
        await world.see(1, patients)
        await world.see(2, patients[:1])
        await world.see(3, [])
        yield world


async def _agree(world: World, queries: int, seed: int, *, most: int = 20) -> None:
    """Gives up after so many differences."""
    made = Meant(list(world.corpus.resources.values()), seed)
    visible = {caller: Meanings(world.visible(caller)) for caller in world.callers}
    differences, matched = [], 0
    for _ in range(queries):
        asked = made.query()
        caller = made.random.choice(list(visible))
        count = made.random.choice((1000, 1000, 15))
        difference = await compare(world, caller, asked, visible[caller], count)
        matched += bool(matching(visible[caller], asked))
        if difference:
            differences.append(f"{caller.session} {asked.type}?{urlencode(asked.text())} _count={count}: {difference}")
            assert len(differences) < most, "\n".join(differences)
    assert not differences, "\n".join(differences)
    assert matched > queries / 5, "the queries find next to nothing: they prove nothing"


async def test_generated_meanings_agree_with_the_reference(database: Database, tmp_path: Path) -> None:
    async for world in _furnished(database, tmp_path, 3):
        await _agree(world, 100, seed=21)


@pytest.mark.proof
async def test_many_generated_meanings_agree_with_the_reference(database: Database, tmp_path: Path) -> None:
    async for world in _furnished(database, tmp_path, 10):
        await _agree(world, 5_000, seed=22)


async def _but_last(found: Awaitable[list[Any]]) -> list[Any]:
    return (await found)[:-1]


def _first_part_alone(real: Any, values: Any, one: Any) -> bool:
    shorter = [value._replace(parts=value.parts[:1]) for value in values]
    return bool(real(shorter, replace(one, operands=tuple(parts[:1] for parts in one.operands))))


def _without_ap(asked: Any) -> Any:
    return asked._replace(prefix="eq") if asked.prefix == "ap" else asked


FAULTS: dict[str, tuple[Any, str, Callable[[Any], Any]]] = {
    "an item of a list is forgotten": (_Base, "_items", lambda real: lambda *asked: _but_last(real(*asked))),
    "a part of a whole is forgotten": (_Base, "_lineage", lambda real: lambda *asked: _but_last(real(*asked))),
    "a composite is its first part": (composite, "matches", lambda real: partial(_first_part_alone, real)),
    "a resource must have the codes of all values of a composite": (
        composite,
        "any_of",
        lambda real: conditions.all_of,
    ),
    "near is a little nearer": (near, "_apart", lambda real: lambda *asked: real(*asked) * 1.3),
    "ap is eq": (date, "limits", lambda real: lambda asked, now: real(_without_ap(asked), now)),
    "nothing is left out of a value set": (Members, "without", lambda real: lambda self, other: self),
}


SHORT = (
    "an item of a list is forgotten",
    "a part of a whole is forgotten",
    "a resource must have the codes of all values of a composite",
)


@pytest.mark.parametrize(
    "fault", [pytest.param(fault, marks=[] if fault in SHORT else pytest.mark.proof) for fault in FAULTS]
)
async def test_a_planted_fault_is_found(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    where, name, planted = FAULTS[fault]
    monkeypatch.setattr(where, name, planted(getattr(where, name)))
    async for world in _furnished(database, tmp_path, 1):
        with pytest.raises(AssertionError, match="found"):
            await _agree(world, 2_000, seed=21, most=1)
