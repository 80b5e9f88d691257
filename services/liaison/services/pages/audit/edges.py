"""Where one part of an answer ends and the next begins: a moment that no visit spans, a midnight of Paris where it can."""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from typing import Final, NamedTuple

from liaison.auth.journal.visits import PAUSE, Visit
from liaison.services.pages.calendar_words import day_said, moment_said
from liaison.services.pages.clock import PARIS

_WRITTEN: Final = re.compile(r"(\d{4}-\d\d-\d\d)(?:T\d\d:\d\d:\d\d(?:\.\d{6})?Z)?")


class Edge(NamedTuple):
    """Where a part ends, and the next one begins: `moment` is in the first of them, in Paris."""

    moment: datetime

    @property
    def written(self) -> str:
        """As in an address: a day, or a moment of UTC where it is no midnight."""
        if self.moment.time() == time.min:
            return self.moment.date().isoformat()
        return self.moment.astimezone(UTC).isoformat().replace("+00:00", "Z")

    def said(self, language: str) -> str:
        if self.moment.time() == time.min:
            return day_said(self.moment.date(), "d MMM y", language)
        return moment_said(self.moment, "d MMM y, HH:mm", language)


def read(text: str) -> Edge | None:
    """As `Edge.written` writes it; None for what is neither a day nor a moment."""
    written = _WRITTEN.fullmatch(text)
    if not written:
        return None
    try:
        if written[1] == text:
            return Edge(datetime.combine(date.fromisoformat(text), time.min, PARIS))
        return Edge(datetime.fromisoformat(text).astimezone(PARIS))
    except (ValueError, OverflowError):
        return None


def edge(found: Sequence[Visit], first: datetime) -> Edge:
    """Where to end a part of which `first` is the earliest moment that was read: when nobody was there and no visit can go on
    unread, at midnight before any other time, as early as may be; `first` itself where there was always somebody."""
    ended, pauses = first + PAUSE, list[datetime]()
    for one in sorted(found, key=lambda visit: visit.since):
        if one.since > ended:
            local = one.since.astimezone(PARIS)
            midnight = datetime.combine(local.date(), time.min, PARIS)
            if midnight > ended:
                return Edge(midnight)
            pauses.append(local)
        ended = max(ended, one.until)
    return Edge(pauses[0] if pauses else first.astimezone(PARIS))
