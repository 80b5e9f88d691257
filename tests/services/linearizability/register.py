"""Decides whether what clients saw of one resource fits some order of single steps: linearizability of a register.

Written from the definition (Herlihy and Wing 1990, searched as Wing and Gong 1993 do) and from what R4 says of versions
(https://hl7.org/fhir/R4/http.html#update, #delete, #concurrency). Shares no code with the engine, knows no HTTP.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Kind = Literal["read", "write", "delete"]
Outcome = Literal["done", "gone", "stale", "refused", "unknown"]


@dataclass(frozen=True, slots=True)
class Operation:
    """One call on the resource, from when it was sent until its answer was read.

    `outcome`: done; gone (it was deleted before); stale (If-Match did not hold); refused (said to have changed
    nothing); unknown (no answer: it may have happened, at any time after it was sent). `version` and `value` are what
    a read gave or what a write made; `expected` is the version of its If-Match.
    """

    kind: Kind
    called: float
    returned: float
    outcome: Outcome
    version: int = 0
    value: str = ""
    expected: int | None = None

    @property
    def until(self) -> float:
        return math.inf if self.outcome == "unknown" else self.returned


@dataclass(frozen=True, slots=True)
class State:
    """The resource between two steps."""

    version: int
    value: str
    gone: bool = False


def steps(state: State, operation: Operation) -> list[State]:
    """The states in which this operation, at this moment and with this answer, may leave the resource; none: it cannot."""
    match operation.outcome:
        case "refused":
            return [state]
        case "gone":
            return [state] if state.gone else []
        case "stale":
            return [state] if operation.expected is not None and operation.expected != state.version else []
        case "unknown":
            return [state, *_changed(state, operation)]
        case "done" if operation.kind == "read":
            return [state] if state == State(operation.version, operation.value) else []
        case "done":
            return [one for one in _changed(state, operation) if one.version == operation.version]


def _changed(state: State, operation: Operation) -> list[State]:
    if operation.kind == "read" or state.gone or operation.expected not in (None, state.version):
        return []
    return [State(state.version + 1, operation.value, operation.kind == "delete")]


def unplaced(operations: Sequence[Operation], initial: State) -> list[Operation]:
    """Empty when the operations can be put in one order that keeps real time and explains every answer.

    Otherwise those that were left over in the attempt that got furthest; one of the first of them is wrong.
    """
    ordered = sorted(operations, key=lambda one: one.called)
    everything = (1 << len(ordered)) - 1
    waiting = [(0, initial)]
    seen = {(0, initial)}
    furthest = 0
    while waiting:
        placed, state = waiting.pop()
        if placed.bit_count() > furthest.bit_count():
            furthest = placed
        if placed == everything:
            return []
        for new in _next(ordered, placed, state):
            if new not in seen:
                seen.add(new)
                waiting.append(new)
    return [one for index, one in enumerate(ordered) if not furthest >> index & 1]


def _next(ordered: Sequence[Operation], placed: int, state: State) -> list[tuple[int, State]]:
    """What may come next: nothing that was sent after another, still to be placed, had its answer."""
    first_answer = math.inf
    free: list[int] = []
    for index, operation in enumerate(ordered):
        if operation.called > first_answer:
            break
        if not placed >> index & 1:
            free.append(index)
            first_answer = min(first_answer, operation.until)
    found = []
    for index in free:
        if ordered[index].called > first_answer:
            continue
        after = steps(state, ordered[index])
        if after == [state] and ordered[index].outcome != "unknown":
            # It changes nothing and holds now: to place it at once loses no other order. (What had no answer may still
            # take effect later.)
            return [(placed | 1 << index, state)]
        found += [(placed | 1 << index, one) for one in after]
    return found


@dataclass(frozen=True, slots=True)
class Version:
    """One entry of a version history."""

    number: int
    value: str
    deleted: bool = False
    at: str = ""


def faults(history: Sequence[Version], operations: Sequence[Operation], initial: State) -> list[str]:
    """What is wrong with a version history, newest first, read after all operations had ended."""
    found: list[str] = []
    numbers = [one.number for one in history]
    if numbers != list(range(len(history), 0, -1)):
        found.append(f"versions are not one after the other: {numbers}")
    times = [one.at for one in reversed(history)]
    if times != sorted(times):
        found.append(f"times go backwards: {times}")
    if any(one.deleted for one in history[1:]):
        found.append("a version follows a deletion")
    kept = {one.number: (one.value, one.deleted) for one in history}
    made = [one for one in operations if one.kind != "read" and one.outcome == "done"]
    told = {one.version: (one.value, one.kind == "delete") for one in made}
    if len(told) != len(made):
        found.append("one version was given to two callers")
    told[initial.version] = (initial.value, initial.gone)
    maybe = {(one.value, one.kind == "delete") for one in operations if one.outcome == "unknown"}
    for number, content in told.items():
        if kept.get(number) != content:
            found.append(f"version {number} was told to be {content} and is kept as {kept.get(number)}")
    found += [f"nobody wrote version {n}" for n, content in kept.items() if n not in told and content not in maybe]
    return found
