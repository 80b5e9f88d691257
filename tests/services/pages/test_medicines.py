"""What a treatment says to who gives it: which medicine, every dosage, and whether it is taken at all."""

from datetime import UTC, datetime
from typing import Any

import pytest

from liaison.services.pages.clinician.treatments import named, sorted_out
from liaison.services.pages.reading.dosages import told
from liaison.services.pages.reading.medicines import medicine
from liaison.services.pages.reading.sentences import sentence

Tree = dict[str, Any]
NOW = datetime(2026, 11, 29, 8, tzinfo=UTC)
ATC = "http://www.whocc.no/atc"
UCUM = "http://unitsofmeasure.org"


def request(name: str, status: str = "active", intent: str = "order", **more: Any) -> Tree:
    what = {"medicationCodeableConcept": {"text": name}}
    return {"resourceType": "MedicationRequest", "id": name, "status": status, "intent": intent, **what, **more}


def statement(name: str, status: str = "active", **more: Any) -> Tree:
    what = {"medicationCodeableConcept": {"text": name}}
    return {"resourceType": "MedicationStatement", "id": name, "status": status, **what, **more}


def _repeat(**repeat: Any) -> Tree:
    return {"timing": {"repeat": repeat}}


def _mg(number: float) -> Tree:
    return {"value": number, "unit": "mg"}


DOSAGES: list[tuple[Tree, str]] = [
    ({"text": "1 le matin"}, "1 le matin"),
    ({"text": "1 comprimé", "asNeededBoolean": True}, "1 comprimé, si besoin"),
    ({"text": "1 si besoin", "asNeededBoolean": True}, "1 si besoin"),
    ({"text": "1", "asNeededBoolean": False}, "1"),
    ({"asNeededCodeableConcept": {"text": "douleur"}}, "si besoin : douleur"),
    ({"asNeededCodeableConcept": {}}, "si besoin"),
    ({"doseAndRate": [{"doseQuantity": _mg(40)}], **_repeat(when=["MORN"])}, "40 mg, le matin"),
    ({"doseAndRate": [{"doseRange": {"low": _mg(5), "high": _mg(10)}}]}, "5 mg – 10 mg"),
    ({"doseAndRate": [{"doseRange": {"high": _mg(10)}}]}, "≤ 10 mg"),
    ({"doseAndRate": [{"rateQuantity": {"value": 2, "unit": "L/min"}}]}, "débit 2 L/min"),
    (_repeat(frequency=3, period=1, periodUnit="d"), "3 fois par jour"),
    (_repeat(frequency=1, period=8, periodUnit="h"), "toutes les 8 heures"),
    (_repeat(frequency=1, frequencyMax=2, period=1, periodUnit="d"), "1 – 2 fois par jour"),
    (_repeat(period=4, periodMax=6, periodUnit="h"), "toutes les 4 – 6 heures"),
    (_repeat(frequency=2, period=3, periodUnit="d"), "2 fois tous les 3 jours"),
    (_repeat(frequency=1, period=1, periodUnit="wk", dayOfWeek=["mon"]), "1 fois par semaine, lundi"),
    (_repeat(timeOfDay=["08:00:00", "20:30:00"]), "08 h 00, 20 h 30"),
    (_repeat(when=["ACM", "HS"], offset=30), "30 minutes avant le petit-déjeuner, au coucher"),
    (_repeat(frequency=1, period=1, periodUnit="d", boundsDuration={"value": 7, "code": "d", "system": UCUM}),
        "1 fois par jour, pendant 7 jours"),
    (_repeat(boundsRange={"low": {"value": 5, "code": "d"}, "high": {"value": 7, "code": "d"}}), "pendant 5 jours – 7 jours"),
    (_repeat(boundsRange={"high": {"value": 7, "code": "d"}}), "pendant ≤ 7 jours"),
    (_repeat(boundsPeriod={"end": "2026-12-03"}), "fin : 03/12/2026"),
    (_repeat(count=3), "3 fois en tout"),
    (_repeat(frequency=1, period=1, periodUnit="d", duration=15, durationUnit="h"),
        "1 fois par jour, 15 heures à chaque fois"),
    (_repeat(duration=30, durationMax=45, durationUnit="min"), "30 minutes – 45 minutes à chaque fois"),
    (_repeat(durationMax=1, durationUnit="h"), "≤ 1 heure à chaque fois"),
    ({"text": "oxygène", **_repeat(duration=15, durationUnit="h")}, "oxygène, 15 heures à chaque fois"),
    ({"text": "1 le matin", **_repeat(boundsPeriod={"start": "2026-12-03", "end": "2026-12-10"})},
        "1 le matin, 03/12/2026 – 10/12/2026"),
    ({"text": "1 le matin", **_repeat(boundsPeriod={"end": "2026-11-03"})}, "1 le matin, fin : 03/11/2026"),
    ({"text": "1 le soir", **_repeat(boundsDuration={"value": 5, "code": "d"})}, "1 le soir, pendant 5 jours"),
    ({"text": "1 pendant 6 jours", **_repeat(boundsDuration={"value": 6, "code": "d"})}, "1 pendant 6 jours"),
    ({"text": "une injection", "timing": {"event": ["2026-12-04"]}}, "une injection, 04/12/2026"),
    ({"additionalInstruction": [{"coding": [{"system": "http://snomed.info/sct", "code": "311504000"}]}]},
        "SNOMED CT 311504000"),
    ({"timing": {"code": {"coding": [{"code": "BID"}]}}}, "2 fois par jour"),
    ({"timing": {"code": {"text": "au coup par coup"}}}, "au coup par coup"),
    ({"timing": {"event": ["2026-12-03T08:00:00Z"]}}, "03/12/2026"),
    ({"route": {"text": "voie orale"}}, "voie orale"),
    ({"maxDosePerPeriod": {"numerator": _mg(4000), "denominator": {"value": 1, "code": "d", "system": UCUM}}},
        "au plus 4000 mg par jour"),
    ({"text": "1", "maxDosePerPeriod": {"numerator": _mg(3000), "denominator": {"value": 24, "code": "h"}}},
        "1, au plus 3000 mg par 24 heures"),
    ({"text": "1", "maxDosePerAdministration": _mg(1000)}, "1, au plus 1000 mg par prise"),
    ({"text": "1", "patientInstruction": "Avec un grand verre d'eau"}, "1, Avec un grand verre d'eau"),
    ({}, ""),
]  # fmt: skip


@pytest.mark.parametrize(("dosage", "said"), DOSAGES, ids=[said or "nothing" for _dosage, said in DOSAGES])
def test_a_dosage_is_told_whole(dosage: Tree, said: str) -> None:
    assert told(dosage) == said


def test_every_dosage_is_told_in_its_order() -> None:
    two = [{"sequence": 2, "text": "1 le soir"}, {"sequence": 1, "text": "2 le matin"}]

    assert sentence(request("Furosémide 40 mg", dosageInstruction=two)) == "Furosémide 40 mg, 2 le matin ; 1 le soir"
    assert sentence(statement("Furosémide 40 mg", dosage=two)) == "Furosémide 40 mg, 2 le matin ; 1 le soir"


def _contained(*inside: Tree, **more: Any) -> Tree:
    return {
        "resourceType": "MedicationRequest",
        "contained": [*inside],
        "medicationReference": {"reference": "#m"},
        **more,
    }


def _ingredient(name: str, value: int) -> Tree:
    strength = {"numerator": _mg(value), "denominator": {"value": 1, "unit": "comprimé"}}
    return {"itemCodeableConcept": {"text": name}, "strength": strength}


INGREDIENTS = {
    "resourceType": "Medication",
    "id": "m",
    "ingredient": [_ingredient("amoxicilline", 500), _ingredient("acide clavulanique", 62)],
}


@pytest.mark.parametrize(
    ("tree", "said"),
    [
        ({"medicationCodeableConcept": {"coding": [{"system": ATC, "code": "R03BB04"}]}}, "ATC R03BB04"),
        ({"medicationCodeableConcept": {"coding": [{"system": "urn:cip", "code": "34009"}]}}, "code 34009"),
        ({"medicationCodeableConcept": {"coding": [{"code": "1"}, {"code": "2", "display": "Tiotropium"}]}}, "Tiotropium"),
        (_contained(INGREDIENTS), "amoxicilline 500 mg/1 comprimé + acide clavulanique 62 mg/1 comprimé"),
        (_contained({"id": "m", "code": {"coding": [{"system": ATC, "code": "C03CA01"}]}}), "ATC C03CA01"),
        (
            _contained(
                {"id": "m", "ingredient": [{"itemReference": {"reference": "#s"}}]},
                {"id": "s", "code": {"text": "morphine"}},
            ),
            "morphine",
        ),
        ({"medicationReference": {"identifier": {"value": "x"}}}, ""),
    ],
    ids=["a code of a known system", "a code of another", "a display", "ingredients", "a contained code", "a substance",
         "nothing"],
)  # fmt: skip
def test_a_medicine_without_words_is_named_all_the_same(tree: Tree, said: str) -> None:
    assert medicine(tree) == said


def test_what_must_not_be_given_says_so_first() -> None:
    assert sentence(request("Aspirine", doNotPerform=True)) == "Ne pas donner : Aspirine"
    assert sentence(request("Aspirine", doNotPerform=False)) == "Aspirine"


def test_a_treatment_without_a_name_is_still_said_to_be_one() -> None:
    assert sentence({"resourceType": "MedicationRequest", "dosageInstruction": [{"text": "1 le soir"}]}) == (
        "médicament non précisé, 1 le soir"
    )


def _ids(trees: list[Tree]) -> list[str]:
    return [str(tree["id"]) for tree in trees]


def test_treatments_are_sorted_by_what_the_record_says_of_them() -> None:
    found = sorted_out(
        [
            request("ordonné"),
            request("jamais", doNotPerform=True),
            request("jamais plus", "stopped", doNotPerform=True),
            request("jamais, sans nouvelles", "unknown", doNotPerform=True),
            request("jamais, en pause", "on-hold", doNotPerform=True),
            request("avis", intent="proposal"),
            request("projet", intent="plan"),
            request("choix", intent="option"),
            request("arrêté", "stopped", authoredOn="2026-02-01"),
            request("suspendu", "on-hold", authoredOn="2026-01-01"),
            request("faux", "entered-in-error"),
            request("brouillon", "draft"),
            statement("déclaré"),
            statement("sans nouvelles", "unknown"),
            statement("fini hier", effectivePeriod={"end": "2026-11-28"}),
            statement("jusqu'à ce soir", effectivePeriod={"end": "2026-11-29"}),
            statement("à prendre", "intended"),
            statement("pas pris", "not-taken", effectiveDateTime="2026-03-01"),
            statement("terminé", "completed", effectiveDateTime="2025"),
            statement("erreur", "entered-in-error"),
            statement("dès demain", effectivePeriod={"start": "2026-11-30"}),
            statement("depuis ce matin", effectivePeriod={"start": "2026-11-29"}),
            statement("le mois prochain", effectiveDateTime="2026-12"),
            request("dans une semaine", dosageInstruction=[_repeat(boundsPeriod={"start": "2026-12-06"})]),
            request(
                "une dose dès demain", dosageInstruction=[_repeat(boundsPeriod={"start": "2026-11-30"}), {"text": "1"}]
            ),
            request("valable demain", dispenseRequest={"validityPeriod": {"start": "2026-11-30"}}),
        ],
        NOW,
    )

    assert _ids(found.taken) == [
        "ordonné", "déclaré", "sans nouvelles", "jusqu'à ce soir", "depuis ce matin", "une dose dès demain",
    ]  # fmt: skip
    assert _ids(found.forbidden) == ["jamais", "jamais, sans nouvelles", "jamais, en pause"]
    assert _ids(found.proposed) == [
        "avis", "projet", "choix", "à prendre", "dès demain", "le mois prochain", "dans une semaine", "valable demain",
    ]  # fmt: skip
    assert _ids(found.ended) == ["pas pris", "arrêté", "suspendu", "terminé", "fini hier"]


def test_what_ended_is_told_once_and_not_where_it_is_taken_still() -> None:
    again = [
        {**request("A", "completed", authoredOn="2026-02-01"), "id": "1"},
        {**request("A", "completed", authoredOn="2026-03-01"), "id": "2"},
        {**request("B", "stopped"), "id": "3"},
        {**request("B"), "id": "4"},
    ]

    assert _ids(sorted_out([*again, again[3]], NOW).ended) == ["2"]
    assert _ids(sorted_out([*again, again[3]], NOW).taken) == ["4"]


@pytest.mark.parametrize(
    ("tree", "said"),
    [
        (statement("A", "not-taken"), "A (non pris)"),
        (statement("A", "intended"), "A (prévu)"),
        (statement("A", "on-hold"), "A (suspendu)"),
        (request("A", intent="proposal"), "A (proposé)"),
        (request("A", intent="plan"), "A (prévu)"),
        (request("A", "cancelled"), "A (annulé)"),
        (request("A", "draft"), "A (brouillon)"),
        (statement("A", "unknown"), "A (état inconnu)"),
        (statement("A", effectivePeriod={"start": "2026-12-01"}), "A, début : 01/12/2026"),
        (statement("A", effectivePeriod={"start": "2026", "end": "2026-11-03"}), "A, 2026 – 03/11/2026"),
        (statement("A", effectiveDateTime="2026-12-03"), "A, 03/12/2026"),
        (
            request("A", dispenseRequest={"validityPeriod": {"end": "2026-11-03"}}),
            "A, ordonnance valable, fin : 03/11/2026",
        ),
        (
            request(
                "A", authoredOn="2026-11-03", dispenseRequest={"validityPeriod": {"start": "2026-11-03T08:00:00Z"}}
            ),
            "A",
        ),
        (
            request("A", authoredOn="2026-11-03", dispenseRequest={"validityPeriod": {"start": "2026-12-03"}}),
            "A, ordonnance valable, début : 03/12/2026",
        ),
        (request("A", reportedBoolean=True), "A, d'après ce qui a été rapporté"),
        (request("A", reportedReference={"display": "sa fille"}), "A, d'après sa fille"),
        (request("A", reportedBoolean=False), "A"),
        (request("A", substitution={"allowedBoolean": False}), "A, non substituable"),
        (request("A", substitution={"allowedBoolean": True}), "A"),
        (request("A", "unknown", doNotPerform=True), "Ne pas donner : A (état inconnu)"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_treatment_says_where_it_stands(tree: Tree, said: str) -> None:
    assert sentence(tree) == said


def test_a_treatment_whose_medication_the_reader_does_not_see_leaves_no_line() -> None:
    def of(address: str, **more: str) -> Tree:
        return {
            "resourceType": "MedicationRequest",
            "id": address,
            "medicationReference": {"reference": address, **more},
        }

    seen = {"resourceType": "Medication", "id": "1", "code": {"text": "Apixaban"}}
    trees = [of("Medication/1"), of("Medication/2"), of("Medication/3", display="Warfarine"), of("#inside")]

    assert [sentence(tree) for tree in named(trees, [*trees, seen], "https://record.example/fhir")] == [
        "Apixaban",
        "Warfarine",
        "médicament non précisé",
    ]


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("active", "Apixaban"),
        ("entered-in-error", "Apixaban (médicament noté par erreur, à vérifier)"),
        ("inactive", "Apixaban (médicament qui n'est plus disponible)"),
    ],
)
@pytest.mark.parametrize("more", [{}, {"display": "Apixaban"}], ids=["without a display", "with one"])
def test_a_treatment_by_a_medication_that_is_wrong_stays_and_says_so(status: str, said: str, more: Tree) -> None:
    """A treatment that a person may really take must not vanish because the card of its product was a mistake."""
    medication = {"resourceType": "Medication", "id": "1", "status": status, "code": {"text": "Apixaban"}}
    referring: Tree = {"medicationReference": {"reference": "Medication/1", **more}}
    containing = {"contained": [{**medication, "id": "m"}], "medicationReference": {"reference": "#m", **more}}
    found = [request("x") | one for one in (referring, containing)]
    for tree in found:
        del tree["medicationCodeableConcept"]

    kept = named(found, [*found, medication], "https://record.example/fhir")

    assert [sentence(tree) for tree in kept] == [said, said]
    assert len(sorted_out(kept, NOW).taken) == 1
