"""Who lets someone else in: by a referral, into the mental-health subteam, and never by a second code beside an alert."""

import json
from typing import Any

import pytest

from liaison.auth.access import classify, letting_in, vocabulary
from liaison.auth.access.classes import Class

from .pieces import Tree, moment
from .territory import Patient

ALERT = {"system": f"{vocabulary.LOCAL}/CodeSystem/alert-level", "code": "RED"}
EMERGENCY = {"system": vocabulary.REVIEW, "code": "emergency-access"}
MENTAL = [{"coding": [{"system": vocabulary.CARE_TEAM, "code": "mental-health"}]}]


@pytest.fixture
async def house(territory: Any) -> Any:
    """A doctor of the hospital who is on nobody's team, a social worker who is, and their patient."""
    doctor = await territory.person("hospital-doctor", await territory.organization("Hôpital"))
    worker = await territory.person("social-worker", await territory.organization("CCAS"))
    gp = await territory.person("gp")
    return doctor, worker, gp, await territory.patient(worker, gp)


def referral(territory: Any, patient: Any, asked: str, owner: str, **more: Any) -> Tree:
    whole = {"status": "accepted", "owner": {"reference": owner}, "focus": {"reference": asked}, **more}
    return dict(territory.item_of(patient, "Task", **whole))


async def test_who_may_not_invite_lets_nobody_in_by_a_referral(territory: Any, house: Any) -> None:
    doctor, worker, gp, patient = house
    labelled = {"meta": {"security": territory.classes("COORD")}}
    asked = await territory.create(worker.caller, territory.item_of(patient, "ServiceRequest", **labelled))

    answer = await territory.ask(worker.caller, "POST", "Task", referral(territory, patient, asked, doctor.role))

    assert answer.status == 403, answer.body
    waiting = await territory.create(
        worker.caller, referral(territory, patient, asked, doctor.role, status="requested")
    )
    assert (await territory.change(worker.caller, waiting, status="accepted")).status == 403
    assert not await territory.sees(doctor.caller, patient.reference)
    # The general practitioner accepts it for them; then the social worker may go on writing about it.
    assert (await territory.change(gp.caller, waiting, status="accepted")).status == 200
    assert await territory.sees(doctor.caller, patient.reference)
    assert (await territory.change(worker.caller, waiting, language="fr")).status == 200


async def test_without_the_check_the_referral_would_let_them_in(
    territory: Any, house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nothing(*_: Any) -> None:
        pass

    monkeypatch.setattr(letting_in, "check", nothing)
    doctor, worker, _, patient = house
    labelled = {"meta": {"security": territory.classes("COORD")}}
    asked = await territory.create(worker.caller, territory.item_of(patient, "ServiceRequest", **labelled))
    await territory.create(worker.caller, referral(territory, patient, asked, doctor.role))
    assert await territory.sees(doctor.caller, patient.reference)


async def test_a_doctor_begins_the_mental_health_subteam_and_its_members_compose_it(territory: Any) -> None:
    nurse, colleague, physio = [await territory.person(code) for code in ("nurse", "nurse", "physio")]
    gp, member = await territory.person("gp"), await territory.person("nurse")
    patient = await territory.patient(nurse, colleague, physio, gp, member)
    note = await territory.item(patient, "Condition", meta={"security": territory.classes("PSY")})

    for who in (nurse, physio):
        subteam = territory.team(patient, [colleague], category=MENTAL)
        assert (await territory.ask(who.caller, "POST", "CareTeam", subteam)).status == 403
        ordinary = await territory.create(who.caller, territory.team(patient, [colleague]))
        assert (await territory.change(who.caller, ordinary, category=MENTAL)).status == 403
    assert not await territory.sees(colleague.caller, note)

    subteam = await territory.create(gp.caller, territory.team(patient, [member], category=MENTAL))
    assert await territory.sees(member.caller, note)
    both = territory.team(patient, [member, colleague])["participant"]
    assert (await territory.change(member.caller, subteam, participant=both)).status == 200
    assert await territory.sees(colleague.caller, note)

    # The doctor who is not of it brings in nobody more, who could bring in the doctor.
    three = territory.team(patient, [member, colleague, physio])["participant"]
    assert (await territory.change(gp.caller, subteam, participant=three)).status == 403
    beside = territory.team(patient, [physio], category=MENTAL)
    assert (await territory.ask(gp.caller, "POST", "CareTeam", beside)).status == 403
    # Takes out whoever left, and begins it anew where nobody is left.
    assert (await territory.change(gp.caller, subteam, participant=both[:1])).status == 200
    assert (await territory.change(gp.caller, subteam, status="inactive")).status == 200
    assert not await territory.sees(member.caller, note)
    await territory.create(gp.caller, territory.team(patient, [member], category=MENTAL))
    assert await territory.sees(member.caller, note)


async def test_an_alert_with_the_code_of_an_emergency_access_is_of_the_review_list(territory: Any) -> None:
    nurse, friend = await territory.person("nurse"), await territory.person("gp")
    patient = await territory.patient(nurse)
    period = {"start": moment(days=1), "end": moment(days=-3000)}
    for codings in ([ALERT, EMERGENCY], [EMERGENCY, ALERT]):
        task = territory.item_of(
            patient, "Task", code={"coding": codings}, requester={"reference": friend.role},
            restriction={"period": period},
        )  # fmt: skip
        answer = await territory.ask(nurse.caller, "POST", "Task", task)
        assert answer.status == 403, answer.body
        plain = await territory.create(
            nurse.caller,
            territory.item_of(patient, "Task", code={"coding": [ALERT]}, requester={"reference": nurse.role}),
        )
        assert (await territory.change(nurse.caller, plain, code={"coding": codings})).status == 403
    found = json.loads((await territory.ask(territory.system, "GET", "Task?code=emergency-access")).body)
    assert "entry" not in found


@pytest.mark.parametrize(
    ("type_", "element", "beside"),
    [
        ("Task", "code", ALERT),
        ("Communication", "category", {"system": f"{vocabulary.LOCAL}/CodeSystem/home-care", "code": "instruction"}),
        ("DocumentReference", "type", {"system": f"{vocabulary.LOCAL}/CodeSystem/home-care", "code": "note"}),
    ],
)
def test_a_report_of_abuse_stays_one_whatever_code_is_beside(type_: str, element: str, beside: Tree) -> None:
    concept = {"coding": [beside, {"code": "suspected-abuse"}]}
    tree = {"resourceType": type_, "status": "requested", element: [concept] if element == "category" else concept}
    assert classify.own_classes(tree) == Class.PROT


def represented(territory: Any, patient: Any, seen_by: str, measure: str = "tutelle", **more: Any) -> Tree:
    inner = [{"url": "measure", "valueCode": measure}, {"url": "seenOn", "valueDate": "2026-01-05"},
             {"url": "seenBy", "valueReference": {"reference": seen_by}}]  # fmt: skip
    return dict(
        territory.item_of(
            patient, "RelatedPerson", extension=[{"url": vocabulary.REPRESENTATION, "extension": inner}], **more
        )
    )


async def test_a_representation_is_stated_by_who_saw_the_document(territory: Any) -> None:
    gp, nurse, pharmacist = [await territory.person(code) for code in ("gp", "nurse", "pharmacist")]
    patient = await territory.patient(gp, nurse, pharmacist)

    for who in (nurse, pharmacist):
        refused = await territory.ask(who.caller, "POST", "RelatedPerson", represented(territory, patient, gp.role))
        assert refused.status == 422, refused.body
        assert "seenBy" in refused.body.decode()
    relative = await territory.create(nurse.caller, territory.item_of(patient, "RelatedPerson"))
    forged = represented(territory, patient, gp.practitioner)["extension"]
    assert (await territory.change(nurse.caller, relative, extension=forged)).status == 422

    own = represented(territory, patient, nurse.role)["extension"]
    assert (await territory.change(nurse.caller, relative, extension=own)).status == 200
    # What stands may be written again by others, with a telephone number; not for longer.
    assert (await territory.change(gp.caller, relative, telecom=[{"system": "phone", "value": "0102"}])).status == 200
    await territory.create(territory.system, represented(territory, patient, gp.role))  # software says who saw it


async def test_a_representation_is_not_prolonged_in_another_name(territory: Any) -> None:
    gp, nurse = await territory.person("gp"), await territory.person("nurse")
    patient = await territory.patient(gp, nurse)
    until: dict[str, Any] = {"period": {"end": moment(days=-5)}}
    relative = await territory.create(gp.caller, represented(territory, patient, gp.role, **until))

    assert (await territory.change(nurse.caller, relative, period={"end": moment(days=-50)})).status == 422
    assert (await territory.change(nurse.caller, relative, period={"end": moment(days=-2)})).status == 200
    assert (await territory.change(gp.caller, relative, period={"end": moment(days=-50)})).status == 200


async def test_nobody_says_that_another_has_seen_the_document_instead(territory: Any) -> None:
    gp, nurse, pharmacist = [await territory.person(code) for code in ("gp", "nurse", "pharmacist")]
    patient = await territory.patient(gp, nurse, pharmacist)
    relative = await territory.create(gp.caller, represented(territory, patient, gp.role))

    by_pharmacist = represented(territory, patient, pharmacist.role)["extension"]
    assert (await territory.change(nurse.caller, relative, extension=by_pharmacist)).status == 422
    by_nurse = represented(territory, patient, nurse.role)["extension"]
    assert (await territory.change(nurse.caller, relative, extension=by_nurse)).status == 200


async def test_a_representation_is_not_handed_to_somebody_else(territory: Any) -> None:
    """By another name on what a colleague has seen."""
    gp, nurse = await territory.person("gp"), await territory.person("nurse")
    patient = await territory.patient(gp, nurse)
    called: dict[str, Any] = {"name": [{"family": "LE GOFF", "given": ["Soazig"]}]}
    relative = await territory.create(gp.caller, represented(territory, patient, gp.role, **called))

    for changed in ({"name": [{"family": "PIRATE"}]}, {"birthDate": "1980-01-05"}):
        assert (await territory.change(nurse.caller, relative, **changed)).status == 422
    assert (await territory.change(gp.caller, relative, birthDate="1980-01-05")).status == 200
    mine = represented(territory, patient, nurse.role)["extension"]
    another = await territory.change(nurse.caller, relative, name=[{"family": "TANGUY"}], extension=mine)
    assert another.status == 200, another.body


async def test_a_secretary_lets_nobody_represent_a_person(territory: Any) -> None:
    gp = await territory.person("gp")
    secretary = await territory.person("secretary", acts_for=gp.role)
    patient = await territory.patient(gp)

    for name in (secretary.role, gp.role):
        tree = represented(territory, patient, name)
        assert (await territory.ask(secretary.caller, "POST", "RelatedPerson", tree)).status == 403
    await territory.create(secretary.caller, territory.item_of(patient, "RelatedPerson"))  # who is close to them


@pytest.mark.parametrize(
    ("born", "until", "status"),
    [
        ("1950-01-02", "2030-01-01", 422),
        ("2020", "2030-01-01", 422),
        ("2020-05-10", None, 422),
        ("2020-05-10", "2038-05-10", 422),
        ("2020-05-10", "2038-05-09", 201),
        ("2020-02-29", "2038-02-28", 201),
        ("2020-02-29", "2038-03-01", 422),
    ],
    ids=str,
)
async def test_parents_represent_a_child_until_the_day_before_they_are_of_age(
    territory: Any, born: str, until: str | None, status: int
) -> None:
    """Civil Code 371-1, 414: over FHIR as on the page; nobody reads the record of somebody of age as their parent."""
    gp = await territory.person("gp")
    patient = await territory.patient(gp, birthDate=born)
    tree = represented(
        territory, patient, gp.role, "parental-authority", **({"period": {"end": until}} if until else {})
    )

    answer = await territory.ask(gp.caller, "POST", "RelatedPerson", tree)

    assert answer.status == status, answer.body
    if status == 201:
        relative = f"RelatedPerson/{json.loads(answer.body)['id']}"
        assert (await territory.change(gp.caller, relative, language="fr")).status == 200
        assert (await territory.change(gp.caller, relative, period={"end": "2039-01-01"})).status == 422


async def test_a_trainee_lets_nobody_represent_a_person(territory: Any) -> None:
    """Row 9: what they write waits for their supervisor, and whom this lets in would not."""
    gp = await territory.person("gp")
    now = {"start": moment(days=1), "end": moment(days=-30)}
    trainee = await territory.person("trainee", acts_for=gp.role, period=now)
    patient = await territory.patient(gp)

    tree = represented(territory, patient, trainee.role)
    assert (await territory.ask(trainee.caller, "POST", "RelatedPerson", tree)).status == 403
    relative = await territory.create(trainee.caller, territory.item_of(patient, "RelatedPerson"))
    assert (await territory.change(trainee.caller, relative, extension=tree["extension"])).status == 403
    stated = await territory.create(gp.caller, represented(territory, patient, gp.role))
    telephone = [{"system": "phone", "value": "0102"}]
    assert (await territory.change(trainee.caller, stated, telecom=telephone)).status == 200


@pytest.mark.parametrize(("role", "status"), [("secretary", 403), ("nurse", 422)], ids=str)
async def test_with_a_new_record_nobody_is_let_in_on_what_somebody_else_saw(
    territory: Any, role: str, status: int
) -> None:
    gp = await territory.person("gp")
    who = await territory.person(role, **({"acts_for": gp.role} if role == "secretary" else {}))
    opened = {"resourceType": "Patient", "name": [{"family": "MEVEL", "given": ["Odile"]}], "birthDate": "1950-03-04"}
    near = represented(territory, Patient("urn:uuid:3b9a8c1e-7a52-4c0c-9d7f-7a1d5b0a6c01"), gp.role)
    entries = [
        {"fullUrl": f"urn:uuid:3b9a8c1e-7a52-4c0c-9d7f-7a1d5b0a6c0{number}", "resource": tree,
         "request": {"method": "POST", "url": tree["resourceType"]}}
        for number, tree in enumerate((opened, near), 1)
    ]  # fmt: skip
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}

    answer = await territory.ask(who.caller, "POST", "", bundle)

    assert answer.status == status, answer.body
