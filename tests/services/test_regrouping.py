"""A plan is brought to the class that its person has come to, on pages and over FHIR: BPCO, from grade 2 to grade 4 and back."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from liaison.services.installation import Kind
from liaison.services.signals import adoption

from .oauth.conftest import Place, declared_as, field, place, settings
from .pages.browsing import text
from .test_following import act, ask, found

__all__ = ["place", "settings"]

URL = "https://liaison.example/fhir/PlanDefinition/bpco"
Tree = dict[str, Any]


async def measured(place: Place, fev1: int, day: int) -> None:
    """FEV1 in per cent of what is predicted, so many days from the last one of them."""
    when = (place.house.database.clock.now() - timedelta(days=30 - day)).date()
    value = {"value": fev1, "unit": "%", "system": "http://unitsofmeasure.org", "code": "%"}
    tree = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "20152-5"}]},
        "subject": {"reference": f"Patient/{place.patient}"},
        "effectiveDateTime": when.isoformat(),
        "valueQuantity": value,
    }
    assert (await ask(place, "POST", "Observation", tree))[0] == 201


async def to_do(place: Place) -> Counter[str]:
    """How often each action that a grade decides is to be done, by action."""
    tasks = await found(place, "Task", f"patient={place.patient}&status=requested&_count=200")
    actions = Counter(str(one.get("instantiatesCanonical", "")).partition("#")[2] for one in tasks)
    return Counter({action: number for action, number in actions.items() if "-grade-" in action})


async def adopted(place: Place) -> None:
    async with place.house.database.writing.acquire() as connection:
        await adoption.adopt(connection, place.house.vault, "bpco#computed", decided_by="Dr Essai", because="Comité")


@pytest.fixture
async def followed(place: Place) -> Tree:
    """BPCO, applied at grade 2."""
    await measured(place, 60, 0)
    async with place.signed_in() as nurse:
        path = f"/cohorte/appliquer/{place.patient}"
        page = (await nurse.get(path, params={"protocole": URL})).text
        answer = await nurse.post(path, data={"csrf": field(page, "csrf"), "protocole": URL})
        assert answer.status_code == 303, text(answer)
    [plan] = await found(place, "CarePlan", "status=active")
    return plan


async def test_a_plan_follows_its_person_to_another_grade_and_back(place: Place, followed: Tree) -> None:
    assert await to_do(place) == {"gp-grade-2": 2, "specialist-grade-2": 1}
    async with place.signed_in() as nurse:
        assert "Le groupe a changé" not in text(await nurse.get(f"/dossiers/{place.patient}/plan"))
        assert "Le groupe a changé" not in text(await nurse.get(f"/cohorte/plans/{followed['id']}"))
        assert (await act(place, followed, act="move", confirm="x"))[0] == 409
        await measured(place, 25, 10)
        plan = await nurse.get(f"/dossiers/{place.patient}/plan")
        assert "Le groupe a changé" in text(plan)
        assert f'href="/cohorte/plans/{followed["id"]}"' in plan.text
        page = text(await nurse.get(f"/cohorte/plans/{followed['id']}"))
    assert "Grade d'obstruction, celui qu'un médecin a dit, sinon celui qui est calculé : 4" in page
    assert "Confirmer le changement de groupe" in page
    others = {one["id"]: one for one in await found(place, "Task", "_count=200") if "-grade-" not in str(one)}

    assert (await act(place, followed, act="move"))[0] == 303

    assert await to_do(place) == {"gp-grade-4": 6, "specialist-grade-4": 3}
    set_aside = [one for one in await found(place, "Task", "_count=200") if one["status"] == "cancelled"]
    assert {one["statusReason"]["coding"][0]["code"] for one in set_aside} == {"group-changed"}
    for id_, before in others.items():
        after = (await ask(place, "GET", f"Task/{id_}"))[1]
        assert (after["status"], after["restriction"]) == (before["status"], before["restriction"])
    [new] = await found(place, "CarePlan", "status=active")
    assert new["replaces"] == [{"reference": f"CarePlan/{followed['id']}"}]
    assert new["goal"] == followed["goal"]
    old = (await ask(place, "GET", f"CarePlan/{followed['id']}"))[1]
    assert old["status"] == "revoked"
    assert old["note"][-1]["text"].startswith("Changement de groupe : ")
    assert (await act(place, new, act="move", confirm="x"))[0] == 409  # it is there
    assert len(await found(place, "CarePlan", "status=active")) == 1

    await measured(place, 60, 20)
    assert (await act(place, new, act="move"))[0] == 303
    assert await to_do(place) == {"gp-grade-2": 2, "specialist-grade-2": 1}


async def test_over_fhir_it_is_the_same_and_nothing_moves_before_it_is_confirmed(place: Place, followed: Tree) -> None:
    where = f"CarePlan/{followed['id']}/$move"
    nothing: Tree = {"resourceType": "Parameters", "parameter": []}
    status, outcome = await ask(place, "POST", where, nothing)
    assert status == 422
    assert "steps are those of this person's class" in outcome["issue"][0]["diagnostics"]
    await measured(place, 25, 10)
    before = await to_do(place)

    status, told = await ask(place, "POST", where, nothing)

    assert status == 200
    assert await to_do(place) == before
    named = {one["name"]: one for one in told["parameter"]}
    assert named["from"]["valueCanonical"] == named["to"]["valueCanonical"]
    becomes = Counter(one["part"][0]["valueCode"] for one in told["parameter"] if one["name"] == "step")
    assert (becomes["added"], becomes["removed"], becomes["moved"]) == (9, 3, 0)
    confirm = {**nothing, "parameter": [{"name": "confirm", "valueString": named["confirm"]["valueString"]}]}
    assert (await ask(place, "POST", where, confirm))[0] == 201
    assert (await ask(place, "POST", where, confirm))[0] == 422  # the first is over


async def test_where_the_grade_is_not_adopted_no_group_changes(place: Place) -> None:
    await measured(place, 60, 0)
    async with place.signed_in() as nurse:
        path = f"/cohorte/appliquer/{place.patient}"
        page = (await nurse.get(path, params={"protocole": URL})).text
        assert (await nurse.post(path, data={"csrf": field(page, "csrf"), "protocole": URL})).status_code == 303
        await measured(place, 25, 10)
        [plan] = await found(place, "CarePlan", "status=active")
        assert "Le groupe a changé" in text(await nurse.get(f"/cohorte/plans/{plan['id']}"))
        await declared_as(place, Kind.PRODUCTION)
    status, outcome = await ask(place, "POST", f"CarePlan/{plan['id']}/$move", {"resourceType": "Parameters"})
    assert (status, outcome["issue"][0]["code"]) == (422, "processing")

    await adopted(place)

    assert (await ask(place, "POST", f"CarePlan/{plan['id']}/$move", {"resourceType": "Parameters"}))[0] == 200
