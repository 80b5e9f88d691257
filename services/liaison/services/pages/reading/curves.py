"""The curve of one kind of measure, as the points of a drawing that needs neither script nor style.

The table beside it has the same numbers. Only what may be compared is drawn: numbers of one unit at a known moment
(measures.reckoned), two at least. The limits are those that were written with the last value (Observation.referenceRange),
and only where it has one range, for nobody in particular; and those that whoever draws it gives: no limit is chosen here.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from liaison.services.pages.reading import moments, values
from liaison.services.pages.reading.measures import DIASTOLIC, SYSTOLIC, reckoned

Tree = dict[str, Any]
Point = tuple[float, float]

WIDTH: Final = 360
HEIGHT: Final = 130
LEFT: Final = 92
"""Where the first value stands; the scale is before it."""
_EDGE: Final = 16


@dataclass(frozen=True, slots=True)
class Curve:
    """`lines`: one for each number that a measure has, from left to right, the oldest first. `scale`: the heights of the
    lowest and the highest value, with these; `limits`: those of the values held for usual; `rules`: those of a protocol."""

    lines: list[list[Point]]
    scale: list[tuple[float, str]]
    limits: list[tuple[float, str]]
    rules: list[tuple[float, str]]
    first: datetime
    last: datetime
    count: int
    lowest: str
    highest: str


def drawn(newest_first: Sequence[Tree], rules: Sequence[Decimal] = ()) -> Curve | None:
    """None for what is no curve: fewer than two values that may be compared. `rules` are in the unit of the last value."""
    known = [(at, tree) for tree in newest_first if reckoned(tree) and (at := moments.happened(tree))]
    measured = [(at, found) for at, tree in reversed(known) if (found := _numbers(tree))]
    alike = [(at, found) for at, found in measured if _shape(found) == _shape(measured[-1][1])]
    if len(alike) < 2 or alike[0][0] == alike[-1][0]:
        return None
    first, last = alike[0][0], alike[-1][0]
    every = [number for _, found in alike for number, _ in found.values()]
    unit = next(iter(alike[-1][1].values()))[1]
    bounds = list(_limits(known[0][1], unit))
    ruled = [float(one) for one in rules]
    low, high = min(*every, *bounds, *ruled), max(*every, *bounds, *ruled)

    def height(number: float) -> float:
        share = (number - low) / (high - low) if high > low else 0.5
        return round(HEIGHT - _EDGE - share * (HEIGHT - 2 * _EDGE), 1)

    def place(at: datetime) -> float:
        return round(LEFT + (at - first) / (last - first) * (WIDTH - LEFT - _EDGE), 1)

    lines = [[(place(at), height(found[name][0])) for at, found in alike] for name in alike[-1][1]]
    ends = [f"{_told(one)} {unit}".strip() for one in (min(every), max(every))]
    scale = [(height(number), words) for number, words in zip((min(every), max(every)), ends, strict=True)]
    limits, marks = ([(height(one), _told(one)) for one in some] for some in (bounds, ruled))
    return Curve(lines, scale if ends[0] != ends[1] else scale[:1], limits, marks, first, last, len(alike), *ends)


def _numbers(tree: Tree) -> dict[str, tuple[float, str]]:
    """The numbers of a value with their unit: its own, or the two of a blood pressure."""
    if "valueInteger" in tree:
        return {"": (float(tree["valueInteger"]), "")}
    quantity = tree.get("valueQuantity")
    if quantity is not None:
        return {"": one} if (one := _number(quantity)) else {}
    found = {}
    for part in tree.get("component", ()):
        for code in (SYSTOLIC, DIASTOLIC):
            stated = any(coding.get("code") == code for coding in (part.get("code") or {}).get("coding", ()))
            if stated and (one := _number(part.get("valueQuantity") or {})):
                found[code] = one
    return found if len(found) == 2 else {}


def _number(quantity: Tree) -> tuple[float, str] | None:
    """'< 5' is no point of a curve."""
    if "value" not in quantity or "comparator" in quantity:
        return None
    return float(quantity["value"]), values.unit(quantity)


def _told(number: float) -> str:
    return values.number(int(number) if number.is_integer() else number)


def _shape(found: dict[str, tuple[float, str]]) -> set[tuple[str, str]]:
    return {(name, unit) for name, (_, unit) in found.items()}


def _limits(last: Tree, unit: str) -> Iterator[float]:
    ranges = last.get("referenceRange") or []
    if len(ranges) == 1 and not {"appliesTo", "age"} & ranges[0].keys():
        for end in ("low", "high"):
            limit = _number(ranges[0].get(end) or {})
            if limit and limit[1] == unit:
                yield limit[0]
