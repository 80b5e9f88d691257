"""`liaison journal`: is the access journal whole? Verify it, export it, show the key that verifies it."""

import asyncio
import json
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from liaison.auth.journal.checkpoint import NotSigned, Verifier
from liaison.auth.journal.commit import Journal
from liaison.auth.journal.entry import Entry, Event
from liaison.auth.journal.export import Export
from liaison.auth.journal.export import export as write_export
from liaison.auth.journal.live import Live
from liaison.auth.journal.verify import Broken, Verdict
from liaison.auth.journal.verify import verify as check
from liaison.fhir.errors import Unavailable
from liaison.fhir.store.database import UnknownSchema
from liaison.fhir.vault import ProviderError
from liaison.services import base
from liaison.services.command import Refused, app
from liaison.services.house import NoKey
from liaison.services.opening import opening
from liaison.services.sandbox.folder import Folder
from liaison.services.settings import Settings

journal = typer.Typer(help="The access journal: verify it, export it, show its public key.", no_args_is_help=True)
app.add_typer(journal, name="journal")

_CANNOT = (base.NoDatabase, UnknownSchema, NoKey, ProviderError, Unavailable)
T = TypeVar("T")
Data = Annotated[
    Path | None,
    typer.Option("--data", file_okay=False, help="The folder of a sandbox, or LIAISON_DATA of an installation."),
]
Json = Annotated[bool, typer.Option("--json", help="Print the verdict as JSON.")]


@journal.command()
def verify(
    export: Annotated[Path | None, typer.Option(help="Verify this export instead of the base.")] = None,
    key: Annotated[Path | None, typer.Option(help="File with the public key, for an export.")] = None,
    checkpoint: Annotated[
        list[Path] | None, typer.Option(help="A signed checkpoint kept elsewhere, that the journal must contain.")
    ] = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Check every entry, the tree, the checkpoints and the chains. Exit code 0: whole; 1: broken, and where."""
    held = [_read(path) for path in checkpoint or ()]
    try:
        if export is not None:
            if key is None:
                raise Refused(
                    "An export is verified with the public key: --key FILE (liaison journal key prints it).", 2
                )
            verdict = asyncio.run(check(Export(export), Verifier.parse(_read(key)), None, held))
        else:
            verdict = _live(_settings(data), held)
    except Broken as broken:
        _say_broken(broken, as_json)
        raise SystemExit(1) from None
    except NotSigned as error:
        raise Refused(f"{key}: {error}") from None
    _say(verdict, as_json)


def _live(settings: Settings, held: list[str]) -> Verdict:
    outside = settings.outside_folder / "journal.checkpoint"

    async def run() -> Verdict:
        async with opening(settings) as opened:
            # Read before the snapshot: a checkpoint is signed every moment, and this one must be in it.
            known = [*held, outside.read_text()] if outside.exists() else held
            async with opened.connection.transaction(isolation="repeatable_read", readonly=True):
                return await check(
                    Live(opened.connection), opened.journal_keys.signer.verifier, opened.journal_keys, known
                )

    return _with_database(settings, run)


@journal.command(name="export")
def export_(
    file: Annotated[Path, typer.Argument(help="Where to write; .gz compresses. Never overwritten.")],
    data: Data = None,
) -> None:
    """Write every entry, sealed as stored, with the checkpoints: what `verify --export` reads. Holds no clear text."""
    settings = _settings(data)

    async def run() -> int:
        async with opening(settings) as opened:
            if file.exists():
                raise FileExistsError
            # First that it is made, then the file: an export that nobody knows of does not exist.
            recorder = await Journal.open(opened.database, opened.journal_keys)
            await recorder.record([Entry(Event.EXPORT, method="console", path="journal export")])
            await recorder.close()
            async with opened.connection.transaction(isolation="repeatable_read", readonly=True):
                name = opened.journal_keys.signer.verifier.name
                return await write_export(Live(opened.connection), name, file)

    try:
        count = _with_database(settings, run)
    except FileExistsError:
        raise Refused(f"{file} exists already: an export is never written over.") from None
    except Broken as broken:
        raise Refused(f"The journal is broken at {broken.where}: {broken.what}.") from None
    typer.echo(f"{count} entries in {file}.")


@journal.command()
def key(data: Data = None) -> None:
    """Print the public key of the checkpoints. Give it to whoever keeps or verifies them."""
    settings = _settings(data)

    async def run() -> str:
        async with opening(settings) as opened:
            return str(opened.journal_keys.signer.verifier)

    typer.echo(_with_database(settings, run))


def _settings(data: Path | None) -> Settings:
    """Those of the environment, on the folder that is named. A sandbox has its key and its database in its folder, whatever
    the environment says of another installation."""
    if data is None:
        return Settings()
    folder = Folder(data)
    if not folder.marked:
        return Settings(data=folder.path)
    return Settings(data=folder.path, key_file=folder.key, database_url="", outside=None)


def _with_database(settings: Settings, run: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Runs with the database up: the running service's, or one started for the time of the command."""
    try:
        with base.standing(settings):
            return asyncio.run(run())
    except _CANNOT as error:
        raise Refused(str(error)) from None


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError as error:
        raise Refused(f"{path} cannot be read: {error.strerror}.") from None


def _say(verdict: Verdict, as_json: bool) -> None:
    at = verdict.at
    if as_json:
        found = verdict._asdict() | {"at": at and {"origin": at.origin, "size": at.size, "root": at.root.hex()}}
        typer.echo(json.dumps({"whole": True, **found}))
        return
    if at is None:
        typer.echo("Whole, but no checkpoint has been signed yet: nothing is proved.")
    else:
        typer.echo(f"Whole up to the checkpoint of {at.size} entries, root {at.root.hex()}, of {at.origin}.")
    if verdict.waiting:
        typer.echo(f"{verdict.waiting} more entries wait for their position; their chains are whole.")
    if not verdict.with_keys:
        typer.echo("Checked without the journal's keys: entries after the checkpoint are not covered.")
    if verdict.breaks:
        typer.echo(f"The journal declares {verdict.breaks} restore(s) from a backup.")


def _say_broken(broken: Broken, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"whole": False, "where": broken.where, "what": broken.what}))
    else:
        typer.echo(f"BROKEN at {broken.where}: {broken.what}.")
