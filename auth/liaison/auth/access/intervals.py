"""Half-open stretches of time [start, end), in plain arithmetic. No clock here: now is the database's affair."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Final, NamedTuple

BEGINNING: Final = datetime(1900, 1, 1, tzinfo=UTC)
FOREVER: Final = datetime(9999, 1, 1, tzinfo=UTC)


class Interval(NamedTuple):
    start: datetime
    end: datetime

    def meet(self, other: "Interval") -> "Interval | None":
        """What both have in common; None when that is nothing."""
        start, end = max(self.start, other.start), min(self.end, other.end)
        return Interval(start, end) if start < end else None


def between(start: datetime, end: datetime) -> Interval:
    """From two columns: asyncpg gives PostgreSQL's infinities as naive datetimes, the only ones there are."""
    return Interval(start if start.tzinfo else BEGINNING, end if end.tzinfo else FOREVER)


ALWAYS: Final = Interval(BEGINNING, FOREVER)


def meet_all(one: Iterable[Interval], other: Sequence[Interval]) -> list[Interval]:
    """What two unions of stretches have in common, as separate stretches in order."""
    return merge(common for a in one for b in other if (common := a.meet(b)) is not None)


def merge(stretches: Iterable[Interval]) -> list[Interval]:
    """The same moments in as few stretches as possible."""
    merged: list[Interval] = []
    for stretch in sorted(stretches):
        if merged and stretch.start <= merged[-1].end:
            if stretch.end > merged[-1].end:
                merged[-1] = Interval(merged[-1].start, stretch.end)
        else:
            merged.append(stretch)
    return merged


def cuts(whole: Interval, others: Iterable[Interval]) -> list[Interval]:
    """`whole` cut at each start and end of the others that falls within it."""
    edges = {edge for other in others for edge in other if whole.start < edge < whole.end}
    moments = [whole.start, *sorted(edges), whole.end]
    return [Interval(start, end) for start, end in pairwise(moments)]
