"""Where a page of the cohort begins: after the last row of the page before it, not after so many rows. While somebody works through
the list, those who are done leave it: by number the next page would pass over as many of those who are left.

A mark says where its row stood. Whoever stands elsewhere since, or is gone, leaves that place: a row may come again, none is missed.
"""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from liaison.services.pages.coordination.asked import SIZE, Asked

_LONGEST: Final = 12
_Row = TypeVar("_Row")


def mark(place: int, id_: str) -> str:
    """`place`: what the list is in the order of, the ordinal of a day or a rank by name. `id_`: of the person's plan."""
    return f"{place}.{id_}"


def start(
    asked: Asked, rows: Sequence[_Row], stands: Callable[[_Row], tuple[int, int]], patient_of: Callable[[str], int]
) -> int:
    """How many rows come before the page. `stands`: the place of a row, which `rows` are in the order of, and its patient; `patient_of` is
    0 for an id of nobody. What is no mark is the first page."""
    said, _dot, id_ = (asked.after or asked.before).partition(".")
    if not (asked.after or asked.before):
        return SIZE * (asked.page - 1)
    if not (id_ and said.isascii() and said.isdecimal() and len(said) < _LONGEST):
        return 0
    stood, patient = int(said), patient_of(id_)
    first = at = bisect_left(rows, stood, key=lambda row: stands(row)[0])
    while at < len(rows) and stands(rows[at])[0] == stood and stands(rows[at])[1] != patient:
        at += 1
    if at == len(rows) or stands(rows[at]) != (stood, patient):  # not where they stood: the place itself
        at = first
    elif asked.after:
        at += 1
    return at if asked.after else max(0, at - SIZE)
