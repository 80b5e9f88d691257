"""Records each SQL statement that the service's own code sends during a test run, with the line that sent it."""

import sys
from pathlib import Path
from typing import Any

from asyncpg import Connection


class Watch:
    """`new` gives the statements not seen before by any test: (text, file:line)."""

    def __init__(self) -> None:
        self._seen: dict[str, str] = {}
        self._fresh: list[tuple[str, str]] = []

    def install(self) -> None:
        prepared, simple = Connection._get_statement, Connection.execute

        async def get_statement(connection: Any, query: str, *more: Any, **named: Any) -> Any:
            self._note(query)
            return await prepared(connection, query, *more, **named)

        async def execute(connection: Any, query: str, *more: Any, **named: Any) -> Any:
            self._note(query)
            return await simple(connection, query, *more, **named)

        Connection._get_statement = get_statement
        Connection.execute = execute

    def new(self) -> list[tuple[str, str]]:
        fresh, self._fresh = self._fresh, []
        return fresh

    def _note(self, query: str) -> None:
        if query not in self._seen:
            self._seen[query] = sender = _sender()
            if sender.startswith(SERVICE):
                self._fresh.append((query, sender))


# Whole paths: the folder that someone cloned into may well be called "liaison" too, with the libraries below it.
_ROOT = Path(__file__).parents[2]
SERVICE = tuple(f"{_ROOT / area / 'liaison'}/" for area in ("fhir", "auth", "protocols", "services"))
TESTS = f"{_ROOT / 'tests'}/"


def _sender() -> str:
    """The first frame that is ours: a test's own SQL may do what the service's may not."""
    frame = sys._getframe(1)
    while frame is not None:
        name = frame.f_code.co_filename
        if name != __file__ and name.startswith((*SERVICE, TESTS)):
            return f"{name}:{frame.f_lineno}"
        frame = frame.f_back  # type: ignore[assignment]  # None ends the loop
    return ""
