"""Every way to tamper with the base is planted here and must be found; what cannot be found is named as such.

The attacker has every right in the database, and no key of the journal.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest

from liaison.auth.caller import Caller
from liaison.auth.journal.commit import Journal
from liaison.auth.journal.entry import Event, entry
from liaison.auth.journal.export import Export, export
from liaison.auth.journal.integrator import Integrator
from liaison.auth.journal.keys import JournalKeys
from liaison.auth.journal.live import Live
from liaison.auth.journal.verify import Broken, Verdict, verify
from liaison.fhir.store.database import Database

Integrate = Callable[[], Awaitable[int]]


async def whole(raw: asyncpg.Connection, keys: JournalKeys, *held: str, secret: bool = True) -> Verdict:
    async with raw.transaction(isolation="repeatable_read", readonly=True):
        return await verify(Live(raw), keys.signer.verifier, keys if secret else None, held)


async def broken(raw: asyncpg.Connection, keys: JournalKeys, *held: str, secret: bool = True) -> str:
    with pytest.raises(Broken) as found:
        await whole(raw, keys, *held, secret=secret)
    return str(found.value)


@pytest.fixture
async def integrated(
    journal: Journal, integrate: Integrate, raw: asyncpg.Connection, keys: JournalKeys, caller: Caller
) -> asyncpg.Connection:
    """Eleven entries with positions and two checkpoints: 5 and 11."""
    await journal.record([entry(caller, Event.READ, patient=one) for one in range(1, 5)])
    await integrate()
    await journal.record([entry(caller, Event.READ, patient=one) for one in range(5, 11)])
    await integrate()
    assert (await whole(raw, keys)).entries == 11
    return raw


@pytest.fixture
async def waiting(
    journal: Journal, integrated: asyncpg.Connection, keys: JournalKeys, caller: Caller
) -> asyncpg.Connection:
    """The same, and six more entries that have no position yet: three of the chain, two of one write, a LINK."""
    await journal.record([entry(caller, Event.READ, patient=one) for one in range(11, 14)])
    async with integrated.transaction():
        await journal.record_within(integrated, [entry(caller, Event.CREATE, patient=20)] * 2)
    async with asyncio.timeout(60):
        while not await integrated.fetchval("select exists (select from journal_entry where event = $1)", Event.LINK):
            await asyncio.sleep(0.02)
    assert (await whole(integrated, keys)).waiting == 6
    return integrated


AT_5 = "where (worker, sequence) = (select worker, sequence from journal_position where position = 5)"
AFTER_INTEGRATION = {
    "an entry removed": (f"delete from journal_entry {AT_5}", "position 5"),
    "its body altered": (
        f"update journal_entry set sealed = set_byte(sealed, 30, get_byte(sealed, 30) # 1) {AT_5}",
        "",
    ),
    "its patient altered": (f"update journal_entry set patient = patient + 1 {AT_5}", ""),
    "its person altered": (f"update journal_entry set person = person + 1 {AT_5}", ""),
    "its organisation altered": (f"update journal_entry set organization = 0 {AT_5}", ""),
    "its time altered": (f"update journal_entry set at = at + interval '1 microsecond' {AT_5}", ""),
    "its event altered": (f"update journal_entry set event = 4 {AT_5}", ""),
    "its outcome altered": (f"update journal_entry set outcome = 4 {AT_5}", ""),
    "its chain link altered": (f"update journal_entry set previous = sha256(previous) {AT_5}", ""),
    "a position removed": ("delete from journal_position where position = 5", "position 5"),
    "entry and position removed": (
        f"delete from journal_entry {AT_5}; delete from journal_position where position = 5",
        "position 5",
    ),
    "the rest moved up over the hole": (
        (
            f"delete from journal_entry {AT_5}; delete from journal_position where position = 5;"
            "update journal_position set position = -position where position > 5;"
            "update journal_position set position = -position - 1 where position < 0"
        ),
        "position 5",
    ),
    "two entries in each other's place": (
        (
            "update journal_position set position = -1 where position = 5;"
            "update journal_position set position = 5 where position = 6;"
            "update journal_position set position = 6 where position = -1"
        ),
        "position 5: it is not the entry whose place was signed",
    ),
    "the last entry removed": (
        (
            "delete from journal_entry where (worker, sequence) ="
            " (select worker, sequence from journal_position where position = 10);"
            "delete from journal_position where position = 10"
        ),
        "position 10",
    ),
    "cut back, head and all, the checkpoint left": (
        (
            "delete from journal_entry where (worker, sequence) in"
            " (select worker, sequence from journal_position where position >= 5);"
            "delete from journal_position where position >= 5; update journal_head set size = 5"
        ),
        "position 5",
    ),
    "a checkpoint removed": ("delete from journal_checkpoint where size = 11", "position 10"),
    "a checkpoint altered": (
        "update journal_checkpoint set note = replace(note, '11', '12') where size = 11",
        "size 11",
    ),
    "a checkpoint of another size": ("update journal_checkpoint set size = 10 where size = 11", "size 10"),
    "the head altered": ("update journal_head set size = 4", "head"),
    "a stored hash altered": (
        "update journal_tile set hashes = set_byte(hashes, 40, get_byte(hashes, 40) # 1)",
        "tile 0/0",
    ),
    "the stored hashes removed": ("delete from journal_tile", "tile 0/0"),
}


@pytest.mark.parametrize("fault", AFTER_INTEGRATION)
async def test_tampering_after_integration_is_found(
    fault: str, integrated: asyncpg.Connection, keys: JournalKeys
) -> None:
    statements, where = AFTER_INTEGRATION[fault]
    await integrated.execute(statements)
    assert where in await broken(integrated, keys)
    await broken(integrated, keys, secret=False)  # found without any key as well


async def test_the_altered_entry_is_named_not_the_one_that_follows_it(
    integrated: asyncpg.Connection, keys: JournalKeys, tmp_path: Path
) -> None:
    """Without the journal's keys as with them; of an export alone, which has no stored hashes, with the one after it."""
    changes = (
        "patient = patient + 1", "person = person + 1", "at = at + interval '1 microsecond'", "outcome = 4",
        "generation = generation - 1", "sealed = set_byte(sealed, 30, get_byte(sealed, 30) # 1)",
    )  # fmt: skip
    await integrated.execute(f"create temporary table kept as select * from journal_entry {AT_5}")
    for number, change in enumerate(changes):
        await integrated.execute(f"update journal_entry set {change} {AT_5}")
        for secret in (True, False):
            assert "position 5: " in await broken(integrated, keys, secret=secret), change
        path = tmp_path / f"{number}.jsonl"
        async with integrated.transaction(isolation="repeatable_read", readonly=True):
            await export(Live(integrated), keys.signer.verifier.name, path)
        with pytest.raises(Broken, match=r"position 5: it was altered, or the entry after it in chain [0-9a-f]+ was"):
            await verify(Export(path), keys.signer.verifier)
        await integrated.execute(f"delete from journal_entry {AT_5}; insert into journal_entry select * from kept")


@pytest.mark.parametrize(
    ("statement", "reached"),
    [
        (f"update journal_entry set patient = patient + 1 {AT_5}", 5),
        (f"update journal_entry set patient = patient + 1 {AT_5.replace('position = 5', 'position = 3')}", 0),
        ("update journal_head set size = 4", 11),
    ],
    ids=["after a checkpoint", "before any", "beside all entries"],
)
async def test_it_is_said_up_to_which_checkpoint_entries_are_those_that_were_signed(
    integrated: asyncpg.Connection, keys: JournalKeys, statement: str, reached: int
) -> None:
    await integrated.execute(statement)
    for known in (True, False):
        with pytest.raises(Broken) as found:
            await whole(integrated, keys, secret=known)
        assert found.value.reached == reached


CHAINED = "where sequence = 13 and worker = (select worker from journal_entry where sequence = 13)"
BEFORE_INTEGRATION = {
    "an entry of the chain removed": (f"delete from journal_entry {CHAINED}", "an entry was removed"),
    "its patient altered": (f"update journal_entry set patient = 99 {CHAINED}", "altered"),
    "its body altered": (
        f"update journal_entry set sealed = set_byte(sealed, 30, get_byte(sealed, 30) # 1) {CHAINED}",
        "altered",
    ),
    "two entries swapped": (
        (
            "update journal_entry set sequence = 1000 where sequence = 12;"
            "update journal_entry set sequence = 12 where sequence = 13;"
            "update journal_entry set sequence = 13 where sequence = 1000"
        ),
        "",
    ),
    "a hole closed by renumbering": (
        f"delete from journal_entry {CHAINED}; update journal_entry set sequence = sequence - 1 where sequence > 13",
        "",
    ),
    "the entry of a write removed": (
        "delete from journal_entry where sequence = -1",
        "the entry of a write was removed",
    ),
    "the entry of a write altered": ("update journal_entry set patient = 99 where sequence = -1", "altered"),
    "an entry made up": (
        (
            "insert into journal_entry (generation, worker, sequence, previous, event, outcome, at, patient, person,"
            " organization, sealed) select generation, worker + 1, 1, decode(repeat('00', 32), 'hex'), event, outcome, at,"
            " patient, person, organization, sealed from journal_entry where sequence = 12"
        ),
        "not written by this service",
    ),
    "an entry doubled in the chain": (
        (
            "insert into journal_entry (generation, worker, sequence, previous, event, outcome, at, patient, person,"
            " organization, sealed) select generation, worker, sequence + 100, previous, event, outcome, at,"
            " patient, person, organization, sealed from journal_entry where sequence = 12"
        ),
        "",
    ),
}


@pytest.mark.parametrize("fault", BEFORE_INTEGRATION)
async def test_tampering_before_integration_is_found(
    fault: str, waiting: asyncpg.Connection, keys: JournalKeys
) -> None:
    statements, what = BEFORE_INTEGRATION[fault]
    await waiting.execute(statements)
    assert what in await broken(waiting, keys)


@pytest.mark.parametrize("fault", BEFORE_INTEGRATION)
async def test_tampering_before_integration_is_still_found_after_it(
    fault: str, waiting: asyncpg.Connection, keys: JournalKeys, integrate: Integrate
) -> None:
    statements, what = BEFORE_INTEGRATION[fault]
    await waiting.execute(statements)
    await integrate()
    assert what in await broken(waiting, keys)


async def test_a_removed_tail_shows_when_its_process_writes_again(
    journal: Journal, waiting: asyncpg.Connection, keys: JournalKeys, caller: Caller
) -> None:
    await waiting.execute("delete from journal_entry where sequence = (select max(sequence) from journal_entry)")
    await journal.record([entry(caller, Event.READ, patient=1)])
    assert "an entry was removed" in await broken(waiting, keys)


async def test_a_removed_tail_shows_when_the_process_had_to_begin_a_new_chain(
    database: Database,
    journal: Journal,
    waiting: asyncpg.Connection,
    keys: JournalKeys,
    caller: Caller,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await waiting.execute("delete from journal_entry where sequence = (select max(sequence) from journal_entry)")
    monkeypatch.setattr(database.clock, "now", lambda: datetime(2099, 1, 31, 12, tzinfo=UTC))
    await journal.record([entry(caller, Event.READ, patient=1)])
    assert "at the end of chain" in await broken(waiting, keys)


async def test_cut_back_with_all_its_checkpoints_only_one_held_elsewhere_shows_it(
    integrated: asyncpg.Connection, keys: JournalKeys
) -> None:
    held = await integrated.fetchval("select note from journal_checkpoint where size = 11")
    first = await integrated.fetchval("select hashes from journal_tile where level = 0 and tile = 0")
    await integrated.execute(
        "delete from journal_entry where (worker, sequence) in"
        " (select worker, sequence from journal_position where position >= 5);"
        "delete from journal_position where position >= 5; update journal_head set size = 5;"
        "delete from journal_checkpoint where size = 11;"
    )
    await integrated.execute("update journal_tile set hashes = $1", first[: 5 * 32])
    assert (await whole(integrated, keys)).entries == 5  # This is why a checkpoint must be kept elsewhere.
    assert "a checkpoint of size 11 was signed" in await broken(integrated, keys, held)


async def test_a_checkpoint_that_a_later_one_contains_is_not_missed(
    integrated: asyncpg.Connection, keys: JournalKeys
) -> None:
    held = await integrated.fetchval("delete from journal_checkpoint where size = 5 returning note")
    assert (await whole(integrated, keys)).entries == 11
    assert (await whole(integrated, keys, held)).entries == 11


async def test_a_rewritten_history_does_not_match_a_checkpoint_held_elsewhere(
    integrated: asyncpg.Connection, keys: JournalKeys
) -> None:
    """The strongest attacker: holds the signing key as well, and signs a new tree over altered entries."""
    held = await integrated.fetchval("select note from journal_checkpoint where size = 11")
    await integrated.execute(
        f"update journal_entry set patient = 99 {AT_5};"
        "delete from journal_position; delete from journal_tile; delete from journal_head; delete from journal_checkpoint"
    )
    forger = Integrator(keys)
    await forger.take(integrated)
    await forger.integrate(integrated)
    assert "altered" in await broken(integrated, keys)  # They lack the key that seals entries,
    await broken(integrated, keys, held, secret=False)  # and whoever holds an old checkpoint needs no key at all.


async def test_a_chain_that_was_ended_is_not_continued(
    integrated: asyncpg.Connection, keys: JournalKeys, journal: Journal
) -> None:
    assert (await whole(integrated, keys)).open_chains == 1
    await journal.close()
    assert (await whole(integrated, keys)).open_chains == 0


async def test_a_destroyed_month_still_verifies(integrated: asyncpg.Connection, keys: JournalKeys) -> None:
    await integrated.execute("delete from journal_key where purpose = 'seal'")
    await keys.refresh(integrated)
    assert (await whole(integrated, keys)).entries == 11


async def test_an_entry_in_anothers_place_is_named_long_before_the_next_checkpoint(
    journal: Journal,
    integrate: Integrate,
    raw: asyncpg.Connection,
    keys: JournalKeys,
    caller: Caller,
    database: Database,
) -> None:
    """Two processes: neither chain is broken, only the order that was signed."""
    other = await Journal.open(database, keys)
    for patient in range(1, 9):
        await (journal if patient % 2 else other).record([entry(caller, Event.READ, patient=patient)])
    await integrate()
    await other.close()
    chains = [row["worker"] for row in await raw.fetch("select worker from journal_position order by position")]
    at = next(n for n in range(3, len(chains) - 1) if chains[n] != chains[n + 1])
    await raw.execute(
        f"update journal_position set position = -1 where position = {at};"
        f"update journal_position set position = {at} where position = {at + 1};"
        f"update journal_position set position = {at + 1} where position = -1"
    )
    assert f"position {at}: it is not the entry whose place was signed" in await broken(raw, keys)
