"""A label, or a code, that opens a content to more people is its author's or the attending doctor's to set (domain notes §2.5)."""

import json
from types import SimpleNamespace
from typing import Any

import pytest

from liaison.auth.access import vocabulary
from liaison.auth.access.purposes import Purpose

from .pieces import HIV, Tree, label, moment

WAYS = ("update", "patch", "meta", "transaction")


async def team(territory: Any, *codes: str) -> tuple[Any, ...]:
    """A patient, their attending doctor, and a team."""
    people = [await territory.person(code) for code in codes]
    attending = await territory.person("gp")
    patient = await territory.patient(*people)
    attends = [territory.member(attending, role=territory.ATTENDING)]
    await territory.create(territory.system, territory.team(patient, [], participant=attends))
    return patient, attending, *people


async def relabelled(territory: Any, who: Any, item: str, *names: str, way: str = "update") -> int:
    """The status that whoever sets these labels, and no other, is answered with."""
    caller = who.caller if hasattr(who, "caller") else who
    tree = await territory.tree(item)
    labels = label(*names)["meta"]["security"]
    meta = {"security": labels} if labels else {"tag": [{"code": "relabelled"}]}
    if way == "update":
        answer = await territory.change(caller, item, meta=meta)
    elif way == "patch":
        kept = {name: value for name, value in tree["meta"].items() if name != "security"}
        operations = [{"op": "replace", "path": "/meta", "value": {**kept, **({"security": labels} if labels else {})}}]
        answer = await territory.ask(caller, "PATCH", item, operations, content_type="application/json-patch+json")
    elif way == "meta":
        gone = [one for one in tree["meta"].get("security", ()) if one not in labels]
        for operation, ones in (("$meta-delete", gone), ("$meta-add", labels)):
            if ones:
                parameters = {"resourceType": "Parameters",
                              "parameter": [{"name": "meta", "valueMeta": {"security": ones}}]}  # fmt: skip
                answer = await territory.ask(caller, "POST", f"{item}/{operation}", parameters)
                if answer.status != 200:
                    break
    else:
        entry = {"resource": {**tree, "meta": meta}, "request": {"method": "PUT", "url": item}}
        answer = await territory.ask(
            caller, "POST", "", {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}
        )
    return int(answer.status)


@pytest.mark.parametrize("way", WAYS)
async def test_a_diagnosis_is_not_made_a_safety_instruction_by_another(territory: Any, way: str) -> None:
    """« À savoir » is a statement that somebody wrote for the aide, never what a doctor wrote for doctors."""
    patient, _attending, author, colleague, nurse, aide = await team(territory, "gp", "gp", "nurse", "home-aide")
    problem = await territory.create(author.caller, territory.item_of(patient, "Condition"))

    for who in (nurse, colleague):
        assert await relabelled(territory, who, problem, "SAFETY", way=way) == 403
        assert not await territory.sees(aide.caller, problem)
    assert (await territory.tree(problem))["meta"]["versionId"] == "1"
    assert await relabelled(territory, author, problem, "SAFETY", way=way) == 200
    assert await territory.sees(aide.caller, problem)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", ["SENS", "PSY", "MINOR", "NOTE3P"])
async def test_a_closing_label_is_taken_off_by_the_author_or_the_attending_doctor(
    territory: Any, name: str, way: str
) -> None:
    patient, attending, author, colleague, physio = await team(territory, "gp", "gp", "physio")
    colleagues = [territory.member(one) for one in (author, colleague, attending)]
    mental = [{"coding": [{"system": vocabulary.CARE_TEAM, "code": "mental-health"}]}]
    await territory.create(territory.system, territory.team(patient, [], participant=colleagues, category=mental))
    items = [
        await territory.create(author.caller, territory.item_of(patient, "Condition", **label(name))) for _ in "ab"
    ]

    assert await territory.sees(colleague.caller, items[0])
    assert await relabelled(territory, colleague, items[0], way=way) == 403
    assert not await territory.sees(physio.caller, items[0])
    for who, item in zip((author, attending), items, strict=True):
        assert await relabelled(territory, who, item, way=way) == 200
        assert await territory.sees(physio.caller, item)


@pytest.mark.parametrize("way", WAYS)
async def test_whoever_may_write_it_closes_it(territory: Any, way: str) -> None:
    patient, _attending, author, colleague, nurse = await team(territory, "gp", "gp", "nurse")
    problem = await territory.create(author.caller, territory.item_of(patient, "Condition"))

    assert await relabelled(territory, colleague, problem, "SENS", way=way) == 200

    assert not await territory.sees(nurse.caller, problem)


@pytest.mark.parametrize(
    ("code", "wider"),
    [
        ({"text": "x"}, {"meta": {"security": [{"system": vocabulary.VISIBILITY, "code": "proches"}]}}),
        (HIV, {"code": {"text": "Infection ancienne"}}),
        ({"text": "x"}, {"category": [{"coding": [{
            "system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "vital-signs"}]}]}),
        (HIV, {"category": [{"coding": [{
            "system": "https://liaison.example/fhir/CodeSystem/home-care", "code": "visit"}]}]}),
    ],
    ids=["shared with those close", "a code of less", "called a measure", "called a visit"],
)  # fmt: skip
async def test_a_code_that_opens_counts_like_a_label(territory: Any, code: Tree, wider: Tree) -> None:
    patient, _attending, author, colleague = await team(territory, "gp", "gp")
    entry = await territory.create(author.caller, territory.item_of(patient, code=code))

    assert (await territory.change(colleague.caller, entry, **wider)).status == 403
    assert (await territory.change(colleague.caller, entry, status="amended")).status == 200
    assert (await territory.change(author.caller, entry, **wider)).status == 200


async def test_nobody_becomes_the_author_by_an_update(territory: Any) -> None:
    """Else the label comes off in two steps, and so does the entry."""
    patient, _attending, author, nurse, aide = await team(territory, "gp", "nurse", "home-aide")
    problem = await territory.create(author.caller, territory.item_of(patient, "Condition"))

    mine = {"reference": nurse.role}
    assert (await territory.change(nurse.caller, problem, recorder=mine, asserter=mine)).status == 200

    assert await relabelled(territory, nurse, problem, "SAFETY") == 403
    assert (await territory.ask(nurse.caller, "DELETE", problem)).status == 403
    assert not await territory.sees(aide.caller, problem)


async def test_who_stands_in_for_the_attending_doctor_opens_nothing(territory: Any) -> None:
    patient, attending, author = await team(territory, "gp")
    now = {"start": moment(days=1), "end": moment(days=-10)}
    substitute = await territory.person("substitute", acts_for=attending.role, period=now)
    problem = await territory.create(author.caller, territory.item_of(patient, "Condition", **label("SENS")))

    assert await territory.sees(substitute.caller, problem)
    assert await relabelled(territory, substitute, problem) == 403
    own = await territory.create(substitute.caller, territory.item_of(patient, "Condition", **label("SENS")))
    assert await relabelled(territory, substitute, own) == 200


async def test_where_no_author_is_known_a_doctor_decides(territory: Any) -> None:
    patient, _attending, colleague, nurse = await team(territory, "gp", "nurse")
    problem = await territory.item(patient, "Condition")

    assert await relabelled(territory, nurse, problem, "SAFETY") == 403
    assert await relabelled(territory, colleague, problem, "SAFETY") == 200


async def test_software_opens_what_its_own_structure_sent(territory: Any) -> None:
    practice, other = await territory.organization("Cabinet"), await territory.organization("Autre cabinet")
    gp, colleague = await territory.person("gp", practice), await territory.person("gp", other)
    client = await territory.client(practice, "gp", Purpose.TREAT)
    another = await territory.client(other, "gp", Purpose.TREAT)
    patient = await territory.patient(gp, colleague)
    document = await territory.create(client, territory.item_of(patient, "DocumentReference", **label("SENS")))

    assert await territory.sees(another, document)
    assert await relabelled(territory, another, document) == 403
    assert await relabelled(territory, client, document) == 200


async def test_coordination_is_moved_about_by_whoever_writes_it(territory: Any) -> None:
    patient, _attending, gp, nurse, aide = await team(territory, "gp", "nurse", "home-aide")
    note = await territory.create(gp.caller, territory.item_of(patient, "Communication"))

    assert not await territory.sees(aide.caller, note)
    assert await relabelled(territory, nurse, note, "SAFETY") == 200
    assert await territory.sees(aide.caller, note)


async def test_the_refusal_says_what_would_open_and_what_to_do(territory: Any) -> None:
    patient, _attending, author, nurse = await team(territory, "gp", "nurse")
    problem = await territory.create(author.caller, territory.item_of(patient, "Condition"))

    answer = await territory.change(nurse.caller, problem, **label("SAFETY"))

    said = json.loads(answer.body)["issue"][0]["diagnostics"]
    assert "CLIN" in said
    assert "SAFETY" in said
    assert "an entry of its own" in said


async def test_a_record_opened_without_a_doctor_keeps_its_own_labels(territory: Any) -> None:
    """Row 28: who opened it is the author of what they entered."""
    worker = await territory.person("social-worker")
    opened = await territory.create(worker.caller, {"resourceType": "Patient", "birthDate": "1950-01-01"})
    record = SimpleNamespace(reference=opened)
    social = await territory.create(worker.caller, territory.item_of(record, "QuestionnaireResponse", **label("SOC")))

    assert await relabelled(territory, worker, social, "COORD") == 200
