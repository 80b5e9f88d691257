"""docs/known-faults.md says how other servers went wrong and which test holds it here: the page and the tests agree."""

import ast
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from .test_layout import ROOT

PAGE = ROOT / "docs" / "known-faults.md"
CASE = re.compile(r"\b(?:hapi-fhir|starter|blaze|medplum|MS|LFH|hfs|fhir-gateway|HealthClawGuardrails)#[\d-]*\d")
ROW = re.compile(r"\| (?P<cases>[^|]+) \| (?P<what>[^|]+) \| (?P<tests>[^|]+) \|")


def told(folder: Path) -> dict[str, set[str]]:
    """By test, as pytest names it from the root on: the cases that its docstring names."""
    found = {}
    for path in sorted(folder.rglob("test_*.py")):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                name = f"{path.relative_to(folder.parent)}::{node.name}"
                found[name] = set(CASE.findall(ast.get_docstring(node) or ""))
    return found


def rows(page: str) -> list[tuple[set[str], set[str]]]:
    """The cases and the tests of each row."""
    return [
        (set(CASE.findall(row["cases"])), set(re.findall(r"`([^`]+)`", row["tests"])))
        for row in map(ROW.fullmatch, page.splitlines())
        if row is not None and CASE.search(row["cases"])
    ]


def disagreements(listed: Iterable[tuple[set[str], set[str]]], told: Mapping[str, set[str]]) -> list[str]:
    """What the page says that no test does, and the other way round."""
    wrong = []
    pairs: set[tuple[str, str]] = set()
    for cases, tests in listed:
        wrong += [f"{', '.join(sorted(cases))}: no test" for _ in range(not tests)]
        wrong += [f"{test}: there is no such test" for test in tests if test not in told]
        pairs |= {(case, test) for case in cases for test in tests}
        wrong += [
            f"{case}: no test of its row names it"
            for case in cases
            if not any(case in told.get(test, ()) for test in tests)
        ]
    here = {(case, test) for test, cases in told.items() for case in cases}
    return sorted(wrong) + sorted(f"{test} names {case}: the page does not say so" for case, test in here - pairs)


def test_each_case_has_its_test_and_each_test_its_row() -> None:
    listed = rows(PAGE.read_text())

    assert len({case for cases, _ in listed for case in cases}) > 80
    assert disagreements(listed, told(ROOT / "tests")) == []


def test_a_case_without_its_test_is_seen() -> None:
    [(cases, tests)] = rows(
        "| MS#1, blaze#2 | pages moved | `tests/a.py::test_a` |\n| Case | What | Test |\n|---|---|---|"
    )
    assert (cases, tests) == ({"MS#1", "blaze#2"}, {"tests/a.py::test_a"})

    assert disagreements([(cases, tests)], {"tests/a.py::test_a": {"MS#1", "blaze#2"}}) == []
    assert disagreements([(cases, tests)], {"tests/a.py::test_a": {"MS#1"}}) == ["blaze#2: no test of its row names it"]
    assert "tests/a.py::test_a: there is no such test" in disagreements([(cases, tests)], {})
    assert "MS#1, blaze#2: no test" in disagreements([(cases, set())], {})
    assert disagreements([], {"tests/a.py::test_a": {"MS#1"}}) == [
        "tests/a.py::test_a names MS#1: the page does not say so"
    ]
