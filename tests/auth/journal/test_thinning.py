"""Checkpoints are signed each second: what is kept of them is bounded, and what it proves is the same."""

import asyncpg
import pytest

from liaison.auth.caller import Caller
from liaison.auth.journal import proof, thinning
from liaison.auth.journal.commit import Journal
from liaison.auth.journal.entry import Event, entry
from liaison.auth.journal.keys import JournalKeys
from liaison.auth.journal.live import Live
from liaison.auth.journal.verify import Broken, verify

from .conftest import Passes

AGO = [
    ("40 days 10 hours", False),  # size 2: another of its day follows
    ("40 days 9 hours", True),  # its day's last
    ("3 days 120 minutes", False),
    ("3 days 119 minutes", True),  # its hour's last
    ("3 days", True),
    ("23 hours", True),  # of the last day each
    ("22 hours 59 minutes", True),
]


@pytest.fixture
async def aged(
    journal: Journal, integrate: Passes, raw: asyncpg.Connection, keys: JournalKeys, caller: Caller
) -> list[int]:
    """A checkpoint of each moment of AGO; the sizes of those to be kept. The first hands the key over."""
    await keys.succeed(raw)
    sizes = []
    for number, (_, kept) in enumerate([("50 days", True), *AGO]):
        await journal.record([entry(caller, Event.READ, patient=number + 1)])
        await integrate()
        size = await raw.fetchval("select max(size) from journal_checkpoint")
        if kept:
            sizes.append(size)
    moments = await raw.fetch("select size from journal_checkpoint order by size")
    day = await raw.fetchval("select date_trunc('day', now(), 'UTC')")  # so that no moment is near the end of an hour
    for (size,), (ago, _) in zip(moments, [("50 days", True), *AGO], strict=True):
        base = "now()" if "22" in ago or "23" in ago else "$3::timestamptz"
        await raw.execute(
            f"update journal_checkpoint set made_at = {base} - $2::text::interval + interval '1 minute'"
            " where size = $1 and $3::timestamptz is not null",
            size,
            ago,
            day,
        )
    return sizes


async def test_what_is_kept_is_bounded_and_proves_the_same(
    aged: list[int], raw: asyncpg.Connection, keys: JournalKeys
) -> None:
    held = [await raw.fetchval("select note from journal_checkpoint where size = 3")]
    dropped = await proof.of_position(raw, 1)
    await thinning.sweep(raw)
    kept = [row["size"] for row in await raw.fetch("select size from journal_checkpoint order by size")]
    assert kept == aged

    await keys.refresh(raw)
    async with raw.transaction(isolation="repeatable_read", readonly=True):
        verdict = await verify(Live(raw), keys.signer.verifier, keys, held)
    assert verdict.checkpoints == len(aged)
    assert (await proof.of_position(raw, 1)).note == dropped.note
    await raw.execute("update journal_entry set patient = 99 where patient = 2")
    async with raw.transaction(isolation="repeatable_read", readonly=True):
        with pytest.raises(Broken, match="position"):
            await verify(Live(raw), keys.signer.verifier, keys)


@pytest.mark.parametrize("ago", ["1 minute", "40 days"])
async def test_the_last_stays_and_so_does_a_handover(aged: list[int], raw: asyncpg.Connection, ago: str) -> None:
    await raw.execute("update journal_checkpoint set made_at = now() - $1::text::interval", ago)
    sizes = [row["size"] for row in await raw.fetch("select size from journal_checkpoint order by size")]
    await thinning.sweep(raw)
    kept = [row["size"] for row in await raw.fetch("select size from journal_checkpoint order by size")]
    assert kept == (sizes if ago == "1 minute" else [sizes[0], sizes[-1]])
