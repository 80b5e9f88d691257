"""Two visits of one aide at the same time: said, and left to whoever plans. A couple may be visited at once."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from liaison.services.pages.home_service.arrivals import Planned


class Slot(NamedTuple):
    """When an aide is where. `who`: the person's name; `name`: her own."""

    aide: str
    start: datetime
    end: datetime
    who: str
    name: str


def slot_of(line: Planned) -> Slot:
    return Slot(line.aide_reference, line.at, line.until, line.who.full, line.aide)


def doubled(slots: Iterable[Slot]) -> list[tuple[Slot, Slot]]:
    """Those of one aide that are at once, by aide and hour: each with one that began before it was over."""
    found: list[tuple[Slot, Slot]] = []
    last: Slot | None = None
    for one in sorted(slots):
        if last is not None and last.aide == one.aide and one.start < last.end:
            found.append((last, one))
        if last is None or last.aide != one.aide or one.end > last.end:
            last = one
    return found
