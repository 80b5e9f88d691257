"""A home service makes a form its own: published once and for all, asked by the telephone, filed under the version that was filled in.

Only the short visit is published here: the other tests of the territory ask the daily one.
"""

from typing import Any

import httpx
import pytest

from liaison.protocols.forms import READY

from ...protocols.every_type import ANSWERS, every_type
from ..pages.browsing import text
from ..running_sandbox import Running
from .publishing import FILLED, MODEL, PATH, add_line, brought, edited, published
from .telephone import Telephone, person
from .test_bringing import encounters

pytestmark = [pytest.mark.http, pytest.mark.proof]


def response_of(sandbox: Running, visit: str) -> dict[str, Any]:
    [encounter] = encounters(sandbox, visit)
    query = f"QuestionnaireResponse?encounter=Encounter/{encounter['id']}"
    [entry] = sandbox.get(sandbox.token("gp"), query).json()["entry"]
    found: dict[str, Any] = entry["resource"]
    return found


def test_a_form_of_every_type_is_published_asked_filed_reworded_and_each_visit_keeps_its_version(
    telephone: Telephone, manager: Telephone, sandbox: Running
) -> None:
    look = brought(manager, every_type(MODEL))
    assert look.status_code == 200, text(look)
    assert "Demandé en plus" in text(look)
    assert published(manager, look).status_code == 303

    patient = telephone.someone["patient"]
    add_line(manager, sandbox, patient, "courte")
    assert telephone.fetch().status_code == 200
    [stop] = [one for one in telephone.tour["stops"] if MODEL["url"] in one["asked"]]
    first = stop["asked"]
    assert first.endswith("|1")
    drawn = telephone.tour["forms"][first]["questions"]
    assert all(f'data-kind="{kind}"' in drawn for kind in ("choice", "boolean", "integer", "decimal", "quantity", "date", "text",
                                                          "string", "group"))  # fmt: skip
    assert " checked" not in drawn
    url, _, version = first.partition("|")
    [found] = sandbox.get(sandbox.token("gp"), f"Questionnaire?url={url}&version={version}").json()["entry"]
    assert found["resource"]["derivedFrom"] == [f"{MODEL['url']}|1.0.0"]
    query = f"AuditEvent?entity=Questionnaire/{found['resource']['id']}&action=C"
    [entry] = sandbox.get(sandbox.token("auditor"), query).json()["entry"]
    assert entry["resource"]["agent"][0]["who"]["reference"] == person(sandbox, "home_service_manager")["practitioner"]
    # It stays: not even an administrator writes it over, or another beside it.
    refused = sandbox.post(sandbox.token("admin"), "Questionnaire", {**found["resource"], "title": "x"})
    assert (refused.status_code, "stays as it is" in refused.text) == (409, True), refused.text

    # What the service does not take: a number out of bounds waits for a person; nobody's form is no form.
    beside = {**stop, "appointment": ""}
    late = telephone.letter(beside, form=FILLED, asked=first)
    strange = telephone.letter(beside, form={**FILLED, "x-quantity": ["9"]}, asked=first)
    foreign = telephone.letter(beside, asked=f"{url}x|1")
    for letter in (strange, foreign):
        assert telephone.bring(telephone.parcel(letter)).json()["state"] == "checking"

    visit = telephone.letter(stop, form=FILLED, asked=first)
    assert telephone.bring(telephone.parcel(visit)).json()["state"] == "filed"
    told = response_of(sandbox, visit["visit"])
    assert told["questionnaire"] == first
    items = {one["linkId"]: one for one in told["item"]}
    given = {**items, **{one["linkId"]: one for one in items["x-group"]["item"]}}
    assert {link: value for link in ANSWERS for value in given[link]["answer"][0].values() if not isinstance(value, dict)} == {
        link: value for link, value in ANSWERS.items() if link not in ("x-choice", "x-several", "x-quantity")
    }  # fmt: skip
    assert [one["valueCoding"]["code"] for one in given["x-several"]["answer"]] == ["c1", "c3"]
    [encounter] = encounters(sandbox, visit["visit"])
    entries = sandbox.get(sandbox.token("gp"), f"Observation?encounter=Encounter/{encounter['id']}").json()["entry"]
    seen = {one["resource"]["code"]["coding"][0]["code"]: one["resource"] for one in entries}
    assert seen["9192-6"]["valueQuantity"]["value"] == 1.5
    assert "x-choice" not in seen  # it says nothing of an Observation
    assert len(seen) == len(entries) == 6  # presence, what is usual of the model's four, and the measure

    # Other words, as the second version: what was begun on the first is filed under it.
    data = edited(manager, **{"texte.meal": "A-t-elle mangé ?", "mot.meal/meal-all": "Toute l'assiette"})
    assert published(manager, manager.http.post(PATH, data={**data, "agir": "voir"})).status_code == 303
    assert telephone.fetch().status_code == 200
    assert telephone.bring(telephone.parcel(late)).json()["state"] == "filed"
    assert response_of(sandbox, late["visit"])["questionnaire"] == first
    newer = telephone.letter(beside, asked=f"{url}|2")
    assert telephone.bring(telephone.parcel(newer)).json()["state"] == "filed"
    told = response_of(sandbox, newer["visit"])
    assert told["questionnaire"] == f"{url}|2"
    [meal] = [one for one in told["item"] if one["linkId"] == "meal"]
    assert (meal["text"], meal["answer"][0]["valueCoding"]["code"]) == ("A-t-elle mangé ?", "meal-all")

    # The sheet of paper asks the same, and is typed in under the version in force.
    page = text(manager.http.get(f"/service/papier/{patient}"))
    assert "A-t-elle mangé ?" in page
    assert "Urines" in page


def test_the_line_takes_the_form_of_the_person_s_plan_where_the_planning_names_none(
    telephone: Telephone, manager: Telephone, sandbox: Running
) -> None:
    patient, token = telephone.someone["patient"], sandbox.token("home_service_manager")
    category = {"system": "https://liaison.example/fhir/CodeSystem/care-plan-category", "code": "home-help"}
    plan = {
        "resourceType": "CarePlan",
        "status": "active",
        "intent": "plan",
        "category": [{"coding": [category]}],
        "subject": {"reference": f"Patient/{patient}"},
        "activity": [
            {"detail": {"status": "in-progress", "instantiatesCanonical": [f"{READY['visit-breath']}|1.0.0"]}}
        ],
    }
    made = sandbox.post(token, "CarePlan", plan)
    assert made.status_code == 201, made.text
    add_line(manager, sandbox, patient, "", "23:31")
    assert telephone.fetch().status_code == 200
    [stop] = [one for one in telephone.tour["stops"] if "T23:31" in one["at"]]
    assert stop["asked"] == f"{READY['visit-breath']}|1.0.0"
    letter = telephone.letter(stop, asked=stop["asked"], form={"legs": ["legs-no"], "weight": ["71,5"]})
    assert telephone.bring(telephone.parcel(letter)).json()["state"] == "filed"
    told = response_of(sandbox, letter["visit"])
    assert [one["linkId"] for one in told["item"]][:6] == ["start", "presence", "breath", "legs", "weight", "general"]
    ended = {**made.json(), "status": "revoked"}
    address = f"{sandbox.known['fhir']}/CarePlan/{ended['id']}"
    headers = {"authorization": f"Bearer {token}", "content-type": "application/fhir+json"}
    assert httpx.put(address, headers=headers, json=ended, timeout=60).status_code == 200


def test_two_managers_at_once_the_second_sees_it_and_loses_nothing(manager: Telephone) -> None:
    one = manager.http.post(PATH, data={**edited(manager, **{"texte.drink": "A-t-elle bu ?"}), "agir": "voir"})
    other = manager.http.post(PATH, data={**edited(manager, **{"texte.fall": "Une chute ?"}), "agir": "voir"})
    assert [published(manager, one).status_code for _touch in range(2)] == [303, 303]

    refused = published(manager, other)
    assert refused.status_code == 409
    assert "Quelqu'un a publié une version entre-temps" in text(refused)
    assert "Une chute ?" in text(refused)  # nothing lost
    assert "A-t-elle bu ?" in text(refused)  # and what the other has changed is seen
    assert published(manager, refused).status_code == 303
    page = manager.http.get(PATH).text
    assert "Une chute ?" in page


def test_what_the_telephone_cannot_show_is_refused_by_name_and_not_published(manager: Telephone) -> None:
    form = every_type(MODEL)
    form["item"].append({"linkId": "photo", "type": "attachment", "text": "Une photo"})
    look = brought(manager, form)
    assert look.status_code == 422
    assert "Une photo : le téléphone ne sait pas montrer ce type de question." in text(look)
    assert published(manager, look).status_code == 422

    assert "n'est pas un Questionnaire FHIR R4" in text(brought(manager, {"resourceType": "Questionnaire"}))
    assert manager.http.post(PATH, data={**edited(manager), "contenu": "{", "agir": "voir"}).status_code == 400
    assert manager.http.get("/service/formulaires/none").status_code == 404


def test_without_a_script_questions_move_and_go(manager: Telephone) -> None:
    data = edited(manager)
    page = manager.http.post(PATH, data={**data, "agir": "monter:drink"})
    order = ["general", "meal", "drink", "fall"]
    assert sorted(order, key=lambda link: page.text.index(f'id="q-{link}"')) == ["general", "drink", "meal", "fall"]

    off = {**data, "pose": [one for one in data["pose"] if one not in ("tasks", "fall")], "agir": "voir"}
    look = manager.http.post(PATH, data=off)
    assert look.status_code == 422  # an answer to `fall` raises a red alert
    assert "une de ses réponses donne une alerte rouge" in text(look)


def test_an_aide_publishes_nothing(telephone: Telephone) -> None:
    assert telephone.http.get(PATH).status_code == 404
