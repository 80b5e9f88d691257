"""From an export and the public key alone: the same proofs as from the base, none of a file that was altered, and counts."""

from collections import Counter
from pathlib import Path

import asyncpg
import orjson
import pytest

from liaison.auth.journal import offline, proof
from liaison.auth.journal.entry import event_name
from liaison.auth.journal.export import Export
from liaison.auth.journal.keys import JournalKeys
from liaison.auth.journal.proof import NoProof
from liaison.auth.journal.succession import Succession
from liaison.auth.journal.tree import ProofError
from liaison.auth.journal.verify import Broken

from .test_export import exported
from .test_verify import integrated

__all__ = ["exported", "integrated"]


def altered(path: Path, number: int, **changes: object) -> Path:
    """The same file, plain, with one line changed."""
    lines = b"".join(offline_lines(path)).splitlines()
    lines[number] = orjson.dumps({**orjson.loads(lines[number]), **changes})
    other = path.with_name("other.jsonl")
    other.write_bytes(b"\n".join(lines) + b"\n")
    return other


def offline_lines(path: Path) -> list[bytes]:
    return [orjson.dumps(line) + b"\n" for line in Export(path)._lines()]


async def test_the_proofs_are_those_of_the_base(
    exported: Path, integrated: asyncpg.Connection, keys: JournalKeys
) -> None:
    export, trusted = Export(exported), Succession(keys.signer.verifier)
    for position in range(11):
        found = await offline.prove(export, trusted, position)
        assert found.text() == (await proof.of_position(integrated, position)).text()
        record, _ = found.check(trusted)
        assert await offline.prove(export, trusted, (record.worker, record.sequence)) == found
    size, note = await offline.last(export)
    assert (size, note) == await proof.last(integrated)
    for old, held in await export.checkpoints():
        continued = await offline.continued(export, trusted, held)
        assert continued.text() == (await proof.since(integrated, old)).text()


@pytest.mark.parametrize("wanted", [11, -1, (1, 1)])
async def test_what_is_not_there_has_no_proof(exported: Path, keys: JournalKeys, wanted: int | tuple[int, int]) -> None:
    with pytest.raises(NoProof, match="no such entry"):
        await offline.prove(Export(exported), Succession(keys.signer.verifier), wanted)


@pytest.mark.parametrize("line", range(1, 12))
async def test_of_an_altered_file_there_is_no_proof(exported: Path, keys: JournalKeys, line: int) -> None:
    other, trusted = Export(altered(exported, line, patient=99)), Succession(keys.signer.verifier)
    for position in range(11):
        with pytest.raises(ProofError):
            await offline.prove(other, trusted, position)


async def test_of_a_file_that_was_cut_there_is_none(exported: Path, keys: JournalKeys) -> None:
    cut = exported.with_name("cut.jsonl")
    lines = offline_lines(exported)
    cut.write_bytes(b"".join([*lines[:6], *lines[12:]]))
    with pytest.raises(NoProof, match="cut"):
        await offline.prove(Export(cut), Succession(keys.signer.verifier), 1)
    cut.write_bytes(b"".join(lines[:12]))
    with pytest.raises(NoProof, match="no checkpoint"):
        await offline.prove(Export(cut), Succession(keys.signer.verifier), 1)
    with pytest.raises(Broken):
        await offline.counted(Export(altered(exported, 3, sealed=7)))


async def test_the_counts_are_those_of_the_lines(exported: Path) -> None:
    entries = [line for line in map(orjson.loads, offline_lines(exported)) if "position" in line]
    found = await offline.counted(Export(exported))

    assert found.entries == len(entries) == 11
    assert found.events == Counter(event_name(line["event"]) for line in entries)
    assert sum(found.outcomes.values()) == sum(found.months.values()) == 11
