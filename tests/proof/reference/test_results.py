"""Filters, several types and compartments, against the reference: the same ids, order and totals, page by page."""

import random
from pathlib import Path
from urllib.parse import urlencode

import pytest

from liaison.auth.caller import Caller
from liaison.fhir.store.database import Database

from .results import Filters, filtered, text_of
from .several import difference
from .world import World, loaded, pages


async def _found(world: World, caller: Caller, type_: str, query: dict[str, str]) -> list[str]:
    """The ids of every page; the total, on each of them, is their number."""
    read = await pages(world, caller, type_, urlencode({**query, "_total": "accurate"}), "next")
    found = [id_ for ids, _, _ in read for id_ in ids]
    assert {total for _, total, _ in read} == {len(found)}, (type_, query)
    assert len(set(found)) == len(found), "a page repeats"
    return found


async def _filters_agree(world: World, number: int, seed: int) -> int:
    made = Filters(list(world.corpus.resources.values()), seed)
    visible = {caller: world.visible(caller) for caller in world.callers}
    hits = 0
    for _ in range(number):
        type_, tree = made.filter()
        caller = made.random.choice(list(visible))
        text = text_of(tree, made.random.random() < 0.5)
        count = made.random.choice(("1000", "1000", "30"))
        found = await _found(world, caller, type_, {"_filter": text, "_count": count})
        wanted = filtered(visible[caller], type_, tree)
        assert set(found) == wanted, (caller.session, type_, text)
        hits += bool(wanted)
    return hits


async def _results_agree(world: World, number: int, seed: int) -> None:
    made = random.Random(seed)
    visible = {caller: world.visible(caller) for caller in world.callers}
    for _ in range(number):
        caller = made.choice(list(visible))
        asked, wrong, _ = await difference(world, caller, visible[caller], made)
        assert not wrong, (caller.session, asked, wrong)


async def test_generated_filters_and_compartments_agree_with_the_reference(database: Database, tmp_path: Path) -> None:
    async for world in loaded(database, tmp_path, 3):
        assert await _filters_agree(world, 100, seed=5) > 20, "the filters find next to nothing: they prove nothing"
        await _results_agree(world, 40, seed=6)


async def test_a_planted_fault_is_found(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from liaison.fhir.search import where
    from liaison.fhir.search.conditions import Not

    real = where.Where.test
    monkeypatch.setattr(
        where.Where,
        "test",
        lambda self, one: "true" if isinstance(one, Not) else real(self, one),
    )
    async for world in loaded(database, tmp_path, 1):
        with pytest.raises(AssertionError):
            await _filters_agree(world, 300, seed=5)
