"""What every `liaison journal` command begins with: which installation, its database up, files that are read and written."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

import typer

from liaison.auth.journal.acts import Act
from liaison.auth.journal.checkpoint import NotSigned, Verifier
from liaison.auth.journal.commit import Journal
from liaison.auth.journal.entry import Entry, Event
from liaison.auth.journal.export import Export
from liaison.auth.journal.proof import NoProof
from liaison.auth.journal.succession import Succession, notes_in
from liaison.auth.journal.tiles import MissingTile
from liaison.fhir.errors import Unavailable
from liaison.fhir.store.database import UnknownSchema
from liaison.fhir.vault import ProviderError
from liaison.services import base
from liaison.services.command import Refused
from liaison.services.house import NoKey
from liaison.services.opening import Opening, opening
from liaison.services.sandbox.folder import Folder
from liaison.services.settings import Settings

CANNOT: Final = (base.NoDatabase, UnknownSchema, NoKey, ProviderError, Unavailable)
T = TypeVar("T")
Data = Annotated[
    Path | None,
    typer.Option("--data", file_okay=False, help="The folder of a sandbox, or LIAISON_DATA of an installation."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
ExportFile = Annotated[
    Path | None, typer.Option("--export", help="From this export instead of the base: no key of the service is needed.")
]
PublicKeys = Annotated[
    list[Path] | None,
    typer.Option("--key", help="File with the public key, for an export. More files: later keys that follow from it."),
]
NewFile = Annotated[Path, typer.Argument(help="Where to write. Never overwritten.")]


def settings_on(data: Path | None) -> Settings:
    """Those of the environment, on the folder that is named. A sandbox has its key, its database and its address in its folder,
    whatever the environment says of another installation."""
    if data is None:
        return Settings()
    folder = Folder(data)
    if not folder.marked:
        return Settings(data=folder.path)
    address = folder.read()["issuer"] if folder.complete else ""
    return Settings(data=folder.path, key_file=folder.key, database_url="", outside=None, public_url=address)


def with_database(settings: Settings, work: Callable[[Opening], Coroutine[Any, Any, T]]) -> T:
    """Works with the database up: the running service's, or one started for the time of the command."""

    async def run() -> T:
        async with opening(settings) as opened:
            return await work(opened)

    try:
        with base.standing(settings):
            return asyncio.run(run())
    except CANNOT as error:
        raise Refused(str(error)) from None
    except (NoProof, NotSigned, MissingTile) as error:
        raise Refused(f"{error} `liaison journal verify` says whether the journal is whole.") from None


async def note(opened: Opening, event: Event, act: Act, path: str) -> None:
    """The entry of what is done at the console: it is durable before anything is shown or written."""
    recorder = await Journal.open(opened.database, opened.journal_keys)
    await recorder.record([Entry(event, method="console", path=path, detail={"act": act})])
    await recorder.close()


def read_file(path: Path) -> str:
    try:
        return path.read_text()
    except OSError as error:
        raise Refused(f"{path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise Refused(f"{path} cannot be read: it is no text.") from None


def read_keys(paths: list[Path]) -> tuple[Verifier, list[str]]:
    """The key of the first file, which is trusted, and the handovers of all: they lead from it to later and earlier keys."""
    texts = [read_file(path) for path in paths]
    try:
        trusted = Verifier.parse(texts[0].strip().partition("\n")[0])
    except NotSigned as error:
        raise Refused(f"{paths[0]}: {error}") from None
    return trusted, [one for text in texts for one in notes_in(text)]


def read_export(path: Path, keys: list[Path] | None) -> tuple[Export, Succession]:
    """An export that is to be proved from, and whose keys are trusted. Raises Refused without a key, Broken of another file."""
    if not keys:
        raise Refused(
            "It is verified with the public key alone: --key FILE (liaison journal key prints it, once and for all).", 2
        )
    trusted, notes = read_keys(keys)
    return Export(path), Succession(trusted, notes)


def refuse_existing(path: Path) -> None:
    if path.exists():
        raise Refused(f"{path} exists already: it is never written over.")


def write_new(path: Path, text: str) -> None:
    try:
        with path.open("x") as file:
            file.write(text)
    except FileExistsError:
        refuse_existing(path)
    except OSError as error:
        raise Refused(f"{path} cannot be written: {error.strerror}.") from None
