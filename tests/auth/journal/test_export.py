"""An export is verified with the public key alone, anywhere; whatever is done to its file is found and named."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncpg
import orjson
import pytest

from liaison.auth.journal.checkpoint import Verifier
from liaison.auth.journal.export import Export, export
from liaison.auth.journal.keys import JournalKeys
from liaison.auth.journal.live import Live
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
