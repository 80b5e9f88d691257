"""The engine's searches against the reference evaluator: the same ids, the same order, the same totals, page by page."""

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlencode

import pytest

from liaison.fhir.store.database import Database

from .evaluator import Seen, matching
from .generator import Generator
from .world import Way, World, compare, loaded


async def _agree(
    world: World, queries: int, seed: int, chained: float = 0.3, *, most: int = 20, types: Sequence[str] = ()
) -> None:
    """Gives up after so many differences."""
    made = Generator(list(world.corpus.resources.values()), seed, chained=chained, types=types)
    visible = {caller: Seen(world.visible(caller)) for caller in world.callers}
    differences, matched = [], 0
    for number in range(queries):
        asked = made.query()
        caller = made.random.choice(list(visible))
        count = made.random.choice((1000, 1000, 20, 7))
        difference = await compare(world, caller, asked, visible[caller], Way(count))
        matched += bool(matching(visible[caller], asked)) if number < 200 else 0
        if difference:
            differences.append(f"{caller.session} {asked.type}?{urlencode(asked.text())} _count={count}: {difference}")
            assert len(differences) < most, "\n".join(differences)
    assert not differences, "\n".join(differences)
    assert matched > min(queries, 200) / 4, "the queries find next to nothing: they prove nothing"


async def test_generated_searches_agree_with_the_reference(database: Database, tmp_path: Path) -> None:
    async for world in loaded(database, tmp_path, 3):
        await _agree(world, 150, seed=1)


async def test_a_planted_fault_is_found(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from liaison.fhir.search import date

    real = date.limits
    monkeypatch.setattr(
        date, "limits", lambda asked, now: real(asked._replace(prefix={"ge": "gt"}.get(asked[0], asked[0])), now)
    )
    async for world in loaded(database, tmp_path, 1):
        with pytest.raises(AssertionError, match="found"):
            await _agree(world, 3_000, seed=1, most=1, types=("Encounter", "Observation", "Procedure"))


async def test_a_fault_planted_in_chains_is_found(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from liaison.fhir.search.links import Links

    real = Links.naming
    monkeypatch.setattr(
        Links, "naming", lambda self, type_, parameter, keys: real(self, type_, parameter, sorted(keys)[:1])
    )
    async for world in loaded(database, tmp_path, 1):
        with pytest.raises(AssertionError, match="found"):
            await _agree(world, 1_500, seed=1, most=1)


@pytest.mark.parametrize("fault", ["tokens", "of"])
async def test_a_fault_planted_in_what_is_contained_is_found(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    from liaison.fhir.search.containing import Containing

    async def nothing(*_: object) -> list[object]:
        return []

    monkeypatch.setattr(Containing, fault, {"tokens": lambda *_: ((), True), "of": nothing}[fault])
    async for world in loaded(database, tmp_path, 3):
        with pytest.raises(AssertionError, match="found"):
            await _agree(world, 3_000, seed=1, chained=0.9, most=1, types=("Encounter", "MedicationRequest"))


@pytest.mark.parametrize("fault", ["tokens_of", "led_to"])
async def test_a_fault_planted_in_canonicals_is_found(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    from liaison.fhir.search.canonical import Definitions

    async def nothing(*_: object) -> dict[object, object]:
        return {}

    monkeypatch.setattr(Definitions, fault, nothing)
    async for world in loaded(database, tmp_path, 1):
        with pytest.raises(AssertionError, match="found"):
            await _agree(world, 3_000, seed=1, chained=0.9, most=1, types=("QuestionnaireResponse",))
