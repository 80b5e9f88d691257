"""Dates as they are written: CLDR has them all in figures, and French writes the first of a month « 1er »."""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Final

from babel.dates import format_date, format_datetime

from liaison.fhir.model.dates import EARLIEST, LATEST, ZONE

_SECOND: Final = timedelta(seconds=1, microseconds=1)
_FIRST_END: Final = EARLIEST + timedelta(days=2)
_LAST_END: Final = LATEST - timedelta(hours=2)
"""Still 9999 in Paris, whose clock is ahead."""
_FIRST: Final = re.compile(r"\b1 (?=[^\W\d])")


def last_day_before(end: datetime) -> date:
    """The last day in Paris of what ends at this moment, itself no longer in it: what ends at midnight ends on the day before.

    A second that is named counts whole (liaison.fhir.model.dates.span), so an end within the first one of a day does too."""
    return (min(max(end.astimezone(UTC), _FIRST_END), _LAST_END) - _SECOND).astimezone(ZONE).date()


def day_said(value: date, pattern: str, language: str) -> str:
    """A day by a CLDR pattern that says it in words: 'd MMM y'. Of a moment, the day that it is in Paris."""
    if isinstance(value, datetime):
        value = min(value.astimezone(UTC), _LAST_END).astimezone(ZONE).date()
    return _as_written(str(format_date(value, pattern, locale=language)), language)


def moment_said(value: datetime, pattern: str, language: str) -> str:
    """The same with a time; `value` is already in the zone that is meant."""
    return _as_written(str(format_datetime(value, pattern, locale=language)), language)


def _as_written(text: str, language: str) -> str:
    return _FIRST.sub("1er ", text, count=1) if language == "fr" else text
