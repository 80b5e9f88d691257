"""The key that signs checkpoints is changed: who trusts one key can check the work of the others, and of nobody else."""

import asyncio
from pathlib import Path

import asyncpg
import pytest

from liaison.auth.caller import Caller
from liaison.auth.journal.checkpoint import NotSigned, Signer, Verifier
from liaison.auth.journal.commit import Journal
from liaison.auth.journal.entry import Event, entry
from liaison.auth.journal.export import export
from liaison.auth.journal.keys import JournalKeys, StillWaiting
from liaison.auth.journal.live import Live, handovers
from liaison.auth.journal.succession import Succession, hand_over, notes_in
from liaison.auth.journal.verify import Broken, verify
from liaison.fhir.vault import Vault
from liaison.services.command import journal as journal_command

from .conftest import Passes

NAME = "log"
FIRST, SECOND, THIRD, FOREIGN = (Signer(letter * 32, NAME) for letter in (b"a", b"b", b"c", b"x"))
ROOT = b"r" * 32
NOTES = [
    FIRST.checkpoint(5, ROOT),
    hand_over(FIRST, SECOND, 10, ROOT),
    SECOND.checkpoint(15, ROOT),
    hand_over(SECOND, THIRD, 20, ROOT),
    THIRD.checkpoint(25, ROOT),
]


@pytest.mark.parametrize("trusted", [FIRST, SECOND, THIRD], ids=["the first", "the second", "the third"])
def test_from_any_key_the_checkpoints_of_all_are_opened(trusted: Signer) -> None:
    succession = Succession(trusted.verifier, NOTES)
    assert [succession.open(note).size for note in NOTES] == [5, 10, 15, 20, 25]
    assert str(succession.newest) == str(THIRD.verifier)


def test_a_handover_is_a_checkpoint_that_either_key_alone_opens() -> None:
    for key in (FIRST.verifier, SECOND.verifier):
        assert key.open(NOTES[1]) == Succession(FIRST.verifier, NOTES).open(NOTES[1])


@pytest.mark.parametrize("trusted", [FIRST, SECOND, THIRD], ids=["the first", "the second", "the third"])
@pytest.mark.parametrize(
    "note",
    [
        FIRST.checkpoint(12, ROOT),
        SECOND.checkpoint(8, ROOT),
        SECOND.checkpoint(22, ROOT),
        FOREIGN.checkpoint(22, ROOT),
        FOREIGN.checkpoint(2, ROOT),
        "log\n\n",
        "",
    ],
    ids=["old key later", "new key earlier", "second after its time", "foreign", "foreign early", "no size", "empty"],
)
def test_a_key_signs_for_its_own_stretch_and_for_nothing_else(trusted: Signer, note: str) -> None:
    with pytest.raises(NotSigned):
        Succession(trusted.verifier, NOTES).open(note)


@pytest.mark.parametrize(
    "forged",
    [
        hand_over(FIRST, FOREIGN, 10, ROOT).replace(FIRST.sign("x\n"), ""),
        hand_over(FOREIGN, SECOND, 10, ROOT).replace(str(FOREIGN.verifier), str(FIRST.verifier)),
        hand_over(FIRST, SECOND, 10, ROOT).replace("\n10\n", "\n99\n"),
        hand_over(Signer(b"a" * 32, "other"), SECOND, 10, ROOT),
        FIRST.sign(hand_over(FIRST, SECOND, 10, ROOT).partition("\n\n")[0] + "\n"),
    ],
    ids=["leads elsewhere", "signed by another", "moved", "another log", "signed by the old one alone"],
)
def test_a_forged_handover_leads_nowhere(forged: str) -> None:
    with pytest.raises(NotSigned):
        Succession(FIRST.verifier, [forged]).open(SECOND.checkpoint(120, ROOT))


def test_a_key_that_is_handed_over_twice_is_refused() -> None:
    with pytest.raises(NotSigned, match="twice"):
        Succession(FIRST.verifier, [*NOTES, hand_over(FIRST, FOREIGN, 11, ROOT)])


def test_handovers_are_found_in_a_file_of_keys() -> None:
    file = "\n".join([str(THIRD.verifier), f"\n{NOTES[1]}", f"\n{NOTES[3]}"])
    assert notes_in(file) == [NOTES[1], NOTES[3]]
    assert notes_in(str(THIRD.verifier)) == []


async def test_the_next_checkpoint_after_a_rotation_is_signed_by_both_and_the_old_secret_is_gone(
    journal: Journal,
    integrate: Passes,
    raw: asyncpg.Connection,
    keys: JournalKeys,
    vault: Vault,
    caller: Caller,
) -> None:
    old = keys.signer.verifier
    await integrate()
    held = [await raw.fetchval("select note from journal_checkpoint")]
    made = await keys.succeed(raw)
    with pytest.raises(StillWaiting):
        await keys.succeed(raw)
    assert (await JournalKeys.load(raw, vault)).signer.verifier.name == old.name
    for patient in (1, 2):
        await journal.record([entry(caller, Event.READ, patient=patient)])
        await integrate()

    loaded = await JournalKeys.load(raw, vault)  # in another process, or later
    assert str(loaded.signer.verifier) == str(made.verifier) != str(old)
    assert loaded.signer.verifier.name == old.name
    assert await raw.fetchval("select array_agg(generation) from journal_key where purpose = 'sign'") == [2]
    notes = await handovers(raw)
    assert len(notes) == 1
    last = await raw.fetchval("select note from journal_checkpoint order by size desc limit 1")
    with pytest.raises(NotSigned):
        old.open(last)
    for trusted in (old, made.verifier):
        async with raw.transaction(isolation="repeatable_read", readonly=True):
            verdict = await verify(Live(raw), trusted, keys, held)
        assert verdict.at == Succession(old, notes).open(last)

    await raw.execute("update journal_checkpoint set note = replace(note, 'next-key', 'next-kez')")
    with pytest.raises(Broken):
        await verify(Live(raw), Verifier.parse(str(old)))


async def test_an_export_made_before_a_rotation_is_checked_with_the_key_file_of_after_it(
    journal: Journal,
    integrate: Passes,
    raw: asyncpg.Connection,
    keys: JournalKeys,
    caller: Caller,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    await integrate()
    old = keys.signer.verifier
    async with raw.transaction(isolation="repeatable_read", readonly=True):
        await export(Live(raw), old.name, tmp_path / "old.jsonl")
    made = await keys.succeed(raw)
    await journal.record([entry(caller, Event.READ, patient=1)])
    await integrate()
    [note] = await handovers(raw)
    (tmp_path / "key").write_text(f"{made.verifier}\n\n{note}\n")  # as `liaison journal key` prints it
    (tmp_path / "bare").write_text(f"{made.verifier}\n")

    def checked(name: str) -> str:
        journal_command.verify(export=tmp_path / "old.jsonl", key=[tmp_path / name])
        return capsys.readouterr().out

    assert (await asyncio.to_thread(checked, "key")).startswith("Whole up to the checkpoint of ")
    with pytest.raises(SystemExit):
        await asyncio.to_thread(checked, "bare")
    assert capsys.readouterr().out.startswith(
        "BROKEN at checkpoint of size 1: The note carries no signature of this key.\n"
    )


async def test_a_rotation_survives_a_pass_that_was_rolled_back(
    journal: Journal, integrate: Passes, raw: asyncpg.Connection, keys: JournalKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    await keys.succeed(raw)
    done = keys.handed_over

    async def cut(connection: asyncpg.Connection) -> None:
        await done(connection)
        raise OSError("cut")

    monkeypatch.setattr(keys, "handed_over", cut)
    with pytest.raises(OSError, match="cut"):
        await integrate()
    monkeypatch.undo()
    assert await handovers(raw) == []
    await integrate.integrator.take(integrate.own)  # as its own loop does after a failure
    await integrate()
    assert len(await handovers(raw)) == 1
