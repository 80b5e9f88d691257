"""`liaison protocol publish, diff`: a folder comes into force, and what it would change of what is in force.

A console does not know who types: whoever publishes is named, and the journal keeps it.
"""

from pathlib import Path
from typing import Annotated

import typer

from liaison.protocols import library
from liaison.protocols.library.differences import differences
from liaison.protocols.library.pinning import all_pinned
from liaison.protocols.library.source import Malformed
from liaison.services.command import Refused
from liaison.services.command.within import within
from liaison.services.house import House
from liaison.services.library.published import in_force, publications
from liaison.services.library.publishing import NotPublished
from liaison.services.library.publishing import publish as publish_folder

LONGEST = 300

Folder = Annotated[
    Path,
    typer.Option("--library", exists=True, file_okay=False, help="A folder of protocols; the shipped one otherwise."),
]
By = Annotated[str, typer.Option(help="Who publishes, by name and function.")]


def load(folder: Path) -> library.Library:
    """Raises Refused, with file and line."""
    try:
        return library.load(folder)
    except Malformed as error:
        raise Refused(str(error)) from None


def publish(folder: Folder = library.FOLDER, by: By = "") -> None:
    """Put what is new in a folder in force, for good; the service need not be started anew. All of it or nothing."""
    who = by.strip()
    if not who or len(who) > LONGEST:
        raise Refused(f"A protocol comes into force by someone: say --by, in at most {LONGEST} characters.", 2)
    found = load(folder)

    async def work(house: House) -> list[str]:
        return [one.canonical for one in await publish_folder(house, found, who)]

    try:
        new = within(work)
    except NotPublished as error:
        for problem in error.problems:
            typer.echo(str(problem))
        raise Refused(f"{len(error.problems)} problems in {folder}: nothing was published.") from None
    for canonical in new:
        typer.echo(f"publié : {canonical}")
    typer.echo(f"{len(new)} publiés, {len(found.sources) - len(new)} l'étaient déjà.")


def diff(folder: Folder = library.FOLDER) -> None:
    """What the folder changes of what is in force, in words, by file and line; nothing is changed."""
    found = load(folder)

    async def work(house: House) -> library.Library:
        return await in_force(house.database.reading, house.vault)

    force = within(work)
    told = differences(force, all_pinned(found, force, library.shipped()))
    for line in told:
        typer.echo(str(line))
    typer.echo(f"{len(told)} différences." if told else "Aucune différence.")


def published() -> None:
    """What was published here: version, by whom, when."""

    async def work(house: House) -> list[str]:
        return [f"{one.at}  {one.canonical}  {one.published_by}" for one in await publications(house.database.reading)]

    for line in within(work):
        typer.echo(line)


COMMANDS = (publish, diff, published)
