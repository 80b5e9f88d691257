"""How resources are put into words: tables of what goes in and what people read."""

from base64 import b64encode
from datetime import date

import pytest

from liaison.auth.access.identity import RELIABILITY
from liaison.services.pages.reading.contact import contact
from liaison.services.pages.reading.identity import identity
from liaison.services.pages.reading.moments import happened, late, moment, over
from liaison.services.pages.reading.sentences import author, sentence

OLDER = "http://interopsante.org/fhir/CodeSystem/v2-0445"
NEWER = "https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-identity-status"


def status(system: str, code: str) -> list[dict[str, object]]:
    inner = [{"url": "identityStatus", "valueCoding": {"system": system, "code": code}}]
    return [{"url": RELIABILITY, "extension": inner}]


def test_birth_name_used_name_and_sex_are_read_apart() -> None:
    names = [
        {"use": "official", "family": "MARTIN", "given": ["Jeanne", "Marie"]},
        {"use": "usual", "family": "LE GOFF", "given": ["Jeanne"]},
    ]
    who = identity({"resourceType": "Patient", "name": names, "gender": "female", "birthDate": "1941-03-02"})

    assert (who.family, who.used, who.given, who.sex) == ("MARTIN", "LE GOFF", "Jeanne", "F")
    assert who.full == "Jeanne LE GOFF (née MARTIN)"
    assert who.short == "Jeanne L."
    assert (who.age(date(2026, 3, 1)), who.age(date(2026, 3, 2))) == (84, 85)


@pytest.mark.parametrize(
    ("extension", "ins", "said"),
    [
        (status(NEWER, "VALI"), True, "VALI"),
        (status(OLDER, "VALI"), True, "QUAL"),  # the older generation of FR Core: VALI implied an INS
        (status(OLDER, "VALI"), False, "VALI"),
        (status(NEWER, "PROV"), False, "PROV"),
        ([], False, ""),
    ],
)
def test_identity_status_follows_both_generations_of_fr_core(
    extension: list[dict[str, object]], ins: bool, said: str
) -> None:
    identifiers = [{"system": "urn:oid:1.2.250.1.213.1.4.10", "value": "1"}] if ins else []

    assert identity({"extension": extension, "identifier": identifiers}).status == said


LONG = b64encode(b"Toux depuis trois jours. " * 10).decode()


@pytest.mark.parametrize(
    ("tree", "said"),
    [
        (
            {
                "resourceType": "Observation",
                "code": {"text": "Poids"},
                "valueQuantity": {"value": 72.5, "unit": "kg"},
            },
            "Poids : 72,5 kg",
        ),
        (
            {
                "resourceType": "Observation",
                "code": {"text": "Pression artérielle"},
                "component": [
                    {"valueQuantity": {"value": 128, "code": "mm[Hg]"}},
                    {"valueQuantity": {"value": 76, "code": "mm[Hg]"}},
                ],
            },
            "Pression artérielle : 128/76 mmHg",
        ),
        (
            {
                "resourceType": "MedicationRequest",
                "status": "stopped",
                "medicationCodeableConcept": {"text": "Furosémide 40 mg"},
                "dosageInstruction": [{"text": "1 le matin"}],
            },
            "Furosémide 40 mg, 1 le matin (arrêté)",
        ),
        (
            {
                "resourceType": "DocumentReference",
                "status": "current",
                "content": [{"attachment": {"contentType": "text/plain", "data": "QSBiaWVuIG1hbmfDqS4="}}],
            },
            "A bien mangé.",
        ),
        ({"resourceType": "Condition", "code": {"coding": [{"code": "J44.9"}]}}, "Problème de santé"),
        (
            {
                "resourceType": "MedicationRequest",
                "status": "active",
                "contained": [{"resourceType": "Medication", "id": "m", "code": {"text": "Amoxicilline 1 g"}}],
                "medicationReference": {"reference": "#m"},
            },
            "Amoxicilline 1 g",
        ),
        (
            {
                "resourceType": "MedicationRequest",
                "status": "on-hold",
                "medicationReference": {"reference": "Medication/1", "display": "Warfarine 2 mg"},
            },
            "Warfarine 2 mg (suspendu)",
        ),
        (
            {
                "resourceType": "DocumentReference",
                "status": "current",
                "type": {"text": "Compte rendu de consultation"},
                "content": [{"attachment": {"contentType": "text/plain", "data": LONG}}],
            },
            "Compte rendu de consultation",
        ),
        (
            {"resourceType": "DiagnosticReport", "code": {"text": "Bilan lipidique"}, "conclusion": "LDL au-dessus."},
            "Bilan lipidique, LDL au-dessus.",
        ),
        (
            {"resourceType": "Encounter", "class": {"code": "AMB"}, "type": [{"text": "Bilan annuel"}]},
            "Bilan annuel",
        ),
    ],
)
def test_a_resource_is_one_plain_sentence(tree: dict[str, object], said: str) -> None:
    assert sentence(tree) == said


def test_a_code_is_never_shown_raw() -> None:
    tree = {"resourceType": "Condition", "code": {"coding": [{"system": "x", "code": "F20.0"}]}}

    assert "F20.0" not in sentence(tree)


def test_the_author_is_who_the_resource_names_first() -> None:
    assert (
        author({"resourceType": "Encounter", "participant": [{"individual": {"display": "A. Le Bris"}}]})
        == "A. Le Bris"
    )
    assert author({"resourceType": "Observation"}) == ""


def test_a_note_received_long_after_it_happened_is_late() -> None:
    tree = {"effectiveDateTime": "2026-11-22T08:00:00+01:00", "meta": {"lastUpdated": "2026-11-22T19:00:00Z"}}

    assert late(tree)
    assert happened(tree) == moment("2026-11-22T07:00:00Z")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("2016-12-31T23:59:60Z", "2017-01-01T00:59:59+01:00"),
        ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59+01:00"),
        ("2026-07", "2026-07-01T00:00:00+02:00"),
        ("2026-11-29T08:00:00.123456789+01:00", "2026-11-29T08:00:00.123456+01:00"),
    ],
)
def test_every_date_that_fhir_allows_is_a_moment_in_paris(text: str, told: str) -> None:
    assert moment(text).isoformat() == told


@pytest.mark.parametrize("text", ["", "demain", "2026-02-30", "2026-13"])
def test_what_is_no_date_is_no_moment(text: str) -> None:
    with pytest.raises(ValueError, match="not a FHIR date"):
        moment(text)


@pytest.mark.parametrize(
    ("end", "is_over"),
    [
        ("2026-11-29", False),
        ("2026-11-28", True),
        ("2026-11", False),
        ("2026-10", True),
        ("2026", False),
        ("2025", True),
        ("2026-11-29T07:59:59Z", True),
        ("2026-11-29T08:00:01Z", False),
        ("9999", False),
        ("", False),
    ],
)
def test_a_day_a_month_or_a_year_that_is_named_counts_whole(end: str, is_over: bool) -> None:
    assert over({"end": end} if end else {}, moment("2026-11-29T08:00:00Z")) is is_over


def test_names_and_addresses_leave_out_what_is_not_said() -> None:
    """R4 writes null where a repeated element has only an extension (json.html#null)."""
    patient = {
        "name": [{"use": "official", "family": "CADIC", "given": [None, "Zoé"]}],
        "address": [{"line": [None, "3 rue Basse"], "city": "Kervanec"}],
    }

    assert identity(patient).full == "Zoé CADIC"
    assert contact(patient, moment("2026-11-29T08:00:00Z")) == [("3 rue Basse, Kervanec", "")]
