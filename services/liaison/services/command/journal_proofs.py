"""`liaison journal prove, checkpoint, stats` and `verify --proof`: what leaves the house about the journal, and its size."""

import asyncio
import json
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

import typer

from liaison.auth.journal import offline, proof, statistics
from liaison.auth.journal.acts import Act
from liaison.auth.journal.audit_event import identifier, place
from liaison.auth.journal.checkpoint import NotSigned, Verifier
from liaison.auth.journal.entry import Event, event_name
from liaison.auth.journal.export import Export
from liaison.auth.journal.live import handovers
from liaison.auth.journal.proof import Consistency, Inclusion, NoProof
from liaison.auth.journal.succession import Succession
from liaison.auth.journal.tree import ProofError
from liaison.auth.journal.verify import Broken
from liaison.services.command import Refused
from liaison.services.command.journal_opened import (
    Data,
    ExportFile,
    Json,
    NewFile,
    PublicKeys,
    note,
    read_export,
    read_file,
    refuse_existing,
    settings_on,
    with_database,
    write_new,
)
from liaison.services.opening import Opening

T = TypeVar("T")
_DIGITS: Final = 19
"""A position has fewer: PostgreSQL counts up to 2^63."""


def prove(
    entry: Annotated[str, typer.Argument(help="The id of an AuditEvent, or the position of an entry, from 0.")],
    file: NewFile,
    data: Data = None,
    export: ExportFile = None,
    key: PublicKeys = None,
) -> None:
    """Write the proof that this entry stands in the journal: what `verify --proof` reads. Holds the entry, sealed."""
    refuse_existing(file)
    id_ = entry.removeprefix("AuditEvent/")
    where = place(id_)
    if where is None and not (id_.isascii() and id_.isdecimal() and len(id_) < _DIGITS):
        raise Refused(f"{entry} is neither the id of an AuditEvent nor a position in the journal.", 2)

    if export is not None:
        found = _of_export(export, key, lambda one, trusted: offline.prove(one, trusted, where or int(id_)))
        _write(file, found)
        return

    async def work(opened: Opening) -> Inclusion:
        await note(opened, Event.JOURNAL_READ, Act.PROVEN, f"journal prove {id_}")
        async with opened.connection.transaction(isolation="repeatable_read", readonly=True):
            if where is not None:
                return await proof.of_entry(opened.connection, *where)
            return await proof.of_position(opened.connection, int(id_))

    _write(file, with_database(settings_on(data), work))


def _write(file: Path, found: Inclusion) -> None:
    write_new(file, found.text())
    typer.echo(f"Entry {found.position}, proved by {len(found.path)} hashes, in {file}.")


def _of_export(path: Path, keys: list[Path] | None, work: Callable[[Export, Succession], Coroutine[Any, Any, T]]) -> T:
    """Made of a file, with the public key alone. Raises Refused for a file that is not what was signed."""
    try:
        return asyncio.run(work(*read_export(path, keys)))
    except NoProof as error:
        raise Refused(str(error)) from None
    except (ProofError, NotSigned, Broken) as error:
        raise Refused(
            f"BROKEN: {str(error).removesuffix('.')}. `liaison journal verify --export` says where."
        ) from None


def checkpoint(
    file: NewFile,
    since: Annotated[
        Path | None,
        typer.Option(help="A checkpoint kept elsewhere: the file proves too that the journal continues it (RFC 9162)."),
    ] = None,
    data: Data = None,
    export: ExportFile = None,
    key: PublicKeys = None,
) -> None:
    """Write the last signed checkpoint, for a partner to keep: afterwards nothing before it changes unseen."""
    refuse_existing(file)
    held = read_file(since) if since else ""
    if export is not None:
        size, text = _of_export(export, key, lambda one, trusted: _kept(one, trusted, held))
        write_new(file, text)
        typer.echo(f"Checkpoint of {size} entries in {file}.")
        return

    async def work(opened: Opening) -> tuple[int, str]:
        async with opened.connection.transaction(isolation="repeatable_read", readonly=True):
            size, signed = await proof.last(opened.connection)
            if not held:
                return size, signed
            trusted = Succession(opened.journal_keys.signer.verifier, await handovers(opened.connection))
            found = await proof.since(opened.connection, trusted.open(held).size)
            found.check(trusted, held)
            return size, found.text()

    try:
        size, text = with_database(settings_on(data), work)
    except ProofError:
        raise Refused(
            f"BROKEN: the journal does not continue {since}. `liaison journal verify --since` says where."
        ) from None
    write_new(file, text)
    typer.echo(f"Checkpoint of {size} entries in {file}.")


async def _kept(export: Export, trusted: Succession, held: str) -> tuple[int, str]:
    size, signed = await offline.last(export)
    trusted.open(signed)
    return size, (await offline.continued(export, trusted, held)).text() if held else signed


def stats(data: Data = None, as_json: Json = False, export: ExportFile = None) -> None:
    """Print how large the journal is, by kind of entry, month and outcome, and which months can still be read. Of an export:
    what is in the file, which `verify --export` proves."""
    if export is not None:
        try:
            told = asyncio.run(offline.counted(Export(export)))._asdict()
        except Broken as broken:
            raise Refused(f"{export} cannot be counted: {broken}.") from None
        typer.echo(
            json.dumps(told) if as_json else "\n".join(f"{name}: {_said(value)}" for name, value in told.items())
        )
        return

    async def work(opened: Opening) -> statistics.Statistics:
        return await statistics.of(opened.connection)

    found = with_database(settings_on(data), work)
    if as_json:
        typer.echo(json.dumps(found._asdict()))
        return
    typer.echo(f"{found.entries} entries, {found.waiting} without a position yet; {found.checkpoints} checkpoints.")
    typer.echo(f"From {found.first} to {found.last}.")
    typer.echo(
        f"{found.bytes / 1e6:.1f} MB on disk with indexes and proofs, {found.bytes_per_entry:.0f} bytes an entry."
    )
    for title, counts in (("By kind", found.events), ("By outcome", found.outcomes)):
        typer.echo(f"{title}: " + ", ".join(f"{name} {count}" for name, count in counts.items()))
    for month, count in found.months.items():
        typer.echo(f"  {month}  {count:>9}{'' if month in found.readable else '  key destroyed: proofs only'}")


def _said(value: object) -> str:
    return ", ".join(f"{name} {count}" for name, count in value.items()) if isinstance(value, dict) else str(value)


COMMANDS: Final[tuple[Callable[..., None], ...]] = (prove, checkpoint, stats)


# ---- verify --proof -----------------------------------------------------------------------------------------------


def check(text: str, trusted: Verifier, handed: list[str], held: list[str], *, as_json: bool) -> None:
    """Says what a proof shows, or why it shows nothing: exit code 1."""
    try:
        found = proof.read(text)
        succession = Succession(trusted, handed)
        said = _inclusion(found, succession) if isinstance(found, Inclusion) else _consistency(found, succession, held)
    except (NoProof, ProofError, NotSigned) as error:
        later = " If the journal's key was changed: --key OLD --key NEW." if isinstance(error, NotSigned) else ""
        typer.echo(json.dumps({"proved": False, "what": str(error)}) if as_json else f"NOT PROVED: {error}{later}")
        raise SystemExit(1) from None
    typer.echo(json.dumps({"proved": True, **said[1]}) if as_json else said[0])


def _inclusion(found: Inclusion, trusted: Succession) -> tuple[str, dict[str, Any]]:
    record, signed = found.check(trusted)
    id_, event = identifier(record.worker, record.sequence), event_name(record.event)
    told = (
        f"Proved: AuditEvent/{id_} is entry {found.position} of the {signed.size} of {signed.origin}.\n"
        f"It says: {record.at.isoformat()}, {event}, outcome {record.outcome}, patient {record.patient}, person "
        f"{record.person}, organisation {record.organization}; the rest is sealed."
    )
    return told, {
        "id": id_,
        "position": found.position,
        "size": signed.size,
        "at": record.at.isoformat(),
        "event": event,
    }


def _consistency(found: Consistency, trusted: Succession, held: list[str]) -> tuple[str, dict[str, Any]]:
    if len(held) != 1:
        raise Refused("This proof begins at a checkpoint that you keep: name it with --since FILE.", 2)
    before, after = found.check(trusted, held[0])
    told = f"Proved: the journal of {after.size} entries begins with the {before.size} of your checkpoint, unchanged."
    return told, {"since": before.size, "size": after.size}
