"""A plan that somebody follows: moved to a new version with its own diff confirmed, suspended, resumed, ended. On pages and FHIR."""

import re
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from liaison.auth.access import internal
from liaison.fhir.store.contract import Request
from liaison.protocols.library.library import load
from liaison.services.library.publishing import publish

from .library.walking import PLAN, write
from .oauth.conftest import Place, field, place, settings
from .pages.browsing import text

__all__ = ["place", "settings"]

URL = "https://walk.example/PlanDefinition/walking"
NEXT = (
    PLAN.replace("version: 1.0.0", "version: 2.0.0", 1)
    .replace("value: 2, unit: semaines", "value: 4, unit: semaines")
    .replace("title: Point avec le médecin", "title: Point avec le médecin\n    reason: [{text: Fatigue}]")
    .replace(
        "  - id: second",
        """\
  - id: third
    title: Bilan de marche
    documentation: [{type: citation, label: livre}]
    timingDuration: {value: 60, unit: jours, system: "http://unitsofmeasure.org", code: d}
    definitionCanonical: https://walk.example/ActivityDefinition/walk
  - id: second""",
    )
)
NURSE = "select fhir_res from account where username = 'nurse'"
Tree = dict[str, Any]


async def ask(place: Place, method: str, path: str, tree: Tree | None = None, query: str = "") -> tuple[int, Any]:
    """As the territory's maker; an operation is signed by the nurse."""
    maker = await internal.open_session(place.house.database.writing, "sandbox")
    if "$" in path:
        maker = replace(maker, practitioner=await place.house.database.reading.fetchval(NURSE))
    body = orjson.dumps(tree) if tree is not None else b""
    answer = await place.house.engine.handle(
        maker, Request(method, path, query, body, {"prefer": "return=representation"})
    )
    return answer.status, orjson.loads(answer.body)


async def found(place: Place, type_: str, query: str = "") -> list[Tree]:
    return [one["resource"] for one in (await ask(place, "GET", type_, query=query))[1].get("entry", [])]


async def steps(place: Place) -> dict[str, tuple[str, str]]:
    """(state, due) by title."""
    return {
        one["description"]: (one["status"], one["restriction"]["period"]["end"])
        for one in await found(place, "Task", f"patient={place.patient}&_count=50")
    }


@pytest.fixture
async def followed(place: Place, tmp_path: Path) -> Tree:
    """The patient follows version 1, applied on the coordinators' page; version 2 is published after it."""
    await publish(place.house, load(write(tmp_path / "one")), "Essai")
    async with place.signed_in() as nurse:
        path = f"/cohorte/appliquer/{place.patient}"
        page = (await nurse.get(path, params={"protocole": URL})).text
        answer = await nurse.post(path, data={"csrf": field(page, "csrf"), "protocole": URL})
        assert answer.status_code == 303, text(answer)
    await publish(place.house, load(write(tmp_path / "two", NEXT)), "Essai")
    [plan] = await found(place, "CarePlan")
    return plan


async def act(place: Place, plan: Tree, **form: str) -> tuple[int, str]:
    """(status, page) of what the nurse does on the page of the plan."""
    async with place.signed_in() as nurse:
        path = f"/cohorte/plans/{plan['id']}"
        page = (await nurse.get(path)).text
        known = {"csrf": field(page, "csrf"), "version": field(page, "version")}
        if 'name="confirm"' in page:
            known["confirm"] = field(page, "confirm")
        answer = await nurse.post(path, data={**known, **form})
        return answer.status_code, text(answer)


async def test_a_plan_is_moved_with_its_own_differences_confirmed(place: Place, followed: Tree) -> None:
    [first] = [one for one in await found(place, "Task") if one["description"] == "Première marche"]
    day = date.fromisoformat(followed["period"]["start"])
    async with place.signed_in() as nurse:
        path = f"/cohorte/etapes/{first['id']}"
        page = (await nurse.get(path)).text
        form = {
            "csrf": field(page, "csrf"),
            "version": field(page, "version"),
            "action": "done",
            "day": day.isoformat(),
        }
        assert (await nurse.post(path, data=form)).status_code == 303
        page = text(await nurse.get(f"/cohorte/plans/{followed['id']}"))
    before = await steps(place)
    assert re.search(r"Bilan de marche n.existe pas ajoutée", page), page
    assert "Confirmer le passage à la version 2.0.0" in page
    assert (await act(place, followed, act="move", confirm="x"))[0] == 409
    assert await steps(place) == before

    assert (await act(place, followed, act="move"))[0] == 303

    after = await steps(place)
    assert after["Première marche"] == before["Première marche"]  # what is done stays done, on its day
    due = date.fromisoformat(after["Point avec le médecin"][1])
    assert due - timedelta(weeks=4) - day in (
        timedelta(days=n) for n in range(4)
    )  # from the day it was done; working days
    assert after["Bilan de marche"][0] == "requested"
    [review] = [one for one in await found(place, "Task") if one["description"] == "Point avec le médecin"]
    assert review["reasonCode"] == {"text": "Fatigue"}  # of the new version
    plans = {one["status"]: one for one in await found(place, "CarePlan")}
    assert plans["active"]["replaces"] == [{"reference": f"CarePlan/{followed['id']}"}]
    assert plans["active"]["instantiatesCanonical"] == [f"{URL}|2.0.0"]
    kinds = [one["reference"]["reference"].partition("/")[0] for one in plans["active"]["activity"]]
    assert kinds == ["Task", "Task", "Task", "RequestGroup"]
    assert sorted(one["status"] for one in await found(place, "RequestGroup")) == ["active", "revoked"]
    assert plans["active"]["goal"] == followed["goal"]
    assert plans["revoked"]["id"] == followed["id"]
    assert "Passage à la version 2.0.0" in plans["revoked"]["note"][-1]["text"]
    status, page = await act(place, plans["active"], act="move")
    assert status == 409


async def test_whoever_does_not_see_what_a_plan_is_for_moves_it_all_the_same(place: Place, followed: Tree) -> None:
    """A coordinator sees no diagnosis, and a problem may be deleted: the words stay, and the plan that is replaced has the reference."""
    condition = {
        "resourceType": "Condition",
        "subject": {"reference": f"Patient/{place.patient}"},
        "code": {"text": "x"},
    }
    seen, gone = [f"Condition/{(await ask(place, 'POST', 'Condition', condition))[1]['id']}" for _ in range(2)]
    named = [{"reference": seen}, {"reference": gone, "display": "Un suivi"}, {"reference": gone}]
    assert (await ask(place, "PUT", f"CarePlan/{followed['id']}", {**followed, "addresses": named}))[0] == 200
    maker = await internal.open_session(place.house.database.writing, "sandbox")
    assert (await place.house.engine.handle(maker, Request("DELETE", gone, "", b""))).status == 204

    assert (await act(place, followed, act="move"))[0] == 303

    plans = {one["status"]: one for one in await found(place, "CarePlan")}
    assert plans["active"]["addresses"] == [{"reference": seen}, {"display": "Un suivi"}]
    assert plans["revoked"]["addresses"] == named


async def test_a_step_is_given_to_a_member_who_may_read_it_on_its_page_and_over_fhir(
    place: Place, followed: Tree
) -> None:
    [first] = [one for one in await found(place, "Task") if one["description"] == "Première marche"]
    assert "reference" not in first["owner"]  # « Infirmier » in words is nobody's code
    roles = await found(place, "PractitionerRole", "_include=PractitionerRole:practitioner&_count=50")
    people = {f"Practitioner/{one['id']}": one["name"][0]["family"] for one in roles if "name" in one}
    by_code = {
        (people[one["practitioner"]["reference"]], one["code"][0]["coding"][0]["code"]): f"PractitionerRole/{one['id']}"
        for one in roles
        if "code" in one
    }
    nurse_role, admin_role = by_code["NURSE", "nurse"], by_code["ADMIN", "admin"]
    [team] = [one for one in await found(place, "CareTeam") if place.patient in one["subject"]["reference"]]
    several = [*team["participant"], {"member": {"reference": admin_role}, "period": {"start": "2020-01-01"}}]
    assert (await ask(place, "PUT", f"CareTeam/{team['id']}", {**team, "participant": several}))[0] == 200
    async with place.signed_in() as nurse:
        path = f"/cohorte/etapes/{first['id']}"
        plan = (await nurse.get(f"/dossiers/{place.patient}/plan")).text
        assert f'href="{path}?retour=plan#qui">À attribuer' in plan
        page = (await nurse.get(path)).text
        assert re.findall(r'<option value="([^"]+)"', page) == [
            nurse_role
        ]  # who is in the team and reads nothing is not there
        form = {name: field(page, name) for name in ("csrf", "version")} | {"action": "assign", "retour": "plan"}
        for nobody in ("", admin_role, by_code["BOTH", "nurse"]):
            refused = await nurse.post(path, data={**form, "owner": nobody})
            assert (refused.status_code, "Choisissez qui s'en charge." in text(refused)) == (400, True)
        assert (await nurse.post(path, data={**form, "owner": nurse_role})).status_code == 303
        task = (await ask(place, "GET", f"Task/{first['id']}"))[1]
        assert task["owner"] == {"reference": nurse_role, "display": "Camille NURSE"}
        assert task["note"][-1]["text"] == "Confié à Camille NURSE. Avant : À attribuer."

        other = {"reference": by_code["BOTH", "nurse"], "display": "Camille BOTH"}
        assert (await ask(place, "PUT", f"Task/{first['id']}", {**task, "owner": other}))[0] == 200
        assert "Camille BOTH" in text(await nurse.get(f"/dossiers/{place.patient}/plan"))


@pytest.mark.parametrize("reached", [False, True])
async def test_a_goal_that_the_new_version_does_not_have_ends_and_says_why(
    place: Place, followed: Tree, tmp_path: Path, reached: bool
) -> None:
    [goal] = await found(place, "Goal")
    if reached:
        coding = {"system": "http://terminology.hl7.org/CodeSystem/goal-achievement", "code": "achieved"}
        assert (await ask(place, "PUT", f"Goal/{goal['id']}", {**goal, "achievementStatus": {"coding": [coding]}}))[
            0
        ] == 200
    other = NEXT.replace("version: 2.0.0", "version: 3.0.0", 1).replace("Marcher une heure", "Marcher deux heures")
    await publish(place.house, load(write(tmp_path / "three", other)), "Essai")

    assert (await act(place, followed, act="move"))[0] == 303

    goals = {one["description"]["text"]: one for one in await found(place, "Goal")}
    left = goals["Marcher une heure"]
    assert left["lifecycleStatus"] == ("completed" if reached else "cancelled")
    assert left["statusReason"] == "Passage à la version 3.0.0 du protocole."
    assert goals["Marcher deux heures"]["lifecycleStatus"] == "active"


async def test_over_fhir_nothing_moves_before_what_was_shown_is_confirmed(place: Place, followed: Tree) -> None:
    where = f"CarePlan/{followed['id']}/$move"
    parameters: Tree = {"resourceType": "Parameters", "parameter": []}
    before = await steps(place)
    status, told = await ask(place, "POST", where, parameters)
    assert status == 200
    assert await steps(place) == before
    named = {one["name"]: one for one in told["parameter"]}
    assert named["to"]["valueCanonical"] == f"{URL}|2.0.0"
    becomes = sorted(one["part"][0]["valueCode"] for one in told["parameter"] if one["name"] == "step")
    assert becomes == ["added", "moved", "unchanged"]
    [first] = [one for one in await found(place, "Task") if one["description"] == "Première marche"]
    await ask(place, "PUT", f"Task/{first['id']}", {**first, "priority": "urgent"})  # somebody changes a step meanwhile
    confirm = {**parameters, "parameter": [{"name": "confirm", "valueString": named["confirm"]["valueString"]}]}
    assert (await ask(place, "POST", where, confirm))[0] == 409
    for wrong, expected in (("9.9.9", 422), ("1.0.0", 422)):
        tree = {**parameters, "parameter": [{"name": "version", "valueString": wrong}]}
        assert (await ask(place, "POST", where, tree))[0] == expected


ENDS = [
    ("reached", "", 303, "completed", "Objectifs atteints"),
    ("moved", "", 303, "revoked", "Déménagement"),
    ("died", "", 303, "revoked", "Décès"),
    ("other", "Suivi ailleurs", 303, "revoked", "Autre motif : Suivi ailleurs"),
    ("other", " ", 400, "active", ""),
    ("invented", "x", 400, "active", ""),
]


@pytest.mark.parametrize(("code", "reason", "answer", "status", "said"), ENDS)
async def test_who_leaves_does_so_with_a_reason(
    place: Place, followed: Tree, code: str, reason: str, answer: int, status: str, said: str
) -> None:
    today = followed["period"]["start"]
    assert (await act(place, followed, act="end", code=code, reason=reason, day=today))[0] == answer

    [plan] = await found(place, "CarePlan")
    assert plan["status"] == status
    tasks = await found(place, "Task")
    assert {one["status"] for one in tasks} == ({"requested"} if status == "active" else {"cancelled"})
    [goal] = await found(place, "Goal")
    assert goal["lifecycleStatus"] == {"active": "active", "completed": "completed", "revoked": "cancelled"}[status]
    if said:
        assert {one["statusReason"]["text"] for one in tasks} == {said}
        assert plan["period"]["end"] == today
        again = await ask(place, "POST", f"CarePlan/{plan['id']}/$resume", {"resourceType": "Parameters"})
        assert (again[0], again[1]["status"]) == (200, "active")
        [was] = [{name: part for name, part in one.items() if name != "meta"} for one in await found(place, "Goal")]
        gone = ("meta", "extension", "statusReason")
        assert was == {**{name: part for name, part in goal.items() if name not in gone}, "lifecycleStatus": "active"}


async def test_a_goal_that_another_plan_pursues_does_not_end_with_this_one(place: Place, followed: Tree) -> None:
    own = {"subject": followed["subject"], "goal": followed["goal"]}
    other = {"resourceType": "CarePlan", "status": "active", "intent": "plan", **own}
    assert (await ask(place, "POST", "CarePlan", other))[0] == 201

    assert (await act(place, followed, act="end", code="wish", day=followed["period"]["start"]))[0] == 303

    assert [one["lifecycleStatus"] for one in await found(place, "Goal")] == ["active"]


async def test_a_suspended_plan_is_late_with_nothing_and_goes_on_later(place: Place, followed: Tree) -> None:
    before = await steps(place)
    assert (await act(place, followed, act="suspend", reason=" "))[0] == 400
    assert (await act(place, followed, act="suspend", reason="Hospitalisation"))[0] == 303
    assert {state for state, _ in (await steps(place)).values()} == {"on-hold"}
    assert "Plan suspendu" in (await act(place, followed, act="suspend", reason="encore"))[1]
    [plan] = await found(place, "CarePlan")
    week = (date.fromisoformat(followed["period"]["start"]) - timedelta(days=7)).isoformat()
    held = [{**one, "valueDate": week} for one in plan["extension"]]  # as if it had been suspended a week ago
    assert (await ask(place, "PUT", f"CarePlan/{plan['id']}", {**plan, "extension": held}))[0] == 200

    status, resumed = await ask(
        place, "POST", f"CarePlan/{plan['id']}/$resume", {"resourceType": "Parameters", "parameter": []}
    )

    assert (status, resumed["status"], resumed.get("extension")) == (200, "active", None), resumed
    for title, (state, due) in (await steps(place)).items():
        assert state == "requested"
        assert date.fromisoformat(due) - date.fromisoformat(before[title][1]) >= timedelta(days=7)
    assert (await ask(place, "POST", f"CarePlan/{plan['id']}/$resume", {"resourceType": "Parameters"}))[0] == 409


CHOICE = """\
resourceType: PlanDefinition
url: https://walk.example/PlanDefinition/choice
version: 1.0.0
name: Choix
title: Marcher ou nager
status: active
date: "2026-11-30"
publisher: Une maison de santé
approvalDate: "2026-11-30"
lastReviewDate: "2026-11-30"
relatedArtifact: [{type: citation, label: livre, display: Un livre}]
action:
  - id: which
    title: L'un ou l'autre
    selectionBehavior: exactly-one
    action:
      - {id: walk, title: Marcher, documentation: [{type: citation, label: livre}], definitionCanonical: "https://walk.example/ActivityDefinition/ask"}
      - {id: swim, title: Nager, documentation: [{type: citation, label: livre}], definitionCanonical: "https://walk.example/ActivityDefinition/ask"}
---
resourceType: ActivityDefinition
url: https://walk.example/ActivityDefinition/ask
version: 1.0.0
name: Demande
title: Demande
status: active
date: "2026-11-30"
publisher: Une maison de santé
approvalDate: "2026-11-30"
lastReviewDate: "2026-11-30"
kind: ServiceRequest
intent: order
code: {text: Activité physique adaptée}
timingDuration: {value: 7, unit: jours, system: "http://unitsofmeasure.org", code: d}
participant: [{type: patient}]
"""


async def test_a_choice_is_made_on_the_page_and_over_fhir(place: Place, tmp_path: Path) -> None:
    """Nothing is written before it is made; then the request, its Task and the RequestGroup are."""
    (tmp_path / "choice.yaml").write_text(CHOICE)
    await publish(place.house, load(tmp_path), "Essai")
    [definition] = await found(place, "PlanDefinition", "url=https://walk.example/PlanDefinition/choice")
    [activity] = await found(place, "ActivityDefinition", "url=https://walk.example/ActivityDefinition/ask")
    subject = {"name": "subject", "valueString": f"Patient/{place.patient}"}
    where = f"PlanDefinition/{definition['id']}/$apply"

    def asked(*more: Tree) -> Tree:
        return {"resourceType": "Parameters", "parameter": [subject, *more]}

    for wrong, status, says in (
        ((), 422, "one of walk, swim is to be chosen"),
        (({"name": "choice", "valueString": "run"},), 422, "action 'run', id"),
        (({"name": "encounter", "valueString": "Encounter/none"},), 404, ""),
        (({"name": "mood", "valueString": "x"},), 400, "mood"),
    ):
        answer, outcome = await ask(place, "POST", where, asked(*wrong))
        assert (answer, outcome["resourceType"], says in str(outcome)) == (status, "OperationOutcome", True), outcome
    answer, made = await ask(place, "POST", f"ActivityDefinition/{activity['id']}/$apply", asked())
    assert (answer, made["resourceType"], made["code"]) == (
        200,
        "ServiceRequest",
        {"text": "Activité physique adaptée"},
    )
    assert await found(place, "ServiceRequest") == []

    path = f"/cohorte/appliquer/{place.patient}"
    query = {"protocole": "https://walk.example/PlanDefinition/choice"}
    async with place.signed_in() as nurse:
        page = await nurse.get(path, params=query)
        assert "Il reste un choix à faire" in page.text
        page = await nurse.get(path, params={**query, "choix": "swim"})
        form = {"csrf": field(page.text, "csrf"), **query, "choix": field(page.text, "choix") and "swim"}
        assert (await nurse.post(path, data=form)).status_code == 303

    [service] = await found(place, "ServiceRequest")
    [task] = await found(place, "Task")
    [group] = await found(place, "RequestGroup")
    assert task["focus"]["reference"] == f"ServiceRequest/{service['id']}"
    assert task["owner"]["reference"] == f"Patient/{place.patient}"
    assert [one["id"] for one in group["action"][0]["action"]] == ["swim"]

    [plan] = await found(place, "CarePlan")
    day = plan["period"]["start"]
    assert (await act(place, plan, act="end", code="wish", reason="", day=day))[0] == 303
    ended = [*await found(place, "ServiceRequest"), *await found(place, "RequestGroup")]
    assert [one["status"] for one in ended] == ["revoked", "revoked"]
