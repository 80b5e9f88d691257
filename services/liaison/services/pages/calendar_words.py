"""Dates as they are written: CLDR has them all in figures, and French writes the first of a month « 1er »."""

import re
from datetime import date, datetime
from typing import Final

from babel.dates import format_date, format_datetime

_FIRST: Final = re.compile(r"\b1 (?=[^\W\d])")


def day_said(value: date, pattern: str, language: str) -> str:
    """A day by a CLDR pattern that says it in words: 'd MMM y'."""
    return _as_written(str(format_date(value, pattern, locale=language)), language)


def moment_said(value: datetime, pattern: str, language: str) -> str:
    """The same with a time; `value` is already in the zone that is meant."""
    return _as_written(str(format_datetime(value, pattern, locale=language)), language)


def _as_written(text: str, language: str) -> str:
    return _FIRST.sub("1er ", text, count=1) if language == "fr" else text
