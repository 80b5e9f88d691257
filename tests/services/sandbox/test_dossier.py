"""A record that other software has filled for years: the page of a person loses nothing that stands, and names it."""

import html
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from ..running_sandbox import Running
from .conftest import behind, hidden

pytestmark = pytest.mark.http
Tree = dict[str, Any]


def _patient(sandbox: Running) -> str:
    """An ordinary one of the doctor's: no other test speaks of this record."""
    mine = [one for one in sandbox.known["patients"] if "gp" in one["team"] and not one["special"]]
    return str(mine[-1]["id"])


def _send(sandbox: Running, method: str, path: str, tree: Tree, **headers: str) -> Tree:
    given = {"authorization": f"Bearer {sandbox.token('gp')}", "content-type": "application/fhir+json", **headers}
    answer = httpx.request(method, f"{sandbox.known['fhir']}{path}", json=tree, headers=given, timeout=60)
    assert answer.status_code < 300, answer.text
    found: Tree = answer.json()
    return found


def _page(sandbox: Running, path: str) -> str:
    with behind(sandbox, "gp") as browser:
        answer = browser.get(path)
    assert answer.status_code == 200
    return html.unescape(answer.text)


def _medicine(patient: str, status: str, **what: Any) -> Tree:
    return {
        "resourceType": "MedicationRequest",
        "status": status,
        "intent": "order",
        "subject": {"reference": f"Patient/{patient}"},
        "authoredOn": "2019-04-02",
        **what,
    }


def _written(patient: str) -> Tree:
    taken: Tree = {"resourceType": "Medication", "code": {"text": "Apixaban 5 mg comprimé"}}
    trees: list[Tree] = [
        {**taken, "id": "x"},
        _medicine(
            patient, "active", medicationReference={"reference": "urn:uuid:7f1b9a54-8d3c-4a55-9d49-2a1f0c9f6d01"}
        ),
        *(_medicine(patient, "completed", medicationCodeableConcept={"text": "Amoxicilline 1 g"}) for _ in range(210)),
    ]
    entries: list[Tree] = [
        {"resource": one, "request": {"method": "POST", "url": one["resourceType"]}} for one in trees
    ]
    entries[0]["fullUrl"] = "urn:uuid:7f1b9a54-8d3c-4a55-9d49-2a1f0c9f6d01"
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


def test_a_treatment_that_stands_is_named_among_hundreds_that_ended(sandbox: Running) -> None:
    patient = _patient(sandbox)
    _send(sandbox, "POST", "", _written(patient))

    page = _page(sandbox, f"/dossiers/{patient}")

    assert "Apixaban 5 mg comprimé" in page
    assert _section(page, "traitement").count("Amoxicilline 1 g (fait)") == 1


def _section(page: str, name: str) -> str:
    """The part of the page that this heading names."""
    return page.split(f'aria-labelledby="{name}"')[1].split("</section>")[0]


def test_what_is_taken_proposed_ended_and_forbidden_stands_apart(sandbox: Running) -> None:
    patient = _patient(sandbox)
    told = {"subject": {"reference": f"Patient/{patient}"}, "resourceType": "MedicationStatement"}
    stated = [("active", "Vitamine D"), ("stopped", "Ibuprofène"), ("intended", "Zopiclone"), ("not-taken", "Fer")]
    for tree in (
        _medicine(patient, "active", medicationCodeableConcept={"text": "Kétoprofène"}, doNotPerform=True),
        _medicine(patient, "active", medicationCodeableConcept={"text": "Méthotrexate"}) | {"intent": "proposal"},
        *({**told, "status": status, "medicationCodeableConcept": {"text": name}} for status, name in stated),
    ):
        _send(sandbox, "POST", f"/{tree['resourceType']}", tree)

    page = _page(sandbox, f"/dossiers/{patient}")
    taken, _, rest = _section(page, "traitement").partition("Proposé ou prévu")
    proposed, _, ended = rest.partition("Arrêté ou suspendu")

    assert "Ne pas donner : Kétoprofène" in _section(page, "a-savoir")
    assert "Kétoprofène" not in _section(page, "traitement")
    assert "Vitamine D" in taken
    assert [name for name in ("Méthotrexate (proposé)", "Zopiclone (prévu)") if name not in proposed] == []
    assert [name for name in ("Ibuprofène (arrêté)", "Fer (non pris)") if name not in ended] == []
    assert [name for name in ("Méthotrexate", "Zopiclone", "Ibuprofène", "Fer (") if name in taken] == []


def test_the_gravest_allergy_is_first_and_a_refuted_one_is_none(sandbox: Running) -> None:
    patient = _patient(sandbox)
    system = "http://terminology.hl7.org/CodeSystem/allergyintolerance"
    base: Tree = {
        "resourceType": "AllergyIntolerance",
        "clinicalStatus": {"coding": [{"system": f"{system}-clinical", "code": "active"}]},
        "patient": {"reference": f"Patient/{patient}"},
    }
    refuted = {"coding": [{"system": f"{system}-verification", "code": "refuted"}]}
    for more in (
        {"code": {"text": "Pollen"}},
        {"code": {"text": "Céfazoline"}, "criticality": "high"},
        {"code": {"text": "Iode"}, "verificationStatus": refuted},
    ):
        _send(sandbox, "POST", "/AllergyIntolerance", {**base, **more})

    known = _section(_page(sandbox, f"/dossiers/{patient}"), "a-savoir")

    assert known.index("Céfazoline, risque élevé") < known.index("Pollen")
    assert "Iode" not in known


def test_a_form_of_other_software_hides_nothing_of_its_encounter(sandbox: Running) -> None:
    patient = _patient(sandbox)
    subject, now = {"reference": f"Patient/{patient}"}, datetime.now(UTC).isoformat(timespec="seconds")
    stay: Tree = {
        "resourceType": "Encounter",
        "status": "finished",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "EMER"},
        "type": [{"text": "Passage pour douleur thoracique"}],
        "subject": subject,
        "period": {"start": now},
    }
    encounter = {
        "reference": f"Encounter/{_send(sandbox, 'POST', '/Encounter', stay, prefer='return=representation')['id']}"
    }
    of_it: Tree = {"status": "final", "subject": subject, "encounter": encounter}
    for tree in (
        {**of_it, "resourceType": "QuestionnaireResponse", "status": "completed", "authored": now},
        {
            **of_it,
            "resourceType": "Observation",
            "code": {"text": "Troponine"},
            "valueInteger": 4,
            "effectiveDateTime": now,
        },
        {**of_it, "resourceType": "DiagnosticReport", "code": {"text": "Coronarographie"}, "effectiveDateTime": now},
    ):
        _send(sandbox, "POST", f"/{tree['resourceType']}", tree)

    news = _section(_page(sandbox, f"/dossiers/{patient}"), "nouveau")
    documents = _page(sandbox, f"/dossiers/{patient}/documents")

    told = ("Passage pour douleur thoracique", "Troponine : 4", "Coronarographie")
    assert [one for one in told if one not in news] == []
    assert [one for one in (told[0], told[2]) if one not in documents] == []


def test_a_measure_without_words_or_code_is_shown(sandbox: Running) -> None:
    patient = _patient(sandbox)
    unsaid = {"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}
    tree: Tree = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"extension": [unsaid]},
        "subject": {"reference": f"Patient/{patient}"},
        "effectiveDateTime": "2026-03-01",
        "valueString": "sans nom, mais mesuré",
    }
    _send(sandbox, "POST", "/Observation", tree)

    assert "sans nom, mais mesuré" in _page(sandbox, f"/dossiers/{patient}/mesures")


def test_a_treatment_is_named_however_it_refers_to_its_medication(sandbox: Running) -> None:
    patient = _patient(sandbox)
    place = "urn:uuid:7f1b9a54-8d3c-4a55-9d49-2a1f0c9f6d03"
    entries: list[Tree] = [
        {
            "fullUrl": place,
            "resource": {"resourceType": "Medication", "code": {"text": "Digoxine 0,25 mg"}},
            "request": {"method": "POST", "url": "Medication"},
        },
        {
            "resource": _medicine(patient, "active", medicationReference={"reference": place}),
            "request": {"method": "POST", "url": "MedicationRequest"},
        },
    ]
    made = _send(sandbox, "POST", "", {"resourceType": "Bundle", "type": "transaction", "entry": entries})
    medication = made["entry"][0]["response"]["location"].split("/_history")[0].split("/fhir/")[-1]
    base = sandbox.known["fhir"]
    forms = (f"{medication}/_history/1", f"{base}/{medication}", f"{base}/{medication}/_history/1")
    for number, form in enumerate(forms):
        dosage = [{"text": f"forme {number}"}]
        tree = _medicine(patient, "active", medicationReference={"reference": form}, dosageInstruction=dosage)
        _send(sandbox, "POST", "/MedicationRequest", tree)

    page = _section(_page(sandbox, f"/dossiers/{patient}"), "traitement")

    for number in range(len(forms)):
        assert f"Digoxine 0,25 mg, forme {number}" in page


def test_the_plan_says_what_is_not_to_be_done(sandbox: Running) -> None:
    patient = _patient(sandbox)
    details: list[Tree] = [
        {"status": "scheduled", "description": "Marcher chaque jour"},
        {"status": "cancelled", "description": "Bilan sanguin"},
        {"status": "entered-in-error", "description": "Prothèse de hanche"},
        {"status": "not-started", "doNotPerform": True, "description": "Kinésithérapie respiratoire"},
        {"status": "not-started"},
    ]
    plan: Tree = {
        "resourceType": "CarePlan",
        "status": "active",
        "intent": "plan",
        "title": "Plan d’ailleurs",
        "subject": {"reference": f"Patient/{patient}"},
        "activity": [{"detail": one} for one in details],
    }
    _send(sandbox, "POST", "/CarePlan", plan)

    page = _page(sandbox, f"/dossiers/{patient}/plan")

    lines = [one.split("</li>")[0] for one in page.split("Plan d’ailleurs")[1].split("</ul>")[0].split("<li>")[1:]]
    assert lines == ["Ne pas faire : Kinésithérapie respiratoire", "Marcher chaque jour", "Bilan sanguin (annulé)"]


def test_a_treatment_whose_medication_is_hidden_leaves_no_trace(sandbox: Running) -> None:
    """Two people of one team: the doctor reads what is most sensitive, the nurse does not learn that there is some."""
    patient = next(str(one["id"]) for one in sandbox.known["patients"] if one["key"] == "sensitive")
    with behind(sandbox, "nurse") as browser:
        before = _section(browser.get(f"/dossiers/{patient}").text, "traitement")
    label = {"system": "https://liaison.example/fhir/CodeSystem/data-class", "code": "SENS"}
    hidden_one: Tree = {
        "resourceType": "Medication",
        "meta": {"security": [label]},
        "code": {"text": "Buprénorphine 8 mg"},
    }
    place = "urn:uuid:7f1b9a54-8d3c-4a55-9d49-2a1f0c9f6d02"
    entries: list[Tree] = [
        {"fullUrl": place, "resource": hidden_one, "request": {"method": "POST", "url": "Medication"}},
        *(
            {
                "resource": _medicine(patient, status, medicationReference={"reference": place}),
                "request": {"method": "POST", "url": "MedicationRequest"},
            }
            for status in ("active", "stopped")
        ),
    ]
    made = _send(sandbox, "POST", "", {"resourceType": "Bundle", "type": "transaction", "entry": entries})

    assert "Buprénorphine 8 mg" in _section(_page(sandbox, f"/dossiers/{patient}"), "traitement")
    with behind(sandbox, "nurse") as browser:
        page = browser.get(f"/dossiers/{patient}").text
    assert _section(page, "traitement") == before
    assert "non précisé" not in page
    addresses = [entry["response"]["location"].split("/_history")[0].split("/fhir/")[-1] for entry in made["entry"]]
    assert {sandbox.get(sandbox.token("nurse"), address).status_code for address in addresses} == {404}


def test_a_member_without_a_display_is_named_from_the_directory(sandbox: Running) -> None:
    patient = _patient(sandbox)
    before = sandbox.get(sandbox.token("gp"), f"CareTeam?patient=Patient/{patient}&status=active").json()
    team: Tree = before["entry"][0]["resource"]
    names = {one["member"].pop("display").partition(" (")[0] for one in team["participant"]}
    _send(sandbox, "PUT", f"/CareTeam/{team['id']}", team, **{"if-match": f'W/"{team["meta"]["versionId"]}"'})

    page = _page(sandbox, f"/dossiers/{patient}")

    assert [name for name in names if name not in page] == []
    assert "Membre sans nom" not in page


@pytest.mark.parametrize(
    ("typed", "found", "left_out"),
    [
        ("robic", ["Jeannine Robic"], ["Marcel Cadic"]),
        ("LE FLO jean", ["Jeannine Robic"], ["Marcel Cadic"]),
        ("cadic", ["Marcel Cadic"], ["Jeannine Robic"]),
        ("moisan,|$\\", [], ["Moisan</a>"]),
        (",", [], ["Marcel Cadic"]),
    ],
)
def test_a_patient_is_found_by_the_beginning_of_names_and_the_name_stands_in_no_address(
    sandbox: Running, typed: str, found: list[str], left_out: list[str]
) -> None:
    with behind(sandbox, "nurse") as browser:
        answer = browser.post("/dossiers", data={"csrf": hidden(browser.get("/dossiers").text, "csrf"), "nom": typed})
    text = html.unescape(answer.text)

    assert answer.status_code == 200
    assert str(answer.url).endswith("/dossiers")
    assert [name for name in found if name not in text] == []
    assert [name for name in left_out if name in text] == []


def test_what_must_not_be_done_or_is_not_read_stands_where_it_is_seen(sandbox: Running) -> None:
    patient = _patient(sandbox)
    subject = {"subject": {"reference": f"Patient/{patient}"}}
    hidden_part = [{"url": "https://elsewhere.example/negated", "valueBoolean": True}]
    now = datetime.now(UTC).isoformat(timespec="seconds")
    order: Tree = {
        "resourceType": "ServiceRequest",
        "status": "active",
        "intent": "order",
        "authoredOn": now,
        **subject,
    }
    for tree in (
        {**order, "code": {"text": "IRM"}, "doNotPerform": True},
        {
            "resourceType": "Procedure",
            "status": "not-done",
            "code": {"text": "Coloscopie"},
            "performedDateTime": now,
            **subject,
        },
        {
            **order,
            "code": {"text": "Scanner"},
            "doNotPerform": True,
            "status": "revoked",
        },  # new, and no longer in force
        {**order, "code": {"text": "Radiographie du genou"}},
        {
            "resourceType": "Condition",
            "code": {"text": "Diabète"},
            "clinicalStatus": {
                "coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active"}]
            },
            "modifierExtension": hidden_part,
            **subject,
        },
        {
            "resourceType": "AllergyIntolerance",
            "code": {"coding": [{"system": "http://snomed.info/sct", "code": "409137002"}]},
            "clinicalStatus": {
                "coding": [
                    {"system": "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical", "code": "active"}
                ]
            },
            "patient": subject["subject"],
        },
    ):
        _send(sandbox, "POST", f"/{tree['resourceType']}", tree)

    page = _page(sandbox, f"/dossiers/{patient}")
    known = _section(page, "a-savoir")

    assert "Ne pas faire : IRM" in known
    assert "Allergies : aucune allergie médicamenteuse connue" in known
    assert [one for one in ("Scanner", "Radiographie du genou") if one in known] == []
    assert "Radiographie du genou" in _section(page, "nouveau")
    assert "Coloscopie (non fait)" in _section(page, "nouveau")
    assert "Contient une précision que Liaison ne sait pas lire : Diabète" in _section(page, "problemes")


@pytest.mark.parametrize("door", ["social_worker", "coordinator"])
def test_who_reads_a_part_of_what_is_to_know_is_told_which_part_is_closed(sandbox: Running, door: str) -> None:
    """« Rien n'est noté » beside allergies that they do not see was not so."""
    mine = [one["id"] for one in sandbox.known["patients"] if {"gp", door} <= set(one["team"])]
    with behind(sandbox, door) as browser:
        pages = [html.unescape(browser.get(f"/dossiers/{id_}").text) for id_ in mine[:3]]
    assert pages
    for text in pages:
        known = text.split('id="a-savoir"')[1].split("</section>")[0]
        assert "Rien n'est noté" not in known
        assert "Pas ouverts à votre rôle dans ce dossier" in known
        assert "les traitements, les allergies" in known
    assert "Pas ouverts à votre rôle" not in _page(sandbox, f"/dossiers/{mine[0]}")


def test_who_reads_the_problems_of_a_new_record_is_told_that_none_is_noted(sandbox: Running) -> None:
    """« Aucun ne vous est ouvert » told the attending doctor that others may read there what they may not."""
    name = {"use": "official", "family": "ESSAI", "given": ["Nouvelle"]}
    person = {"resourceType": "Patient", "name": [name], "birthDate": "1957-03-11", "gender": "female"}
    stated = [{"name": "patient", "resource": person}, {"name": "informed", "valueCode": "oral"}]
    made = _send(sandbox, "POST", "/Patient/$register", {"resourceType": "Parameters", "parameter": stated})
    [record] = [one["valueReference"]["reference"] for one in made["parameter"] if one["name"] == "patient"]
    page = _page(sandbox, f"/dossiers/{record.partition('/')[2]}")
    mine = next(one["id"] for one in sandbox.known["patients"] if "social_worker" in one["team"])
    with behind(sandbox, "social_worker") as browser:
        closed = html.unescape(browser.get(f"/dossiers/{mine}").text)

    for section in ("problemes", "traitement"):
        assert "Aucun n'est noté dans ce qui vous est ouvert." in _section(page, section)
        assert "Aucun ne vous est ouvert." in _section(closed, section)
