"""Failed calls without a valid caller, summed per address and minute: an attack must not fill the journal."""

from collections import Counter
from typing import Final

from liaison.auth.journal.entry import OUTCOME_REFUSED, Entry, Event
from liaison.fhir.store.clock import Clock

MOST_ADDRESSES: Final = 10_000
OTHERS: Final = "others"
MINUTE: Final = 60.0


class RefusedCalls:
    """The counts of the minute under way. Those of a process that is killed are lost: they disclosed nothing."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._counts: Counter[tuple[str, int]] = Counter()
        self._since = 0.0

    def count(self, address: str, status: int) -> bool:
        """Adds one. True when it begins a minute: take() is then owed after seconds_left()."""
        first = not self._counts
        if first:
            self._since = self._clock.seconds()
        key = (address, status)
        if key not in self._counts and len(self._counts) >= MOST_ADDRESSES:
            key = (OTHERS, status)
        self._counts[key] += 1
        return first

    def seconds_left(self) -> float:
        """Until the minute under way is over."""
        return max(0.0, self._since + MINUTE - self._clock.seconds())

    def take(self) -> list[Entry]:
        """One entry per address and status, and a new minute."""
        counts, self._counts = self._counts, Counter()
        return [
            Entry(
                Event.REFUSED_CALLS,
                OUTCOME_REFUSED,
                status=status,
                address=address,
                detail={"count": count, "since": int(self._since)},
            )
            for (address, status), count in counts.items()
        ]
