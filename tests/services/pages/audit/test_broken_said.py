"""Whatever may be wrong with the journal is said in the words of the page."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from liaison.auth import journal
from liaison.auth.journal.verify import MOVED
from liaison.services.pages.audit.broken_said import what_said, where_said

FOLDER = Path(journal.__path__[0])
IN_BASE = ("verify", "glance", "checkpoint", "succession", "tiles")
SAMPLES = {"place": "12", "known": "liaison-journal+1+x", "since": "after 7", "jump": "chain a1 goes from 2 to 4"}
"""What stands in a message, by the name of what is put there; anything else is a number."""


def written(value: ast.expr) -> str | None:
    match value:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(sample(part) for part in parts)
        case ast.Name(id="MOVED"):
            return MOVED
        case _:
            return None  # made elsewhere: where it is made, it is found


def sample(part: ast.expr) -> str:
    if isinstance(part, ast.Constant):
        return str(part.value)
    assert isinstance(part, ast.FormattedValue)
    name = part.value.id if isinstance(part.value, ast.Name) else ""
    return MOVED if name == "MOVED" else SAMPLES.get(name, "12")


def messages(raised: str) -> Iterator[tuple[str, ...]]:
    """The words of each `raise` of this exception, by argument; '' for what is made elsewhere."""
    for name in IN_BASE:
        for node in ast.walk(ast.parse((FOLDER / f"{name}.py").read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == raised:
                last = node.args[-1]
                for one in (last.body, last.orelse) if isinstance(last, ast.IfExp) else (last,):
                    yield (written(node.args[0]) or "", written(one) or "")


BROKEN = sorted(set(messages("Broken")))
WHERE = sorted({where for where, _ in BROKEN if where} | {"entry -3 of chain a1", "position 5"})
WHAT = sorted(
    {what for _, what in BROKEN if what}
    | {what for raised in ("NotSigned", "MissingTile") for _, what in messages(raised)}
    | {"the entries do not give the root that was signed: one of them was altered, from the first on"}
)


def test_messages_are_found() -> None:
    assert {"head", "checkpoint of size 12", "position 12"} <= set(WHERE)
    assert {"it is missing", f"{MOVED}: chain a1 goes from 2 to 4", "The note is malformed.", "tile 12/12"} <= set(WHAT)


@pytest.mark.parametrize("where", WHERE)
def test_each_place_is_said(where: str) -> None:
    assert where_said(where, lambda words: words) != where


@pytest.mark.parametrize("what", WHAT)
def test_each_fault_is_said(what: str) -> None:
    assert what_said(what, lambda words: words) != what


def test_numbers_stay() -> None:
    assert where_said("position 144", str) == "Ligne 144 du journal"
    assert "passe de 1 à 3" in what_said(f"{MOVED}: chain 6a64 goes from 1 to 3", str)
