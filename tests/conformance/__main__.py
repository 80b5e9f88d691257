"""`make conformance`: starts a sandbox (or takes a running one), runs every check from outside, and prints the table.

python -m tests.conformance [folder of a running sandbox]
"""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
from rich.console import Console
from rich.table import Table

from ..services.running_sandbox import start, stop
from .checks import Check, NotRun
from .outside import Outside
from .suite import every

_FAULTS = (AssertionError, LookupError, ValueError, TypeError, AttributeError, StopIteration, httpx.HTTPError)
"""What a check says of a server that does otherwise: an assertion, or an answer that is not there to look at."""


@contextmanager
def _outside(arguments: list[str]) -> Iterator[Outside]:
    if arguments:
        with closing(Outside.of_folder(Path(arguments[0]))) as outside:
            yield outside
        return
    with tempfile.TemporaryDirectory() as folder:
        running = start(Path(folder) / "data")
        try:
            with closing(Outside(running.known)) as outside:
                yield outside
        finally:
            stop(running)


def _result(check: Check, outside: Outside) -> tuple[str, str]:
    try:
        check.run(outside)
    except NotRun as reason:
        return "not run", str(reason)
    except _FAULTS as error:
        return "FAILED", f"{type(error).__name__}: {error}"[:200]
    return "passed", ""


def main(arguments: list[str]) -> int:
    """1 when a check fails."""
    table = Table("", "check", "what it says", "asked by", show_lines=False)
    counts = {"passed": 0, "FAILED": 0, "not run": 0}
    with _outside(arguments) as outside:
        group = ""
        for check in every():
            if check.group != group:
                group = check.group
                table.add_section()
                table.add_row("", f"[bold]{group}[/bold]", "", "")
            result, why = _result(check, outside)
            counts[result] += 1
            table.add_row(result, check.name, f"{check.says} {why}".strip(), check.cites)
    console = Console(width=None if sys.stdout.isatty() else 200)
    console.print(table)
    console.print(", ".join(f"{count} {name}" for name, count in counts.items()))
    return 1 if counts["FAILED"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
