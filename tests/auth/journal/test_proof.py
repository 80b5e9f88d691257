"""Proofs that leave the house, and the check of each with nothing but the public key: ours, and one that a partner could
write from docs/implementation/journal.md with openssl and Python's own library."""

import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import asyncpg
import pytest

from liaison.auth.caller import Caller
from liaison.auth.journal import proof
from liaison.auth.journal.checkpoint import NotSigned, Signer
from liaison.auth.journal.commit import Journal
from liaison.auth.journal.entry import Event, entry
from liaison.auth.journal.keys import JournalKeys
from liaison.auth.journal.proof import Consistency, Inclusion, NoProof
from liaison.auth.journal.tiles import MissingTile
from liaison.auth.journal.tree import ProofError

Integrate = Callable[[], Awaitable[int]]
COUNT = 300
"""More than one tile of 256."""


@pytest.fixture
async def grown(
    journal: Journal, integrate: Integrate, raw: asyncpg.Connection, caller: Caller
) -> tuple[asyncpg.Connection, list[str]]:
    """A journal of 301 entries, and its checkpoints: 1, 101, 301."""
    await integrate()
    for count in (100, COUNT - 100):
        await journal.record([entry(caller, Event.READ, patient=1 + n) for n in range(count)])
        await integrate()
    notes = [row["note"] for row in await raw.fetch("select note from journal_checkpoint order by size")]
    return raw, notes


async def test_every_entry_is_proved_by_the_public_key_alone(
    grown: tuple[asyncpg.Connection, list[str]], keys: JournalKeys
) -> None:
    raw, _ = grown
    for position in range(COUNT + 1):
        found = proof.read((await proof.of_position(raw, position)).text())
        assert isinstance(found, Inclusion)
        record, signed = found.check(keys.signer.verifier)
        assert (found.position, signed.size) == (position, COUNT + 1)
        at = "select worker, sequence from journal_position where position = $1"
        assert (record.worker, record.sequence) == tuple(await raw.fetchrow(at, position))
    assert record.patient == COUNT - 100


async def test_an_entry_is_proved_by_its_own_name(
    grown: tuple[asyncpg.Connection, list[str]], journal: Journal, keys: JournalKeys
) -> None:
    raw, _ = grown
    found = await proof.of_entry(raw, journal.worker, 6)
    assert (found.position, found.check(keys.signer.verifier)[0].patient) == (5, 5)


async def test_an_entry_written_within_a_transaction_is_proved(
    grown: tuple[asyncpg.Connection, list[str]],
    journal: Journal,
    integrate: Integrate,
    keys: JournalKeys,
    caller: Caller,
) -> None:
    raw, _ = grown
    async with raw.transaction():
        await journal.record_within(raw, [entry(caller, Event.CREATE, patient=7)])
    await integrate()
    found = await proof.of_entry(raw, journal.worker, -1)
    record, _ = found.check(keys.signer.verifier)
    assert (record.sequence, record.previous, record.patient) == (-1, b"", 7)


async def test_what_has_no_position_is_not_proved(
    grown: tuple[asyncpg.Connection, list[str]], journal: Journal, caller: Caller
) -> None:
    raw, _ = grown
    await journal.record([entry(caller, Event.READ, patient=1)])
    with pytest.raises(NoProof, match="within a second"):
        await proof.of_entry(raw, journal.worker, COUNT + 2)
    with pytest.raises(NoProof, match="no such entry"):
        await proof.of_position(raw, COUNT + 1)
    with pytest.raises(NoProof, match="no such entry"):
        await proof.of_position(raw, 2**62)


async def test_without_a_checkpoint_nothing_is_proved(raw: asyncpg.Connection, journal: Journal) -> None:
    with pytest.raises(NoProof, match="No checkpoint"):
        await proof.of_position(raw, 0)


async def test_a_removed_hash_is_named(grown: tuple[asyncpg.Connection, list[str]]) -> None:
    raw, _ = grown
    await raw.execute("delete from journal_tile where level = 0 and tile = 1")
    with pytest.raises(MissingTile, match="tile 0/1"):
        await proof.of_position(raw, 290)


def _bit(data: bytes, at: int = 30) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


FORGED: dict[str, Callable[[Inclusion], Inclusion]] = {
    "another patient in the entry": lambda one: one._replace(entry=_bit(one.entry, 20 + 32 + 19)),
    "another body": lambda one: one._replace(entry=_bit(one.entry, len(one.entry) - 1)),
    "another position": lambda one: one._replace(position=one.position + 1),
    "a position beyond the tree": lambda one: one._replace(position=COUNT + 1),
    "a hash altered": lambda one: one._replace(path=[_bit(one.path[0]), *one.path[1:]]),
    "a hash left out": lambda one: one._replace(path=one.path[1:]),
    "a hash too many": lambda one: one._replace(path=[*one.path, bytes(32)]),
    "the root altered": lambda one: one._replace(note=one.note.replace("\n301\n", "\n302\n")),
    "signed by somebody else": lambda one: one._replace(note=Signer(b"x" * 32).checkpoint(COUNT + 1, bytes(32))),
}


@pytest.mark.parametrize("forged", FORGED)
async def test_a_forged_proof_of_an_entry_proves_nothing(
    forged: str, grown: tuple[asyncpg.Connection, list[str]], keys: JournalKeys
) -> None:
    raw, _ = grown
    found = proof.read(FORGED[forged](await proof.of_position(raw, 40)).text())
    with pytest.raises((ProofError, NotSigned)):
        assert isinstance(found, Inclusion) and found.check(keys.signer.verifier)  # the first is for the types


@pytest.mark.parametrize("which", range(3))
async def test_a_checkpoint_kept_is_continued(
    which: int, grown: tuple[asyncpg.Connection, list[str]], keys: JournalKeys
) -> None:
    raw, notes = grown
    size = keys.signer.verifier.open(notes[which]).size
    found = proof.read((await proof.since(raw, size)).text())
    assert isinstance(found, Consistency)
    before, after = found.check(keys.signer.verifier, notes[which])
    assert (before.size, after.size) == (size, COUNT + 1)


async def test_another_history_does_not_continue_a_checkpoint_kept(
    grown: tuple[asyncpg.Connection, list[str]], keys: JournalKeys
) -> None:
    raw, notes = grown
    found = await proof.since(raw, 101)
    other = keys.signer.checkpoint(101, bytes(32))
    with pytest.raises(ProofError, match="another old root"):
        found.check(keys.signer.verifier, other)
    with pytest.raises(NoProof, match="begins at 101"):
        found.check(keys.signer.verifier, notes[0])
    with pytest.raises(ProofError):
        found._replace(path=[*found.path[:-1], bytes(32)]).check(keys.signer.verifier, notes[1])
    with pytest.raises(NoProof, match="cut back"):
        await proof.since(raw, COUNT + 2)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "old 5",
        "old 05\n\nnote",
        "old x\n\nnote",
        "old 5\nno base64 at all\n\nnote",
        "old 5\nAAAA\n\nnote",
        "old 5\n" + "A" * 43 + "=\n" * 64 + "\nnote",
        "c2sp.org/tlog-proof@v1\nindex 5\n\nnote",
        "c2sp.org/tlog-proof@v1\nextra ?\nindex 5\n\nnote",
        "c2sp.org/tlog-proof@v2\nextra AAAA\nindex 5\n\nnote",
        "c2sp.org/tlog-proof@v1\nextra AAAA\n\nnote",
    ],
    ids=["empty", "no note", "zero before", "no number", "no hash", "short hash", "too many", "no entry", "bad entry", "v2", "no index"],
)  # fmt: skip
def test_a_file_that_is_no_proof_is_named_so(text: str) -> None:
    with pytest.raises(NoProof, match="no proof of Liaison"):
        proof.read(text)


def _lines_of_the_page(language: str) -> str:
    page = (Path(__file__).parents[3] / "docs" / "implementation" / "journal.md").read_text()
    section = page.partition("## Checking a proof without Liaison")[2]
    return section.partition(f"```{language}\n")[2].partition("```")[0]


@pytest.mark.parametrize(
    ("altered", "stands", "signed"),
    [("", True, True), ("the entry", False, True), ("the note", True, False)],
    ids=["as written", "entry altered", "note altered"],
)
async def test_the_lines_of_the_page_check_a_proof_with_openssl_and_python_alone(
    altered: str,
    stands: bool,
    signed: bool,
    grown: tuple[asyncpg.Connection, list[str]],
    keys: JournalKeys,
    tmp_path: Path,
) -> None:
    raw, _ = grown
    found = await proof.of_position(raw, 290)
    if altered == "the entry":
        found = found._replace(entry=_bit(found.entry, len(found.entry) - 1))
    if altered == "the note":
        found = found._replace(note=found.note.replace("liaison-journal-", "another-journal-"))
    (tmp_path / "line.tlog-proof").write_text(found.text())
    (tmp_path / "journal.key").write_text(f"{keys.signer.verifier}\n")
    (tmp_path / "check.py").write_text(_lines_of_the_page("python"))

    def run(*words: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120)

    done = run(sys.executable, "-I", "check.py", "line.tlog-proof")
    assert done.returncode == int(not stands), done.stdout + done.stderr
    said = run("bash", "-e", "-c", _lines_of_the_page("sh"))
    assert ("Signature Verified Successfully" in said.stdout) is signed, said.stdout + said.stderr
