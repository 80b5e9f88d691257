"""The CapabilityStatement, claim by claim: every search parameter, include, interaction and operation of every type is
tried where a wrong answer would differ from the right one.

`make test` tries some types, drawn by a seed; `make proof` all of them.
"""

import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from liaison.auth.caller import Caller
from liaison.fhir.store.contract import Answer, Request
from liaison.fhir.store.database import Database

from .lives import ELSEWHERE, HERE, Lives
from .searches import Draw, Searches
from .whole import Whole
from .world import STORED, World, opened

SEED = 20261128
FEW = sorted({"Patient", "Observation", *random.Random(SEED).sample(STORED, 3)})
OF_EACH = 12
"""Claims of a kind that `make test` tries of each of these types."""
SHARDS = 12
INSIDE = {
    asked
    for code, target in (("composition", "Composition"), ("message", "MessageHeader"))
    for asked in (f"Bundle.{code}", f"Bundle?_include=Bundle:{code}", f"{target}?_revinclude=Bundle:{code}")
}
"""These two parameters look at what stands in the Bundle itself: nothing is referred to."""


@pytest.fixture
async def world(database: Database, tmp_path: Path) -> AsyncIterator[World]:
    async with opened(database, tmp_path, SEED) as made:
        yield made


async def claims(world: World) -> dict[str, dict[str, Any]]:
    answer = await world.ask("GET", "metadata")
    [rest] = orjson.loads(answer.body)["rest"]
    return {one["type"]: one for one in rest["resource"]}


def all_of(claims: list[Any]) -> list[Any]:
    return claims


def some_of(claims: list[Any]) -> list[Any]:
    return random.Random(SEED).sample(claims, min(OF_EACH, len(claims)))


async def walk(world: World, types: list[str], draw: Draw) -> None:
    claimed = await claims(world)
    assert set(claimed) == set(STORED)
    searches, lives = Searches(world, draw), Lives(world)
    await searches.prepare([claimed[type_] for type_ in types])
    for type_ in types:
        await searches.walk(claimed[type_])
    for type_ in types:
        await lives.walk(claimed[type_])
    print(f"{searches.tried} searches, {lives.tried} other claims")
    assert searches.wrong + lives.wrong == [], "\n".join(searches.wrong + lives.wrong)
    assert set(searches.untold) <= INSIDE


async def test_some_types_keep_their_claims(world: World) -> None:
    await walk(world, FEW, some_of)


async def test_the_service_as_a_whole_keeps_its_claims_and_to_ignore_one_is_told(world: World) -> None:
    """Also by a service that leaves one parameter after the other unheard, and has no history of all."""
    [rest] = orjson.loads((await world.ask("GET", "metadata")).body)["rest"]
    whole = Whole(world)
    await whole.fill()
    await whole.walk(rest)
    assert whole.wrong == []

    honest, names = world.engine.handle, [one["name"] for one in rest["searchParam"]]

    async def careless(caller: Caller, request: Request) -> Answer:
        kept = [one for one in request.query.split("&") if one.partition("=")[0].partition(":")[0] != unheard]
        of_one_type = request.path.replace("_history", "Flag/_history") if unheard == "history" else request.path
        return await honest(caller, request._replace(query="&".join(kept), path=of_one_type))

    world.engine.handle = careless  # type: ignore[method-assign]  # the planted fault
    for unheard in names:
        told = len(whole.wrong)
        await whole.parameter(unheard)
        assert len(whole.wrong) > told, unheard
    unheard = "history"
    await whole.walk({**rest, "searchParam": [], "interaction": [*rest["interaction"], {"code": "nonsense"}]})
    assert any(line.startswith("history-system") for line in whole.wrong)
    assert any(line.startswith("the interactions are") for line in whole.wrong)


async def test_every_operation_is_tried_here_or_elsewhere(world: World) -> None:
    names = {one["name"] for claimed in (await claims(world)).values() for one in claimed.get("operation", ())}
    assert names <= HERE | ELSEWHERE


@pytest.mark.proof
@pytest.mark.parametrize("shard", range(SHARDS))
async def test_every_type_keeps_its_claims(world: World, shard: int) -> None:
    await walk(world, STORED[shard::SHARDS], all_of)


async def test_a_claim_that_is_not_kept_is_told(world: World) -> None:
    """The same walk over a service that loses the first and the last entry of each page, and claims what it does not do."""
    claimed = (await claims(world))["Flag"]
    honest = world.engine.handle

    async def careless(caller: Caller, request: Request) -> Answer:
        answer = await honest(caller, request)
        tree = orjson.loads(answer.body) if answer.body else {}
        if tree.get("type") == "searchset" and "entry" in tree:
            return answer._replace(body=orjson.dumps({**tree, "entry": tree["entry"][1:-1]}))
        return answer

    world.engine.handle = careless  # type: ignore[method-assign]  # the planted fault
    searches, lives = Searches(world, some_of), Lives(world)
    await searches.walk(claimed)
    await lives.walk({**claimed, "conditionalDelete": "multiple"})

    assert any(line.startswith("Flag?") and "missing" in line for line in searches.wrong)
    assert any("included" in line for line in searches.wrong)
    assert {"Flag: search-type", "Flag: conditional delete of one is claimed"} <= set(lives.wrong)
