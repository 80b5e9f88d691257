"""Filters, several types and compartments, against the reference: the same ids, order and totals, page by page."""

from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import orjson
import pytest

from liaison.auth.caller import Caller
from liaison.fhir.search import search
from liaison.fhir.store.database import Database

from .elements import span
from .results import MEMBERS, Filters, filtered, member, text_of
from .world import BASE, World, loaded


async def _pages(world: World, caller: Caller, type_: str, query: dict[str, str], within: str = "") -> list[str]:
    """The ids of every page; the total, on each of them, is their number."""
    found: list[str] = []
    totals = set()
    text = urlencode({**query, "_total": "accurate"})
    while text:
        answer = await search(world.store, caller, type_, text, base_url=BASE, compartment=within)
        bundle = orjson.loads(answer.body)
        totals.add(bundle["total"])
        found += [entry["resource"]["id"] for entry in bundle.get("entry", ())]
        following = [link["url"] for link in bundle["link"] if link["relation"] == "next"]
        text = following[0].partition("?")[2] if following else ""
    assert totals == {len(found)}, (type_, query, within)
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
        found = await _pages(world, caller, type_, {"_filter": text, "_count": count})
        wanted = filtered(visible[caller], type_, tree)
        assert set(found) == wanted, (caller.session, type_, text)
        hits += bool(wanted)
    return hits


async def _results_agree(world: World, number: int, seed: int) -> None:
    made = Filters(list(world.corpus.resources.values()), seed).random
    visible = {caller: world.visible(caller) for caller in world.callers}
    resources = world.corpus.resources
    for _ in range(number):
        caller = made.choice(list(visible))
        owner = made.choice(("", *MEMBERS))
        types = made.sample(sorted(MEMBERS["Patient"]), made.randint(1, 4))
        query: dict[str, str] = {"_count": made.choice(("1000", "50"))}
        if sort := made.choice(("", "_lastUpdated", "-_lastUpdated")):
            query["_sort"] = sort
        one = made.choice([tree for tree in resources.values() if tree["resourceType"] == (owner or "Patient")])
        named, within = types, ""
        if owner:
            within = f"{owner}/{one['id']}"
        else:
            query["patient"] = one["id"]
        if not owner or made.random() < 0.7:
            query["_type"] = ",".join(types)
            type_ = ""
        else:
            named, type_ = types[:1], types[0]
        found = await _pages(world, caller, type_, query, within)
        shown = visible[caller]
        owner_seen = not owner or one in shown
        wanted = {
            tree["id"]
            for tree in shown
            if tree["resourceType"] in named
            and owner_seen
            and (member(tree, owner, one["id"]) if owner else _of(tree, one["id"]))
        }
        assert set(found) == wanted, (caller.session, type_, query, within)
        if sort:
            moments = [span(resources[id_]["meta"]["lastUpdated"]) for id_ in found]
            assert moments == sorted(moments, reverse=sort.startswith("-"))


def _of(tree: dict[str, Any], patient: str) -> bool:
    return bool(tree["subject"]["reference"] == f"Patient/{patient}")


async def test_generated_filters_and_compartments_agree_with_the_reference(database: Database, tmp_path: Path) -> None:
    async for world in loaded(database, tmp_path, 3):
        assert await _filters_agree(world, 100, seed=5) > 20, "the filters find next to nothing: they prove nothing"
        await _results_agree(world, 40, seed=6)


@pytest.mark.proof
async def test_many_generated_filters_and_compartments_agree_with_the_reference(
    database: Database, tmp_path: Path
) -> None:
    async for world in loaded(database, tmp_path, 10):
        await _filters_agree(world, 2_000, seed=7)
        await _results_agree(world, 600, seed=8)


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
