"""What qualifies a fact is told with it: what Liaison cannot read, whom or what it is about, notes, degrees, dates."""

from datetime import UTC, date, datetime
from html import unescape
from typing import Any

import pytest

from liaison.services.pages.clinician.alerts import told as alert_told
from liaison.services.pages.clinician.teams import members
from liaison.services.pages.layout import environment
from liaison.services.pages.reading.activities import told as activities_told
from liaison.services.pages.reading.allergies import gravest_first, shown
from liaison.services.pages.reading.identity import identity
from liaison.services.pages.reading.measures import usual
from liaison.services.pages.reading.sentences import sentence
from liaison.services.pages.reading.states import in_force

Tree = dict[str, Any]
NOW = datetime(2026, 11, 29, 8, tzinfo=UTC)
SNOMED = "http://snomed.info/sct"
IPS = "http://hl7.org/fhir/uv/ips/CodeSystem/absent-unknown-uv-ips"
UNREAD = "Contient une précision que Liaison ne sait pas lire"
HIDDEN = {"modifierExtension": [{"url": "https://elsewhere.example/negated", "valueBoolean": True}]}


def coded(code: str, system: str = SNOMED) -> Tree:
    return {"coding": [{"system": system, "code": code}]}


def of(type_: str, **more: Any) -> Tree:
    return {"resourceType": type_, "id": "x", **more}


def said(source: str, language: str = "fr", **known: Any) -> str:
    page = environment(language).from_string(source).render(**known)
    return unescape(page).strip()


@pytest.mark.parametrize(
    "tree",
    [
        of("Condition", code={"text": "BPCO"}, **HIDDEN),
        of("AllergyIntolerance", code={"text": "Latex"}, reaction=[{"manifestation": [{"text": "choc"}], **HIDDEN}]),
        of("MedicationStatement", status="active", medicationCodeableConcept={"text": "A"}, dosage=[{"text": "1", **HIDDEN}]),
        of("MedicationRequest", status="active", medicationReference={"reference": "#m"},
           contained=[{"resourceType": "Medication", "id": "m", "code": {"text": "A"}, **HIDDEN}]),
        of("Observation", status="final", code={"text": "Poids"}, valueInteger=1, **HIDDEN),
        of("Flag", status="active", code={"text": "Chute"}, **HIDDEN),
        of("Immunization", status="completed", vaccineCode={"text": "Grippe"}, **HIDDEN),
        of("CarePlan", status="active", title="Plan BPCO", **HIDDEN),
        of("Goal", description={"text": "Marcher"}, **HIDDEN),
        of("Appointment", status="booked", description="Kiné", implicitRules="https://elsewhere.example/rules"),
        of("DocumentReference", status="current", description="Lettre", content=[{"attachment": {}, **HIDDEN}]),
        of("QuestionnaireResponse", status="completed", item=[{"linkId": "1", "text": "Repas", "item": [HIDDEN]}]),
        of("ServiceRequest", status="active", code={"text": "Radio"}, **HIDDEN),
    ],
    ids=lambda tree: str(tree["resourceType"]),
)  # fmt: skip
def test_what_liaison_cannot_read_is_never_told_as_an_ordinary_fact(tree: Tree) -> None:
    """http://hl7.org/fhir/R4/extensibility.html#modifierExtension"""
    assert sentence(tree).startswith(f"{UNREAD} : ")
    assert said("{{ tree | sentence }}", "en", tree=tree).startswith("Contains a detail that Liaison cannot read: ")


def test_a_row_that_is_not_a_sentence_says_it_too() -> None:
    weight = of("Observation", status="final", code={"text": "Poids"}, valueInteger=1, **HIDDEN)
    team = {"participant": [{"member": {"display": "A. Le Bris"}, **HIDDEN}, {"member": {"display": "B. Morvan"}}]}
    plan = {"activity": [{"detail": {"description": "Marcher", **HIDDEN}}, {"detail": {"description": "Boire"}}]}
    alert = of("Task", status="requested", description="Chute\nDepuis hier", code={}, **HIDDEN)
    person = identity({"name": [{"family": "MARTIN"}], **HIDDEN})

    assert said("{{ tree | whole }}", tree=weight) == f"{UNREAD} : 1"
    assert members(team, NOW) == [(f"{UNREAD} : A. Le Bris", ""), ("B. Morvan", "")]
    assert activities_told(plan) == [f"{UNREAD} : Marcher", "Boire"]
    assert alert_told(alert, NOW).text == f"{UNREAD} : Chute"
    assert UNREAD in said('{% include "clinician/person.html" %}', who=person, today=date(2026, 11, 29))


def test_an_extension_that_is_no_modifier_changes_nothing() -> None:
    tree = of("Condition", code={"text": "BPCO"}, extension=HIDDEN["modifierExtension"], modifierExtension=[])

    assert sentence(tree) == "BPCO"


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"focus": [{"display": "fœtus"}]}, "Pouls : 140 (concerne : fœtus)"),
        ({"focus": [{"reference": "Device/1"}]}, "Pouls : 140 (ne concerne pas la personne elle-même)"),
        ({"focus": [{"reference": "Patient/p"}], "subject": {"reference": "Patient/p"}}, "Pouls : 140"),
        ({"bodySite": {"text": "bras gauche"}}, "Pouls : 140 (bras gauche)"),
        ({"status": "unknown"}, "Pouls : 140 (état inconnu)"),
        ({"method": {"text": "déclaré par la personne"}}, "Pouls : 140 (déclaré par la personne)"),
        ({"note": [{"text": "après l'effort"}]}, "Pouls : 140 – note : après l'effort"),
        ({"note": [{"text": "a"}, {"text": "b"}], "status": "preliminary"}, "Pouls : 140 (provisoire) – note : a ; b"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_measure_says_of_whom_it_was_taken_and_how(more: Tree, told: str) -> None:
    assert sentence(of("Observation", code={"text": "Pouls"}, valueInteger=140, **more)) == told


MEANING = "http://terminology.hl7.org/CodeSystem/referencerange-meaning"


def _g(number: float) -> Tree:
    return {"value": number, "unit": "g/L"}


def _years(number: int) -> Tree:
    return {"value": number, "code": "a", "system": "http://unitsofmeasure.org"}


@pytest.mark.parametrize(
    ("ranges", "told"),
    [
        ([{"high": _g(2), "age": {"low": _years(65)}}, {"high": _g(1), "age": {"high": _years(64)}}],
            "≤ 2 g/L (≥ 65 ans) ; ≤ 1 g/L (≤ 64 ans)"),
        ([{"low": _g(1), "high": _g(2), "text": "à jeun"}], "1 g/L – 2 g/L, à jeun"),
        ([{"low": _g(1), "high": _g(2), "text": "1 - 2 g/L"}], "1 g/L – 2 g/L"),
        ([{"low": _g(1), "appliesTo": [{"text": "femme"}], "age": {"low": _years(18), "high": _years(50)}}],
            "≥ 1 g/L (femme, 18 ans – 50 ans)"),
        ([{"low": _g(1), "type": coded("treatment", MEANING)}], "≥ 1 g/L (sous traitement)"),
        ([{"low": _g(1), "type": coded("normal", MEANING)}], "≥ 1 g/L"),
        ([{"text": "négatif"}], "négatif"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_usual_values_say_for_whom_they_are(ranges: list[Tree], told: str) -> None:
    assert usual({"referenceRange": ranges}) == told


def test_the_parts_of_a_panel_have_their_own_usual_values() -> None:
    part = {"code": {"text": "Fer"}, "valueInteger": 1, "referenceRange": [{"low": _g(1)}]}

    assert usual({"component": [part, {"code": {"text": "Zinc"}}]}) == "Fer ≥ 1 g/L"


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"bodySite": [{"text": "genou gauche"}]}, "Arthrose, genou gauche"),
        ({"severity": coded("24484000")}, "Arthrose, gravité : sévère"),
        ({"severity": {"text": "modérée"}}, "Arthrose, gravité : modérée"),
        ({"stage": [{"summary": {"text": "III"}}]}, "Arthrose, stade III"),
        ({"stage": [{"summary": {"text": "Stade 2"}}]}, "Arthrose, Stade 2"),
        ({"onsetDateTime": "2019-03"}, "Arthrose, début : 03/2019"),
        ({"onsetString": "dans l'enfance"}, "Arthrose, début : dans l'enfance"),
        ({"onsetAge": {"value": 52, "code": "a"}}, "Arthrose, début : 52 ans"),
        ({"abatementDateTime": "2024-02-01"}, "Arthrose, fin : 01/02/2024"),
        ({"note": [{"text": "côté à préciser"}]}, "Arthrose – note : côté à préciser"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_problem_says_where_how_grave_and_since_when(more: Tree, told: str) -> None:
    assert sentence(of("Condition", code={"text": "Arthrose"}, **more)) == told


def test_a_problem_without_words_keeps_what_is_said_of_it() -> None:
    tree = of("Condition", code={"coding": [{"code": "M17"}]}, bodySite=[{"text": "genou gauche"}])

    assert sentence(tree) == "Problème de santé, genou gauche"


@pytest.mark.parametrize(
    ("tree", "told"),
    [
        (of("AllergyIntolerance", code={"text": "Latex"}, note=[{"text": "vu en 2010"}]), "Latex – note : vu en 2010"),
        (of("AllergyIntolerance", code={"text": "Latex"}, reaction=[{"description": "a gonflé aussitôt"}]),
            "Latex : a gonflé aussitôt"),
        (of("AllergyIntolerance", code={"text": "Latex"}, lastOccurrence="2010-05"), "Latex, dernière fois : 05/2010"),
        (of("MedicationStatement", status="active", medicationCodeableConcept={"text": "Fer"}, note=[{"text": "mal toléré"}]),
            "Fer – note : mal toléré"),
        (of("MedicationRequest", status="stopped", medicationCodeableConcept={"text": "Fer"}, statusReason={"text": "allergie"}),
            "Fer (arrêté : allergie)"),
        (of("Immunization", status="not-done", vaccineCode={"text": "Grippe"}, statusReason={"text": "fièvre"}),
            "Grippe (non fait : fièvre)"),
        (of("Immunization", status="not-done", vaccineCode={"text": "Grippe"},
            statusReason=coded("PATOBJ", "http://terminology.hl7.org/CodeSystem/v3-ActReason")),
            "Grippe (non fait : refus de la personne)"),
        (of("Immunization", status="completed", vaccineCode={"text": "Grippe"}, isSubpotent=True,
            subpotentReason=[{"text": "froid rompu"}]), "Grippe, ne protège pas assez : froid rompu"),
        (of("Immunization", status="completed", vaccineCode={"text": "Grippe"}, isSubpotent=True),
            "Grippe, ne protège pas assez"),
        (of("Immunization", status="completed", vaccineCode={"text": "Grippe"}, isSubpotent=False), "Grippe"),
        (of("Immunization", vaccineCode={"text": "dTP"}, protocolApplied=[{"doseNumberPositiveInt": 2}]), "dTP, dose 2"),
        (of("Immunization", vaccineCode={"text": "dTP"}, protocolApplied=[{"doseNumberString": "rappel"}]),
            "dTP, dose rappel"),
        (of("Immunization", vaccineCode={"text": "dTP"}, primarySource=False), "dTP, d'après ce qui a été rapporté"),
        (of("Procedure", status="not-done", code={"text": "IRM"}, statusReason={"text": "pacemaker"}),
            "IRM (non fait : pacemaker)"),
        (of("Appointment", status="cancelled", description="Kiné", cancelationReason={"text": "grève"}),
            "Kiné (annulé : grève)"),
        (of("ServiceRequest", status="active", doNotPerform=True, code=coded("439569004")), "Ne pas faire : SNOMED CT 439569004"),
        (of("ServiceRequest", status="unknown", doNotPerform=True), "Ne pas faire : demande non précisée (état inconnu)"),
        (of("ServiceRequest", status="active", intent="proposal", code={"text": "Radio"}, bodySite=[{"text": "genou gauche"}],
            occurrenceDateTime="2026-12-03"), "Radio, genou gauche, 03/12/2026 (proposé)"),
        (of("ServiceRequest", status="active", intent="order", code={"text": "Radio"}, asNeededBoolean=True),
            "Radio, si besoin"),
        (of("Flag", status="active", code={"text": "Isolement"}, period={"end": "2026-11-03"}),
            "Isolement (fin : 03/11/2026)"),
        (of("Flag", status="active", code={"text": "Isolement"}, period={"start": "2026-12-03"}),
            "Isolement (début : 03/12/2026)"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_what_changes_the_meaning_of_a_line_is_in_it(tree: Tree, told: str) -> None:
    assert sentence(tree) == told


def test_a_flag_that_is_over_or_to_come_is_after_those_of_today() -> None:
    over, later, today = {"end": "2026-11-28"}, {"start": "2026-12-01"}, {"start": "2026-11-29"}
    flags = [of("Flag", status="active", id=str(n), period=one) for n, one in enumerate((over, later, today))]

    assert [flag["id"] for flag in in_force([*flags, of("Flag", status="inactive")], NOW)] == ["2", "0", "1"]


@pytest.mark.parametrize(
    ("tree", "line"),
    [
        (of("AllergyIntolerance", code=coded("716186003")), "Allergies : aucune allergie connue"),
        (of("AllergyIntolerance", code=coded("409137002")), "Allergies : aucune allergie médicamenteuse connue"),
        (of("AllergyIntolerance", code=coded("428607008")), "Allergies : aucune allergie connue à l'environnement"),
        (of("AllergyIntolerance", code=coded("429625007")), "Allergies : aucune allergie alimentaire connue"),
        (of("AllergyIntolerance", code=coded("no-known-allergies", IPS)), "Allergies : aucune allergie connue"),
        (of("AllergyIntolerance", code=coded("no-allergy-info", IPS)), "Allergies : on ne sait pas s'il y en a"),
        (of("AllergyIntolerance", code={"coding": [{"system": SNOMED, "code": "716186003", "display": "No known allergy"}]}),
            "Allergies : aucune allergie connue"),
        (of("AllergyIntolerance", code={**coded("716186003"), "text": "Rien de connu"}), "Allergies : Rien de connu"),
        (of("Condition", code=coded("no-known-problems", IPS)), "Problème de santé : aucun problème de santé connu"),
        (of("MedicationStatement", status="active", medicationCodeableConcept=coded("no-known-medications", IPS)),
            "Traitement : aucun traitement connu"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_that_there_is_none_is_not_told_as_if_there_were_one(tree: Tree, line: str) -> None:
    assert said("{{ gettext(tree | kind) }} : {{ tree | sentence }}", tree=tree) == line


def test_no_known_allergy_is_not_said_beside_one_that_is_known() -> None:
    none, no_drug = (of("AllergyIntolerance", code=coded(code)) for code in ("716186003", "409137002"))
    latex = of("AllergyIntolerance", code={"text": "Latex"})

    assert shown([none, no_drug]) == [none, no_drug]
    assert shown([none, latex, no_drug]) == [latex, no_drug]
    assert gravest_first([no_drug, latex, {**latex, "criticality": "high"}])[-1] == no_drug
