"""The `liaison` command: one file per command, each of which registers itself on `app`.

Exit codes: 0 done, 1 refused or failed, 2 wrong usage (Typer's own). A failure prints one sentence that says what to do.
"""

import gc
import importlib
import os
import pkgutil
import sys
from pathlib import Path

import typer

from liaison.services import logs

app = typer.Typer(
    name="liaison",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # A traceback with local variables could show keys or a record.
    help="Liaison: one shared record and one plan around a patient.",
)


class Refused(Exception):
    """A command that cannot go on; its text says what is wrong and what to do. `main` prints it and exits with `code`."""

    def __init__(self, text: str, code: int = 1) -> None:
        self.code = code
        super().__init__(text)


@app.callback()
def _liaison() -> None:
    """Keeps `liaison <command>` even when only one command is registered."""


def main() -> None:
    """Entry point of the console script."""
    # What is loaded stays. The collector would walk through it again and again, for a seventh of the time it takes to load.
    gc.disable()
    # Python looks for the modules of the processes that it starts in the folder of the moment first, for those of this one
    # it does not: a types.py there ended them.
    os.environ["PYTHONSAFEPATH"] = "1"
    logs.configure()
    _register(sys.argv[1] if len(sys.argv) > 1 else "")
    gc.freeze()
    gc.enable()
    try:
        app()
    except Refused as refusal:
        typer.echo(f"liaison: {refusal}", err=True)
        raise SystemExit(refusal.code) from None
    except Exception as error:
        from liaison.services.mishaps import sentence  # only now: what it knows takes time to load

        said = sentence(error)
        if not said:
            raise
        typer.echo(f"liaison: {said}", err=True)
        raise SystemExit(1) from None


def _register(word: str) -> None:
    """The command asked for. For a menu, or a word that is none, their names alone; for what cannot be told (an option
    before the command), all of them."""
    files = [module.name for module in pkgutil.iter_modules(__path__)]
    asked = [name for name in files if name.removesuffix("_") == word]
    if not asked and (word == "--help" or not word.startswith("-")):
        from liaison.services.command import menu  # only now: a command has no need of it

        menu.show(app, (Path(__path__[0]) / f"{name}.py" for name in files))
        return
    for name in asked or files:
        importlib.import_module(f"{__name__}.{name}")
