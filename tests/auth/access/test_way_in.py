"""$lookup, $register, $join: people come in by identity, never by id; wrong traits answer like nobody."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from liaison.auth.access.purposes import Purpose
from liaison.auth.smart.scopes import read_scopes

from .arrivals import INS, parameters, registered, said, traits

pytestmark = pytest.mark.alone  # nobody else lives there who could have the same traits

Tree = dict[str, Any]


async def test_an_unknown_person_is_registered_with_the_caller_as_dated_member(territory: Any) -> None:
    gp = await territory.person("gp")

    patient = await registered(territory, gp)

    tree = await territory.tree(patient, gp.caller)
    assert tree["identifier"][0]["value"] == "260058815400233"
    [team] = await territory.search(gp.caller, f"CareTeam?patient={patient}")
    [member] = (await territory.tree(team))["participant"]
    assert member["member"]["reference"] == gp.role
    assert member["period"]["start"]
    [consent] = await territory.search(gp.caller, f"Consent?patient={patient}")
    assert (await territory.tree(consent))["provision"] == {"type": "permit"}


async def test_a_known_person_is_only_said_to_be_known(territory: Any) -> None:
    gp, other = await territory.person("gp"), await territory.person("gp")
    patient = await registered(territory, gp)

    for who, shown in ((other, None), (gp, patient)):
        for operation in ("$register", "$lookup"):
            answer = await territory.ask(who.caller, "POST", f"Patient/{operation}", parameters(traits()))
            assert answer.status == 200
            assert said(answer).get("patient") == shown
            assert said(answer)["result"] == "known"
    assert not await territory.sees(other.caller, patient)


async def test_a_name_that_nobody_has_is_unknown(territory: Any) -> None:
    gp = await territory.person("gp")
    answer = await territory.ask(gp.caller, "POST", "Patient/$lookup", parameters(traits()))
    assert said(answer) == {"result": "unknown"}


@pytest.mark.parametrize("status", ["PROV", "VALI", "RECUP"])
async def test_only_a_qualified_identity_carries_its_matricule(territory: Any, status: str) -> None:
    gp = await territory.person("gp")
    answer = await territory.ask(gp.caller, "POST", "Patient/$register", parameters(traits(), status=status))
    tree = await territory.tree(said(answer)["patient"], gp.caller)
    assert "identifier" not in tree


async def test_two_registrations_at_once_open_one_record(territory: Any) -> None:
    gps = [await territory.person("gp") for _ in range(6)]
    answers = await asyncio.gather(
        *(territory.ask(gp.caller, "POST", "Patient/$register", parameters(traits(), status="QUAL")) for gp in gps)
    )
    assert sorted(answer.status for answer in answers) == [200] * 5 + [201]


async def test_two_desks_that_receive_one_person_without_ins_open_one_record(territory: Any) -> None:
    gps = [await territory.person("gp") for _ in range(6)]
    newcomer = traits()
    del newcomer["identifier"]
    answers = await asyncio.gather(
        *(territory.ask(gp.caller, "POST", "Patient/$register", parameters(newcomer)) for gp in gps)
    )
    assert sorted(answer.status for answer in answers) == [200] * 5 + [201]


async def test_the_number_a_child_is_billed_on_is_nobody_s_matricule(territory: Any) -> None:
    gp, other = await territory.person("gp"), await territory.person("gp")
    auditor = await territory.mandated()
    billing = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "NH"}]}
    child = traits("ENFANT", identifier=[{"system": INS, "value": "260058815400233", "type": billing}])
    first = await territory.create(other.caller, child)

    parent = await registered(territory, gp)

    assert (await territory.tree(first, other.caller))["identifier"][0]["type"] == billing
    assert (await territory.tree(parent, gp.caller))["identifier"][0]["value"] == "260058815400233"
    sibling = await territory.create(other.caller, {**child, "birthDate": "2015-01-01"})
    assert await territory.search(auditor.caller, f"Task?patient={sibling}") == []


async def test_the_recognised_professional_joins_and_is_told_of(territory: Any) -> None:
    gp, nurse = await territory.person("gp"), await territory.person("nurse")
    auditor = await territory.mandated()
    patient = await registered(territory, gp)

    answer = await territory.ask(
        nurse.caller, "POST", "Patient/$join", parameters(traits(), ground="recognised", means="oral")
    )

    assert said(answer) == {"result": "joined", "patient": patient}
    assert await territory.sees(nurse.caller, patient)
    assert len(await territory.search(gp.caller, f"Communication?patient={patient}")) == 1
    assert len(await territory.search(auditor.caller, f"Task?patient={patient}")) == 1
    assert await territory.search(gp.caller, f"Task?patient={patient}") == []


async def test_who_is_on_the_team_already_is_on_it_once(territory: Any) -> None:
    gp, nurse = await territory.person("gp"), await territory.person("nurse")
    patient = await registered(territory, gp)
    stated = parameters(traits(), ground="recognised", means="oral")
    for _ in range(2):
        assert (await territory.ask(nurse.caller, "POST", "Patient/$join", stated)).status == 200

    [team] = await territory.search(gp.caller, f"CareTeam?patient={patient}")
    members = [one["member"]["reference"] for one in (await territory.tree(team))["participant"]]
    assert members == [gp.role, nurse.role]
    assert len(await territory.search(gp.caller, f"Communication?patient={patient}")) == 1


async def test_those_who_join_at_once_are_all_on_the_team(territory: Any) -> None:
    """Each was told that they had joined, and the last to write had taken the place of the others."""
    gp = await territory.person("gp")
    nurses = [await territory.person("nurse") for _ in range(4)]
    patient = await registered(territory, gp)
    stated = parameters(traits(), ground="recognised", means="oral")

    answers = await asyncio.gather(*(territory.ask(nurse.caller, "POST", "Patient/$join", stated) for nurse in nurses))

    assert {one.status for one in answers} == {200}
    assert [await territory.sees(one.caller, patient) for one in (gp, *nurses)] == [True] * 5
    assert len(await territory.search(gp.caller, f"Communication?patient={patient}")) == 4


@pytest.mark.parametrize(
    "wrong",
    [
        {"family": "LE GOF"},
        {"given": "Anne"},
        {"birthDate": "1948-03-03"},
        {"gender": "male"},
        {"place": "29233"},
        {"identifier": [{"system": INS, "value": "260058815400200"}]},
    ],
)
async def test_wrong_traits_answer_like_unknown(territory: Any, wrong: Tree) -> None:
    gp, nurse = await territory.person("gp"), await territory.person("nurse")
    unknown = await territory.ask(
        nurse.caller, "POST", "Patient/$join", parameters(traits(), ground="recognised", means="oral")
    )
    await registered(territory, gp)

    answer = await territory.ask(
        nurse.caller, "POST", "Patient/$join", parameters(traits(**wrong), ground="recognised", means="oral")
    )

    assert (answer.status, answer.body) == (unknown.status, unknown.body) == (404, unknown.body)


async def test_whoever_is_opposed_is_answered_like_unknown(territory: Any) -> None:
    gp, nurse = await territory.person("gp"), await territory.person("nurse")
    patient = await registered(territory, gp)
    opposed = {
        "resourceType": "Parameters",
        "parameter": [{"name": "against", "valueReference": {"reference": nurse.role}}],
    }
    assert (await territory.ask(gp.caller, "POST", f"{patient}/$oppose", opposed)).status == 201

    answer = await territory.ask(
        nurse.caller, "POST", "Patient/$join", parameters(traits(), ground="recognised", means="oral")
    )

    assert answer.status == 404
    assert not await territory.sees(nurse.caller, patient)


async def test_a_referral_that_names_the_caller_is_accepted_by_joining(territory: Any) -> None:
    gp, specialist, stranger = [await territory.person(code) for code in ("gp", "specialist", "specialist")]
    patient = await registered(territory, gp)
    request = {
        "resourceType": "ServiceRequest", "status": "active", "intent": "order",
        "subject": {"reference": patient}, "performer": [{"reference": specialist.role}],
    }  # fmt: skip
    await territory.create(gp.caller, request)
    assert not await territory.sees(specialist.caller, patient)

    asked = parameters(traits(), ground="referral")
    assert (await territory.ask(stranger.caller, "POST", "Patient/$join", asked)).status == 404
    assert (await territory.ask(specialist.caller, "POST", "Patient/$join", asked)).status == 200

    assert await territory.sees(specialist.caller, patient)
    assert not await territory.sees(stranger.caller, patient)


async def test_a_request_of_coordination_lets_no_doctor_join(territory: Any) -> None:
    gp, specialist = await territory.person("gp"), await territory.person("specialist")
    patient = await registered(territory, gp)
    request = {
        "resourceType": "ServiceRequest", "status": "active", "intent": "order",
        "subject": {"reference": patient}, "performer": [{"reference": specialist.role}],
        "meta": {"security": territory.classes("COORD")},
    }  # fmt: skip
    await territory.create(gp.caller, request)
    asked = parameters(traits(), ground="referral")
    assert (await territory.ask(specialist.caller, "POST", "Patient/$join", asked)).status == 404
    await territory.create(gp.caller, {name: value for name, value in request.items() if name != "meta"})
    assert (await territory.ask(specialist.caller, "POST", "Patient/$join", asked)).status == 200


async def test_failed_attempts_are_limited(territory: Any) -> None:
    nurse = await territory.person("nurse")
    asked = parameters(traits(), ground="recognised", means="oral")
    statuses = [(await territory.ask(nurse.caller, "POST", "Patient/$join", asked)).status for _ in range(12)]
    assert statuses == [404] * 10 + [429] * 2


async def test_asking_at_once_passes_no_limit(territory: Any) -> None:
    nurse = await territory.person("nurse")
    asked = parameters(traits(), ground="recognised", means="oral")
    answers = await asyncio.gather(
        *(territory.ask(nurse.caller, "POST", "Patient/$join", asked) for _ in range(24)),
    )
    assert sorted(answer.status for answer in answers) == [404] * 10 + [429] * 14


@pytest.mark.parametrize("code", ["home-aide", "auditor", "admin", "coordinator-admin", "call-handler"])
async def test_some_roles_bring_nobody_in(territory: Any, code: str) -> None:
    person = await territory.person(code)
    for operation in ("$lookup", "$register", "$join"):
        await territory.refused(person.caller, "POST", f"Patient/{operation}", parameters(traits()))


async def test_emergency_access_opens_four_hours_for_a_reason(territory: Any) -> None:
    gp, doctor = [await territory.person(code) for code in ("gp", "hospital-doctor")]
    auditor = await territory.mandated()
    patient = await registered(territory, gp)
    asked = parameters(traits(), reason="Trouvée inconsciente, ne peut répondre")

    answer = await territory.ask(doctor.caller, "POST", "Patient/$emergency-access", asked)

    assert answer.status == 200, answer.body
    assert not await territory.sees(doctor.caller, patient)
    urgent = await territory.sign_in(doctor, Purpose.ETREAT)
    assert await territory.sees(urgent, patient)
    [review] = await territory.search(auditor.caller, f"Task?patient={patient}")
    assert "inconsciente" in (await territory.tree(review))["reasonCode"]["text"]

    assert (await territory.ask(doctor.caller, "POST", f"{said(answer)['task']}/$end-access")).status == 204
    await territory.database.writing.execute("select pg_sleep(1.1)")
    assert not await territory.sees(urgent, patient)


async def test_an_objection_to_emergency_access_is_answered_like_unknown(territory: Any) -> None:
    gp, doctor = await territory.person("gp"), await territory.person("hospital-doctor")
    asked = parameters(traits(), reason="Trouvée inconsciente, ne peut répondre")
    unknown = await territory.ask(doctor.caller, "POST", "Patient/$emergency-access", asked)
    patient = await registered(territory, gp)
    objection = {"resourceType": "Parameters", "parameter": [{"name": "emergency", "valueBoolean": True}]}
    await territory.ask(gp.caller, "POST", f"{patient}/$oppose", objection)

    answer = await territory.ask(doctor.caller, "POST", "Patient/$emergency-access", asked)

    assert (answer.status, answer.body) == (unknown.status, unknown.body)
    assert await territory.sees(gp.caller, patient)


@pytest.mark.parametrize("code", ["pharmacist", "physio", "home-aide", "midwife", "coordinator"])
async def test_emergency_access_is_not_offered_to_every_role(territory: Any, code: str) -> None:
    person = await territory.person(code)
    asked = parameters(traits(), reason="Trouvée inconsciente, ne peut répondre")
    assert (await territory.ask(person.caller, "POST", "Patient/$emergency-access", asked)).status == 403


async def test_a_plain_create_says_nothing_of_an_ins_known_elsewhere(territory: Any) -> None:
    gp, other = await territory.person("gp"), await territory.person("gp")
    auditor = await territory.mandated()
    elsewhere: Tree = {"identifier": [{"system": INS, "value": "199078815400244"}]}
    first = await territory.create(other.caller, traits("ABGRALL", **elsewhere))
    await registered(territory, gp)

    second = await territory.create(other.caller, traits())

    trees = []
    for reference in (first, second):
        tree = await territory.tree(reference, other.caller)
        trees.append({name: value for name, value in tree.items() if name not in ("id", "meta", "name")})
        assert await territory.search(other.caller, f"Task?patient={reference}") == []
    assert trees[0] == trees[1]
    assert "identifier" not in trees[0]
    assert await territory.search(auditor.caller, f"Task?patient={first}") == []
    assert len(await territory.search(auditor.caller, f"Task?patient={second}")) == 1


def initials(letters: str, birth_date: str = "1948-03-02") -> Tree:
    parts = [{"name": "letters", "valueString": letters}, {"name": "birthDate", "valueDate": birth_date}]
    return {"resourceType": "Parameters", "parameter": parts}


@pytest.mark.parametrize(
    ("letters", "birth_date", "result"),
    [
        ("LEG", "1948-03-02", "known"),
        ("le g", "1948-03-02", "known"),
        ("LEF", "1948-03-02", "unknown"),
        ("LE", "1948-03-02", "unknown"),
        ("LEG", "1948-03-03", "unknown"),
    ],
)
async def test_a_desk_first_asks_by_birth_date_and_three_letters(
    territory: Any, letters: str, birth_date: str, result: str
) -> None:
    gp, nurse = await territory.person("gp"), await territory.person("nurse")
    await registered(territory, gp)

    for who in (gp, nurse):
        answer = await territory.ask(who.caller, "POST", "Patient/$lookup", initials(letters, birth_date))
        assert (answer.status, said(answer)) == (200, {"result": result})


@pytest.mark.parametrize(
    "asked",
    [initials("LEGO"), initials(""), initials("12"), initials("LEG", "1948-03"), initials("LEG", "1948-13-01")],
    ids=["four letters", "none", "digits", "a month", "no such day"],
)
async def test_fewer_traits_than_that_are_refused(territory: Any, asked: Tree) -> None:
    gp = await territory.person("gp")
    assert (await territory.ask(gp.caller, "POST", "Patient/$lookup", asked)).status == 400


async def test_guessing_letters_is_limited(territory: Any) -> None:
    nurse = await territory.person("nurse")
    statuses = []
    for number in range(12):
        asked = initials("ABC", f"19{40 + number}-01-01")
        statuses.append((await territory.ask(nurse.caller, "POST", "Patient/$lookup", asked)).status)
    assert statuses == [200] * 10 + [429] * 2


async def test_opening_records_does_not_use_up_the_guesses(territory: Any) -> None:
    gp = await territory.person("gp")
    for number in range(12):
        newcomer = traits(f"ARRIVEE{chr(65 + number)}")
        del newcomer["identifier"]
        answer = await territory.ask(gp.caller, "POST", "Patient/$register", parameters(newcomer))
        assert answer.status == 201, answer.body


async def test_an_opposition_takes_the_scope_to_write_one(territory: Any) -> None:
    gp = await territory.person("gp")
    patient = await registered(territory, gp)
    body: Tree = {"resourceType": "Parameters"}

    for scope in ("user/Observation.rs", "user/*.rs", "user/Consent.rus"):
        reading = replace(gp.caller, bound=read_scopes(scope))
        assert (await territory.ask(reading, "POST", f"{patient}/$oppose", body)).status == 403
    assert await territory.search(gp.caller, f"Consent?patient={patient}&category=opposition") == []


@pytest.mark.parametrize("operation", ["$register", "$join", "$lookup", "$emergency-access", "$open-call"])
async def test_what_is_no_list_of_parameters_is_said_and_where(territory: Any, operation: str) -> None:
    person = await territory.person("regulating-doctor" if operation == "$open-call" else "gp")
    wrong: tuple[Any, ...] = ([1], ["x"], [None], [[]], "x", {})
    for given in wrong:
        body = {"resourceType": "Parameters", "parameter": given}

        answer = await territory.ask(person.caller, "POST", f"Patient/{operation}", body)

        assert answer.status == 400, given
        where = "Parameters.parameter[0]" if isinstance(given, list) else "Parameters.parameter"
        assert json.loads(answer.body)["issue"][0]["expression"] == [where]
