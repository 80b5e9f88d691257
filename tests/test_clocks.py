"""What begins and ends does so by the database's clock (liaison.fhir.store.clock): the machine's own is read nowhere else."""

import ast
from pathlib import Path

import pytest

from .test_layout import AREAS, ROOT

ALLOWED = {
    "services/liaison/services/api/access_log.py": "a log line is dated as the machine's other logs are",
    "services/liaison/services/custody/papers.py": "dates of drills, for people to read",
    "services/liaison/services/custody/outside.py": "dates of files outside the database, compared among themselves",
    "services/liaison/services/custody/restore.py": "a file's name; the database is being replaced",
    "services/liaison/services/custody/archive.py": "a file's name",
    "services/liaison/services/custody/checks.py": "compares the machine's clock with the database's, among others",
    "services/liaison/services/command/init.py": "a date on a paper",
    "services/liaison/services/command/sandbox.py": "the day of a territory that is not loaded yet",
    "services/liaison/services/sandbox": "a territory of demonstration",
    "services/liaison/services/pages/reception/person.py": "bounds a birth date by a day more than today",
}
"""File or folder, and why it may."""
_READS = {("datetime", "now"), ("datetime", "utcnow"), ("datetime", "today"), ("date", "today"), ("time", "time")}


def reads(source: str) -> list[int]:
    """The lines that read the machine's clock."""
    return [
        node.lineno
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name | ast.Attribute)
        and (node.value.id if isinstance(node.value, ast.Name) else node.value.attr, node.attr) in _READS
    ]


def test_the_machine_s_clock_is_read_where_it_decides_nothing() -> None:
    found = {}
    for area in AREAS:
        for path in (ROOT / area).rglob("*.py"):
            name = str(path.relative_to(ROOT))
            if lines := reads(path.read_text()):
                found[name] = lines
    wrong = {name: lines for name, lines in found.items() if not any(Path(name).is_relative_to(one) for one in ALLOWED)}

    assert wrong == {}
    unused = [one for one in ALLOWED if not any(Path(name).is_relative_to(one) for name in found)]
    assert unused == []


@pytest.mark.parametrize(
    "source",
    [
        "datetime.now(UTC)",
        "x = time.time()",
        "date.today()",
        "import datetime\ndatetime.datetime.now()",
        "f(time.time)",
    ],
)
def test_each_way_to_read_it_is_seen(source: str) -> None:
    assert reads(source)
