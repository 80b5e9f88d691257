"""The rules of the table for health professionals, delegates, stays and clients, as they are met: through the engine."""

from types import SimpleNamespace
from typing import Any

import pytest

from liaison.auth.access import vocabulary
from liaison.auth.access.purposes import Purpose

from .pieces import HIV, Tree, label, moment

# ---- 2, 3, 5, 19, 20: health professionals of the team ------------------------------------------------------------


async def test_what_each_health_profession_of_the_team_reads(territory: Any) -> None:
    codes = ("gp", "nurse", "pharmacist", "physio")
    people = {code: await territory.person(code) for code in codes}
    patient = await territory.patient(*people.values())
    laboratory = {
        "category": [
            {"coding": [{"code": "laboratory", "system": "http://terminology.hl7.org/CodeSystem/observation-category"}]}
        ]
    }
    items = {
        "weight": await territory.item(patient, **territory.vital()),
        "problem": await territory.item(patient, "Condition"),
        "hiv": await territory.item(patient, "Condition", code=HIV),
        "drug": await territory.item(patient, "MedicationRequest"),
        "allergy": await territory.item(patient, "AllergyIntolerance"),
        "creatinine": await territory.item(patient, **laboratory),
        "plan": await territory.item(patient, "CarePlan"),
        "social": await territory.item(patient, "QuestionnaireResponse", **label("SOC")),
        "psychiatry": await territory.item(patient, "DocumentReference", **label("PSY")),
    }
    reads = {
        "gp": {"weight", "problem", "hiv", "drug", "allergy", "creatinine", "plan", "social"},
        "nurse": {"weight", "problem", "drug", "allergy", "creatinine", "plan", "social"},
        "pharmacist": {"drug", "allergy", "creatinine", "plan", "social"},
        "physio": {"weight", "problem", "drug", "allergy", "plan", "social"},
    }
    for code, person in people.items():
        seen = {name for name, item in items.items() if await territory.sees(person.caller, item)}
        assert seen == reads[code], code


async def test_social_data_need_the_information_of_the_person(territory: Any) -> None:
    gp = await territory.person("gp")
    patient = await territory.patient(gp, informed=False)
    social = await territory.item(patient, "QuestionnaireResponse", **label("SOC"))
    assert not await territory.sees(gp.caller, social)

    await territory.create(territory.system, territory.consent(patient, "information"))

    assert await territory.sees(gp.caller, social)


# ---- 4: mental health ---------------------------------------------------------------------------------------------


async def test_psychiatry_is_for_the_mental_health_team(territory: Any) -> None:
    hospital = await territory.organization("Centre hospitalier")
    service = await territory.organization("Psychiatrie de secteur", part_of=hospital)
    psychiatrist, nurse, gp = [
        await territory.person(code, service if code != "gp" else "") for code in ("specialist", "nurse", "gp")
    ]
    patient = await territory.patient(gp)
    category = [{"coding": [{"system": vocabulary.CARE_TEAM, "code": "mental-health"}]}]
    await territory.create(territory.system, territory.team(patient, [psychiatrist, nurse], category=category))
    report = await territory.create(
        psychiatrist.caller,
        territory.item_of(patient, "DocumentReference", author=[{"reference": psychiatrist.role}]),
    )
    assert await territory.sees(psychiatrist.caller, report)
    assert await territory.sees(nurse.caller, report)
    assert not await territory.sees(gp.caller, report)


# ---- 7: consent ---------------------------------------------------------------------------------------------------


async def test_a_consent_opens_what_it_names_to_whom_it_names_until_it_ends(territory: Any) -> None:
    gp, named, other = [await territory.person("gp") for _ in range(3)]
    patient = await territory.patient(gp)
    weight = await territory.item(patient, **territory.vital())
    problem = await territory.item(patient, "Condition")
    provision = {
        "type": "permit", "actor": [territory.actor(named.role)], "securityLabel": territory.classes("VITAL", "ADM"),
        "period": {"start": "2026-01-01", "end": "2098-01-01"},
    }  # fmt: skip
    consent = await territory.create(gp.caller, territory.consent(patient, provision=provision))

    assert await territory.sees(named.caller, weight)
    assert await territory.sees(named.caller, patient.reference)
    assert not await territory.sees(named.caller, problem)
    assert not await territory.sees(other.caller, weight)

    assert (await territory.change(gp.caller, consent, status="inactive")).status == 200
    assert not await territory.sees(named.caller, weight)


@pytest.mark.parametrize(
    "provision",
    [
        {"period": {"end": "2026-01-01"}},
        {"class": [{"system": "http://hl7.org/fhir/resource-types", "code": "Observation"}]},
        {"dataPeriod": {"start": "2026-01-01"}},
        {"purpose": [{"system": vocabulary.ACT_REASON, "code": "HRESCH"}]},
        {"securityLabel": [{"system": "urn:somewhere", "code": "X"}]},
        {"type": "deny"},
    ],
)
async def test_a_consent_that_is_over_or_not_understood_opens_nothing(territory: Any, provision: Tree) -> None:
    named = await territory.person("gp")
    patient = await territory.patient()
    whole = {"type": "permit", "actor": [territory.actor(named.role)], **provision}
    await territory.create(territory.system, territory.consent(patient, provision=whole))

    assert not await territory.sees(named.caller, patient.reference)


# ---- 8, 9, 10b: delegates -----------------------------------------------------------------------------------------


async def test_a_substitute_acts_as_the_doctor_within_the_dates(territory: Any) -> None:
    gp = await territory.person("gp")
    now = await territory.person(
        "substitute", acts_for=gp.role, period={"start": moment(days=1), "end": moment(days=-1)}
    )
    patient = await territory.patient(gp)
    hiv = await territory.item(patient, "Condition", code=HIV)

    assert await territory.sees(now.caller, hiv)
    written = await territory.create(now.caller, territory.item_of(patient))
    assert await territory.sees(gp.caller, written)

    await territory.change(territory.system, now.role, period={"start": moment(days=3), "end": moment(days=2)})
    assert await territory.status(now.caller, hiv) == 401
    rights = "select count(*) from access_grant where principal = $1 and valid_to > now()"
    assert await territory.database.reading.fetchval(rights, territory.key(now.role).res) == 0


async def test_a_trainee_sees_as_the_supervisor_but_not_the_most_sensitive(territory: Any) -> None:
    gp = await territory.person("gp")
    trainee = await territory.person(
        "trainee", acts_for=gp.role, period={"start": moment(days=1), "end": moment(days=-30)}
    )
    patient = await territory.patient(gp)
    hiv = await territory.item(patient, "Condition", code=HIV)
    problem = await territory.item(patient, "Condition")

    assert await territory.sees(trainee.caller, problem)
    assert not await territory.sees(trainee.caller, hiv)


async def test_a_secretary_books_and_records_an_opposition_for_a_named_doctor(territory: Any) -> None:
    gp = await territory.person("gp")
    secretary = await territory.person("secretary", acts_for=gp.role)
    mine, not_mine = await territory.patient(gp), await territory.patient()
    problem = await territory.item(mine, "Condition")

    assert await territory.sees(secretary.caller, mine.reference)
    assert not await territory.sees(secretary.caller, not_mine.reference)
    assert not await territory.sees(secretary.caller, problem)
    await territory.create(secretary.caller, territory.item_of(mine, "Appointment"))
    await territory.create(secretary.caller, territory.consent(mine, "opposition", {"type": "deny"}, status="proposed"))
    await territory.refused(secretary.caller, "POST", "Condition", territory.item_of(mine, "Condition"))


# ---- 26c, 10: stays ----------------------------------------------------------------------------------------------


async def test_an_open_stay_gives_the_unit_the_record_until_a_day_after_its_end(territory: Any) -> None:
    hospital = await territory.organization("Hôpital")
    unit = await territory.organization("Pneumologie", part_of=hospital)
    other = await territory.organization("Cardiologie", part_of=hospital)
    doctor, nurse, stranger = [
        await territory.person(code, where)
        for code, where in (("hospital-doctor", unit), ("nurse", unit), ("hospital-doctor", other))
    ]
    gp = await territory.person("gp")
    patient = await territory.patient(gp)
    stay = territory.item_of(
        patient, "Encounter", status="in-progress", period={"start": moment(days=2)}, serviceProvider={"reference": unit},
        **{"class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "IMP"}},
    )  # fmt: skip
    encounter = await territory.create(gp.caller, stay)

    for person in (doctor, nurse):
        assert await territory.sees(person.caller, patient.reference)
        await territory.create(person.caller, territory.item_of(patient))
    assert not await territory.sees(stranger.caller, patient.reference)

    ended = {"start": moment(days=2), "end": moment(hours=23)}
    assert (await territory.change(gp.caller, encounter, status="finished", period=ended)).status == 200
    assert await territory.sees(doctor.caller, patient.reference)
    ended = {"start": moment(days=2), "end": moment(hours=25)}
    assert (await territory.change(gp.caller, encounter, period=ended)).status == 200
    assert not await territory.sees(doctor.caller, patient.reference)


async def test_an_on_call_doctor_sees_during_the_encounter(territory: Any) -> None:
    gp, on_call = await territory.person("gp"), await territory.person("on-call-doctor")
    patient = await territory.patient(gp)
    act = territory.item_of(
        patient, "Encounter", status="in-progress", period={"start": moment(hours=1)},
        participant=[{"individual": {"reference": on_call.role}}],
    )  # fmt: skip
    encounter = await territory.create(gp.caller, act)
    assert await territory.sees(on_call.caller, patient.reference)

    assert (await territory.change(gp.caller, encounter, status="entered-in-error")).status == 200
    assert not await territory.sees(on_call.caller, patient.reference)


async def test_a_visitor_writes_what_is_sensitive_and_reads_it_again_and_nothing_of_others(territory: Any) -> None:
    """What was seen on duty is written under its own name: acute intoxication by its code, or by a text."""
    gp = await territory.person("gp")
    patient = await territory.patient(gp)
    theirs = await territory.item(patient, "Condition", code=HIV)
    for role in ("on-call-doctor", "hospital-doctor", "nurse"):
        visitor = await territory.person(role)
        act = territory.item_of(
            patient, "Encounter", status="in-progress", period={"start": moment(hours=1)},
            participant=[{"individual": {"reference": visitor.role}}],
        )  # fmt: skip
        encounter = await territory.create(gp.caller, act)
        for code in ({"text": "Éthylisme aigu"}, {"coding": [{"system": HIV["coding"][0]["system"], "code": "F10.0"}]}):
            written = await territory.create(visitor.caller, territory.item_of(patient, "Condition", code=code))
            assert await territory.sees(visitor.caller, written)
            assert await territory.sees(gp.caller, written)
        assert not await territory.sees(visitor.caller, theirs)
        assert (await territory.change(gp.caller, encounter, status="entered-in-error")).status == 200
        assert not await territory.sees(visitor.caller, written)


# ---- 26d: system clients -------------------------------------------------------------------------------------------


async def test_a_client_has_what_a_person_of_its_organisation_in_its_role_has(territory: Any) -> None:
    practice = await territory.organization("Maison de santé")
    gp = await territory.person("gp", practice)
    client = await territory.client(practice, "gp", Purpose.TREAT)
    stranger = await territory.client(await territory.organization(), "gp", Purpose.TREAT)
    nurses = await territory.client(practice, "nurse", Purpose.TREAT)
    mine, not_mine = await territory.patient(gp), await territory.patient(await territory.person("gp"))

    assert await territory.sees(client, mine.reference)
    assert not await territory.sees(client, not_mine.reference)
    assert not await territory.sees(stranger, mine.reference)
    assert not await territory.sees(nurses, mine.reference)
    await territory.create(client, territory.item_of(mine))


# ---- 28: first contact ---------------------------------------------------------------------------------------------


async def test_who_opens_a_record_keeps_what_they_entered_and_no_more(territory: Any) -> None:
    gp, other = await territory.person("gp"), await territory.person("gp")
    patient = await territory.create(gp.caller, {"resourceType": "Patient", "birthDate": "1950-01-01"})
    record = SimpleNamespace(reference=patient)
    own = await territory.create(gp.caller, territory.item_of(record))
    await territory.create(territory.system, territory.team(record, [other]))
    theirs = await territory.create(other.caller, territory.item_of(record))

    assert await territory.sees(gp.caller, patient)
    assert await territory.sees(gp.caller, own)
    assert not await territory.sees(gp.caller, theirs)
    assert await territory.sees(other.caller, own) is True
