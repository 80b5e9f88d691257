"""A backup: every table of ours in one snapshot, as PostgreSQL's binary COPY, compressed, listed in a signed manifest.

Bodies stay sealed, and no key is in it in clear: shelf keys are there as the key provider wrapped them, and the
provider's secret is never read. Sessions, codes and refresh tokens are left out: after a restore everyone signs in
again, so that none that was revoked comes back.

    liaison-20261123T020000Z/
      manifest.note         JSON as a signed note (journal.checkpoint): schema revision, journal checkpoint, files
      tables/NAME.zst
"""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, Final

import asyncpg
import zstandard
from sqlalchemy import Column, Table

import liaison.auth.schema  # noqa: F401  # adds its tables to the metadata
from liaison.auth.journal.checkpoint import NotSigned, Signer, Verifier
from liaison.fhir.store.schema import Xid8, metadata

FORMAT: Final = "liaison-backup-1"
MANIFEST: Final = "manifest.note"
LEFT_OUT: Final = frozenset(
    {
        "access_session",
        "assertion_seen",
        "authorization_code",
        "browser_session",
        "ceremony",
        "first_access",
        "first_code",
        "identity_lock",
        "journal_verdict",
        "kept_form",
        "rate_limit",
        "refresh_token",
        "search_list",
        "sent_form",
    }
)
"""What must not come back (sessions) or means nothing elsewhere (locks, lists of cursors, what was found of the base before)."""
SEEDED: Final = frozenset({"search_revision", "reindexing", "regranting"})
"""Tables into which a migration itself puts a row: it says of no base that it holds something, and a restore replaces it."""

_ALWAYS: Final = "'3'::xid8"  # the first transaction id there is: done, in every snapshot of every cluster
_TRANSLATED: Final[Mapping[str, str]] = {
    # Transaction ids of one cluster mean nothing in another: see the columns' own defaults, and journal_head.
    "superseded": f"case when superseded is not null then {_ALWAYS} end",
    "settled": _ALWAYS,
}

Progress = Callable[[str], None]


class BadBackup(RuntimeError):
    """The backup is not whole, not ours, or of a version not known. The text says what is wrong."""


@dataclass(frozen=True, slots=True)
class Part:
    """One table's file."""

    table: str
    columns: tuple[str, ...]
    rows: int
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    format: str
    made_at: str
    revision: str
    log: str
    checkpoint: str
    parts: tuple[Part, ...]
    papers: dict[str, Any] = field(default_factory=dict)
    """What `liaison init` was told (custody.papers), {} where it was not run."""

    @property
    def text(self) -> str:
        return json.dumps(asdict(self), sort_keys=True) + "\n"


def tables() -> list[Table]:
    """The tables a backup holds, in a stable order."""
    return [table for name, table in sorted(metadata.tables.items()) if name not in LEFT_OUT]


def columns(table: Table) -> list[Column[Any]]:
    """The columns that are copied. Transaction ids that the base gives by default are given anew by a restore."""
    return [column for column in table.columns if not (isinstance(column.type, Xid8) and column.server_default)]


async def write(
    connection: asyncpg.Connection,
    folder: Path,
    revision: str,
    signer: Signer,
    progress: Progress = lambda _: None,
    papers: Mapping[str, Any] | None = None,
) -> Manifest:
    """Writes a backup to `folder`, which must not exist. It appears there when it is complete and synced, or not at all.

    `connection` is in a repeatable-read transaction: writers are not kept waiting.
    """
    part = _begin(folder)
    try:
        return await _write(connection, folder, part, revision, signer, progress, dict(papers or {}))
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)  # a disk that is full stays full otherwise
        raise


async def _write(
    connection: asyncpg.Connection,
    folder: Path,
    part: Path,
    revision: str,
    signer: Signer,
    progress: Progress,
    papers: dict[str, Any],
) -> Manifest:
    parts = []
    for table in tables():
        progress(table.name)
        parts.append(await _copy_out(connection, table, part / "tables" / f"{table.name}.zst"))
    made_at = await connection.fetchval("select now()")
    checkpoint = await connection.fetchval("select note from journal_checkpoint order by size desc limit 1")
    manifest = Manifest(
        FORMAT,
        made_at.astimezone(UTC).isoformat(timespec="seconds"),
        revision,
        signer.verifier.name,
        checkpoint or "",
        tuple(parts),
        papers,
    )
    with (part / MANIFEST).open("w") as file:
        file.write(signer.sign(manifest.text))
        file.flush()
        os.fsync(file.fileno())
    _appear(part, folder)
    return manifest


def _begin(folder: Path) -> Path:
    if folder.exists():
        raise BadBackup(f"{folder} exists already: a backup is never written over.")
    part = folder.with_name(f".{folder.name}.part")
    folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part.mkdir(mode=0o700)
    (part / "tables").mkdir(mode=0o700)
    return part


class _Hashing:
    """A file that is hashed and counted as it is written."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self.size, self._hash = file, 0, hashlib.sha256()

    def write(self, data: bytes) -> int:
        self._hash.update(data)
        self.size += len(data)
        return self._file.write(data)

    def flush(self) -> None:
        self._file.flush()

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()


async def _copy_out(connection: asyncpg.Connection, table: Table, path: Path) -> Part:
    names = [column.name for column in columns(table)]
    selected = ", ".join(f"{_TRANSLATED.get(name, name)} as {name}" for name in names)
    with path.open("wb") as file:
        hashing = _Hashing(file)
        with zstandard.ZstdCompressor(level=3).stream_writer(hashing, closefd=False) as compressed:  # type: ignore[arg-type]  # write and flush are all it uses

            async def take(data: bytes) -> None:
                compressed.write(data)

            status = await connection.copy_from_query(
                f"select {selected} from {table.name}", output=take, format="binary"
            )
        file.flush()
        os.fsync(file.fileno())
    return Part(table.name, tuple(names), int(status.rpartition(" ")[2]), hashing.size, hashing.sha256)


def _appear(part: Path, folder: Path) -> None:
    part.rename(folder)
    _sync(folder.parent)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


# ---- reading ------------------------------------------------------------------------------------------------------


def read(folder: Path, key: Verifier | None = None) -> Manifest:
    """The manifest. Its signature is checked when the key is known; else see `signed`, once the base is there."""
    try:
        note = (folder / MANIFEST).read_text()
    except OSError as error:
        raise BadBackup(f"{folder} is not a backup: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise BadBackup(f"The manifest of {folder} cannot be read.") from None
    try:
        text = key.text(note) if key else note.partition("\n\n")[0] + "\n"
        data = json.loads(text)
        parts = tuple(Part(**{**part, "columns": tuple(part["columns"])}) for part in data.pop("parts"))
        manifest = Manifest(parts=parts, **data)
    except NotSigned as error:
        raise BadBackup(f"The manifest of {folder} is not signed by this journal's key: {error}") from None
    except (ValueError, TypeError, KeyError):
        raise BadBackup(f"The manifest of {folder} cannot be read.") from None
    if manifest.format != FORMAT:
        raise BadBackup(f"{folder} is of the format {manifest.format}, which this version does not know.")
    return manifest


def signed(folder: Path, key: Verifier) -> None:
    """Raises BadBackup unless the manifest is signed by this key."""
    read(folder, key)


def check_files(folder: Path, manifest: Manifest) -> None:
    """Raises BadBackup, naming the file, if one is missing, cut or altered."""
    for part in manifest.parts:
        path = folder / "tables" / f"{part.table}.zst"
        if not path.exists():
            raise BadBackup(f"{path} is missing.")
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != part.sha256 or path.stat().st_size != part.size:
            raise BadBackup(f"{path} was cut or altered.")


async def load(
    connection: asyncpg.Connection, folder: Path, manifest: Manifest, progress: Progress = lambda _: None
) -> None:
    """Fills the empty tables of `connection`'s base, inside the caller's transaction."""
    known = {table.name: table for table in tables()}
    for part in manifest.parts:
        table = known.get(part.table)
        if table is None:
            raise BadBackup(f"The backup holds a table that this version does not know: {part.table}.")
        progress(part.table)
        if part.table in SEEDED:
            await connection.execute(f"delete from {part.table}")
        with (folder / "tables" / f"{part.table}.zst").open("rb") as file:
            await connection.copy_to_table(
                part.table, source=_chunks(file), columns=list(part.columns), format="binary"
            )
        found = await connection.fetchval(f"select count(*) from {part.table}")
        if found != part.rows:
            raise BadBackup(f"{part.table} has {found} rows, the backup says {part.rows}.")
        await _renumber(connection, table)


async def _renumber(connection: asyncpg.Connection, table: Table) -> None:
    column = table.autoincrement_column
    if column is not None:
        await connection.execute(
            f"select setval(pg_get_serial_sequence('{table.name}', '{column.name}'),"
            f" coalesce(max({column.name}), 0) + 1, false) from {table.name}"
        )


class _Chunks:
    def __init__(self, file: BinaryIO) -> None:
        self._read: Iterator[bytes] = zstandard.ZstdDecompressor().read_to_iter(file)

    def __aiter__(self) -> "_Chunks":
        return self

    async def __anext__(self) -> bytes:
        try:
            return next(self._read)
        except StopIteration:
            raise StopAsyncIteration from None
        except zstandard.ZstdError:
            raise BadBackup("A file of the backup was cut or altered.") from None


def _chunks(file: BinaryIO) -> _Chunks:
    return _Chunks(file)


def name_now() -> str:
    """The name of a backup made now: names sort by age."""
    return f"liaison-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
