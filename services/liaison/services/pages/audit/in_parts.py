"""The accesses to one record, the latest first, as many as are opened within a second: older ones are one link away.

A record that is opened every day for years has tens of thousands of entries. A part ends where nobody was in the record, at
midnight in Paris where it can, so that no visit is cut in two; only where visits follow and overlap each other through a whole
part does one stand on two, and the page says so. `avant` in the address is the day, or the moment, from which on the next part
shows nothing. Where parts end depends on what its reader may see alone.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import Any, Final, NamedTuple

from liaison.auth.caller import Caller
from liaison.auth.journal.visits import PAUSE, Visit, visits
from liaison.fhir.errors import NotFound
from liaison.services.pages.audit.lines import worth_telling
from liaison.services.pages.calendar_words import day_said, moment_said
from liaison.services.pages.clock import PARIS

MOST: Final = 3_000
BEFORE: Final = "avant"
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


class Part(NamedTuple):
    """`read`: entries opened; `before`: what was asked, None for the latest; `older`: what leads to the next part, None at the
    end; `cut`: a visit goes on in the next part."""

    visits: list[Visit]
    read: int
    before: Edge | None
    older: Edge | None
    cut: bool = False

    @property
    def query(self) -> str:
        """Of an address that shows the same part."""
        return f"{BEFORE}={self.before.written}" if self.before else ""


def before(given: Mapping[str, Any]) -> Edge | None:
    """What an address or a form says. Raises NotFound for what is neither a day nor a moment."""
    text = str(given.get(BEFORE, ""))
    if not text:
        return None
    written = _WRITTEN.fullmatch(text)
    if not written:
        raise NotFound
    try:
        if written[1] == text:
            return Edge(datetime.combine(date.fromisoformat(text), time.min, PARIS))
        return Edge(datetime.fromisoformat(text).astimezone(PARIS))
    except (ValueError, OverflowError):
        raise NotFound from None


async def part(house: Any, caller: Caller, id_: str, until: Edge | None) -> Part:
    """As far as the caller may know of them; nothing of it is in the journal yet."""
    query = f"patient=Patient/{id_}" + (f"&date=lt{until.written}" if until else "")
    seen, more = await house.audit.latest(caller, query, MOST)
    found = visits(house.audit, seen)
    software = await house.audit.software({one.client for one in found} - {0})
    for one in found:
        if one.client in software:
            one.software = software[one.client].name
    older, cut = None, False
    if more:
        first = seen[-1].record.at
        older = _edge(found, first)
        cut = older.moment == first
        found = [one for one in found if one.since >= older.moment]
    return Part([one for one in found if worth_telling(one)], len(seen), until, older, cut)


def _edge(found: Sequence[Visit], first: datetime) -> Edge:
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
