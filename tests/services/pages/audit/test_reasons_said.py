"""Reasons that the service writes as codes are words on the pages; what people typed stays."""

import ast
from pathlib import Path

import pytest

from liaison import services
from liaison.auth.journal.acts import Act
from liaison.services.pages.audit.reasons_said import reason_said

FOLDER = Path(services.__path__[0])


def codes() -> set[str]:
    """The beginning of each reason that code gives to `journaled`, or to an entry by the name of `reason`."""
    found = set()
    for file in FOLDER.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if not isinstance(node, ast.Call):
                continue
            name = getattr(node.func, "id", "")
            given = [node.args[-1]] if name in ("journaled", "_journaled", "_reopened") and node.args else []
            given += [word.value for word in node.keywords if word.arg == "reason"]
            for value in given:
                first = value.values[0] if isinstance(value, ast.JoinedStr) else value
                if isinstance(first, ast.FormattedValue):
                    first = first.value
                if isinstance(first, ast.Attribute) and ast.unparse(first.value) == "Act":
                    found.add(Act[first.attr].value)
                if isinstance(first, ast.Constant) and isinstance(first.value, str):
                    found.add(first.value.removesuffix(": "))
    return found


def test_codes_are_found() -> None:
    assert {"register", "join", "merge", "opposition withdrawn", "review: answer", "launch"} <= codes()


@pytest.mark.parametrize("code", sorted(codes()))
def test_a_code_is_said_in_words(code: str) -> None:
    for reason in (code, f"{code}: more"):
        assert reason_said(reason, str.upper) not in (reason, "")
        assert reason_said(reason, str.upper).isupper()


@pytest.mark.parametrize(
    "typed", ["Malaise sur la voie publique", "Appel : chute", ""], ids=["plain", "colon", "empty"]
)
def test_what_was_typed_stays(typed: str) -> None:
    assert reason_said(typed, str.upper) == typed
