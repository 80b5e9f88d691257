"""Membership of a team is a fact per person (L.1110-12): with it one sees, without it the record does not exist."""

from typing import Any

import pytest


async def test_a_member_sees_the_record_and_an_outsider_nothing(territory: Any) -> None:
    gp, outside = await territory.person("gp"), await territory.person("gp")
    patient = await territory.patient(gp)
    weight = await territory.item(patient, **territory.vital())

    for path in (patient.reference, weight, f"{weight}/_history", f"{weight}/_history/1", patient.made["team"]):
        assert await territory.sees(gp.caller, path)
        assert not await territory.sees(outside.caller, path)
    query = f"Observation?patient={patient.reference}"
    assert await territory.search(gp.caller, query) == [weight]
    assert await territory.search(outside.caller, query) == []


async def test_a_member_by_practitioner_sees_in_each_of_their_roles(territory: Any) -> None:
    gp = await territory.person("gp")
    admin = await territory.role_of(gp.practitioner, "admin")
    patient = await territory.patient(gp.practitioner)

    assert await territory.sees(gp.caller, patient.reference)
    assert not await territory.sees(admin.caller, patient.reference)


async def test_a_role_gives_no_right_to_another_role_of_the_person(territory: Any) -> None:
    gp = await territory.person("gp")
    manager = await territory.role_of(gp.practitioner, "home-service-manager")
    patient = await territory.patient(gp.role)

    assert await territory.sees(gp.caller, patient.reference)
    assert not await territory.sees(manager.caller, patient.reference)


@pytest.mark.parametrize(
    "period", [{"end": "2026-01-01"}, {"start": "2099-01-01"}, {"start": "2026-01-01", "end": "2026-01-02"}]
)
async def test_a_membership_counts_within_its_dates(territory: Any, period: dict[str, str]) -> None:
    gp, nurse = await territory.person("gp"), await territory.person("nurse")
    patient = await territory.patient()
    tree = territory.team(patient, [gp])
    tree["participant"].append(territory.member(nurse, period=period))
    await territory.create(territory.system, tree)

    assert await territory.sees(gp.caller, patient.reference)
    assert not await territory.sees(nurse.caller, patient.reference)


async def test_leaving_the_team_ends_the_right_at_the_next_request(territory: Any) -> None:
    gp, nurse = await territory.person("gp"), await territory.person("nurse")
    patient = await territory.patient(gp, nurse)
    assert await territory.sees(nurse.caller, patient.reference)

    answer = await territory.change(gp.caller, patient.made["team"], participant=[territory.member(gp)])
    assert answer.status == 200, answer.body

    assert not await territory.sees(nurse.caller, patient.reference)
    assert await territory.sees(gp.caller, patient.reference)


async def test_a_team_that_is_not_active_gives_nothing(territory: Any) -> None:
    gp = await territory.person("gp")
    patient = await territory.patient()
    await territory.create(territory.system, territory.team(patient, [gp], status="proposed"))

    assert not await territory.sees(gp.caller, patient.reference)


async def test_a_structure_in_the_team_gives_its_people_nothing(territory: Any) -> None:
    practice = await territory.organization()
    nurse = await territory.person("nurse", practice)
    patient = await territory.patient(practice)

    assert not await territory.sees(nurse.caller, patient.reference)


async def test_a_role_that_ends_ends_the_right(territory: Any) -> None:
    gp = await territory.person("gp")
    patient = await territory.patient(gp)
    assert await territory.sees(gp.caller, patient.reference)

    assert (await territory.change(territory.system, gp.role, active=False)).status == 200

    assert await territory.status(gp.caller, patient.reference) == 401
    rights = "select count(*) from access_grant where principal = $1"
    assert await territory.database.reading.fetchval(rights, territory.key(gp.role).res) == 0


async def test_a_role_given_later_counts_for_a_membership_that_names_the_person(territory: Any) -> None:
    admin = await territory.person("admin")
    patient = await territory.patient(admin.practitioner)

    gp = await territory.role_of(admin.practitioner, "gp")

    assert await territory.sees(gp.caller, patient.reference)
