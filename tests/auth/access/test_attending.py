"""The attending doctor reads what the person masks, so the person declares who it is (R.1111-49; CSS L.162-5-3)."""

import json
from typing import Any

import pytest

from liaison.auth.access import vocabulary

from . import arrivals
from .pieces import Tree, moment

MASQUE = {"meta": {"security": [{
    "system": "https://mos.esante.gouv.fr/NOS/TRE_A07-StatusVisibiliteDocument/FHIR/"
    "TRE-A07-StatusVisibiliteDocument", "code": "MASQUE_PS"}]}}  # fmt: skip
WAYS = ("update", "patch", "transaction", "create")


async def place(territory: Any, *, masked: bool = True, attended: bool = True) -> Any:
    """A patient with an attending doctor, two other doctors and a nurse in the team; and what an author wrote and the person
    masked."""
    people = {}
    for name, code in (("attending", "gp"), ("other", "specialist"), ("author", "gp"), ("nurse", "nurse")):
        people[name] = await territory.person(code)
    patient = await territory.patient()
    role = {"role": territory.ATTENDING} if attended else {}
    members = [territory.member(people["attending"], **role)]
    members += [territory.member(people[name]) for name in ("other", "author", "nurse")]
    team = await territory.create(territory.system, territory.team(patient, [], participant=members))
    item = ""
    if masked:
        item = await territory.create(
            people["author"].caller, territory.item_of(patient, "DocumentReference", **MASQUE)
        )
    return type("Place", (), {**people, "patient": patient, "team": team, "item": item})


async def written(territory: Any, at: Any, who: Any, participants: list[Tree], way: str) -> Any:
    """Those participants, in the team of the patient or in another."""
    tree = {**await territory.tree(at.team), "participant": participants}
    if way == "create":
        return await territory.ask(
            who.caller, "POST", "CareTeam", territory.team(at.patient, [], participant=participants)
        )
    if way == "update":
        return await territory.ask(who.caller, "PUT", at.team, tree)
    if way == "patch":
        operations = [{"op": "replace", "path": "/participant", "value": participants}]
        return await territory.ask(who.caller, "PATCH", at.team, operations, content_type="application/json-patch+json")
    entry = {"resource": tree, "request": {"method": "PUT", "url": at.team}}
    return await territory.ask(
        who.caller, "POST", "", {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}
    )


def attends(territory: Any, one: Any, **more: Any) -> Tree:
    return dict(territory.member(one, role=territory.ATTENDING, **more))


async def declared(territory: Any, at: Any, caller: Any, doctor: Any = None, means: str = "oral") -> Any:
    parts: list[Tree] = [{"name": "means", "valueCode": means}]
    if doctor is not None:
        parts.append({"name": "doctor", "valueReference": {"reference": doctor.role}})
    body = {"resourceType": "Parameters", "parameter": parts}
    return await territory.ask(caller, "POST", f"{at.patient.reference}/$attending-doctor", body)


async def others(territory: Any, at: Any, *without: str) -> list[Tree]:
    """The participants of the team but those of these people."""
    gone = {getattr(at, name).role for name in without}
    return [one for one in (await territory.tree(at.team))["participant"] if one["member"]["reference"] not in gone]


# ---- a second one -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("masked", [True, False], ids=["masked", "nothing masked"])
async def test_there_are_never_two_attending_doctors_at_once(territory: Any, way: str, masked: bool) -> None:
    at = await place(territory, masked=masked)
    kept = await others(territory, at, "other")
    participants = [attends(territory, at.other)] if way == "create" else [*kept, attends(territory, at.other)]

    answer = await written(territory, at, at.nurse, participants, way)

    assert answer.status == 422
    place_ = len(participants) - 1
    assert json.loads(answer.body)["issue"][0]["expression"] == [f"CareTeam.participant[{place_}].role"]
    if masked:
        assert not await territory.sees(at.other.caller, at.item)
        assert await territory.sees(at.attending.caller, at.item)


async def test_one_to_come_does_not_overlap_the_present_one(territory: Any) -> None:
    at = await place(territory, masked=False)
    kept = await others(territory, at, "other")

    later = [*kept, attends(territory, at.other, period={"start": moment(days=-9)})]
    assert (await written(territory, at, at.nurse, later, "update")).status == 422
    past = [*kept, attends(territory, at.other, period={"start": "2020-01-01", "end": "2020-12-31"})]
    assert (await written(territory, at, at.nurse, past, "update")).status == 200


@pytest.mark.parametrize("way", WAYS)
async def test_whoever_ends_one_does_not_name_the_next(territory: Any, way: str) -> None:
    """Two steps, or one: the person is asked all the same."""
    at = await place(territory)
    others_ = await others(territory, at, "attending", "other")
    ended = attends(territory, at.attending, period={"end": moment(hours=1)})
    assert (
        await written(territory, at, at.nurse, [*others_, ended, territory.member(at.other)], "update")
    ).status == 200

    new = [attends(territory, at.other)] if way == "create" else [*others_, ended, attends(territory, at.other)]
    answer = await written(territory, at, at.nurse, new, way)

    assert answer.status == 403
    assert "$attending-doctor" in json.loads(answer.body)["issue"][0]["diagnostics"]
    assert not await territory.sees(at.other.caller, at.item)


@pytest.mark.parametrize("how", ["role taken off", "taken out", "team inactive"])
async def test_an_attending_doctor_is_not_made_to_have_never_been(territory: Any, how: str) -> None:
    at = await place(territory, masked=False)
    kept = await others(territory, at, "attending")
    hows: dict[str, Tree] = {
        "role taken off": {"participant": [*kept, territory.member(at.attending)]},
        "taken out": {"participant": kept},
        "team inactive": {"status": "inactive"},
    }  # fmt: skip

    assert (await territory.change(at.nurse.caller, at.team, **hows[how])).status == 403
    assert (await territory.change(at.attending.caller, at.team, **hows[how])).status == 200


async def test_one_person_in_two_roles_is_one_attending_doctor(territory: Any) -> None:
    at = await place(territory, masked=False)
    again = await territory.role_of(at.attending.practitioner, "specialist")
    kept = await others(territory, at)

    assert (await written(territory, at, at.nurse, [*kept, attends(territory, again)], "update")).status == 200


# ---- the first one ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS)
async def test_a_code_of_a_participant_makes_nobody_the_attending_doctor(territory: Any, way: str) -> None:
    """The person declares the first one too, though nothing is masked yet: what is masked later would be open to them."""
    at = await place(territory, masked=False, attended=False)
    kept = await others(territory, at, "other")
    new = [attends(territory, at.other)] if way == "create" else [*kept, attends(territory, at.other)]

    answer = await written(territory, at, at.nurse, new, way)

    assert answer.status == 403
    assert "$attending-doctor" in json.loads(answer.body)["issue"][0]["diagnostics"]
    item = await territory.create(at.author.caller, territory.item_of(at.patient, "DocumentReference", **MASQUE))
    assert not await territory.sees(at.other.caller, item)
    assert (await declared(territory, at, at.nurse.caller, at.other)).status == 201
    assert await territory.sees(at.other.caller, item)


async def test_the_code_of_hl7_is_written_and_gives_nothing(territory: Any) -> None:
    """A primary care physician is whoever sees the person first, in another country; a médecin traitant is declared."""
    at = await place(territory, attended=False)
    hl7 = [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ParticipationFunction", "code": "PCP"}]}]
    new = [*await others(territory, at, "other"), territory.member(at.other, role=hl7)]

    assert (await written(territory, at, at.nurse, new, "update")).status == 200

    assert not await territory.sees(at.other.caller, at.item)


async def test_a_record_is_opened_with_its_attending_doctor(territory: Any) -> None:
    gp, nurse = await territory.person("gp"), await territory.person("nurse")
    urn = "urn:uuid:6f1ed4c5-1111-4000-8000-000000000001"
    trees = [
        {"resourceType": "Patient", "birthDate": "1950-01-01"},
        territory.team(type("New", (), {"reference": urn}), [nurse], participant=[
            attends(territory, gp), territory.member(nurse)]),
    ]  # fmt: skip
    entries = [
        {"fullUrl": urn if number == 0 else f"{urn[:-1]}2", "resource": tree,
         "request": {"method": "POST", "url": tree["resourceType"]}}
        for number, tree in enumerate(trees)
    ]  # fmt: skip

    answer = await territory.ask(
        nurse.caller, "POST", "", {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    )

    assert answer.status == 200, answer.body


async def test_what_changes_nothing_of_the_attending_doctor_is_written_as_before(territory: Any) -> None:
    at = await place(territory)
    kept = await others(territory, at)
    pharmacist = await territory.person("pharmacist")

    assert (await written(territory, at, at.nurse, [*kept, territory.member(pharmacist)], "update")).status == 200
    assert await territory.sees(pharmacist.caller, at.patient.reference)
    assert await territory.sees(at.attending.caller, at.item)


# ---- the declaration ----------------------------------------------------------------------------------------------


async def test_a_doctor_whom_the_person_declares_replaces_the_one_before(territory: Any) -> None:
    at = await place(territory)

    answer = await declared(territory, at, at.nurse.caller, at.other, means="paper")

    assert answer.status == 201, answer.body
    assert await territory.sees(at.other.caller, at.item)
    assert not await territory.sees(at.attending.caller, at.item)
    assert await territory.sees(at.attending.caller, at.patient.reference)
    proof = await territory.tree(arrivals.said(answer)["consent"])
    assert proof["provision"]["actor"][0]["reference"]["reference"] == at.other.role
    assert proof["verification"][0]["verifiedWith"]["reference"] == at.patient.reference
    was = [one for one in (await territory.tree(at.team))["participant"] if "end" not in one.get("period", {})]
    assert sorted(one["member"]["reference"] for one in was) == sorted(
        one.role for one in (at.attending, at.other, at.author, at.nurse)
    )
    codes = [one["code"] for one in proof["policyRule"]["coding"]]
    assert codes == ["means-paper"]


async def test_who_is_declared_keeps_what_the_team_said_of_them(territory: Any) -> None:
    """How they came, and that the person was informed of it: else they would read less than before (row 3)."""
    at = await place(territory, masked=False)
    informed = {"url": vocabulary.INFORMED, "valueDateTime": "2026-01-05"}
    basis = {"url": vocabulary.LEGAL_BASIS, "valueCode": "formal-organisation"}
    role = {"coding": [{"system": vocabulary.ROLE, "code": "specialist"}]}
    kept = await others(territory, at, "other")
    known = territory.member(at.other, extension=[basis, informed], role=[role], period={"start": "2026-01-05"})
    assert (await territory.change(territory.system, at.team, participant=[*kept, known])).status == 200

    assert (await declared(territory, at, at.nurse.caller, at.other)).status == 201

    [before, now] = [
        one for one in (await territory.tree(at.team))["participant"] if one["member"]["reference"] == at.other.role
    ]
    assert {**now, "role": before["role"], "period": before["period"]} == before
    assert now["role"][0] == role
    assert now["role"][1]["coding"][0]["code"] == "PCP"
    assert before["period"]["end"] < now["period"]["start"]


async def test_the_person_and_both_doctors_are_told_and_it_is_reviewed(territory: Any) -> None:
    at = await place(territory)

    assert (await declared(territory, at, at.nurse.caller, at.other)).status == 201

    mine = await territory.as_oneself(at.patient.reference, "patient", at.patient.reference)
    [notice] = await territory.search(mine, f"Communication?subject={at.patient.reference}")
    tree = await territory.tree(notice)
    assert [one["reference"] for one in tree["recipient"]] == [at.attending.role, at.other.role]
    [task] = await territory.search(territory.system, f"Task?patient={at.patient.reference}")
    assert (await territory.tree(task))["code"]["coding"][0]["code"] == "attending-doctor"
    assert not await territory.sees(at.nurse.caller, task)


@pytest.mark.parametrize("who", ["patient", "guardian"])
async def test_the_person_or_who_represents_them_declares_a_doctor(territory: Any, who: str) -> None:
    at = await place(territory)
    reference = at.patient.reference
    if who == "guardian":
        inner = [{"url": "measure", "valueCode": "tutelle"}, {"url": "seenOn", "valueDate": "2026-01-05"},
                 {"url": "seenBy", "valueReference": {"reference": at.nurse.role}}]  # fmt: skip
        stated = [{"url": "https://liaison.example/fhir/StructureDefinition/representation", "extension": inner}]
        reference = await territory.item(at.patient, "RelatedPerson", extension=stated)
    caller = await territory.as_oneself(reference, who, at.patient.reference)

    answer = await declared(territory, at, caller, doctor=at.other)

    assert answer.status == 201, answer.body
    assert await territory.sees(at.other.caller, at.item)
    proof = await territory.tree(arrivals.said(answer)["consent"])
    assert proof["performer"] == [{"reference": reference}]
    assert await territory.search(territory.system, f"Task?patient={at.patient.reference}") == []
    assert proof["verification"][0]["verifiedWith"] == {"reference": reference}


async def test_no_doctor_records_that_they_are_declared(territory: Any) -> None:
    """Who joins as somebody the person recognised would else read what is masked by their own word, in two calls."""
    at = await place(territory)
    outside = await territory.person("gp")

    assert (await declared(territory, at, at.other.caller, at.other)).status == 403
    assert (await declared(territory, at, at.other.caller)).status == 400  # nor by naming nobody
    again = await territory.role_of(at.other.practitioner, "hospital-doctor")
    assert (await declared(territory, at, at.other.caller, again)).status == 403  # nor in another role
    assert (await declared(territory, at, outside.caller, outside)).status == 404
    assert (await declared(territory, at, at.nurse.caller, outside)).status == 403  # nor is one from outside recorded
    assert not await territory.sees(at.other.caller, at.item)


@pytest.mark.parametrize("code", ["home-aide", "coordinator", "social-worker"])
async def test_a_health_professional_records_it(territory: Any, code: str) -> None:
    at = await place(territory)
    somebody = await territory.person(code)
    kept = await others(territory, at)
    team = {"participant": [*kept, territory.member(somebody)]}
    assert (await territory.change(territory.system, at.team, **team)).status == 200

    assert (await declared(territory, at, somebody.caller, at.other)).status in (403, 404)
    assert not await territory.sees(at.other.caller, at.item)


async def test_a_stay_is_no_ground_to_be_declared(territory: Any) -> None:
    at = await place(territory)
    doctor = await territory.person("hospital-doctor", await territory.organization("Hôpital"))
    stay = territory.item_of(at.patient, "Encounter", status="in-progress", period={"start": moment(hours=1)},
                             participant=[{"individual": {"reference": doctor.role}}])  # fmt: skip
    await territory.create(territory.system, stay)
    assert await territory.sees(doctor.caller, at.patient.reference)

    assert (await declared(territory, at, doctor.caller, at.other)).status == 403


async def test_what_is_declared_is_a_doctor_once_whom_the_person_does_not_oppose(territory: Any) -> None:
    at = await place(territory)
    mine = await territory.as_oneself(at.patient.reference, "patient", at.patient.reference)

    assert (await declared(territory, at, mine, doctor=at.nurse)).status == 400
    assert (await declared(territory, at, mine)).status == 400
    assert (await declared(territory, at, at.nurse.caller, at.other, means="rumour")).status == 400
    assert (await declared(territory, at, mine, doctor=at.attending)).status == 409
    denied = {"type": "deny", "actor": [territory.actor(at.other.practitioner)]}
    await territory.create(mine, territory.consent(at.patient, "opposition", denied))
    assert (await declared(territory, at, mine, doctor=at.other)).status == 409
    assert not await territory.sees(at.other.caller, at.item)


async def test_a_doctor_of_several_teams_is_replaced_in_each(territory: Any) -> None:
    at = await place(territory, attended=False)
    mental = [{"coding": [{"system": "https://liaison.example/fhir/CodeSystem/care-team", "code": "mental-health"}]}]
    second = territory.team(at.patient, [], participant=[attends(territory, at.attending)], category=mental)
    await territory.create(territory.system, second)
    assert await territory.sees(at.attending.caller, at.item)

    assert (await declared(territory, at, at.nurse.caller, at.other)).status == 201
    assert not await territory.sees(at.attending.caller, at.item)
    for again, gone in ((at.attending, at.other), (at.other, at.attending), (at.attending, at.other)):
        assert (await declared(territory, at, at.nurse.caller, again)).status == 201
        assert await territory.sees(again.caller, at.item)
        assert not await territory.sees(gone.caller, at.item)
