"""Each cell of the decision table is broken in turn; the grants over one fixed world must differ from the law each time.

The law is tests/proof/stateful/law.py, written from domain notes §2.5 and sharing nothing with the engine. Conditions of
the SQL predicate are dropped in turn in tests/proof/visibility.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

import pytest

from liaison.auth.access.roles import ROLES
from liaison.auth.access.table import Table, packaged

from ..stateful.law import PURPOSES, WRITTEN_TYPES
from ..stateful.reference import Rights
from .cells import Mutant, mutants
from .situations import Situation, situations


@cache
def _world() -> tuple[tuple[Situation, dict[str, Rights]], ...]:
    return tuple((one, one.wanted()) for one in situations())


def shows(table: Table, last: list[int]) -> bool:
    """Whether some grant of the world, or what some role may write at all, is not the law's.

    `last` is where the mutant before was seen: the next one differs there too more often than not."""
    for at in sorted(range(len(_world())), key=lambda one: one not in last):
        situation, wanted = _world()[at]
        if situation.found(table) != wanted:
            last[:] = [at, *last[:2]]
            return True
    return any(frozenset(table.types_for(role)) != WRITTEN_TYPES.get(role, frozenset()) for role in ROLES)


def survivors(made: Sequence[Mutant]) -> list[str]:
    last: list[int] = []
    return [one.name for one in made if not shows(one.table, last)]


def test_every_role_is_in_the_law() -> None:
    assert ROLES.keys() == PURPOSES.keys()


def test_the_table_in_force_is_the_law() -> None:
    for situation, wanted in _world():
        assert situation.found(packaged()) == wanted, situation.name
    assert not shows(packaged(), [])


def _print_score(capsys: Any, made: Sequence[Mutant], left: Sequence[str]) -> None:
    with capsys.disabled():
        print(f"\n== mutants of the table: {len(made) - len(left)} of {len(made)} found")


def test_one_broken_cell_in_twenty_three_is_found(capsys: pytest.CaptureFixture[str]) -> None:
    made = list(mutants(packaged()))[::23]
    left = survivors(made)
    _print_score(capsys, made, left)
    assert left == []


@pytest.mark.proof
@pytest.mark.timeout(3600)
def test_every_broken_cell_is_found(capsys: pytest.CaptureFixture[str]) -> None:
    made = list(mutants(packaged()))
    left = survivors(made)
    _print_score(capsys, made, left)
    assert left == []


def test_a_world_that_says_less_lets_mutants_live(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sibling: without the patient in whose world psychiatry is shared, some cells of row 4 go unseen."""
    world = tuple(pair for pair in _world() if "mental" not in pair[0].name and pair[0].name != "delegations")
    monkeypatch.setattr(f"{__name__}._world", lambda: world)
    row = [one for one in mutants(packaged()) if one.name.startswith("row 4:")]
    assert survivors(row)
