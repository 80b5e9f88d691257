"""The checker finds what is wrong: each kind of fault planted, and its verdict held against trying every order."""

import math
from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from .register import Operation, State, Version, faults, steps, unplaced

START = State(1, "a")
WRITTEN = Operation("write", 1, 2, "done", 2, "b")
RECORDED = [
    Operation("read", 0, 1, "done", 1, "a"),
    WRITTEN,
    Operation("read", 3, 4, "done", 2, "b"),
    Operation("write", 5, 7, "done", 3, "c", expected=2),
    Operation("write", 5.5, 8, "stale", value="d", expected=2),
    Operation("read", 6, 9, "done", 2, "b"),
    Operation("delete", 10, 11, "done", 4),
    Operation("read", 12, 13, "gone"),
]
KEPT = [Version(4, "", True, "t4"), Version(3, "c", at="t3"), Version(2, "b", at="t2"), Version(1, "a", at="t1")]


def test_what_fits_an_order_is_accepted() -> None:
    assert unplaced(RECORDED, START) == []
    assert faults(KEPT, RECORDED, START) == []


@pytest.mark.parametrize(
    ("place", "changed"),
    [
        pytest.param(2, {"version": 1, "value": "a"}, id="a read after a write gives what was before it"),
        pytest.param(2, {"value": "c"}, id="a read gives what nobody had written yet"),
        pytest.param(3, {"version": 2}, id="two writes are given one version"),
        pytest.param(3, {"version": 4}, id="a version is left out"),
        pytest.param(3, {"expected": 1}, id="a write succeeds whose If-Match does not hold"),
        pytest.param(4, {"expected": 3, "called": 7.5, "returned": 9}, id="a write is refused whose If-Match holds"),
        pytest.param(7, {"outcome": "done", "version": 3, "value": "c"}, id="a deleted resource is read"),
        pytest.param(0, {"outcome": "gone"}, id="a resource is gone before its deletion"),
        pytest.param(6, {"called": 14, "returned": 15}, id="it was gone before anybody deleted it"),
    ],
)
def test_a_planted_fault_is_found(place: int, changed: dict[str, object]) -> None:
    planted = [replace(one, **changed) if n == place else one for n, one in enumerate(RECORDED)]  # type: ignore[arg-type]  # fields by name

    assert unplaced(planted, START)


def test_a_reordered_history_is_found() -> None:
    """The answers of two writes change places, though one had ended before the other was sent."""
    first, second = RECORDED[1], RECORDED[3]
    swapped = [
        replace(first, version=second.version, expected=None),
        replace(second, version=first.version, expected=None),
    ]

    assert unplaced(swapped, START)
    assert unplaced([replace(one, called=1, returned=8) for one in swapped], START) == []


def test_what_had_no_answer_may_have_happened_or_not() -> None:
    silent = Operation("write", 1, 2, "unknown", value="b")

    for seen in (State(1, "a"), State(2, "b")):
        assert unplaced([silent, Operation("read", 5, 6, "done", seen.version, seen.value)], START) == []
    early = Operation("read", 0, 0.5, "done", 2, "b")
    assert unplaced([silent, early], START)


def test_what_had_no_answer_may_happen_after_all_else() -> None:
    late = [
        Operation("write", 1, 2, "unknown", value="c", expected=2),
        Operation("write", 3, 4, "done", 2, "b"),
        Operation("read", 5, 6, "done", 3, "c"),
    ]

    assert unplaced(late, START) == []


@pytest.mark.parametrize(
    ("kept", "named"),
    [
        (KEPT[:1] + KEPT[2:], "one after the other"),
        ([KEPT[1], KEPT[0], *KEPT[2:]], "one after the other"),
        ([*KEPT[:3], replace(KEPT[3], at="t9")], "backwards"),
        ([KEPT[0], replace(KEPT[1], value="x"), *KEPT[2:]], "version 3 was told"),
        ([replace(KEPT[0], deleted=False), *KEPT[1:]], "version 4 was told"),
        ([Version(5, "e", at="t5"), *KEPT], "follows a deletion"),
        ([Version(5, "e", at="t5"), *KEPT], "nobody wrote version 5"),
    ],
)
def test_a_fault_of_the_version_history_is_found(kept: list[Version], named: str) -> None:
    assert any(named in one for one in faults(kept, RECORDED, START))


def test_one_version_for_two_callers_is_found() -> None:
    assert "one version was given to two callers" in faults(KEPT, [*RECORDED, WRITTEN], START)


def _tried(operations: list[Operation]) -> bool:
    """Every order, one after the other: slow and plain."""
    for order in permutations(operations):
        if any(later.until < earlier.called for n, earlier in enumerate(order) for later in order[n + 1 :]):
            continue
        states = {START}
        for operation in order:
            states = {after for state in states for after in steps(state, operation)}
        if states:
            return True
    return False


def _operation(kind: str, called: int, took: int, outcome: str, version: int, expected: int | None) -> Operation:
    value = "" if kind == "delete" else "ab"[version % 2]
    return Operation(kind, called, called + took + 0.5, outcome, version, value, expected)  # type: ignore[arg-type]  # drawn from the literals


OPERATIONS = st.builds(
    _operation,
    st.sampled_from(["read", "write", "write", "delete"]),
    st.integers(0, 6),
    st.integers(0, 4),
    st.sampled_from(["done", "done", "done", "gone", "stale", "unknown"]),
    st.integers(1, 4),
    st.none() | st.integers(1, 3),
)


@given(st.lists(OPERATIONS, max_size=5))
def test_the_search_agrees_with_trying_every_order(operations: list[Operation]) -> None:
    assert (unplaced(operations, START) == []) == _tried(operations)


@given(
    st.lists(st.tuples(st.sampled_from(["read", "write"]), st.floats(0, 3), st.floats(0, 3)), min_size=1, max_size=60)
)
def test_whatever_happened_in_steps_is_accepted(drawn: list[tuple[str, float, float]]) -> None:
    """Calls that took effect one after the other, each seen from somewhat before until somewhat after."""
    state, seen = START, []
    for moment, (kind, before, after) in enumerate(drawn):
        if kind == "write":
            state = State(state.version + 1, str(moment))
        called, returned = moment - before, math.nextafter(moment + after, math.inf)
        seen.append(Operation(kind, called, returned, "done", state.version, state.value))  # type: ignore[arg-type]  # one of two

    assert unplaced(seen, START) == []
