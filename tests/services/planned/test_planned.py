"""The rows of what is planned equal what the resources say, after any sequence of writes and for whoever asks."""

from dataclasses import replace
from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any, NamedTuple, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liaison.auth.caller import Caller
from liaison.fhir.definitions import kind_of
from liaison.fhir.search.index import GENERATION, indexed
from liaison.fhir.store.contract import Key
from liaison.fhir.store.reindex import reindex
from liaison.protocols import codes
from liaison.protocols.calendar import calendar, next_step
from liaison.services.pages.coordination.asked import Asked, Known
from liaison.services.pages.coordination.rows import cohort
from liaison.services.pages.record import Record
from liaison.services.pages.signed_in import Me
from liaison.services.planned.asking import followed, steps
from liaison.services.planned.keeping import keep_again

from ...bench.territory import Maker, caller, team
from ..oauth.conftest import Place, shared

__all__ = ["shared"]

Tree = dict[str, Any]
BPCO = "https://liaison.example/fhir/PlanDefinition/bpco"
TODAY = date(2026, 11, 30)
EXPECTED = {"completed": 1} | dict.fromkeys(("cancelled", "rejected", "failed", "entered-in-error", "on-hold"), 2)
"""The standing of a Task by its status; 0 for any other."""


class World(NamedTuple):
    place: Place
    maker: Maker
    coordinator: Caller
    person: str
    role: str
    patient: str
    plan: str

    @property
    def key(self) -> Key:
        found = self.place.house.store.key(*self.patient.split("/"))
        assert found is not None
        return found

    async def seen(self, of: str = "") -> list[Tree]:
        """The steps that the coordinator is shown over FHIR."""
        record = Record(self.place.house.engine, self.coordinator)
        return await record.search("Task", {"patient": of or self.patient, "code": f"{codes.STEP}|", "_count": "500"})


@pytest.fixture(scope="module")
async def world(shared: Place) -> World:
    maker = await Maker.of(shared.house)
    person, role, act = await maker.professional("nurse")
    patient, _team, plan = await maker.write(
        {
            "urn:uuid:patient": {"resourceType": "Patient", "name": [{"family": "ESSAI"}]},
            "urn:uuid:team": team("urn:uuid:patient", person),
            "urn:uuid:plan": _plan("urn:uuid:patient"),
        }
    )
    return World(shared, maker, await caller(shared.house, act), person, role, patient, plan)


def _plan(patient: str, url: str = BPCO) -> Tree:
    tree: Tree = {"resourceType": "CarePlan", "status": "active", "intent": "plan", "subject": {"reference": patient}}
    return tree | {"instantiatesCanonical": [f"{url}|1.0.0"], "period": {"start": "2026-01-05"}}


def _step(patient: str, status: str, due: str, code: str, owner: str, label: str) -> Tree:
    tree: Tree = {"resourceType": "Task", "status": status, "intent": "order", "for": {"reference": patient}}
    system = codes.STEP if code else f"{codes.LOCAL}/CodeSystem/other"
    tree["code"] = {"coding": [{"system": system, "code": code or "other"}]}
    tree["executionPeriod"] = {"start": "2026-06-01", "end": "2026-06-02"}
    if due:
        tree["restriction"] = {"period": {"end": due}}
    if owner:
        tree["owner"] = {"reference": owner}
    return tree | ({"meta": {"security": [{"system": codes.DATA_CLASS, "code": label}]}} if label else {})


STATUSES = ("requested", "in-progress", "draft", "on-hold", "completed", "cancelled", "entered-in-error")
DAYS = ("", "2026-10", "2026-11-29", "2026-11-30", "2026-12-01T08:00:00+01:00", "2027-02-01")
WRITES = st.lists(
    st.tuples(
        st.integers(0, 3),  # which of four
        st.booleans(),  # deleted, if it is there
        st.sampled_from(STATUSES),
        st.sampled_from(DAYS),
        st.sampled_from(("spirometry", "gp-review", "")),
        st.booleans(),
        st.sampled_from(("", "", "PSY")),
    ),
    max_size=7,
)


@given(WRITES)
@settings(max_examples=25)
async def test_the_rows_are_what_the_resources_say_after_any_writes(world: World, writes: list[Any]) -> None:
    there: dict[int, tuple[str, Tree]] = {}
    for number, gone, status, due, code, owned, label in writes:
        tree = _step(world.patient, status, due, code, world.person if owned else "", label)
        if number in there and gone:
            reference, _tree = there.pop(number)
            answer = await Record(world.place.house.engine, world.maker.session).ask("DELETE", reference)
            assert answer.status in (200, 204), answer.body
        elif number in there:
            await world.maker.rewrite({there[number][0]: tree})
            there[number] = (there[number][0], tree)
        else:
            [reference] = await world.maker.write({"urn:uuid:step": tree})
            there[number] = (reference, tree)

    await _equal(world, there.values())

    for reference, _tree in there.values():
        await Record(world.place.house.engine, world.maker.session).ask("DELETE", reference)
    assert await _rows(world) == {}


async def _rows(world: World) -> dict[int, tuple[int, date, date | None]]:
    found = await world.place.house.database.reading.fetch(
        "select res, standing, due, done from planned where patient = $1 and kind = $2",
        world.key.patient,
        kind_of("Task"),
    )
    return {row["res"]: (row["standing"], row["due"], row["done"]) for row in found}


async def _equal(world: World, written: Any) -> None:
    expected = {}
    for reference, tree in written:
        if tree["code"]["coding"][0]["system"] == codes.STEP:
            key = world.place.house.store.key(*reference.split("/"))
            assert key is not None
            text = tree.get("restriction", {}).get("period", {}).get("end", "")
            day = date(2026, 10, 31) if text == "2026-10" else date.fromisoformat(text[:10]) if text else date.max
            standing = EXPECTED.get(tree["status"], 0)
            expected[key.res] = (standing, day, date(2026, 6, 2) if standing == 1 else None)
    assert await _rows(world) == expected
    await _same_calendar(world)


async def _same_calendar(world: World) -> None:
    """What SQL says of each step that the coordinator may see is what Python says of the resources that they are shown."""
    shown = {task["id"]: task for task in await world.seen()}
    for on in (TODAY, TODAY + timedelta(days=1)):
        by_sql = await steps(world.place.house.store, world.coordinator, on, [world.key.patient])
        python = {one.task["id"]: (one.state, one.due, one.done, one.days) for one in calendar(shown.values(), on)}
        assert {world.place.house.store.id(one.key): tuple(one[1:]) for one in by_sql} == python
        [line] = await followed(world.place.house.store, world.coordinator, [BPCO])
        first = next_step(shown.values(), on)
        assert (line.step is None) is (first is None)
        assert line.due == (first.due if first else None)


async def test_the_pass_over_the_index_makes_the_same_rows_anew(world: World) -> None:
    house = world.place.house
    made = [_step(world.patient, status, "2026-11-29", "spirometry", world.person, "") for status in STATUSES]
    references = await world.maker.write({f"urn:uuid:{number}": tree for number, tree in enumerate(made)})
    before = await house.database.reading.fetch("select * from planned order by patient, kind, res")

    await house.database.writing.execute("delete from planned")
    with pytest.raises(AssertionError):  # the sibling: rows that are not kept are missed
        await _equal(world, zip(references, made, strict=True))
    store = house.store
    await reindex(house.database, house.vault, indexed, GENERATION, lambda _: None, store.parameters, keep_again)

    assert await house.database.reading.fetch("select * from planned order by patient, kind, res") == before
    await _equal(world, zip(references, made, strict=True))


async def test_the_cohort_is_of_those_who_are_seen_and_of_their_first_step(world: World) -> None:
    """Also without an owner: one of whom the coordinator may not know is none for them."""
    house, maker = world.place.house, world.maker
    heart = "https://liaison.example/fhir/PlanDefinition/heart-failure"
    stranger, _other = await maker.write(
        {"urn:uuid:s": {"resourceType": "Patient"}, "urn:uuid:p": _plan("urn:uuid:s", heart)}
    )
    people = []
    for _number in range(4):
        trees = {"urn:uuid:p": {"resourceType": "Patient"}, "urn:uuid:t": team("urn:uuid:p", world.person)}
        people.append((await maker.write(trees | {"urn:uuid:c": _plan("urn:uuid:p", heart)}))[0])
    for patient, due, code, owner, label in (
        (stranger, "2026-01-01", "spirometry", "", ""),
        (people[0], "2026-10-01", "spirometry", world.person, "PSY"),
        (people[0], "2026-12-15", "spirometry", world.person, ""),
        (people[1], "2026-11-01", "gp-review", "", ""),
        (people[1], "2026-12-01", "spirometry", world.role, ""),
        (people[2], "2026-12-10", "gp-review", stranger, ""),
    ):
        await maker.write({"urn:uuid:x": _step(patient, "requested", due, code, owner, label)})
    record = Record(house.engine, world.coordinator)
    known = Known({"heart-failure": (heart, "Insuffisance cardiaque")}, {})
    me = cast(Me, SimpleNamespace(person=world.person, role_reference=world.role))

    async def asked(**more: Any) -> tuple[list[int], int, int, int]:
        look = Asked(protocol="heart-failure", **more)
        found = await cohort(record, me, look, known, TODAY)
        ids = [one.partition("/")[2] for one in people]
        return [ids.index(line.id) for line in found.lines], found.all, found.late, found.matching

    assert (await asked())[1:] == (4, 1, 4)
    assert (await asked())[0][:3] == [1, 2, 0]
    assert await asked(late=True) == ([1], 4, 1, 1)
    assert await asked(step="spirometry") == ([1, 0], 4, 0, 2)
    assert await asked(owner="moi") == ([1, 0], 4, 0, 2)
    [shown] = await world.seen(people[2])
    assert "reference" not in shown.get("owner", {})
    assert await asked(owner="personne") == ([1, 2], 4, 1, 2)
    assert await asked(page=2) == ([], 4, 1, 4)
    for order in ("echeance", "nom"):
        whole = (await asked(order=order))[0]
        look = Asked(protocol="heart-failure", order=order)
        marks = [(await cohort(record, me, replace(look, after=one), known, TODAY)).first for one in ("", "x")]
        assert marks[0] == marks[1] != ""
        assert (await asked(order=order, after=marks[0]))[0] == whole[1:]
        assert (await asked(order=order, before=marks[0]))[0] == whole
    assert await asked(ended=True) == ([], 0, 0, 0)
