"""Nobody adds to their own rights: one test a type, by create, update, conditional update and bundle.

`stranger` sees nothing of the patient and tries to get in; `member` sees something and tries to see more, or for longer.
"""

import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from liaison.auth.access import vocabulary

Tree = dict[str, Any]


def soon(days: float = 3) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).isoformat(timespec="seconds")


def shape(territory: Any, type_: str, patient: Any, person: Any, elsewhere: Any = None) -> Tree:
    """A resource of the type that would give the person a right on the patient."""
    me = {"reference": person.role}
    now = datetime.now(UTC).isoformat(timespec="seconds")
    match type_:
        case "CareTeam":
            return dict(territory.team(patient, [person]))
        case "Consent":
            provision = {"type": "permit", "actor": [territory.actor(person.role)],
                         "securityLabel": territory.classes("SENS", "CLIN")}  # fmt: skip
            return dict(territory.consent(patient, provision=provision))
        case "Encounter":
            return dict(
                territory.item_of(
                    patient, "Encounter", status="in-progress", period={"start": now}, participant=[{"individual": me}],
                    serviceProvider={"reference": person.organization},
                    **{"class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "IMP"}},
                )
            )  # fmt: skip
        case "Task":
            return dict(
                territory.item_of(
                    patient, "Task", status="accepted", owner=me, focus={"reference": patient.made["request"]}
                )
            )
        case "Appointment":
            people = [{"actor": {"reference": patient.reference}, "status": "accepted"},
                      {"actor": me, "status": "accepted"}]  # fmt: skip
            return dict(territory.item_of(patient, "Appointment", participant=people, start=now, end=soon()))
        case "RelatedPerson":
            inner = [{"url": "measure", "valueCode": "tutelle"}, {"url": "seenOn", "valueDate": "2026-01-05"},
                     {"url": "seenBy", "valueReference": me}]  # fmt: skip
            return dict(
                territory.item_of(
                    patient, "RelatedPerson", extension=[{"url": vocabulary.REPRESENTATION, "extension": inner}]
                )
            )
        case "Group":
            return {"resourceType": "Group", "type": "person", "actual": True,
                    "member": [{"entity": {"reference": patient.reference}}]}  # fmt: skip
        case "Person":
            return {"resourceType": "Person", "link": [{"target": {"reference": patient.reference}}]}
    raise AssertionError(type_)


OF_THE_PATIENT = ["CareTeam", "Consent", "Encounter", "Task", "Appointment", "RelatedPerson", "Group", "Person"]
WAYS = ["create", "transaction", "batch", "conditional create", "conditional update"]


async def attempt(territory: Any, caller: Any, way: str, tree: Tree) -> int:
    """The status of one try; of a bundle, that of its entry."""
    type_ = tree["resourceType"]
    if way == "create":
        return int((await territory.ask(caller, "POST", type_, tree)).status)
    if way == "conditional create":
        return int((await territory.ask(caller, "POST", type_, tree, if_none_exist="identifier=urn:x|none")).status)
    if way == "conditional update":
        return int((await territory.ask(caller, "PUT", f"{type_}?identifier=urn:x|none", tree)).status)
    entry = {"resource": tree, "request": {"method": "POST", "url": type_}}
    answer = await territory.ask(caller, "POST", "", {"resourceType": "Bundle", "type": way, "entry": [entry]})
    if way == "batch":
        return int(json.loads(answer.body)["entry"][0]["response"]["status"][:3])
    return int(answer.status)


@pytest.fixture
async def case(territory: Any) -> Any:
    class Case:
        pass

    one: Any = Case()
    one.unit = await territory.organization("Pneumologie")
    one.gp = await territory.person("gp")
    one.stranger = await territory.person("specialist", one.unit)
    one.patient = await territory.patient(one.gp)
    one.problem = await territory.item(one.patient, "Condition")
    asked = territory.item_of(one.patient, "ServiceRequest", performer=[{"reference": one.stranger.role}])
    one.patient.made["request"] = await territory.create(one.gp.caller, asked)
    one.own = await territory.create(one.stranger.caller, {"resourceType": "Patient", "birthDate": "1950-01-01"})
    return one


@pytest.mark.parametrize("type_", OF_THE_PATIENT)
async def test_a_stranger_does_not_write_themselves_in(territory: Any, case: Any, type_: str) -> None:
    tree = shape(territory, type_, case.patient, case.stranger)

    for way in WAYS:
        assert await attempt(territory, case.stranger.caller, way, tree) in (403, 404, 422), way

    for path in (case.patient.reference, case.problem):
        assert not await territory.sees(case.stranger.caller, path)


@pytest.mark.parametrize("type_", OF_THE_PATIENT)
async def test_a_refusal_is_the_same_as_for_a_patient_who_does_not_exist(territory: Any, case: Any, type_: str) -> None:
    tree = shape(territory, type_, case.patient, case.stranger)
    hidden = await territory.ask(case.stranger.caller, "POST", type_, tree)
    nobody = json.loads(json.dumps(tree).replace(case.patient.id, "0" * 32))
    absent = await territory.ask(case.stranger.caller, "POST", type_, nobody)

    assert (hidden.status, hidden.headers) == (absent.status, absent.headers)
    assert hidden.body.replace(case.patient.id.encode(), b"0" * 32) == absent.body


@pytest.mark.parametrize("type_", ["CareTeam", "Consent", "Encounter", "Task", "Appointment", "RelatedPerson"])
async def test_an_update_does_not_point_ones_own_record_at_another_patient(
    territory: Any, case: Any, type_: str
) -> None:
    mine = SimpleNamespace(reference=case.own, id=case.own.split("/")[1], made=case.patient.made)
    tree = shape(territory, type_, mine, case.stranger)
    if type_ == "Task":
        del tree["focus"]
    own = await territory.create(territory.system, tree)

    moved = shape(territory, type_, case.patient, case.stranger)
    moved["id"] = own.split("/")[1]
    status = (await territory.ask(case.stranger.caller, "PUT", own, moved)).status

    assert status in (403, 404, 409, 422), status
    assert not await territory.sees(case.stranger.caller, case.problem)


async def test_patient_links_give_nothing(territory: Any, case: Any) -> None:
    link = [{"other": {"reference": case.patient.reference}, "type": "seealso"}]
    answer = await territory.change(case.stranger.caller, case.own, link=link)
    nobody = [{"other": {"reference": f"Patient/{'0' * 32}"}, "type": "seealso"}]
    absent = await territory.change(case.stranger.caller, case.own, link=nobody)

    assert answer.body.replace(case.patient.id.encode(), b"0" * 32) == absent.body
    assert answer.status == absent.status == 422
    assert not await territory.sees(case.stranger.caller, case.problem)


@pytest.mark.parametrize("type_", ["PractitionerRole", "Organization", "Practitioner", "Location", "Questionnaire"])
async def test_the_directory_is_the_administrators(territory: Any, case: Any, type_: str) -> None:
    trees: dict[str, Tree] = {
        "PractitionerRole": {"practitioner": {"reference": case.stranger.practitioner},
                             "code": [{"coding": [{"system": vocabulary.ROLE, "code": "auditor"}]}]},
        "Organization": {"name": "X", "partOf": {"reference": case.unit}},
        "Practitioner": {"name": [{"family": "X"}]},
        "Location": {"name": "X"},
        "Questionnaire": {"status": "active"},
    }  # fmt: skip
    tree = {"resourceType": type_, **trees[type_]}
    for way in WAYS:
        assert await attempt(territory, case.stranger.caller, way, tree) == 403, way
    assert (await territory.change(case.stranger.caller, case.stranger.role, active=True)).status == 403
    admin = await territory.person("admin")
    await territory.create(admin.caller, tree)


@pytest.mark.parametrize("spelled", ["{}", "{}/_history/1", "https://record.example/fhir/{}/_history/1"])
async def test_an_administrator_does_not_give_themselves_a_role(territory: Any, spelled: str) -> None:
    admin = await territory.person("admin")
    tree = {
        "resourceType": "PractitionerRole", "practitioner": {"reference": spelled.format(admin.practitioner)},
        "code": [{"coding": [{"system": vocabulary.ROLE, "code": "gp"}]}],
    }  # fmt: skip
    assert (await territory.ask(admin.caller, "POST", "PractitionerRole", tree)).status == 403
    gp = [{"coding": [{"system": vocabulary.ROLE, "code": "gp"}]}]
    assert (await territory.change(admin.caller, admin.role, code=gp)).status == 403


async def test_a_member_does_not_extend_their_own_membership(territory: Any) -> None:
    nurse, gp = await territory.person("nurse"), await territory.person("gp")
    patient = await territory.patient(gp)
    team = await territory.create(
        territory.system, territory.team(patient, [], participant=[territory.member(nurse, period={"end": soon(2)})])
    )
    longer = [territory.member(nurse, period={"end": soon(30)})]

    answer = await territory.change(nurse.caller, team, participant=longer)

    assert answer.status == 403
    assert (await territory.tree(team))["meta"]["versionId"] == "1"
    assert (await territory.change(gp.caller, team, participant=longer)).status == 200


async def test_a_member_does_not_become_attending_doctor_or_mental_health_team_by_themselves(territory: Any) -> None:
    gp = await territory.person("gp")
    patient = await territory.patient(gp)
    attending = territory.team(patient, [], participant=[territory.member(gp, role=territory.ATTENDING)])
    category = [{"coding": [{"system": vocabulary.CARE_TEAM, "code": "mental-health"}]}]
    for tree in (attending, territory.team(patient, [gp], category=category)):
        assert (await territory.ask(gp.caller, "POST", "CareTeam", tree)).status == 403


async def test_a_member_does_not_consent_for_themselves_to_sensitive_data(territory: Any) -> None:
    nurse = await territory.person("nurse")
    patient = await territory.patient(nurse)
    provision = {"type": "permit", "actor": [territory.actor(nurse.role)], "securityLabel": territory.classes("SENS")}
    assert (
        await territory.ask(nurse.caller, "POST", "Consent", territory.consent(patient, provision=provision))
    ).status == 403


async def test_a_member_does_not_end_an_opposition_to_themselves(territory: Any) -> None:
    gp = await territory.person("gp")
    patient = await territory.patient(gp)
    denied = await territory.create(territory.system, territory.consent(patient, "opposition", {"type": "deny"}))
    assert await territory.sees(gp.caller, denied)
    assert not await territory.sees(gp.caller, patient.reference)

    assert (await territory.change(gp.caller, denied, status="inactive")).status in (403, 422)

    assert not await territory.sees(gp.caller, patient.reference)


async def test_the_right_that_the_person_has_in_another_role_counts_too(territory: Any) -> None:
    coordinator = await territory.person("coordinator")
    gp = await territory.role_of(coordinator.practitioner, "gp")
    patient = await territory.patient(coordinator)

    answer = await territory.ask(coordinator.caller, "POST", "CareTeam", territory.team(patient, [gp]))

    assert answer.status == 403
    assert not await territory.sees(gp.caller, patient.reference)


async def test_writing_what_changes_nothing_of_ones_own_rights_is_allowed(territory: Any) -> None:
    unit = await territory.organization("Cabinet")
    nurse = await territory.person("nurse", unit)
    colleague = await territory.person("nurse", unit)
    patient = await territory.patient(nurse)
    for type_ in ("Encounter", "Appointment"):
        await territory.create(nurse.caller, shape(territory, type_, patient, nurse))
    await territory.create(nurse.caller, territory.team(patient, [nurse, colleague]))
    assert await territory.sees(colleague.caller, patient.reference)


async def test_the_review_list_and_emergency_tasks_are_not_written_by_hand(territory: Any) -> None:
    gp, friend = await territory.person("gp"), await territory.person("nurse")
    patient = await territory.patient(gp)
    task = territory.item_of(
        patient, "Task", code={"coding": [{"system": vocabulary.REVIEW, "code": "emergency-access"}]},
        requester={"reference": friend.role}, restriction={"period": {"start": soon(-1), "end": soon()}},
    )  # fmt: skip
    assert (await territory.ask(gp.caller, "POST", "Task", task)).status == 403
    own = await territory.create(gp.caller, {"resourceType": "Patient", "birthDate": "1950-01-01"})
    assert own
    urn = "urn:uuid:7f3b2a52-9d5c-4c4e-9f58-0d9a5f6d1a01"
    bundle = {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {"fullUrl": urn, "resource": {"resourceType": "Patient", "birthDate": "1950-01-01"},
             "request": {"method": "POST", "url": "Patient"}},
            {"resource": {**task, "for": {"reference": urn}}, "request": {"method": "POST", "url": "Task"}},
        ],
    }  # fmt: skip
    assert (await territory.ask(gp.caller, "POST", "", bundle)).status == 403


@pytest.mark.parametrize("code", ["home-aide", "secretary"])
async def test_some_roles_record_oppositions_but_no_permission(territory: Any, code: str) -> None:
    gp, friend = await territory.person("gp"), await territory.person("nurse")
    more = {"acts_for": gp.role} if code == "secretary" else {}
    person = await territory.person(code, **more)
    patient = await territory.patient(gp, person)
    permit = {"type": "permit", "actor": [territory.actor(friend.role)]}
    nested = {"type": "deny", "actor": [territory.actor(friend.role)], "provision": [permit]}
    for provision in (permit, nested):
        tree = territory.consent(patient, provision=provision)
        assert (await territory.ask(person.caller, "POST", "Consent", tree)).status == 403
    denied = territory.consent(patient, "opposition", {"type": "deny", "actor": [territory.actor(friend.role)]})
    assert (await territory.ask(person.caller, "POST", "Consent", denied)).status == 403  # in force for good
    await territory.create(person.caller, {**denied, "status": "proposed"})
