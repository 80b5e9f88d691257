"""Only those who mean the packaged table read it: everyone else asks the base which table is in force."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import liaison.auth
import liaison.services

SOURCES = [Path(folder) for package in (liaison.auth, liaison.services) for folder in package.__path__]
NAMES = {"packaged", "packaged_text"}
MEANT = {
    "adopted.py": "says which table is in force",
    "adopting.py": "goes back to it",
    "class_readers.py": "a classification is bound by it, whatever table is in force",
    "table_check.py": "the code rests on its rows: another table has them all",
    "table.py": "is where the packaged table is",
    "dpo/told.py": "is what the papers tell where there is no installation",
    "command/rules.py": "shows it where there is no base, and says that it is newer",
    "command/rules_adopt.py": "compares with it, where the one in force is not understood",
}


def read_in(source: str) -> Iterator[str]:
    """What a module takes of the packaged table: by its functions, or by the name of the file."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module == "liaison.auth.access.table":
            yield from sorted({alias.name for alias in node.names} & NAMES)
        if isinstance(node, ast.Attribute) and node.attr in NAMES:
            yield node.attr


def readers() -> dict[str, list[str]]:
    found = {}
    for folder in SOURCES:
        for path in folder.rglob("*.py"):
            if names := list(read_in(path.read_text("utf-8"))):
                found[path.relative_to(folder).as_posix()] = names
    return found


def test_nobody_takes_the_packaged_table_for_the_one_in_force() -> None:
    found = readers()
    assert [name for name in found if not any(name.endswith(one) for one in MEANT)] == []
    assert any(name.endswith("access/adopted.py") for name in found), "the walk finds nothing"


@pytest.mark.parametrize(
    "planted",
    [
        "from liaison.auth.access.table import Line, packaged\nTABLE = packaged()",
        "from liaison.auth.access import table\nTABLE = table.packaged()",
    ],
    ids=["by name", "by module"],
)
def test_a_planted_reader_is_found(planted: str) -> None:
    assert list(read_in(planted)) == ["packaged"]
