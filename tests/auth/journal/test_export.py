"""An export is verified with the public key alone, anywhere; whatever is done to its file is found and named."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import orjson
import pytest

from liaison.auth.journal import offline
from liaison.auth.journal.checkpoint import Signer, Verifier
from liaison.auth.journal.entry import Event
from liaison.auth.journal.export import Export, _line, export
from liaison.auth.journal.keys import JournalKeys
from liaison.auth.journal.live import Live
from liaison.auth.journal.sealing import GENESIS, Record, leaf
from liaison.auth.journal.succession import Succession
from liaison.auth.journal.tree import Frontier
from liaison.auth.journal.verify import Broken, verify

from .test_verify import integrated

__all__ = ["integrated"]


@pytest.fixture(params=["journal.jsonl", "journal.jsonl.gz"])
async def exported(
    request: pytest.FixtureRequest, integrated: asyncpg.Connection, keys: JournalKeys, tmp_path: Path
) -> Path:
    path = tmp_path / str(request.param)
    async with integrated.transaction(isolation="repeatable_read", readonly=True):
        assert await export(Live(integrated), keys.signer.verifier.name, path) == 11
    return path


async def test_an_export_is_verified_with_the_public_key_alone(exported: Path, keys: JournalKeys) -> None:
    verdict = await verify(Export(exported), Verifier.parse(str(keys.signer.verifier)))
    assert verdict.at is not None
    assert (verdict.entries, verdict.at.size, verdict.with_keys) == (11, 11, False)


SIGNER = Signer(bytes(range(32)))


def _signed(path: Path, size: int) -> str:
    """An export of so many entries of one chain, as it would be written; the checkpoint over them."""
    lines: list[dict[str, Any]] = [{"format": "liaison-journal-1", "origin": SIGNER.verifier.name}]
    tree, previous, at = Frontier(), GENESIS, datetime(2026, 11, 30, tzinfo=UTC)
    for position in range(size):
        record = Record(202611, 7, position + 1, previous, Event.READ, 0, at, position, 1, 2, b"sealed")
        previous = leaf(record)
        tree.append(previous)
        lines.append(_line(position, record))
    note = SIGNER.checkpoint(size, tree.root())
    lines.append({"size": size, "checkpoint": note})
    path.write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in lines))
    return note


async def test_an_export_that_ends_before_a_checkpoint_that_is_kept_says_so(tmp_path: Path) -> None:
    """It is not broken: it is whole as far as it goes."""
    early, late = _signed(tmp_path / "early", 5), _signed(tmp_path / "late", 9)

    found = await verify(Export(tmp_path / "early"), SIGNER.verifier, None, [early, late])

    assert (found.entries, found.at and found.at.size, found.beyond) == (5, 5, (9,))
    assert (await verify(Export(tmp_path / "late"), SIGNER.verifier, None, [early, late])).beyond == ()
    lines = (tmp_path / "late").read_bytes().splitlines(keepends=True)
    (tmp_path / "cut").write_bytes(b"".join([*lines[:6], lines[-1]]))  # its own checkpoint says that there was more
    with pytest.raises(Broken, match="cut off"):
        await verify(Export(tmp_path / "cut"), SIGNER.verifier, None, [late])


async def test_proofs_and_counts_of_some_hundreds_of_entries(tmp_path: Path) -> None:
    """More than two tiles of hashes, and a path in a tree that is not full."""
    path, trusted = tmp_path / "many", Succession(SIGNER.verifier)
    held = _signed(tmp_path / "held", 500)
    _signed(path, 611)

    assert (await verify(Export(path), SIGNER.verifier, None, [held])).entries == 611
    assert (await offline.counted(Export(path))).events == {"read": 611}
    for position in (0, 255, 256, 511, 512, 610):
        found, _ = (await offline.prove(Export(path), trusted, position)).check(trusted)
        assert found.sequence == position + 1
    before, after = (await offline.continued(Export(path), trusted, held)).check(trusted, held)
    assert (before.size, after.size) == (500, 611)


async def test_an_export_never_overwrites(exported: Path, integrated: asyncpg.Connection) -> None:
    with pytest.raises(FileExistsError):
        await export(Live(integrated), "log", exported)


def _without(lines: list[dict[str, object]]) -> None:
    del lines[4]


def _swapped(lines: list[dict[str, object]]) -> None:
    lines[4], lines[5] = lines[5], lines[4]


def _renumbered(lines: list[dict[str, object]]) -> None:
    lines[4]["position"], lines[5]["position"] = 4, 3
    lines[4], lines[5] = lines[5], lines[4]


def _altered(lines: list[dict[str, object]]) -> None:
    lines[4]["patient"] = 99


def _truncated(lines: list[dict[str, object]]) -> None:
    del lines[10:12]


def _no_checkpoint(lines: list[dict[str, object]]) -> None:
    del lines[-1]


def _not_an_entry(lines: list[dict[str, object]]) -> None:
    lines[4]["sealed"] = 7


def _no_number(lines: list[dict[str, object]]) -> None:
    lines[4]["patient"] = "7"


def _too_large(lines: list[dict[str, object]]) -> None:
    lines[4]["person"] = 2**63


def _no_moment(lines: list[dict[str, object]]) -> None:
    lines[4]["at"] = 2**62


def _no_object(lines: list[Any]) -> None:
    lines[4] = ["position"]


def _no_note(lines: list[dict[str, object]]) -> None:
    lines[-1] = {"size": "11", "checkpoint": 7}


@pytest.mark.parametrize(
    "fault",
    [
        _without, _swapped, _renumbered, _altered, _truncated, _no_checkpoint, _not_an_entry,
        _no_number, _too_large, _no_moment, _no_object, _no_note,
    ],
)  # fmt: skip
async def test_tampering_with_an_export_is_found(
    fault: Callable[[list[dict[str, object]]], None],
    integrated: asyncpg.Connection,
    keys: JournalKeys,
    tmp_path: Path,
) -> None:
    path, copy = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    async with integrated.transaction(isolation="repeatable_read", readonly=True):
        await export(Live(integrated), keys.signer.verifier.name, path)
    lines = [orjson.loads(line) for line in path.read_bytes().splitlines()]
    fault(lines)
    copy.write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in lines))
    with pytest.raises(Broken):
        await verify(Export(copy), keys.signer.verifier)


async def test_a_file_cut_in_a_line_is_found(integrated: asyncpg.Connection, keys: JournalKeys, tmp_path: Path) -> None:
    path, cut = tmp_path / "journal.jsonl", tmp_path / "cut.jsonl"
    async with integrated.transaction(isolation="repeatable_read", readonly=True):
        await export(Live(integrated), keys.signer.verifier.name, path)
    cut.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(Broken):
        await verify(Export(cut), keys.signer.verifier)
