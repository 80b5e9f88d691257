"""An export of the journal: JSON lines that anyone with the public key can verify, without any secret.

First line: format and log name. Then one line an entry in the order of the tree, sealed as stored. Last, the
checkpoints. `liaison journal verify --export FILE --key FILE` reads it; so can any implementation of RFC 9162.
"""

import base64
import gzip
import struct
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO, Final, Literal, cast

import orjson

from liaison.auth.journal.sealing import Record, encoded
from liaison.auth.journal.tiles import Place
from liaison.auth.journal.verify import Broken, Source

FORMAT: Final = "liaison-journal-1"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def _line(position: int, one: Record) -> dict[str, Any]:
    return {
        "position": position,
        "generation": one.generation,
        "worker": one.worker,
        "sequence": one.sequence,
        "previous": base64.b64encode(one.previous).decode(),
        "event": one.event,
        "outcome": one.outcome,
        "at": (one.at - _EPOCH) // _MICROSECOND,
        "patient": one.patient,
        "person": one.person,
        "organization": one.organization,
        "sealed": base64.b64encode(one.sealed).decode(),
    }


def _record(line: dict[str, Any]) -> Record:
    return Record(
        line["generation"],
        line["worker"],
        line["sequence"],
        base64.b64decode(line["previous"], validate=True),
        line["event"],
        line["outcome"],
        _EPOCH + timedelta(microseconds=line["at"]),
        line["patient"],
        line["person"],
        line["organization"],
        base64.b64decode(line["sealed"], validate=True),
    )


def _opened(path: Path, mode: Literal["rb", "xb"]) -> AbstractContextManager[BinaryIO]:
    if path.suffix == ".gz":
        return cast(AbstractContextManager[BinaryIO], gzip.GzipFile(path, mode, compresslevel=4))
    return path.open(mode)


async def export(source: Source, origin: str, path: Path) -> int:
    """Writes everything that has a position, and the checkpoints. Returns how many entries. Never overwrites."""
    count = 0
    with _opened(path, "xb") as file:
        file.write(orjson.dumps({"format": FORMAT, "origin": origin}) + b"\n")
        async for position, record in source.placed():
            if record is None:
                raise Broken(f"position {position}", "its entry has been removed")
            file.write(orjson.dumps(_line(position, record)) + b"\n")
            count += 1
        for size, note in await source.checkpoints():
            file.write(orjson.dumps({"size": size, "checkpoint": note}) + b"\n")
    return count


class Export:
    """Satisfies verify.Source. Reads the file twice, never the whole of it into memory."""

    is_copy: Final = True

    def __init__(self, path: Path) -> None:
        self._path = path
        first = next(self._lines(), {})
        if first.get("format") != FORMAT:
            raise Broken(str(path), "this is not an export of a Liaison journal")

    def _lines(self) -> Iterator[dict[str, Any]]:
        with _opened(self._path, "rb") as file:
            for number, line in enumerate(file, 1):
                try:
                    read = orjson.loads(line)
                except orjson.JSONDecodeError:
                    raise Broken(f"line {number}", "it is not JSON: the file was cut or altered") from None
                if not isinstance(read, dict):
                    raise Broken(f"line {number}", "it is no line of an export: the file was altered")
                yield read

    async def placed(self) -> AsyncIterator[tuple[int, Record | None]]:
        for number, line in enumerate(self._lines(), 1):
            if "position" in line:
                try:
                    record = _record(line)
                    encoded(record)  # a number that no entry can hold has no hash
                except (KeyError, TypeError, ValueError, OverflowError, struct.error):
                    raise Broken(f"line {number}", "it is no entry: the file was altered") from None
                yield line["position"], record

    async def waiting(self) -> AsyncIterator[Record]:
        for _ in ():
            yield _

    async def checkpoints(self) -> Sequence[tuple[int, str]]:
        found = []
        for number, line in enumerate(self._lines(), 1):
            if "checkpoint" in line:
                size, note = line.get("size"), line["checkpoint"]
                if not isinstance(size, int) or not isinstance(note, str):
                    raise Broken(f"line {number}", "it is no checkpoint: the file was altered")
                found.append((size, note))
        return found

    async def head(self) -> int | None:
        return None

    async def tiles(self) -> dict[Place, bytes] | None:
        return None
