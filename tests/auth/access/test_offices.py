"""What an auditor reads of a record by their office: what belongs to their organisation, on every path, by its own right."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from liaison.auth.access import mandates, offices
from liaison.auth.access.decide import decide
from liaison.auth.access.intervals import ALWAYS, Interval, merge
from liaison.auth.access.relations import Relation
from liaison.auth.access.table import packaged
from liaison.auth.access.world import ANYONES, Fact, Held, Offices, Whose, World

from . import reviewing

pytestmark = pytest.mark.alone  # nobody else lives there who could have the same traits

_AS_ONE = {
    "resourceType": "Bundle",
    "type": "batch",
    "entry": [{"request": {"method": "GET", "url": "Task?code=emergency-access"}}],
}


async def shown(territory: Any, who: Any, task: str, role: str) -> dict[str, bool]:
    """By each path, whether this task is there for them."""
    id_ = task.split("/")[1]
    lists = {
        "search": "Task?code=emergency-access",
        "total": "Task?code=emergency-access&_summary=count",
        "chain": f"Task?requester=PractitionerRole/{role}",
        "included by": f"PractitionerRole?_id={role}&_revinclude=Task:requester",
        "has": f"PractitionerRole?_id={role}&_has:Task:requester:code=emergency-access",
        "history of all": f"Task/{id_}/_history?_count=1",
        "$everything": f"{(await territory.tree(task))['for']['reference']}/$everything",
    }
    found = {}
    for name, path in lists.items():
        answer = await territory.ask(who.caller, "GET", path)
        body = json.loads(answer.body)
        types = {one["resource"]["resourceType"] for one in body.get("entry", ())}
        found[name] = bool(types if name == "has" else "Task" in types or (name == "total" and body["total"]))
    for name, path in {"read": task, "version": f"{task}/_history/1"}.items():
        found[name] = (await territory.ask(who.caller, "GET", path)).status == 200
    found["batch"] = id_ in (await territory.ask(who.caller, "POST", "", _AS_ONE)).body.decode()
    body = reviewing.outcome("to-clarify", "Qui a appelé ?")
    found["review"] = (await territory.ask(who.caller, "POST", f"{task}/$review", body)).status == 200
    return found


async def test_a_review_is_there_for_the_structure_of_the_actor_of_the_record_and_by_the_convention_alone(
    territory: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, doctor, task = await reviewing.waiting(territory)
    role = doctor.role.split("/")[1]
    above = await territory.organization("Groupement")
    await territory.change(territory.system, own.organization, partOf={"reference": above})
    elsewhere = await territory.organization("Union")
    away, whole = await territory.person("auditor", elsewhere), await territory.person("dpo", above)
    nowhere = await territory.person("auditor")
    nothing = dict.fromkeys(await shown(territory, away, task, role), False)
    everything = {**dict.fromkeys(nothing, True), "$everything": False}  # a Patient is nobody's by office

    assert await shown(territory, own, task, role) == everything
    assert await shown(territory, whole, task, role) == everything
    assert await shown(territory, away, task, role) == await shown(territory, nowhere, task, role) == nothing

    subject = (await territory.tree(task))["for"]["reference"]
    team = {
        "resourceType": "CareTeam", "status": "active", "subject": {"reference": subject},
        "participant": [{"member": {"reference": elsewhere}}],
    }  # fmt: skip
    made = await territory.create(territory.system, team)
    assert await shown(territory, away, task, role) == everything  # the record is theirs
    await territory.change(territory.system, made, status="inactive")
    assert await shown(territory, away, task, role) == nothing
    nurse = await territory.person("nurse", elsewhere)
    await territory.change(territory.system, made, status="active", participant=[{"member": {"reference": nurse.role}}])
    assert (await shown(territory, away, task, role))["read"]
    await territory.change(territory.system, nurse.role, active=False)
    assert await shown(territory, away, task, role) == nothing

    base, organization = territory.database.writing, territory.key(elsewhere).res
    async with base.acquire() as one, one.transaction():
        await mandates.give(one, territory.store.vault, organization, "Convention 7")
    assert await shown(territory, away, task, role) == everything
    async with base.acquire() as one, one.transaction():
        assert await mandates.end(one, territory.store.vault, organization)
    assert await shown(territory, away, task, role) == nothing

    def planted(*_: object) -> Iterator[tuple[Interval, Whose]]:
        yield ALWAYS, ANYONES

    with monkeypatch.context() as patch:
        patch.setattr(offices, "covered", planted)
        await territory.change(territory.system, nurse.role, active=True)
    assert (await shown(territory, away, task, role))["read"]  # so the paths above would tell


HOSPITAL, WARD, UNION = 31, 32, 33
_DAY = datetime(2026, 1, 1, tzinfo=UTC)
WEEK, MONTH = (Interval(_DAY, _DAY + timedelta(days=days)) for days in (7, 30))


@pytest.mark.parametrize(
    ("facts", "resting", "expected"),
    [
        ([], [], []),
        ([Fact(HOSPITAL, Relation.STRUCTURE, WEEK)], [], [WEEK]),
        ([Fact(WARD, Relation.STAY, WEEK)], [], [WEEK]),
        ([Fact(99, Relation.STAY, WEEK, WARD)], [], [WEEK]),
        ([Fact(12, Relation.TEAM, MONTH)], [], [WEEK]),
        ([Fact(2, Relation.DENY, MONTH)], [], [WEEK]),
        ([], [Fact(12, Relation.TEAM, MONTH)], [WEEK]),
        ([Fact(13, Relation.TEAM)], [], []),
        ([Fact(0, Relation.INFORMED)], [], []),
        ([Fact(UNION, Relation.STRUCTURE)], [], []),
    ],
)  # fmt: skip
def test_a_record_is_theirs_while_a_fact_names_their_structure_or_whoever_is_in_it(
    facts: list[Fact], resting: list[Fact], expected: list[Interval]
) -> None:
    """Auditor 11 of the hospital, a nurse of its ward for a week, and someone of the union."""
    people = [Held(11, 1, HOSPITAL, "auditor"), Held(12, 2, WARD, "nurse", WEEK), Held(13, 3, UNION, "gp")]
    structures = frozenset({HOSPITAL, WARD})
    world = World(facts, people, {WARD: (HOSPITAL,)}, offices=Offices(parts={HOSPITAL: structures}), resting=resting)
    mine = [right for right in decide(world, packaged()) if right.principal == 11]
    assert merge(right.during for right in mine if right.whose == ANYONES) == expected
    assert {right.whose.res for right in mine if right.whose.column == "service"} == structures
    mandated = decide(World((), people, offices=Offices(frozenset({HOSPITAL}))), packaged())
    assert [(right.whose, right.during) for right in mandated if right.principal == 11] == [(ANYONES, ALWAYS)]
