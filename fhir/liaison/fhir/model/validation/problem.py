"""One thing wrong, with a path that grows on the way up: nothing is spent on paths while all is well."""

from dataclasses import dataclass


@dataclass(slots=True)
class Problem:
    """`path` is relative to what was checked ('.component[1].value'); `code` is an issue type of R4."""

    path: str
    code: str
    text: str
    severity: str = "error"


Problems = list[Problem]


def under(problems: Problems, start: int, step: str) -> None:
    """Puts a step before the path of every problem found since `start`."""
    for problem in problems[start:]:
        problem.path = step + problem.path


def shown(name: str) -> str:
    """A property name that came from outside, or a word for it when it does not look like one."""
    return f"'{name}'" if name.isascii() and name.isidentifier() and len(name) < 65 else "of this name"
