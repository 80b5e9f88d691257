"""A month whose time is over is read by nobody any more, at once; it stays whole, and its proofs stay valid."""

from datetime import UTC, datetime

import pytest

from liaison.auth.access.classes import Class
from liaison.auth.journal import expiry, proof
from liaison.auth.journal.generating import generate
from liaison.auth.journal.keys import JournalKeys
from liaison.auth.journal.live import Live
from liaison.auth.journal.verify import verify

from .audit_world import DOCTOR, MSP, World, world

__all__ = ["world"]


@pytest.mark.parametrize(
    ("today", "years", "months"),
    [
        ("2026-11-29", 10, []),
        ("2026-11-30", 6, ["2019-12", "2020-10"]),
        ("2026-12-01", 6, ["2019-12", "2020-10", "2020-11"]),
        ("2020-12-01", 1, []),
        ("2021-01-01", 1, ["2019-12"]),
    ],
)
async def test_a_month_is_due_when_its_last_day_is_old_enough(
    world: World, today: str, years: int, months: list[str]
) -> None:
    await world.raw.execute("delete from journal_key where purpose = 'seal'")
    await world.raw.execute(
        "insert into journal_key (purpose, generation, sealed) select 'seal', g, '' from unnest($1::int[]) g",
        [201912, 202010, 202011, 202611],
    )
    found = await expiry.due(world.raw, datetime.fromisoformat(today).replace(tzinfo=UTC), years)
    assert [one.month for one in found] == months


async def test_what_is_over_is_read_no_more_and_its_proofs_stay(world: World, keys: JournalKeys) -> None:
    await world.resource(1001, Class.VITAL)
    await world.raw.execute(
        "insert into held_role (role, practitioner, organization, role_code, active, valid_from, valid_to)"
        " values (7, $1, $2, 'gp', true, '-infinity', 'infinity')",
        DOCTOR,
        MSP,
    )
    await generate(world.raw, keys, 400, 24)
    auditor, before = await world.auditor(MSP), await _read(world)
    old = await proof.of_position(world.raw, 1)
    now: datetime = await world.raw.fetchval("select now()")
    over = await expiry.due(world.raw, now, 1)
    assert len(over) == 11
    assert sum(one.entries for one in over) > 0
    async with world.raw.transaction():
        await expiry.destroy(world.raw, over)

    assert 0 < await _read(world) < before
    assert await world.events(auditor)
    assert old.check(keys.signer.verifier)
    again = await proof.of_position(world.raw, 1)
    assert again.check(keys.signer.verifier)[0] == old.check(keys.signer.verifier)[0]
    await keys.refresh(world.raw)
    async with world.raw.transaction(isolation="repeatable_read", readonly=True):
        assert (await verify(Live(world.raw), keys.signer.verifier, keys)).at is not None
    assert await expiry.due(world.raw, now, 1) == []


async def _read(world: World) -> int:
    return len(await world.reader.entries(await world.auditor(MSP), f"patient={world.patient_id(1001)}"))
