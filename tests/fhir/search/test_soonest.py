"""The first match of each patient over all that a caller sees: what a caller may not see does not come first for them."""

import pytest

from liaison.fhir.errors import BadRequest, Forbidden
from liaison.fhir.search import ranked, soonest
from liaison.fhir.store.contract import Key, Tree

from .conftest import BASE, PSY, Territory

SYSTEM = "https://liaison.test/step"
OPEN = f"code={SYSTEM}|&status=requested,in-progress"


def step(patient: str, due: str, status: str = "requested", meta: Tree | None = None) -> Tree:
    tree: Tree = {
        "resourceType": "Task",
        "status": status,
        "intent": "order",
        "for": {"reference": f"Patient/{patient}"},
    }
    tree["code"] = {"coding": [{"system": SYSTEM, "code": "review"}]}
    tree["restriction"] = {"period": {"start": "2026-01-01", "end": due}}
    return {**tree, "meta": meta} if meta else tree


async def followed(territory: Territory) -> Key:
    patient = await territory.patient(name=[{"family": "Essai"}])
    await territory.grant(patient.patient, 1)
    return patient


async def test_each_person_has_one_line_the_soonest_first(territory: Territory) -> None:
    late, coming, done = [await followed(territory) for _ in range(3)]
    stranger = await territory.patient()
    for patient, due, status in (
        (late, "2026-02-01", "requested"),
        (late, "2026-01-15", "in-progress"),
        (late, "2025-11-01", "completed"),
        (coming, "2026-04-01", "requested"),
        (done, "2026-01-01", "completed"),
        (stranger, "2026-01-01", "requested"),
    ):
        await territory.add(step(territory.id(patient), due, status), patient)

    found = await soonest(territory.store, territory.caller, "Task", OPEN, base_url=BASE)

    assert [one.key.patient for one in found] == [late.patient, coming.patient]
    # By when it is due, not from when it could be done; midnight of Paris.
    assert [one.moment.isoformat() for one in found] == ["2026-01-14T23:00:00+00:00", "2026-03-31T22:00:00+00:00"]


async def test_what_is_hidden_is_nobody_s_first(territory: Territory) -> None:
    for one in [await followed(territory) for _ in range(2)]:
        psychiatric: Tree = {"security": [{"system": PSY, "code": "x"}]}
        await territory.add(step(territory.id(one), "2026-01-15", meta=psychiatric), one)
        seen = await territory.add(step(territory.id(one), "2026-02-15"), one)

        found = await soonest(territory.store, territory.caller, "Task", OPEN, base_url=BASE)

        assert seen in [first.key for first in found]
        assert {first.moment.date().isoformat() for first in found} == {"2026-02-14"}


async def test_the_scopes_hold_and_what_the_index_cannot_decide_is_refused(territory: Territory) -> None:
    patient = await followed(territory)
    with pytest.raises(BadRequest):
        await soonest(territory.store, territory.caller, "Task", f"{OPEN}&code:text=review", base_url=BASE)
    narrow = await territory.session(77, 1, "user/Patient.rs")
    with pytest.raises(Forbidden):
        await soonest(territory.store, narrow, "Task", OPEN, base_url=BASE)
    assert await ranked(territory.store, narrow, "Patient", "_sort=family", base_url=BASE) == [patient]
