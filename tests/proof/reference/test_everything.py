"""$everything against the given data itself: what a caller may see of a record, each once, found without SQL."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from liaison.fhir.errors import NotFound
from liaison.fhir.interactions.routing import route
from liaison.fhir.operations import referred
from liaison.fhir.operations.encounter_everything import encounter_everything
from liaison.fhir.operations.everything import everything
from liaison.fhir.store.contract import Request
from liaison.fhir.store.database import Database

from .corpus import Resource
from .named import Names, behind, named
from .world import BASE, World, loaded


async def _pages(world: World, caller: Any, path: str, count: int | None) -> tuple[list[str], list[str]]:
    """(matches, included) over all pages, as 'Type/id'."""
    operation = encounter_everything if path.startswith("Encounter") else everything
    query = "" if count is None else f"_count={count}"
    matches: list[str] = []
    included: list[str] = []
    while True:
        answer = await operation(world.store, caller, route("GET", path), Request("GET", path, query), BASE)
        bundle = orjson.loads(answer.body)
        for entry in bundle.get("entry", ()):
            name = f"{entry['resource']['resourceType']}/{entry['resource']['id']}"
            (matches if entry["search"]["mode"] == "match" else included).append(name)
        following = [link["url"] for link in bundle["link"] if link["relation"] == "next"]
        if not following:
            return matches, included
        query = following[0].partition("?")[2]


def _name(tree: Resource) -> str:
    return f"{tree['resourceType']}/{tree['id']}"


async def _agree(world: World, counts: tuple[int | None, ...]) -> None:
    compared = 0
    for caller, patients in world.callers.items():
        seen = world.visible(caller)
        directory = {_name(tree): tree for tree in seen if not world.corpus.owner[tree["id"]]}
        everybody: Names = set()
        for patient in (id_ for id_, tree in world.corpus.resources.items() if tree["resourceType"] == "Patient"):
            path = f"Patient/{patient}/$everything"
            if patient not in patients:
                with pytest.raises(NotFound):
                    await _pages(world, caller, path, None)
                continue
            record = [tree for tree in seen if world.corpus.owner[tree["id"]] == patient]
            everybody |= set(map(_name, record))
            for count in counts:
                matches, included = await _pages(world, caller, path, count)
                assert sorted(matches) == sorted(map(_name, record))
                assert sorted(included) == sorted(behind(record, directory))
            for encounter in [tree for tree in record if tree["resourceType"] == "Encounter"][:3]:
                around = {_name(tree) for tree in record if _name(encounter) in named(tree)} | {_name(encounter)}
                matches, included = await _pages(world, caller, f"{_name(encounter)}/$everything", 10)
                assert sorted(matches) == sorted(around)
                assert len(included) == len(set(included)) and not around & set(included)
                assert f"Patient/{patient}" in included
                compared += len(matches)
        matches, _ = await _pages(world, caller, "Patient/$everything", 300)
        assert sorted(matches) == sorted(everybody)
        compared += len(matches)
    assert compared > 500, "next to nothing was compared: that proves nothing"


async def test_everything_is_what_may_be_seen(database: Database, tmp_path: Path) -> None:
    async for world in loaded(database, tmp_path, 3):
        await _agree(world, (None, 40))


@pytest.mark.proof
async def test_so_it_is_of_all_the_given_records(database: Database, tmp_path: Path) -> None:
    async for world in loaded(database, tmp_path, 25):
        await _agree(world, (None, 100))


async def test_a_reference_overlooked_is_found(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = referred._REFERENCE
    monkeypatch.setattr(referred, "_REFERENCE", lambda body: [one for one in real(body) if one[0] != b"Organization"])
    async for world in loaded(database, tmp_path, 1):
        with pytest.raises(AssertionError):
            await _agree(world, (None,))
