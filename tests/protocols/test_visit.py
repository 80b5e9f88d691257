"""What the answers of a home visit become."""

from base64 import b64decode
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from liaison.protocols import library
from liaison.protocols.alerts import level_of
from liaison.protocols.visit import Invalid, Visit, transaction

PARIS = ZoneInfo("Europe/Paris")
ROLE = "https://liaison.example/fhir/CodeSystem/role"
START = {"start": "2026-11-23T09:40:00+01:00", "end": "2026-11-23T10:20:00+01:00", "presence": "present"}
TEAM = {
    "resourceType": "CareTeam",
    "status": "active",
    "participant": [
        {"role": [{"coding": [{"system": ROLE, "code": "nurse"}]}], "member": {"reference": "PractitionerRole/nurse"}},
        {
            "role": [{"coding": [{"system": ROLE, "code": "home-service-manager"}]}],
            "member": {"reference": "PractitionerRole/manager"},
        },
    ],
}


def _transaction(
    answers: dict[str, Any],
    *,
    device_time: datetime | None = None,
    transcribed_by: dict[str, Any] | None = None,
    **more: Any,
) -> dict[str, Any]:
    visit = Visit(
        id=UUID(int=7),
        patient="Patient/1",
        aide={"reference": "PractitionerRole/aide"},
        service={"reference": "Organization/ccas"},
        answers={**START, **answers},
        recorded=datetime(2026, 11, 23, 10, 21, tzinfo=PARIS),
        teams=[TEAM],
        device_time=device_time,
        transcribed_by=transcribed_by,
    )
    return transaction(library.shipped(), visit, **more)


def _of(bundle: dict[str, Any], type_: str) -> list[dict[str, Any]]:
    return [entry["resource"] for entry in bundle["entry"] if entry["resource"]["resourceType"] == type_]


def test_a_quiet_visit_is_an_encounter_an_answered_form_and_what_was_seen() -> None:
    bundle = _transaction({"tasks": ["wash", "meal-served"], "meal": "meal-all", "breath": "breath-usual"})

    (encounter,) = _of(bundle, "Encounter")
    (response,) = _of(bundle, "QuestionnaireResponse")
    assert encounter["class"]["code"] == "HH"
    assert encounter["period"] == {"start": START["start"], "end": START["end"]}
    assert response["questionnaire"] == "https://liaison.example/fhir/Questionnaire/home-visit|1.0.0"
    assert [item["linkId"] for item in response["item"]] == ["start", "end", "presence", "tasks", "meal", "breath"]
    assert [observation["code"]["coding"][0]["code"] for observation in _of(bundle, "Observation")] == [
        "presence",
        "meal",
        "breath",
    ]
    assert _of(bundle, "Task") == []


def test_measures_carry_the_codes_of_the_vital_signs() -> None:
    bundle = _transaction({"weight": 72.5, "spo2": 91.0, "pain": 3})

    found = {tree["code"]["coding"][0]["code"]: tree for tree in _of(bundle, "Observation")}
    assert found["29463-7"]["valueQuantity"] == {
        "value": 72.5,
        "unit": "kg",
        "system": "http://unitsofmeasure.org",
        "code": "kg",
    }
    assert found["2708-6"]["category"][0]["coding"][0]["code"] == "vital-signs"
    assert found["72514-3"]["valueQuantity"]["value"] == 3
    assert found["29463-7"]["effectiveDateTime"] == START["end"]


def test_measures_claim_the_profiles_of_the_guide() -> None:
    bundle = _transaction({"weight": 72.5, "spo2": 91.0, "pain": 3, "meal": "meal-all"})

    found = {
        tree["code"]["coding"][0]["code"]: tree.get("meta", {}).get("profile") for tree in _of(bundle, "Observation")
    }
    base = "https://interop.esante.gouv.fr/ig/fhir/mesures/StructureDefinition"
    assert found["29463-7"] == [f"{base}/mesures-fr-observation-body-weight"]
    assert found["2708-6"] == [f"{base}/mesures-fr-observation-oxygen-sat"]
    assert found["72514-3"] == [f"{base}/mesures-observation-pain-severity"]
    assert found["meal"] is None


def test_the_words_of_a_visit_are_a_note_of_the_cahier_de_liaison() -> None:
    (note,) = _of(_transaction({"note": "Elle a bien mangé, « merci »."}), "DocumentReference")

    assert note["meta"]["profile"] == [
        "https://interop.esante.gouv.fr/ig/fhir/cdl/StructureDefinition/cdl-document-reference"
    ]
    assert (note["status"], note["type"]["coding"][0]["code"]) == ("current", "INTERV")
    assert [label["coding"][0]["code"] for label in note["securityLabel"]] == ["N"]
    assert note["author"] == [{"reference": "PractitionerRole/aide"}]
    assert b64decode(note["content"][0]["attachment"]["data"]).decode() == "Elle a bien mangé, « merci »."
    assert not {"docStatus", "custodian", "authenticator"} & note.keys()  # forbidden by the profile


def test_a_provenance_says_who_told_it_and_when_by_both_clocks() -> None:
    device = datetime(2026, 11, 23, 13, 20, tzinfo=PARIS)  # three hours ahead
    manager = {"reference": "PractitionerRole/manager"}
    bundle = _transaction({"note": "Bien.", "weight": 72.5}, device_time=device, transcribed_by=manager)

    *others, entry = bundle["entry"]
    told = entry["resource"]
    assert told["resourceType"] == "Provenance"
    assert told["occurredDateTime"] == "2026-11-23T13:20:00+01:00"
    assert told["recorded"] == "2026-11-23T10:21:00+01:00"
    assert {(one["type"]["coding"][0]["code"], one["who"]["reference"]) for one in told["agent"]} == {
        ("author", "PractitionerRole/aide"),
        ("enterer", "PractitionerRole/manager"),
    }
    assert [one["reference"] for one in told["target"]] == [one["fullUrl"] for one in others]


def test_what_the_aide_does_not_know_is_in_the_form_but_is_no_finding() -> None:
    bundle = _transaction({"breath": "unknown"})

    assert [tree["code"]["coding"][0]["code"] for tree in _of(bundle, "Observation")] == ["presence"]
    assert "breath" in {item["linkId"] for item in _of(bundle, "QuestionnaireResponse")[0]["item"]}


@pytest.mark.parametrize(
    ("answers", "level"),
    [
        ({"breath": "breath-more"}, "ORANGE"),
        ({"breath": "breath-rest"}, "RED"),
        ({"meal": "meal-little"}, "YELLOW"),
        ({"meal": "meal-little", "breath": "breath-more"}, "ORANGE"),
        ({"mood": "mood-suicidal", "meal": "meal-little"}, "RED"),
        ({"presence": "door-closed"}, "ORANGE"),
        ({"alert": ["alert-carer"]}, "YELLOW"),
        ({"general": "worrying"}, "ORANGE"),
        ({"fall": "fall-no", "legs": "legs-no", "meal": "meal-all"}, ""),
    ],
)
def test_signs_raise_one_alert_at_the_highest_level(answers: dict[str, Any], level: str) -> None:
    alerts = _of(_transaction(answers), "Task")

    assert [level_of(task) for task in alerts] == ([level] if level else [])


def test_an_orange_alert_goes_to_the_nurse_with_the_manager_in_copy() -> None:
    bundle = _transaction({"breath": "breath-more", "note": "Elle n'a pas voulu se lever."})

    (alert,) = _of(bundle, "Task")
    assert alert["owner"] == {"reference": "PractitionerRole/nurse"}
    assert alert["restriction"]["recipient"] == [{"reference": "PractitionerRole/manager"}]
    assert alert["description"] == "Le souffle : plus court que d'habitude\n« Elle n'a pas voulu se lever. »"
    assert alert["requester"] == {"reference": "PractitionerRole/aide"}


def test_without_an_adopted_clinical_decision_only_the_aides_own_words_pass() -> None:
    quiet = _transaction({"breath": "breath-rest"}, clinical_decisions=False)
    words = _transaction({"breath": "breath-rest", "general": "worrying"}, clinical_decisions=False)

    assert _of(quiet, "Task") == []
    assert _of(words, "Task")[0]["description"] == "Comment va la personne : inquiétant"


def test_every_entry_is_conditional_on_the_phones_own_identifier() -> None:
    bundle = _transaction({"weight": 72.5, "note": "Bien.", "breath": "breath-more"})

    conditions = [entry["request"]["ifNoneExist"] for entry in bundle["entry"]]
    assert len(set(conditions)) == len(bundle["entry"])
    assert conditions[-1] == f"target:Encounter.{conditions[0]}"  # the Provenance, which R4 gives no identifier
    assert conditions[0] == f"identifier=https://liaison.example/fhir/id/visit|{UUID(int=7)}%23encounter"
    assert bundle == _transaction({"weight": 72.5, "note": "Bien.", "breath": "breath-more"})


@pytest.mark.parametrize(
    ("answers", "link"),
    [
        ({"weight": 720.0}, "weight"),
        ({"weight": "lourd"}, "weight"),
        ({"weight": True}, "weight"),
        ({"pain": 11}, "pain"),
        ({"pain": 2.5}, "pain"),
        ({"breath": "short"}, "breath"),
        ({"breath": ["breath-usual", "breath-more"]}, "breath"),
        ({"start": "hier"}, "start"),
        ({"start": "2026-11-23T09:40:00"}, "start"),
        ({"nothing": "x"}, "nothing"),
        ({"note": "x" * 4001}, "note"),
    ],
)
def test_answers_that_do_not_fit_are_named(answers: dict[str, Any], link: str) -> None:
    with pytest.raises(Invalid) as caught:
        _transaction(answers)

    assert list(caught.value.problems) == [link]


def test_a_visit_without_presence_is_refused() -> None:
    visit = Visit(UUID(int=1), "Patient/1", {}, {}, {"start": START["start"]}, datetime.now(PARIS))
    with pytest.raises(Invalid) as caught:
        transaction(library.shipped(), visit)

    assert caught.value.problems == {"presence": "an answer is required"}
