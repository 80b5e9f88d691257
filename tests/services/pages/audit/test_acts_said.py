"""No act of the journal is without words, and none is written that is not of the list."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from liaison import auth, services
from liaison.auth.journal.acts import SAID, Act
from liaison.auth.journal.told import Told
from liaison.services.pages.audit.acts_said import WORDS, Concerned, act_said

NEEDING = {"RIGHTS", "KEYS", "CONFIGURATION", "HOLD", "JOB", "EXPORT"}
"""Events that do not say themselves what was done."""
SOURCES = [Path(one) for area in (auth, services) for one in area.__path__]


@pytest.mark.parametrize("act", Act)
def test_an_act_has_a_code_and_words(act: Act) -> None:
    assert SAID[act] and WORDS[act], "an act without words is shown as nothing"
    assert [one for one in Act if one.code == act.code] == [act]
    assert act.code.isascii() and " " not in act.code


def _trees() -> Iterator[tuple[Path, ast.AST]]:
    for source in SOURCES:
        for file in source.rglob("*.py"):
            yield file, ast.parse(file.read_text("utf-8"))


def _without_an_act(tree: ast.AST) -> Iterator[str]:
    """Entries of an event that says nothing by itself, made without a detail or a reason; acts that are not of the list."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if (
                    isinstance(key, ast.Constant)
                    and key.value == "act"
                    and isinstance(value, ast.Constant | ast.JoinedStr)
                ):
                    yield f"line {value.lineno}: the act {ast.unparse(value)}"
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("Entry", "entry"):
            events = {
                one.attr for one in node.args if isinstance(one, ast.Attribute) and ast.unparse(one.value) == "Event"
            }
            given = {word.arg: word.value for word in node.keywords}
            named = "detail" in given or "Act." in ast.unparse(given.get("reason", ast.Constant("")))
            if (
                events & NEEDING
                and not named
                and None not in given
                and ast.unparse(given.get("reason", node)) != "reason"
            ):
                yield f"line {node.lineno}: {ast.unparse(node)}"


def test_no_act_is_written_that_is_not_of_the_list() -> None:
    assert [f"{file.name}, {found}" for file, tree in _trees() for found in _without_an_act(tree)] == []


@pytest.mark.parametrize(
    "planted",
    [
        "Entry(Event.RIGHTS, person=1)",
        "entry(caller, Event.RIGHTS, request=told)",
        'entry(caller, Event.RIGHTS, detail={"act": "made up"})',
        'Entry(Event.JOB, detail={"act": f"made {up}"})',
    ],
)
def test_one_that_is_not_would_be_found(planted: str) -> None:
    assert list(_without_an_act(ast.parse(planted)))


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (Told("suspend", Act.SUSPENDED, accounts=(41,)), "Compte suspendu (Dr Essai)"),
        (Told("suspend", Act.SUSPENDED, accounts=(42,)), "Compte suspendu (compte nº 42)"),
        (Told("mandate", Act.MANDATE, organization=7, detail=(("by", "Mme Roux"),)),
         "Mandat sur le journal du territoire donné (MSP), sur décision de Mme Roux"),
        (Told("client-end", Act.CLIENT_ENDED, clients=("carnet",)), "Enregistrement d'un logiciel terminé (carnet)"),
        (Told("step", Act.CASE_STEP, detail=(("step", "not-notify"),)), "Étape d'une affaire : Décision : la CNIL n'est pas notifiée"),
        (Told("review", Act.UNUSUAL_REVIEWED, detail=(("outcome", "unjustified"),)),
         "Avis donné sur un accès inhabituel : Non justifié"),
        (Told("user suspend", None), "User suspend"),
    ],
)  # fmt: skip
def test_an_act_is_said_with_whom_it_concerned(told: Told, words: str) -> None:
    concerned = Concerned({41: "Dr Essai"}, {}, {"7": "MSP"})
    assert act_said(told, str, concerned).replace("\u00a0", " ").replace("\u202f", " ") == words
