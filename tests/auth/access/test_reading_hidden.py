"""An id of somebody hidden and one of nobody: the base is asked the same of both, and looks in the same places."""

import json
from collections.abc import Iterator
from typing import Any

import asyncpg

from liaison.fhir.store.contract import Key
from liaison.fhir.store.database import connection
from liaison.fhir.store.reader import PLANNING

from .territory import Territory

_ASKED = "bigint[], bigint[], smallint[], bigint[], bigint[]"


def walked(plan: dict[str, Any]) -> Iterator[tuple[str, str, float]]:
    """Each step, the index it walks, and how often it does."""
    yield plan["Node Type"], plan.get("Index Name", ""), plan["Actual Loops"]
    for below in plan.get("Plans", ()):
        yield from walked(below)


async def steps(one: asyncpg.Connection, session: int, key: Key) -> list[tuple[str, str, float]]:
    given = f"array[{session}], array[{key.patient}], array[{key.kind}], array[{key.res}], array[null]::bigint[]"
    told = await one.fetchval(f"explain (analyze, format json) execute reading({given})")
    return list(walked(json.loads(told)[0]["Plan"]))


async def test_the_rights_on_nobody_are_judged_as_those_on_somebody_hidden(territory: Territory) -> None:
    gp, stranger = await territory.person("gp"), await territory.person("gp")
    patient = await territory.patient(gp)
    hidden = territory.key(await territory.create(gp.caller, territory.item_of(patient)))
    nobody = Key(territory.store.new_patient(), hidden.kind, hidden.res)
    statement = territory.store.reader._lanes["patient"]._statement
    one = await connection(territory.database.url)
    try:
        await one.execute(PLANNING)
        await one.execute(f"prepare reading({_ASKED}) as {statement}")
        of_hidden = await steps(one, stranger.caller.session, hidden)
        of_nobody = await steps(one, stranger.caller.session, nobody)
    finally:
        await one.close()

    assert of_hidden == of_nobody
    grants = [loops for _, index, loops in of_nobody if index == "access_grant_find"]
    assert grants == [1]


async def test_account_and_client_of_a_session_are_looked_up_by_their_keys(territory: Territory) -> None:
    """Of EXISTS the planner made a hash of all clients there are, for each statement of a client's session."""
    held = territory.store.filter.held("$1::bigint", "$2::bigint")
    one = await connection(territory.database.url)
    try:
        await one.execute(PLANNING)
        await one.execute(f"prepare held(bigint, bigint) as {held}")
        told = await one.fetchval("explain (analyze, format json) execute held(1, 2)")
        met = {(step, index) for step, index, _ in walked(json.loads(told)[0]["Plan"])}
    finally:
        await one.close()
    assert {index for _, index in met} >= {"account_pkey", "client_pkey"}
    assert "Seq Scan" not in {step for step, _ in met}
