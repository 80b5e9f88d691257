"""Entries that somebody has altered in the database: shown to have been there, to officers; nothing else is hidden by them."""

import pytest

from liaison.auth.access import mandates
from liaison.auth.access.classes import Class
from liaison.auth.access.purposes import Purpose
from liaison.auth.access.relations import Relation
from liaison.auth.caller import Caller
from liaison.auth.journal.visits import who_saw

from .audit_world import DOCTOR, MSP, UNION, World, world

__all__ = ["world"]


@pytest.fixture
async def busy(world: World) -> tuple[World, Caller]:
    """Ten reads of one record by the doctor, and an auditor of the doctor's structure."""
    await mandates.give(world.raw, world.vault, UNION, "Convention 2026-04")
    res = await world.resource(1001, Class.VITAL)
    for _ in range(10):
        await world.journal.record([world.read(1001, DOCTOR, MSP, res)])
    return world, await world.auditor(MSP)


ALTERED = {
    "its time": "update journal_entry set at = at - interval '1 minute' where sequence = 5",
    "its body": "update journal_entry set sealed = set_byte(sealed, 30, get_byte(sealed, 30) # 1) where sequence = 5",
    "its event, to one that is none": "update journal_entry set event = 999 where sequence = 5",
}


@pytest.mark.parametrize("fault", ALTERED)
async def test_an_altered_entry_is_shown_to_have_been_there_and_hides_no_other(
    fault: str, busy: tuple[World, Caller]
) -> None:
    world, auditor = busy
    before = await world.events(auditor)
    await world.raw.execute(ALTERED[fault])
    after = await world.events(auditor)
    assert {event["id"] for event in after} == {event["id"] for event in before}
    [altered] = [event for event in after if "altered" in event.get("outcomeDesc", "")]
    assert "policy" not in altered["agent"][0]  # of what was sealed nothing is told
    assert await who_saw(world.reader, world.journal, auditor, world.patient_id(1001))


async def test_of_an_altered_entry_the_person_is_shown_nothing(busy: tuple[World, Caller]) -> None:
    """Which class it was about nobody can tell any more."""
    world, _ = busy
    person = await world.session("patient", Purpose.PATRQT, 0, 70)
    await world.grant(1001, 70, "21", Relation.SELF, Class.VITAL | Class.AUD)
    count = len(await world.events(person))
    await world.raw.execute(ALTERED["its body"])
    assert len(await world.events(person)) == count - 1 > 0
