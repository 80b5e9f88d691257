"""Who may read which entries; what is hidden is not shown to have happened."""

from datetime import timedelta

import orjson
import pytest

from liaison.auth.access import mandates
from liaison.auth.access.classes import Class
from liaison.auth.access.purposes import Purpose
from liaison.auth.access.relations import Relation
from liaison.fhir.definitions import kind_of
from liaison.fhir.errors import NotFound

from .audit_world import DOCTOR, HOSPITAL, MSP, NURSE, UNION, WARD, World, world

__all__ = ["world"]


# ---- rights -------------------------------------------------------------------------------------------------------


@pytest.fixture
async def read_by_both(world: World) -> World:
    """The maison de santé reads its patient, the ward its own; and the ward once reads the other's."""
    mine, theirs = await world.resource(1001, Class.VITAL), await world.resource(1002, Class.VITAL)
    await world.journal.record([world.read(1001, DOCTOR, MSP, mine)])
    await world.journal.record([world.read(1002, NURSE, WARD, theirs)])
    return world


async def test_an_auditor_sees_what_their_organisation_or_its_parts_did_and_their_records(read_by_both: World) -> None:
    world = read_by_both
    mine, theirs = world.patient_id(1001), world.patient_id(1002)
    assert await world.about(await world.auditor(MSP)) == {mine}
    assert await world.about(await world.auditor(WARD)) == {theirs}
    assert await world.about(await world.auditor(HOSPITAL)) == {theirs}
    assert await world.about(await world.auditor(UNION)) == set()
    res = await world.resource(1001, Class.VITAL)
    await world.journal.record([world.read(1001, NURSE, WARD, res)])
    assert await world.about(await world.auditor(HOSPITAL)) == {mine, theirs}


@pytest.mark.parametrize("ended", [False, True])
async def test_a_record_followed_by_someone_of_the_organisation_belongs_to_it(read_by_both: World, ended: bool) -> None:
    world = read_by_both
    await world.raw.execute(
        "insert into held_role (role, practitioner, organization, role_code, active, valid_from, valid_to)"
        " values (77, 5, $1, 'gp', true, now() - interval '2 days', now() + $2::interval)",
        UNION,
        timedelta(days=-1 if ended else 1),
    )
    expected = set() if ended else {world.patient_id(1001), world.patient_id(1002)}
    assert await world.about(await world.auditor(UNION)) == expected


async def test_a_mandate_over_the_territory_must_cite_its_convention_and_can_end(read_by_both: World) -> None:
    world = read_by_both
    auditor = await world.auditor(UNION)
    with pytest.raises(ValueError, match="convention"):
        await mandates.give(world.raw, world.vault, UNION, " ")
    await mandates.give(world.raw, world.vault, UNION, "Convention 2026-04")
    assert {world.patient_id(1001), world.patient_id(1002)} <= await world.about(auditor)
    await mandates.end(world.raw, world.vault, UNION)
    assert await world.about(auditor) == set()


@pytest.mark.parametrize(
    ("role_code", "purpose"),
    [("gp", Purpose.TREAT), ("nurse", Purpose.TREAT), ("admin", Purpose.HOPERAT), ("auditor", Purpose.TREAT)],
)
async def test_nobody_else_sees_any(read_by_both: World, role_code: str, purpose: Purpose) -> None:
    caller = await read_by_both.session(role_code, purpose, MSP, 90)
    assert await read_by_both.events(caller) == []


@pytest.mark.parametrize("end", ["ended_at = now()", "expires_at = now()"])
async def test_an_ended_session_sees_none_at_the_next_request(read_by_both: World, end: str) -> None:
    auditor = await read_by_both.auditor(MSP)
    assert await read_by_both.events(auditor)
    await read_by_both.raw.execute(f"update access_session set {end} where session = $1", auditor.session)
    assert await read_by_both.events(auditor) == []


PATIENT = 501


async def test_a_person_sees_the_traces_of_their_own_record_only(read_by_both: World) -> None:
    world = read_by_both
    await world.grant(1001, PATIENT, "21", Relation.SELF, Class.VITAL | Class.AUD)
    person = await world.session("patient", Purpose.PATRQT, 0, PATIENT)
    (event,) = await world.events(person)
    assert await world.about(person) == {world.patient_id(1001)}
    assert "network" not in event["agent"][0]  # where a professional sat is not the patient's business
    answer = await world.reader.read(person, event["id"])
    assert orjson.loads(answer.body) == event
    others = (await world.events(await world.auditor(WARD)))[0]["id"]
    with pytest.raises(NotFound):
        await world.reader.read(person, others)


async def test_what_the_person_may_not_see_is_not_shown_to_have_been_read(read_by_both: World) -> None:
    world = read_by_both
    await world.grant(1001, PATIENT, "21", Relation.SELF, Class.VITAL | Class.AUD)
    person = await world.session("patient", Purpose.PATRQT, 0, PATIENT)
    before = await world.events(person)
    hidden, seen = await world.resource(1001, Class.PROT), await world.resource(1001, Class.VITAL)
    await world.journal.record([world.read(1001, NURSE, MSP, hidden)])
    assert await world.events(person) == before
    both = world.read(1001, NURSE, MSP, seen)
    await world.journal.record([both._replace(items=(*both.items, (kind_of("Observation"), hidden, 1, 20, 4)))])
    newest = (await world.events(person))[0]
    assert len(newest["entity"]) == 3  # patient, the one item, the request: nothing of the other
    auditor = await world.auditor(MSP)
    assert len((await world.events(auditor))[0]["entity"]) == 4


async def test_what_the_person_may_not_see_moves_no_end_of_a_part(read_by_both: World) -> None:
    """Neither does it fill a part, nor does where a part ends tell that it is there."""
    world = read_by_both
    await world.grant(1001, PATIENT, "21", Relation.SELF, Class.VITAL | Class.AUD)
    person = await world.session("patient", Purpose.PATRQT, 0, PATIENT)
    hidden, seen = await world.resource(1001, Class.PROT), await world.resource(1001, Class.VITAL)
    asked = f"patient=Patient/{world.patient_id(1001)}"
    for _ in range(4):
        await world.journal.record([world.read(1001, NURSE, MSP, seen)])
    before = [await world.reader.latest(person, asked, most) for most in (3, 5, 9)]
    for _ in range(4):
        await world.journal.record([world.read(1001, NURSE, MSP, hidden)])

    after = [await world.reader.latest(person, asked, most) for most in (3, 5, 9)]

    assert after == before
    assert [(len(shown), older) for shown, older in after] == [(3, True), (5, False), (5, False)]


async def test_a_grant_without_the_traces_gives_none(read_by_both: World) -> None:
    world = read_by_both
    await world.grant(1001, PATIENT, "23", Relation.CONSENT, Class.COORD)
    relative = await world.session("caregiver", Purpose.PATRQT, 0, PATIENT)
    assert await world.events(relative) == []
