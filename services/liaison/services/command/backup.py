"""`liaison backup`: make a backup while the service runs, and try one without touching anything."""

import asyncio
import tempfile
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

import typer

from liaison.auth.journal.commit import Journal
from liaison.auth.journal.entry import Entry, Event
from liaison.auth.journal.verify import Broken
from liaison.fhir.errors import Unavailable
from liaison.fhir.store.database import SCHEMA, UnknownSchema
from liaison.fhir.store.embedded import Embedded
from liaison.fhir.vault import NotAuthentic, ProviderError
from liaison.services import base
from liaison.services.command import Refused, app
from liaison.services.custody import archive, outside, papers
from liaison.services.custody.archive import BadBackup, Manifest
from liaison.services.custody.drill import Drilled
from liaison.services.custody.drill import drill as try_out
from liaison.services.custody.restore import NotEmpty
from liaison.services.house import NoKey, key_provider
from liaison.services.installation import FICTITIOUS, Kind, WrongInstallation, declared
from liaison.services.mishaps import sentence
from liaison.services.opening import opening
from liaison.services.settings import Settings

T = TypeVar("T")

backup = typer.Typer(help="Make a backup while the service runs, or try one.", invoke_without_command=True)
app.add_typer(backup, name="backup")

CANNOT: Final = (
    base.NoDatabase,
    UnknownSchema,
    NoKey,
    ProviderError,
    NotAuthentic,
    Unavailable,
    BadBackup,
    NotEmpty,
    outside.Unreadable,
    Broken,
    WrongInstallation,
)


def run(settings: Settings, work: Callable[[], Coroutine[Any, Any, T]], *, new: bool = False) -> T:
    """With the database up, made when it may be `new`; what cannot be is said in one sentence."""
    try:
        with base.running(settings) if new else base.standing(settings):
            return asyncio.run(work())
    except CANNOT as error:
        raise Refused(str(error)) from None


@backup.callback()
def make(
    context: typer.Context,
    to: Annotated[Path, typer.Option(help="Where backups are kept; the new one is a folder in it.")] = Path(
        "liaison-backups"
    ),
) -> None:
    """Make a backup in one snapshot, while the service runs; `verify` tries one. No key is in it."""
    if context.invoked_subcommand is None:
        _make(Settings(), to)


def _make(settings: Settings, folder: Path) -> None:
    _refuse_beside_key(settings, folder)

    async def work() -> tuple[Path, Manifest, Kind | None]:
        async with opening(settings) as opened:
            kind = await declared(opened.connection, opened.vault)
            where = folder / archive.name_now()
            async with opened.connection.transaction(isolation="repeatable_read", readonly=True):
                await opened.journal_keys.refresh(opened.connection)  # those of the snapshot open it, whatever follows
                manifest = await archive.write(
                    opened.connection, where, SCHEMA, opened.journal_keys.signer, papers=papers.told(settings.data)
                )
            journal = await Journal.open(opened.database, opened.journal_keys)
            await journal.record([Entry(Event.BACKUP, detail={"made_at": manifest.made_at, "to": str(where)})])
            await journal.close()
            return where, manifest, kind

    try:
        where, manifest, kind = run(settings, work)
    except OSError as error:
        raise Refused(f"La sauvegarde n'a pas pu être écrite dans {folder}. {sentence(error)}") from None
    try:
        outside.prune(settings.outside_folder, outside.HORIZON)
        papers.note_backup(settings.outside_folder, "last", path=str(where))
    except (OSError, ValueError, outside.Unreadable) as error:
        said = sentence(error) or str(error)
        raise Refused(f"La sauvegarde {where} est faite, mais n'a pas pu être notée. {said}") from None
    rows = sum(part.rows for part in manifest.parts)
    size = sum(part.size for part in manifest.parts)
    typer.echo(f"Sauvegarde faite : {where} ({rows} lignes, {size / 1e6:.1f} Mo).")
    if kind is Kind.SANDBOX:
        typer.echo(FICTITIOUS)
    typer.echo("Elle ne contient ni la clé ni les sessions. La copier hors de cette machine, à part de la clé.")


def _refuse_beside_key(settings: Settings, folder: Path) -> None:
    if settings.key_file is not None and settings.key_file.resolve().is_relative_to(folder.resolve()):
        raise Refused(f"Le fichier de clé est dans {folder} : une sauvegarde n'est pas rangée avec la clé qui l'ouvre.")


@backup.command()
def verify(
    folder: Annotated[Path, typer.Argument(help="A backup: a folder liaison-….")],
    quick: Annotated[bool, typer.Option(help="Files and signature only, without a trial restore.")] = False,
) -> None:
    """Try a backup: restore it into a base of its own, check the journal, open keys and bodies, throw it away."""
    settings = Settings()
    try:
        if quick:
            manifest = archive.read(folder)
            archive.check_files(folder, manifest)
            typer.echo(f"Fichiers entiers : sauvegarde du {manifest.made_at}. La restauration n'a pas été essayée.")
            return
        drilled = _drill(settings, folder)
    except CANNOT as error:
        raise Refused(str(error)) from None
    papers.note_backup(settings.outside_folder, "tried", made_at=drilled.made_at)
    at = drilled.verdict.at
    if drilled.kind is Kind.SANDBOX:
        typer.echo(FICTITIOUS)
    typer.echo(
        f"Sauvegarde du {drilled.made_at} restaurée à part et vérifiée : {drilled.patients} personnes, "
        f"{drilled.bodies} versions dont {drilled.opened} ouvertes, journal entier jusqu'à {at.size if at else 0} entrées."
    )


def _drill(settings: Settings, folder: Path) -> Drilled:
    provider = key_provider(settings)
    with tempfile.TemporaryDirectory(prefix="liaison-essai-") as temporary, Embedded(Path(temporary) / "base") as apart:
        return asyncio.run(try_out(folder, provider, apart.url))
