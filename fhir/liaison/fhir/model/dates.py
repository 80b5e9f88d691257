"""What a FHIR date means: every instant from the first to the first one after. http://hl7.org/fhir/R4/search.html#date

A text without a time zone means the clock on the wall of the territory: R4 leaves that to the server.
"""

import re
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

ZONE: Final[tzinfo] = ZoneInfo("Europe/Paris")

EARLIEST: Final = datetime(1, 1, 1, tzinfo=UTC)
LATEST: Final = datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)

_SHAPE: Final = re.compile(
    r"(\d{4})(?:-(\d{2})(?:-(\d{2})(?:T(\d{2}):(\d{2})(?::(\d{2})(?:\.(\d+))?)?(Z|[+-]\d{2}:\d{2})?)?)?)?", re.ASCII
)
_DAY: Final = timedelta(days=1)
_FARTHEST: Final = timedelta(hours=14)


@lru_cache(4_096)  # what was done together is dated alike, in several elements
def span(text: str) -> tuple[datetime, datetime] | None:
    """From the first instant to the first one after, in UTC, of a date, dateTime or instant; None for what is none.

    Search values may also stop at minutes, which resources may not. A leap second counts as the second before it.
    Never before EARLIEST nor after LATEST.
    """
    found = _SHAPE.fullmatch(text)
    if found is None:
        return None
    year, month, day, hour, minute, second, fraction, zone = found.groups()
    try:
        start = datetime(
            int(year),
            int(month or 1),
            int(day or 1),
            int(hour or 0),
            int(minute or 0),
            59 if second == "60" else int(second or 0),
            int(fraction[:6].ljust(6, "0")) if fraction else 0,
        )
        offset = _offset(zone)
    except ValueError:
        return None
    try:
        if month is None:
            end = start.replace(year=start.year + 1)
        elif day is None:
            end = start.replace(year=start.year + start.month // 12, month=start.month % 12 + 1)
        else:
            end = start + _length(hour, second, fraction)
    except (ValueError, OverflowError):  # beyond the last day that can be written
        return _utc(start, offset), LATEST
    return _utc(start, offset), _utc(end, offset)


def is_date(year: str, month: str, day: str) -> bool:
    """Whether the calendar has this day."""
    try:
        date(int(year), int(month), int(day))
    except ValueError:
        return False
    return True


def _length(hour: str | None, second: str | None, fraction: str | None) -> timedelta:
    if hour is None:
        return _DAY
    if second is None:
        return timedelta(minutes=1)
    if not fraction:
        return timedelta(seconds=1)
    return timedelta(microseconds=10 ** max(0, 6 - len(fraction)))


def _offset(zone: str | None) -> timedelta | None:
    """None when the territory's clock is meant."""
    if zone is None:
        return None
    if zone == "Z":
        return timedelta()
    hours, minutes = int(zone[1:3]), int(zone[4:])
    size = timedelta(hours=hours, minutes=minutes)
    if minutes > 59 or size > _FARTHEST:
        raise ValueError("no such offset")
    return -size if zone[0] == "-" else size


def _utc(moment: datetime, offset: timedelta | None) -> datetime:
    try:
        if offset is None:
            return moment.replace(tzinfo=ZONE).astimezone(UTC)
        return (moment - offset).replace(tzinfo=UTC)
    except OverflowError:
        return EARLIEST if moment.year < 5_000 else LATEST
