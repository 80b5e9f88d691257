"""`liaison doctor`: is this installation well? One line a check, one line of what to do."""

import asyncio
import json
from dataclasses import asdict
from typing import Annotated, Final

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.markup import escape

from liaison.services.command import Refused, app
from liaison.services.custody.checks import BROKEN, LOOK, OK, examine
from liaison.services.mishaps import sentence
from liaison.services.settings import Settings

_STYLE: Final = {OK: "green", LOOK: "yellow", BROKEN: "bold red"}


@app.command()
def doctor(as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False) -> None:
    """Check base, keys, journal, disk, clock, backups and hosting. Exit code 0: OK; 1: à voir; 2: cassé."""
    try:
        settings = Settings()
    except ValidationError as error:
        raise Refused(sentence(error), 2) from None  # 1 would read as « à voir »
    found = asyncio.run(examine(settings))
    worst = max((list(_STYLE).index(one.level) for one in found), default=0)
    if as_json:
        typer.echo(
            json.dumps({"level": list(_STYLE)[worst], "checks": [asdict(one) for one in found]}, ensure_ascii=False)
        )
    else:
        console = Console(highlight=False, soft_wrap=True)
        for one in found:
            console.print(f"[{_STYLE[one.level]}]{one.level:<6}[/]  {escape(one.name)} : {escape(one.text)}")
            if one.fix:
                console.print(f"        → {escape(one.fix)}")
    raise typer.Exit(worst)
