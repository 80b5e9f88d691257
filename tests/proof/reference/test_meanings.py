"""Values that stand for more than themselves, against the reference: value sets, hierarchies, lists, composites, places."""

from collections.abc import Awaitable, Callable
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

from .evaluator import matching
from .furnished import furnished
from .meanings import Meanings
from .meant import Meant
from .world import Way, World, compare


async def _agree(world: World, queries: int, seed: int, *, most: int = 20) -> None:
    """Gives up after so many differences."""
    made = Meant(list(world.corpus.resources.values()), seed)
    visible = {caller: Meanings(world.visible(caller)) for caller in world.callers}
    differences, matched = [], 0
    for _ in range(queries):
        asked = made.query()
        caller = made.random.choice(list(visible))
        count = made.random.choice((1000, 1000, 15))
        difference = await compare(world, caller, asked, visible[caller], Way(count))
        matched += bool(matching(visible[caller], asked))
        if difference:
            differences.append(f"{caller.session} {asked.type}?{urlencode(asked.text())} _count={count}: {difference}")
            assert len(differences) < most, "\n".join(differences)
    assert not differences, "\n".join(differences)
    assert matched > queries / 5, "the queries find next to nothing: they prove nothing"


async def test_generated_meanings_agree_with_the_reference(database: Database, tmp_path: Path) -> None:
    async for world in furnished(database, tmp_path, 3):
        await _agree(world, 100, seed=21)


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
    async for world in furnished(database, tmp_path, 1):
        with pytest.raises(AssertionError, match="found"):
            await _agree(world, 2_000, seed=21, most=1)
