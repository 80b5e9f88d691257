"""The right to a wrapper is not the right to its content (design §5): what is contained in another resource, or gathered in a
document, is as closed as it would be by itself, and a sensitive code is one wherever it stands."""

import json
from typing import Any

import pytest

from liaison.auth.access import reclassifying, vocabulary
from liaison.auth.access.classes import Class
from liaison.auth.access.classify import classify, own_classes

from .pieces import HIV, Tree, label, moment
from .test_classify import ATC, ICD, LOINC, coded, names
from .test_letting_in import MENTAL

PSYCHOSIS = coded(ICD, "F20.0")
TEST = {"resourceType": "Observation", "id": "o", "status": "final", "code": coded(LOINC, "75622-1")}
WOUND = {"resourceType": "Observation", "id": "o", "status": "final", "code": {"text": "Plaie du talon"}}
WRAPPERS = (
    "Task",
    "Appointment",
    "Communication",
    "Flag",
    "CarePlan",
    "Goal",
    "List",
    "Provenance",
    "DiagnosticReport",
)


def entries(*trees: Tree) -> Tree:
    return {"resourceType": "Bundle", "type": "document", "entry": [{"resource": tree} for tree in trees]}


@pytest.mark.parametrize("type_", WRAPPERS)
def test_what_contains_a_resource_is_of_its_classes_too(type_: str) -> None:
    alone = own_classes({"resourceType": type_})
    assert own_classes({"resourceType": type_, "contained": [TEST]}) == alone | Class.CLIN | Class.SENS
    assert classify({"resourceType": type_, "contained": [TEST]}, {}).classes == alone | Class.CLIN | Class.SENS
    assert own_classes({"resourceType": type_, "contained": [WOUND]}) == alone | Class.CLIN


@pytest.mark.parametrize(
    ("tree", "added"),
    [
        (entries({"resourceType": "Composition"}, TEST), {"SENS"}),
        (entries({"resourceType": "Task", "contained": [TEST]}), {"COORD", "SENS"}),
        (entries(entries({"resourceType": "MedicationStatement"})), {"MEDS"}),
        (entries(label("PSY") | {"resourceType": "Observation"}), {"PSY"}),
        (entries(label("COORD") | {"resourceType": "Observation"}), {"COORD"}),
        ({"resourceType": "Parameters", "parameter": [{"name": "x", "part": [{"resource": TEST}]}]}, {"SENS"}),
        (entries({"resourceType": "Patient"}, {"resourceType": "Practitioner"}), set()),
    ],
    ids=["an entry", "contained in an entry", "a document in another", "by its label", "labelled as coordination",
         "a parameter", "identities"],
)  # fmt: skip
def test_a_document_is_of_the_classes_of_all_its_entries(tree: Tree, added: set[str]) -> None:
    assert names(tree) == {"CLIN"} | added


@pytest.mark.parametrize("type_", ["Patient", "Practitioner", "PractitionerRole", "Organization", "Location", "Slot"])
def test_who_and_where_closes_nothing(type_: str) -> None:
    assert names({"resourceType": "Appointment", "contained": [{"resourceType": type_}]}) == {"APPT"}


ODD: dict[str, Tree] = {
    "a value": {"resourceType": "Observation", "valueCodeableConcept": HIV},
    "a component": {"resourceType": "Observation", "component": [{"code": {}, "valueCodeableConcept": HIV}]},
    "a conclusion": {"resourceType": "DiagnosticReport", "conclusionCode": [HIV]},
    "an activity": {"resourceType": "CarePlan", "activity": [{"detail": {"code": HIV}}]},
    "a goal": {"resourceType": "Goal", "description": HIV},
    "a relative": {"resourceType": "FamilyMemberHistory", "condition": [{"code": HIV}]},
    "an event": {"resourceType": "DocumentReference", "context": {"event": [HIV]}},
    "an answer": {"resourceType": "QuestionnaireResponse",
                  "item": [{"item": [{"answer": [{"valueCoding": HIV["coding"][0]}]}]}]},
    "an extension": {"resourceType": "Task", "extension": [{"url": "urn:x", "valueCodeableConcept": HIV}]},
    "of a primitive": {"resourceType": "Task", "_status": {"extension": [{"url": "urn:x", "valueCoding": HIV["coding"][0]}]}},
    "a tag": {"resourceType": "Task", "meta": {"tag": HIV["coding"]}},
    "an input": {"resourceType": "Task", "input": [{"type": {}, "valueCodeableConcept": HIV}]},
    "a substance": {"resourceType": "Medication", "ingredient": [{"itemCodeableConcept": coded(ATC, "J05AR20")}]},
}  # fmt: skip


@pytest.mark.parametrize("place", ODD)
def test_a_sensitive_code_counts_wherever_it_stands(place: str) -> None:
    assert own_classes(ODD[place]) & Class.SENS


@pytest.mark.parametrize(
    ("tree", "psychiatric"),
    [
        ({"resourceType": "Observation", "valueCodeableConcept": PSYCHOSIS}, True),
        ({"resourceType": "MedicationRequest", "reasonCode": [PSYCHOSIS]}, True),
        ({"resourceType": "Task", "code": coded(LOINC, "34788-0")}, True),
        # What has no system says what it is by the type and the element: an appointment is coordination.
        ({"resourceType": "Appointment", "serviceType": [{"coding": [{"code": "psychiatry"}]}]}, False),
    ],
    ids=["a value", "a reason", "a code", "a kind of service"],
)
def test_psychiatry_too(tree: Tree, psychiatric: bool) -> None:
    assert bool(own_classes(tree) & Class.PSY) is psychiatric


def test_a_quantity_and_an_identifier_are_no_diagnosis() -> None:
    tree = {"resourceType": "Observation", "identifier": [{"system": ICD, "value": "B24"}],
            "valueQuantity": {"system": "http://unitsofmeasure.org", "code": "B24"}}  # fmt: skip
    assert names(tree) == {"CLIN"}


def test_what_a_document_holds_of_a_psychiatrist_is_psychiatry() -> None:
    role = {"resourceType": "PractitionerRole", "specialty": [coded(vocabulary.SPECIALTY, "SM42")]}
    note = {"resourceType": "Composition", "author": [{"reference": "PractitionerRole/1"}]}
    assert classify(entries(note), {"PractitionerRole/1": role}).classes == Class.CLIN | Class.PSY


PSYCHIATRIST = {"resourceType": "PractitionerRole", "id": "r", "specialty": [coded(vocabulary.SPECIALTY, "SM42")]}
WARD = {"resourceType": "Organization", "id": "w", "name": "Service de psychiatrie adulte"}
OF_WARD = {"resourceType": "PractitionerRole", "id": "r", "organization": {"reference": "#w"}}
SURGERY = {"resourceType": "Organization", "id": "w", "name": "Chirurgie"}


@pytest.mark.parametrize(
    ("tree", "psychiatric"),
    [
        ({"resourceType": "Condition", "recorder": {"reference": "#r"}, "contained": [PSYCHIATRIST]}, True),
        ({"resourceType": "Procedure", "performer": [{"onBehalfOf": {"reference": "#w"}}], "contained": [WARD]}, True),
        ({"resourceType": "Condition", "asserter": {"reference": "#r"}, "contained": [OF_WARD, WARD]}, True),
        ({"resourceType": "Condition", "asserter": {"reference": "#r"}, "contained": [OF_WARD, SURGERY]}, False),
        ({"resourceType": "Condition", "contained": [WARD]}, False),
        ({"resourceType": "Task", "requester": {"reference": "#r"}, "contained": [PSYCHIATRIST]}, False),
    ],
    ids=["a psychiatrist", "a service", "a role and its service", "another service", "who did not sign", "coordination"],
)  # fmt: skip
def test_who_signs_counts_where_they_are_contained(tree: Tree, psychiatric: bool) -> None:
    assert bool(classify(tree, {}).classes & Class.PSY) is psychiatric


@pytest.mark.parametrize("name", ["urn:uuid:9f2d3f52-1f7c-4d5a-8f0e-6a0b3ad50001", "PractitionerRole/r"])
def test_who_signs_counts_where_they_are_an_entry(name: str) -> None:
    note = {"resourceType": "Condition", "id": "c", "recorder": {"reference": name}}
    document = entries(note, PSYCHIATRIST)
    assert classify(document, {}).classes == Class.CLIN | (Class.PSY if "/" in name else Class(0))
    document["entry"][1]["fullUrl"] = name
    assert classify(document, {}).classes == Class.CLIN | Class.PSY


async def test_a_provenance_is_as_closed_as_its_target_by_whoever_wrote_that(territory: Any) -> None:
    """In words of its own it says why a psychiatrist's entry was made."""
    ward = await territory.organization("Service de psychiatrie")
    psychiatrist, gp, nurse = [await territory.person(*one) for one in (("specialist", ward), ("gp",), ("nurse",))]
    patient = await territory.patient(psychiatrist, gp, nurse)
    await territory.create(territory.system, territory.team(patient, [psychiatrist, gp], category=MENTAL))
    problem = await territory.create(psychiatrist.caller, territory.item_of(patient, "Condition"))
    said = {"resourceType": "Provenance", "target": [{"reference": f"{problem}/_history/1"}], "recorded": moment(),
            "reason": [{"text": "Menace de passage à l'acte"}], "agent": [{"who": {"reference": gp.role}}]}  # fmt: skip

    told = await territory.create(gp.caller, said)

    assert not await territory.sees(nurse.caller, problem)
    assert await territory.sees(gp.caller, told)
    assert not await territory.sees(nurse.caller, told)
    # The same when the whole record is classified again.
    key = territory.key(told)
    async with territory.database.writing.acquire() as connection, connection.transaction():
        assert await reclassifying.reclassify(connection, territory.store.vault, key.patient) == 0


async def test_a_provenance_follows_what_closes_its_target_later(territory: Any) -> None:
    gp, nurse = await territory.person("gp"), await territory.person("nurse")
    patient = await territory.patient(gp, nurse)
    problem = await territory.create(gp.caller, territory.item_of(patient, "Condition"))
    said = {"resourceType": "Provenance", "target": [{"reference": problem}], "recorded": moment(),
            "agent": [{"who": {"reference": gp.role}}]}  # fmt: skip
    told = await territory.create(gp.caller, said)
    assert await territory.sees(nurse.caller, told)

    answer = await territory.change(gp.caller, problem, **label("SENS"))

    assert answer.status == 200, answer.body
    assert not await territory.sees(nurse.caller, told)


def test_a_provenance_is_as_closed_as_what_it_contains_and_what_it_is_about() -> None:
    tree = {"resourceType": "Provenance", "target": [{"reference": "Task/1"}], "contained": [TEST]}
    assert classify(tree, {"Task/1": {"resourceType": "Task"}}).classes == Class.COORD | Class.CLIN | Class.SENS


def wrapper(territory: Any, patient: Any, type_: str, content: Tree) -> Tree:
    subject = {"reference": patient.reference}
    shapes: dict[str, Tree] = {
        "Task": {"status": "requested", "intent": "order", "for": subject, "focus": {"reference": "#o"}},
        "Appointment": {"status": "booked", "start": "2030-01-05T10:00:00Z", "end": "2030-01-05T10:20:00Z",
                        "reasonReference": [{"reference": "#o"}],
                        "participant": [{"actor": subject, "status": "accepted"}]},
        "Communication": {"status": "completed", "subject": subject, "about": [{"reference": "#o"}]},
        "CarePlan": {"status": "active", "intent": "plan", "subject": subject, "supportingInfo": [{"reference": "#o"}]},
    }  # fmt: skip
    return {"resourceType": type_, "contained": [{**content, "subject": subject}], **shapes[type_]}


async def matching(territory: Any, caller: Any, query: str) -> int:
    answer = await territory.ask(caller, "GET", query)
    assert answer.status == 200, answer.body
    return int(json.loads(answer.body)["total"])


@pytest.mark.parametrize("type_", ["Task", "Appointment", "Communication", "CarePlan"])
async def test_nobody_reads_in_a_wrapper_what_they_do_not_read_alone(territory: Any, type_: str) -> None:
    gp, nurse, aide = [await territory.person(code) for code in ("gp", "nurse", "home-aide")]
    patient = await territory.patient(gp, nurse, aide)
    secret = await territory.create(gp.caller, wrapper(territory, patient, type_, TEST))
    wound = await territory.create(gp.caller, wrapper(territory, patient, type_, WOUND))

    read = [[await territory.sees(who.caller, one) for one in (secret, wound)] for who in (gp, nurse, aide)]

    assert read == [[True, True], [False, True], [False, False]]


async def test_a_search_into_what_is_contained_counts_nothing_unseen(territory: Any) -> None:
    gp, nurse = await territory.person("gp"), await territory.person("nurse")
    patient = await territory.patient(gp, nurse)
    await territory.create(gp.caller, wrapper(territory, patient, "Appointment", TEST))
    query = "Appointment?reason-reference:Observation.code=75622-1&_total=accurate"

    assert [await matching(territory, who.caller, query) for who in (gp, nurse)] == [1, 0]


async def test_who_may_not_write_a_content_does_not_write_it_into_a_wrapper(territory: Any) -> None:
    gp = await territory.person("gp")
    secretary = await territory.person("secretary", acts_for=gp.role)
    patient = await territory.patient(gp, secretary)
    tree = wrapper(territory, patient, "Appointment", WOUND)

    assert (await territory.ask(secretary.caller, "POST", "Appointment", tree)).status == 403
    del tree["contained"], tree["reasonReference"]
    assert (await territory.ask(secretary.caller, "POST", "Appointment", tree)).status == 201


@pytest.mark.parametrize("where", ["contained", "reasonCode"])
async def test_what_rights_derive_from_holds_no_content(territory: Any, where: str) -> None:
    """It would be read by all who need it, or by too few: neither."""
    gp = await territory.person("gp")
    patient = await territory.patient(gp)
    team: Tree = territory.team(patient, [gp])
    inner = {"resourceType": "Condition", "id": "c", "code": HIV, "subject": {"reference": patient.reference}}
    held: Tree = {"contained": [inner], "reasonReference": [{"reference": "#c"}]}
    team |= held if where == "contained" else {"reasonCode": [HIV]}

    answer = await territory.ask(gp.caller, "POST", "CareTeam", team)

    assert answer.status == 422, answer.body
    assert f"CareTeam.{where}" in answer.body.decode()


@pytest.mark.parametrize("code", ["MASKED", "ALERT", "PSYCH"])
async def test_a_label_that_sets_no_class_is_refused_by_name(territory: Any, code: str) -> None:
    gp = await territory.person("gp")
    patient = await territory.patient(gp)

    answer = await territory.ask(gp.caller, "POST", "Observation", territory.item_of(patient, **label(code)))

    assert answer.status == 400, answer.body
    assert code in answer.body.decode() and "Observation.meta.security" in answer.body.decode()
    assert ("MASQUE_PS" in answer.body.decode()) is (code == "MASKED")


# ---- a document whose entries refer to each other -----------------------------------------------------------------

ELSEWHERE = "https://hopital.example/fhir"
PLACES = [
    pytest.param([f"urn:uuid:7f3b2a52-9d5c-4c4e-9f58-0d9a5f6d1b0{n}" for n in range(3)], None, id="urn"),
    pytest.param(
        [f"{ELSEWHERE}/Composition/a", f"{ELSEWHERE}/Condition/b", f"{ELSEWHERE}/Practitioner/c"], None, id="absolute"
    ),
    pytest.param(
        [f"{ELSEWHERE}/Composition/a", f"{ELSEWHERE}/Condition/b", f"{ELSEWHERE}/Practitioner/c"],
        ["Composition/a", "Condition/b", "Practitioner/c"],
        id="relative",
    ),
]


def document(patient: str, urls: list[str], names_: list[str] | None, *more: Tree) -> Tree:
    _, problem, doctor = names_ or urls
    composition = {
        "resourceType": "Composition", "status": "final", "type": coded(LOINC, "11488-4"), "title": "Compte rendu",
        "subject": {"reference": patient}, "date": "2026-03-01", "author": [{"reference": doctor}],
        "section": [{"title": "Motif", "entry": [{"reference": problem}]}],
    }  # fmt: skip
    condition = {"resourceType": "Condition", "subject": {"reference": patient}, "code": {"text": "BPCO"},
                 "asserter": {"reference": doctor}}  # fmt: skip
    trees = [composition, condition, {"resourceType": "Practitioner", "name": [{"family": "Ailleurs"}]}]
    entry = [{"fullUrl": url, "resource": tree} for url, tree in zip(urls, trees, strict=True)]
    return {
        "resourceType": "Bundle", "type": "document", "timestamp": "2026-03-01T10:00:00Z",
        "identifier": {"system": "urn:ietf:rfc:3986", "value": "urn:uuid:7f3b2a52-9d5c-4c4e-9f58-0d9a5f6d1bff"},
        "entry": [*entry, *({"fullUrl": f"urn:uuid:{n}", "resource": tree} for n, tree in enumerate(more))],
    }  # fmt: skip


@pytest.mark.parametrize(("urls", "names_"), PLACES)
async def test_a_document_is_kept_as_it_came_for_who_reads_all_of_it(
    territory: Any, urls: list[str], names_: list[str] | None
) -> None:
    gp, nurse, aide = [await territory.person(code) for code in ("gp", "nurse", "home-aide")]
    patient = await territory.patient(gp, nurse, aide)
    sent = document(patient.reference, urls, names_)

    kept = await territory.create(nurse.caller, sent)

    tree = await territory.tree(kept, gp.caller)
    assert tree["entry"] == sent["entry"]
    assert not await territory.sees(aide.caller, kept)
    assert (await territory.change(gp.caller, kept, language="fr")).status == 200
    secret = document(patient.reference, urls, names_, {**TEST, "subject": {"reference": patient.reference}})
    secret["entry"][-1]["fullUrl"] = "urn:uuid:7f3b2a52-9d5c-4c4e-9f58-0d9a5f6d1b09"
    closed = await territory.create(gp.caller, secret)
    assert not await territory.sees(nurse.caller, closed)


async def test_a_document_leads_to_nothing_that_the_sender_does_not_see(territory: Any) -> None:
    gp, nurse = await territory.person("gp"), await territory.person("nurse")
    patient, other = await territory.patient(gp, nurse), await territory.patient(gp)
    hidden = await territory.create(gp.caller, territory.item_of(patient, "Condition", code=HIV))
    urls = [f"urn:uuid:7f3b2a52-9d5c-4c4e-9f58-0d9a5f6d1b0{n}" for n in range(3)]

    # A copy under the address of what is here stands for nothing: the reference is to what is here.
    for url in (hidden, f"https://record.example/fhir/{hidden}"):
        forged = document(patient.reference, [urls[0], f"https://record.example/fhir/{hidden}", urls[2]], None)
        forged["entry"][0]["resource"]["section"][0]["entry"][0]["reference"] = url
        refused = await territory.ask(nurse.caller, "POST", "Bundle", forged)
        assert refused.status == 422, refused.body
        assert "does not exist" in refused.body.decode()
    elsewhere = document(other.reference, urls, None)
    assert (await territory.ask(nurse.caller, "POST", "Bundle", elsewhere)).status == 422
    of_two = document(patient.reference, urls, None, {**WOUND, "subject": {"reference": other.reference}})
    of_two["entry"][-1]["fullUrl"] = "urn:uuid:7f3b2a52-9d5c-4c4e-9f58-0d9a5f6d1b09"
    assert b"2 patients" in (await territory.refused(gp.caller, "POST", "Bundle", of_two)).body
    nobodys = document("urn:uuid:7f3b2a52-9d5c-4c4e-9f58-0d9a5f6d1b02", urls, None)
    assert b"cannot be found" in (await territory.refused(gp.caller, "POST", "Bundle", nobodys)).body
