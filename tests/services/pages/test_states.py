"""What did not happen, what is not sure and what was written by mistake is never told as a fact."""

from typing import Any

import pytest

from liaison.services.pages.clinician.news import told_once
from liaison.services.pages.reading.allergies import gravest_first
from liaison.services.pages.reading.kinds import kind
from liaison.services.pages.reading.sentences import sentence
from liaison.services.pages.reading.states import stands

Tree = dict[str, Any]


def _coded(code: str) -> Tree:
    return {"coding": [{"code": code}]}


def condition(**more: Any) -> Tree:
    return {"resourceType": "Condition", "id": "c", "code": {"text": "BPCO"}, **more}


def allergy(**more: Any) -> Tree:
    return {"resourceType": "AllergyIntolerance", "id": "a", "clinicalStatus": _coded("active"), **more}


@pytest.mark.parametrize(
    ("tree", "said"),
    [
        (
            {"resourceType": "Immunization", "status": "not-done", "vaccineCode": {"text": "Grippe"}},
            "Grippe (non fait)",
        ),
        ({"resourceType": "Immunization", "status": "completed", "vaccineCode": {"text": "Grippe"}}, "Grippe"),
        (
            {"resourceType": "Immunization", "vaccineCode": {"text": "Rougeole"}, "occurrenceString": "dans l'enfance"},
            "Rougeole, dans l'enfance",
        ),
        ({"resourceType": "Encounter", "status": "cancelled", "type": [{"text": "Bilan"}]}, "Bilan (annulé)"),
        ({"resourceType": "Encounter", "status": "planned", "type": [{"text": "Bilan"}]}, "Bilan (prévu)"),
        ({"resourceType": "Encounter", "status": "finished", "type": [{"text": "Bilan"}]}, "Bilan"),
        ({"resourceType": "Encounter", "status": "finished", "class": {"code": "EMER"}}, "Urgences"),
        ({"resourceType": "Procedure", "status": "not-done", "code": {"text": "Coloscopie"}}, "Coloscopie (non fait)"),
        ({"resourceType": "Procedure", "status": "preparation", "code": {"text": "IRM"}}, "IRM (en préparation)"),
        ({"resourceType": "Procedure", "status": "completed", "code": {"text": "IRM"}}, "IRM"),
        (
            {"resourceType": "Appointment", "status": "noshow", "description": "Kiné"},
            "Kiné (la personne n'est pas venue)",
        ),
        ({"resourceType": "Appointment", "status": "cancelled", "description": "Kiné"}, "Kiné (annulé)"),
        ({"resourceType": "DiagnosticReport", "status": "preliminary", "code": {"text": "NFS"}}, "NFS (provisoire)"),
        (
            {"resourceType": "DocumentReference", "status": "superseded", "description": "Lettre"},
            "Lettre (remplacé)",
        ),
        (
            {"resourceType": "Goal", "lifecycleStatus": "cancelled", "description": {"text": "Marcher"}},
            "Marcher (annulé)",
        ),
        (
            {
                "resourceType": "ServiceRequest",
                "status": "active",
                "doNotPerform": True,
                "code": {"text": "Réanimation"},
            },
            "Ne pas faire : Réanimation",
        ),
        (condition(clinicalStatus=_coded("active"), verificationStatus=_coded("confirmed")), "BPCO"),
        (condition(clinicalStatus=_coded("resolved")), "BPCO (résolu)"),
        (condition(verificationStatus=_coded("refuted")), "BPCO (écarté)"),
        (condition(verificationStatus=_coded("unconfirmed")), "BPCO (non confirmé)"),
        (condition(verificationStatus=_coded("provisional")), "BPCO (provisoire)"),
        (condition(verificationStatus=_coded("differential")), "BPCO (hypothèse)"),
        (condition(clinicalStatus=_coded("relapse")), "BPCO (rechute)"),
        (allergy(code={"text": "Latex"}, verificationStatus=_coded("unconfirmed")), "Latex (non confirmé)"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_status_that_changes_the_fact_is_said(tree: Tree, said: str) -> None:
    assert sentence(tree) == said


@pytest.mark.parametrize(
    "tree",
    [
        condition(verificationStatus=_coded("entered-in-error")),
        allergy(verificationStatus=_coded("entered-in-error")),
        *(
            {"resourceType": type_, "id": "x", "status": "entered-in-error"}
            for type_ in ("Immunization", "Encounter", "Procedure", "Communication", "QuestionnaireResponse", "Flag")
        ),
        {"resourceType": "DocumentReference", "id": "d", "status": "current", "docStatus": "entered-in-error"},
    ],
    ids=lambda tree: str(tree["resourceType"]),
)
def test_what_was_written_by_mistake_is_told_nowhere(tree: Tree) -> None:
    assert told_once([{**tree, "meta": {"lastUpdated": "2026-11-29T08:00:00Z"}}]) == []
    assert not stands(tree)


def test_a_refuted_allergy_is_never_one() -> None:
    refuted = allergy(code={"text": "Latex"}, verificationStatus=_coded("refuted"))

    assert not stands(refuted)
    assert kind(refuted) == "Allergie écartée"


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"code": {"text": "Latex"}}, "Latex"),
        ({"code": {"text": "Latex"}, "criticality": "low"}, "Latex"),
        ({"code": {"text": "Latex"}, "criticality": "high"}, "Latex, risque élevé"),
        (
            {"code": {"text": "Latex"}, "reaction": [{"manifestation": [{"text": "choc"}], "severity": "severe"}]},
            "Latex : choc (grave)",
        ),
        ({"reaction": [{"substance": {"text": "Arachide"}, "manifestation": [{"text": "urticaire"}]}]},
            "Arachide : urticaire"),
        ({"code": _coded("J01CA04")}, "code J01CA04"),
        ({"code": {"coding": [{"system": "http://www.whocc.no/atc", "code": "J01CA04"}]}}, "ATC J01CA04"),
        ({"code": {"coding": [{"system": "http://snomed.info/sct", "code": "716186003"}]}}, "aucune allergie connue"),
        ({}, "substance non précisée"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_an_allergy_says_to_what_and_how_grave(more: Tree, said: str) -> None:
    assert sentence(allergy(**more)) == said


def test_the_gravest_allergy_comes_first() -> None:
    trees = [allergy(id="1"), allergy(id="2", criticality="high"), allergy(id="3", criticality="low")]

    assert [tree["id"] for tree in gravest_first(trees)] == ["2", "1", "3"]


def test_words_of_ours_are_in_the_readers_language() -> None:
    english = {"non fait": "not done"}

    def say(text: str) -> str:
        return english.get(text, text)

    vaccine = {"resourceType": "Immunization", "status": "not-done", "vaccineCode": {"text": "Grippe"}}
    assert sentence(vaccine, say) == "Grippe (not done)"
