"""`liaison sandbox tamper`: changes a line of the sandbox's journal behind its back, and shows that `verify` names it."""

import asyncio
from pathlib import Path
from typing import Annotated, Final

import typer

from liaison.auth.journal.live import Live
from liaison.auth.journal.verify import Broken, verify
from liaison.services import base
from liaison.services.command import Refused
from liaison.services.command.journal_opened import CANNOT, settings_on
from liaison.services.custody import outside
from liaison.services.installation import Kind, WrongInstallation, declared
from liaison.services.opening import Opening, opening
from liaison.services.sandbox import tampering
from liaison.services.sandbox.folder import Folder
from liaison.services.sandbox.tampering import How, NotTampered

_DONE: Final = {
    How.CHANGE: "Line {at} was changed in the database: it now says that its act was an hour earlier.",
    How.DELETE: "Line {at} was deleted from the database.",
    How.SWAP: "Lines {at} and {next} were put in each other's place in the database.",
    How.UNDO: "Line {at} is back as it was.",
}


def tamper(
    how: Annotated[How, typer.Argument(help="What to do to a line; undo puts it back.")],
    line: Annotated[int | None, typer.Option(min=0, help="Its number, from 0; one in the middle otherwise.")] = None,
    data: Annotated[Path, typer.Option("--data", file_okay=False, help="The sandbox's folder.")] = Path(
        "liaison-sandbox"
    ),
) -> None:
    """Change, delete or swap a line of the journal as an operator of the database could; then verify it. Only on a sandbox.

    See it too at « Le journal est-il intact ? », signed in as the auditor. `tamper undo` puts the line back."""
    folder, settings = Folder(data), settings_on(data)
    if not folder.complete:
        raise Refused(f"{folder.path} is no sandbox that was filled. Make one: liaison sandbox --data {data}")

    async def work() -> tuple[int, str]:
        async with opening(settings) as opened:
            if await declared(opened.connection, opened.vault) is not Kind.SANDBOX:
                raise Refused("This base is not a sandbox: its journal is not tampered with.")
            if how is How.UNDO:
                at = await tampering.undo(opened.connection, folder.path)
            else:
                at = await tampering.tamper(opened.connection, folder.path, how, line)
            return at, await _verdict(opened, settings.outside_folder)

    try:
        with base.standing(settings):
            at, verdict = asyncio.run(work())
    except (*CANNOT, NotTampered, WrongInstallation) as error:
        raise Refused(str(error)) from None
    typer.echo(_DONE[how].format(at=at, next=at + 1))
    typer.echo(f"\nliaison journal verify --data {data}\n  {verdict}")
    if how is not How.UNDO:
        typer.echo(f"\nPut it back: liaison sandbox tamper undo --data {data}")


async def _verdict(opened: Opening, kept: Path) -> str:
    held = await asyncio.to_thread(outside.checkpoints, kept)
    async with opened.connection.transaction(isolation="repeatable_read", readonly=True):
        try:
            found = await verify(
                Live(opened.connection), opened.journal_keys.signer.verifier, opened.journal_keys, held
            )
        except Broken as broken:
            return f"BROKEN at {broken.where}: {broken.what}."
    return f"Whole up to the checkpoint of {found.at.size} entries." if found.at else "Whole; nothing is signed yet."
