"""What a backup cannot know, kept in files outside the database: erasures, and every fact of rights since.

A job follows the journal (its entries name each resource written) and appends the newest version of each resource from
which rights derive, sealed as stored, to `rights.jsonl`; erased patients, legal holds (sealed), accounts, clients and
phones out of force, the tables of rules that came into force, and the fingerprints of the secrets in force, stand in
`state.json`. Both are at most some two seconds behind. No key is in
them.
"""

import asyncio
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO, Final, NoReturn

import asyncpg
import structlog

from liaison.auth.access.facts import FACT_TYPES
from liaison.auth.journal.entry import Event
from liaison.auth.journal.keys import JournalKeys
from liaison.auth.journal.sealing import COLUMNS, Damaged, Record, unseal
from liaison.fhir.definitions import DIRECTORY_TYPES, kind_of
from liaison.fhir.store.database import Connect
from liaison.fhir.store.snapshot import snapshot
from liaison.fhir.store.turns import take_turns
from liaison.services.custody.in_force import CHANGED_BY, Fingerprints, fingerprints

STATE: Final = "state.json"
RIGHTS: Final = "rights.jsonl"
CHECKPOINT: Final = "journal.checkpoint"
BACKUPS: Final = "backups.json"
KINDS: Final = frozenset(kind_of(type_) for type_ in (*FACT_TYPES, "Practitioner", "PractitionerRole", "Organization"))
HORIZON: Final = timedelta(days=35)
"""How far back what is kept here reaches: an older backup is not made whole by it."""
EVERY_SECONDS: Final = 1.0
_LOCK: Final = 0x11A0015
_MOST: Final = 5_000
_WRITES: Final = [int(event) for event in (Event.CREATE, Event.UPDATE, Event.DELETE, Event.IMPORT)]

log = structlog.get_logger()


@dataclass(slots=True)
class State:
    """`position` is the first journal position not yet looked at."""

    position: int = 0
    erased: list[int] = field(default_factory=list)
    accounts: list[dict[str, Any]] = field(default_factory=list)
    clients: list[int] = field(default_factory=list)
    phones: list[int] = field(default_factory=list)
    in_force: Fingerprints = field(default_factory=dict)
    holds: list[dict[str, Any]] = field(default_factory=list)
    rules: list[dict[str, Any]] = field(default_factory=list)


class Unreadable(RuntimeError):
    """A file kept outside is not what was written. The text names it."""


def _unreadable(path: Path) -> Unreadable:
    return Unreadable(f"{path} cannot be read as it was written. Put back its copy, and keep this one for the inquiry.")


def read_state(folder: Path) -> State | None:
    """None when nothing has been kept yet. Raises Unreadable."""
    path = folder / STATE
    try:
        return State(**json.loads(path.read_text())) if path.exists() else None
    except (ValueError, TypeError):
        raise _unreadable(path) from None


def read_rights(folder: Path) -> Iterator[dict[str, Any]]:
    """Every line kept, oldest first. A last line cut by a crash is left out: it is written again. Raises Unreadable."""
    path = folder / RIGHTS
    if path.exists():
        try:
            for line in path.read_text().splitlines(keepends=True):
                if line.endswith("\n"):
                    yield json.loads(line)
        except ValueError:
            raise _unreadable(path) from None


def checkpoints(folder: Path) -> list[str]:
    """The journal's checkpoint kept here, if there is one. Read it before the base: the journal is never behind it."""
    path = folder / CHECKPOINT
    return [path.read_text()] if path.exists() else []


async def keep(connect: Connect, keys: JournalKeys, folder: Path) -> NoReturn:
    """The job: until cancelled, in one process at a time."""

    async def work(one: asyncpg.Connection) -> NoReturn:
        followed: tuple[str, str] | None = None
        while True:
            seen = await snapshot(one)
            if (seen, _stamp(folder)) != followed:
                while await follow(one, keys, folder):
                    pass
                followed = seen, _stamp(folder)  # what was committed since `seen` is followed once more
            await asyncio.sleep(EVERY_SECONDS)

    await take_turns(connect, _LOCK, work, name="keeping rights and erasures outside", stand_by=EVERY_SECONDS)


def _stamp(folder: Path) -> str:
    """Other when what is kept there was changed by another process, or taken away."""
    try:
        found = (folder / STATE).stat()
    except (FileNotFoundError, NotADirectoryError):  # what the second means is said when it is written
        return ""
    return f"{found.st_ino} {found.st_size} {found.st_mtime_ns}"


async def follow_once(connection: asyncpg.Connection, keys: JournalKeys, folder: Path) -> None:
    """Everything up to now, for a command; nothing when a service is at it."""
    if await connection.fetchval("select pg_try_advisory_lock($1)", _LOCK):
        try:
            while await follow(connection, keys, folder):
                pass
        finally:
            await connection.execute("select pg_advisory_unlock($1)", _LOCK)


async def follow(connection: asyncpg.Connection, keys: JournalKeys, folder: Path) -> bool:
    """One step. True when more entries are already waiting."""
    known = read_state(folder)
    position = known.position if known else 0
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        size = await connection.fetchval("select size from journal_head where head = 0") or 0
        end = min(size, position + _MOST)
        lines = await _lines(connection, keys, position, end) if position < end else []
        if known and known.in_force and not await _secrets_may_have_changed(connection, position, end):
            prints = known.in_force
        else:
            prints = await fingerprints(connection)
        state = await _state(connection, end, prints)
    _save(folder, lines, state, known)
    return end < size


def _save(folder: Path, lines: list[str], state: State, known: State | None) -> None:
    """The resources first: a crash in between has them looked at, and written, again."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if lines:
        _append(folder / RIGHTS, lines)
    if state != known:
        save_state(folder, state)


def save_state(folder: Path, state: State) -> None:
    """Replaces the state kept."""
    replace(folder / STATE, json.dumps(asdict(state)) + "\n")


async def _secrets_may_have_changed(connection: asyncpg.Connection, begin: int, end: int) -> bool:
    found: bool = await connection.fetchval(f"select exists ({_ENTRIES})", begin, end, CHANGED_BY)
    return found


async def _state(connection: asyncpg.Connection, position: int, prints: Fingerprints) -> State:
    async def numbers(query: str) -> list[int]:
        return [row[0] for row in await connection.fetch(query)]

    accounts = await connection.fetch(
        "select account, active, not_before::text, ends_at::text from account"
        " where not active or not_before is not null or ends_at is not null order by 1"
    )
    return State(
        position,
        await numbers("select patient from patient where state = 1 order by 1"),
        [dict(row) for row in accounts],
        await numbers("select client from client where not active order by 1"),
        await numbers("select phone from phone where not active order by 1"),
        prints,
        [json.loads(row[0]) for row in await connection.fetch(_HOLDS)],
        [json.loads(row[0]) for row in await connection.fetch(_RULES)],
    )


_HOLDS: Final = "select row_to_json(h) from legal_hold h order by patient, hold"
_RULES: Final = "select row_to_json(r) from adopted_rules r order by number"


# ---- resources from which rights derive ---------------------------------------------------------------------------

_ENTRIES: Final = f"""
select {", ".join(f"e.{column}" for column in COLUMNS)} from journal_position p
join journal_entry e on e.worker = p.worker and e.sequence = p.sequence
where p.position >= $1 and p.position < $2 and e.event = any($3::smallint[]) and e.outcome = 0
"""


def _rows(table: str, skip: str = "") -> str:
    """Rows of one resource as JSON. `$1` patient, `$2` kind, `$3` res."""
    return (
        f"(select coalesce(json_agg(row_to_json(t)), '[]') from {table} t"
        f" where t.patient = $1 and t.kind = $2 and t.res = $3 {skip})"
    )


def _query(prefix: str) -> str:
    newest = f"and t.version = (select max(n.version) from {prefix}version n where n.patient = $1 and n.kind = $2 and n.res = $3)"
    return f"""
    select json_build_object(
        'version', {_rows(f"{prefix}version", newest)},
        'index_token', {_rows(f"{prefix}index_token", newest)},
        'index_date', {_rows(f"{prefix}index_date", newest)},
        'relation', (select coalesce(json_agg(row_to_json(t)), '[]') from relation t
                     where t.patient = $1 and t.source_kind = $2 and t.source_res = $3),
        'held_role', (select coalesce(json_agg(row_to_json(t)), '[]') from held_role t where t.role = $3),
        'awaiting_role', (select coalesce(json_agg(row_to_json(t)), '[]') from awaiting_role t where t.role = $3),
        'known_profession', (select coalesce(json_agg(row_to_json(t)), '[]') from known_profession t
                             where t.practitioner = $3),
        'put_aside', (select coalesce(json_agg(row_to_json(t)), '[]') from put_aside t where t.kind = $2 and t.res = $3),
        'organization_part', (select coalesce(json_agg(row_to_json(t)), '[]') from organization_part t
                              where t.organization = $3))
    """


_DIRECTORY_KINDS: Final = frozenset(kind_of(type_) for type_ in DIRECTORY_TYPES)


async def _lines(connection: asyncpg.Connection, keys: JournalKeys, begin: int, end: int) -> list[str]:
    named: dict[tuple[int, int, int], None] = {}
    for row in await connection.fetch(_ENTRIES, begin, end, _WRITES):
        record = Record(*row)
        if not keys.holds(record.generation):
            await keys.refresh(connection)
        if keys.holds(record.generation):
            try:
                items = unseal(keys, record).items
            except Damaged:  # `verify` names it; what others wrote is kept all the same
                log.error(
                    "an entry of the journal was altered", worker=record.worker, sequence=record.sequence
                )  # no trace tells more
                continue
            for item in items:
                if item[0] in KINDS:
                    named[record.patient, item[0], item[1]] = None
    now = datetime.now(UTC).isoformat()
    lines = []
    for key in named:
        rows = await connection.fetchval(_query("directory_" if key[1] in _DIRECTORY_KINDS else ""), *key)
        lines.append(
            f'{{"at": "{now}", "patient": {key[0]}, "kind": {key[1]}, "res": {key[2]}, "rows": {_flat(rows)}}}\n'
        )
    return lines


def _flat(rows: str) -> str:
    return json.dumps(json.loads(rows))  # PostgreSQL breaks lines between the rows


# ---- files --------------------------------------------------------------------------------------------------------


def _append(path: Path, lines: Iterable[str]) -> None:
    with path.open("a+b") as file:
        file.truncate(_whole(file))
        file.write("".join(lines).encode())
        file.flush()
        os.fsync(file.fileno())


def _whole(file: BinaryIO) -> int:
    """The length up to the end of the last whole line: a power cut may have left half of one."""
    end = file.seek(0, os.SEEK_END)
    while end:
        start = max(0, end - 65536)
        file.seek(start)
        if (found := file.read(end - start).rfind(b"\n")) >= 0:
            return start + found + 1
        end = start
    return 0


def replace(path: Path, text: str) -> None:
    """Replaces a file in one step, synced."""
    part = path.with_name(f".{path.name}.{os.getpid()}")
    with part.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def prune(folder: Path, horizon: timedelta) -> None:
    """Forgets facts older than every backup that may still be restored. Erasures are never forgotten."""
    oldest = (datetime.now(UTC) - horizon).isoformat()
    kept = [line for line in read_rights(folder) if line["at"] >= oldest]
    if (folder / RIGHTS).exists():
        replace(folder / RIGHTS, "".join(json.dumps(line) + "\n" for line in kept))
