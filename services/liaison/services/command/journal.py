"""`liaison journal`: is the access journal whole? Verify it, export it, show the key that verifies it, prove one line."""

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from liaison.auth.journal import verify as checking
from liaison.auth.journal.acts import Act
from liaison.auth.journal.entry import Event
from liaison.auth.journal.export import Export
from liaison.auth.journal.export import export as write_export
from liaison.auth.journal.live import Live, handovers
from liaison.auth.journal.statistics import month
from liaison.auth.journal.verify import Broken, Verdict
from liaison.services.command import Refused, app, journal_expired, journal_generated, journal_mandates, journal_proofs
from liaison.services.command.journal_opened import (
    Data,
    Json,
    NewFile,
    note,
    read_file,
    read_keys,
    refuse_existing,
    settings_on,
    with_database,
)
from liaison.services.custody import outside
from liaison.services.opening import Opening
from liaison.services.settings import Settings

journal = typer.Typer(
    help="The access journal: verify it, export it, prove a line of it, show its public key.", no_args_is_help=True
)
app.add_typer(journal, name="journal")
_COMMANDS: tuple[Callable[..., None], ...] = (
    *journal_proofs.COMMANDS,
    journal_expired.expire,
    journal_generated.generate,
    journal_mandates.mandate,
)
for _command in _COMMANDS:
    journal.command()(_command)


@journal.command()
def verify(
    export: Annotated[Path | None, typer.Option(help="Verify this export instead of the base.")] = None,
    proof: Annotated[
        Path | None,
        typer.Option(help="Verify this proof: of a line (prove), or since a checkpoint (checkpoint --since)."),
    ] = None,
    key: Annotated[
        list[Path] | None,
        typer.Option(
            help="File with the public key, for an export or a proof. More files: later keys that follow from it."
        ),
    ] = None,
    since: Annotated[
        list[Path] | None,
        typer.Option(
            "--since", "--checkpoint", help="A signed checkpoint kept elsewhere: nothing before it has changed."
        ),
    ] = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Check every entry, the tree, the checkpoints and the chains. Exit code 0: whole; 1: broken, and where, or an export
    that ends before a checkpoint of --since."""
    held = [read_file(path) for path in since or ()]
    if proof is not None or export is not None:
        if not key:
            raise Refused(
                "It is verified with the public key alone: --key FILE (liaison journal key prints it, once and for all).",
                2,
            )
        if proof is not None:
            journal_proofs.check(read_file(proof), *read_keys(key), held, as_json=as_json)
            return
    try:
        with _bar(as_json) as progress:
            if export is not None and key:
                trusted, notes = read_keys(key)
                verdict = asyncio.run(checking.verify(Export(export), trusted, None, held, progress, notes))
            else:
                verdict = _live(settings_on(data), held, progress)
    except Broken as broken:
        _say_broken(broken, as_json)
        raise SystemExit(1) from None
    _say(verdict, len(held), as_json)
    if verdict.beyond:
        raise SystemExit(1)


def _live(settings: Settings, held: list[str], progress: checking.Progress) -> Verdict:
    async def work(opened: Opening) -> Verdict:
        # Read before the snapshot: a checkpoint is signed every moment, and this one must be in it.
        known = [*held, *outside.checkpoints(settings.outside_folder)]
        async with opened.connection.transaction(isolation="repeatable_read", readonly=True):
            keys = opened.journal_keys
            return await checking.verify(Live(opened.connection), keys.signer.verifier, keys, known, progress)

    return with_database(settings, work)


@contextmanager
def _bar(quiet: bool) -> Iterator[checking.Progress]:
    """A progress bar on the terminal, if there is one."""
    console = Console(stderr=True)
    columns = (TextColumn("Entries"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=quiet or not console.is_terminal) as bar:
        task = bar.add_task("verify", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


@journal.command(name="export")
def export_(file: NewFile, data: Data = None) -> None:
    """Write every entry, sealed as stored, with the checkpoints: what `verify --export` reads. Holds no clear text.

    A name that ends in .gz is compressed."""
    refuse_existing(file)

    async def work(opened: Opening) -> int:
        # First that it is made, then the file: an export that nobody knows of does not exist.
        await note(opened, Event.EXPORT, Act.JOURNAL_EXPORTED, "journal export")
        async with opened.connection.transaction(isolation="repeatable_read", readonly=True):
            name = opened.journal_keys.signer.verifier.name
            return await write_export(Live(opened.connection), name, file)

    try:
        count = with_database(settings_on(data), work)
    except FileExistsError:
        raise Refused(f"{file} exists already: it is never written over.") from None
    except Broken as broken:
        raise Refused(f"The journal is broken at {broken.where}: {broken.what}.") from None
    typer.echo(f"{count} entries in {file}.")


@journal.command()
def key(data: Data = None) -> None:
    """Print the public key of the checkpoints. Give it to whoever keeps or verifies them.

    When it was changed, the checkpoints follow that both keys have signed: they lead from one to the other."""

    async def work(opened: Opening) -> tuple[str, list[str]]:
        return str(opened.journal_keys.signer.verifier), await handovers(opened.connection)

    found, notes = with_database(settings_on(data), work)
    typer.echo("\n".join([found, *(f"\n{one}" for one in notes)]).rstrip("\n"))


def _say(verdict: Verdict, held: int, as_json: bool) -> None:
    at = verdict.at
    if as_json:
        found = verdict._asdict() | {"at": at and {"origin": at.origin, "size": at.size, "root": at.root.hex()}}
        typer.echo(json.dumps({"whole": True, **found}))
        return
    if at is None:
        typer.echo("Whole, but no checkpoint has been signed yet: nothing is proved.")
    else:
        typer.echo(f"Whole up to the checkpoint of {at.size} entries, root {at.root.hex()}, of {at.origin}.")
    for size in verdict.beyond:
        typer.echo(
            f"NOT COVERED: the export ends at {verdict.entries} entries, before the checkpoint of {size} that you keep."
            " Verify one that was made after it; where there is none, entries were cut off."
        )
    if held := held - len(verdict.beyond):
        typer.echo(f"It contains the {held} checkpoint(s) kept elsewhere: nothing before them was changed since.")
    if verdict.waiting:
        typer.echo(f"{verdict.waiting} more entries wait for their position; their chains are whole.")
    if not verdict.with_keys:
        typer.echo("Checked without the journal's keys: entries after the checkpoint are not covered.")
    for lost in verdict.lost:
        typer.echo(
            f"The key of {month(lost)} is gone, and no entry says that it was destroyed: what was written then cannot be read."
        )
    if verdict.breaks:
        typer.echo(f"The journal declares {verdict.breaks} restore(s) from a backup.")


def _say_broken(broken: Broken, as_json: bool) -> None:
    if as_json:
        told = {"whole": False, "where": broken.where, "what": broken.what, "signed": broken.reached}
        typer.echo(json.dumps(told))
    else:
        typer.echo(f"BROKEN at {broken.where}: {broken.what.rstrip('.')}.")
        if broken.reached:
            typer.echo(f"Up to the checkpoint of {broken.reached} entries, each is the one that was signed.")
