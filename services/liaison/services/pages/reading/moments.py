"""FHIR dates and times as Python's, at the precision they have.

Whatever R4 lets a resource say is read: a leap second counts as the second before it, and what lies beyond Python's
calendar as its first or last moment (fhir/model/dates.py). http://hl7.org/fhir/R4/datatypes.html#dateTime
"""

from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from liaison.fhir.model.dates import span
from liaison.protocols import codes
from liaison.services.pages.calendar_words import moment_said

Tree = dict[str, Any]
PARIS: Final = ZoneInfo("Europe/Paris")

_FILLED: Final = f"{codes.LOCAL}/StructureDefinition/device-time"
_LAST: Final = datetime(9999, 12, 31, 22, 59, 59, tzinfo=UTC)
"""The last second that can be told in Paris."""

# Where each type says when it happened, first found wins.
_WHEN: Final = (
    "start",
    "effectiveDateTime",
    "effectiveInstant",
    "performedDateTime",
    "recordedDate",
    "onsetDateTime",
    "occurrenceDateTime",
    "authoredOn",
    "authored",
    "sent",
    "date",
    "dateTime",
    "created",
    "issued",
)
_PERIODS: Final = ("period", "effectivePeriod", "performedPeriod", "executionPeriod")


def moment(text: str) -> datetime:
    """The first instant of a FHIR date or dateTime, on the clock of Paris. Raises ValueError for what is none."""
    found = span(text)
    if found is None:
        raise ValueError("not a FHIR date")
    return min(found[0], _LAST).astimezone(PARIS)


def ending(text: str) -> datetime | None:
    """The instant at which it is over: a day, a month or a year that is named counts whole. None for what is no date."""
    found = span(text)
    return found["T" not in text] if found else None


def over(period: Tree, now: datetime) -> bool:
    """Whether its end has passed."""
    end = ending(str(period.get("end", "")))
    return end is not None and end <= now


def ahead(period: Tree, now: datetime) -> bool:
    """Whether it begins later. A day, a month or a year that is named counts from its first moment."""
    found = span(str(period.get("start", "")))
    return found is not None and found[0] > now


def covers(period: Tree, now: datetime) -> bool:
    """Whether it has begun and is not over; what names no end has none."""
    return not (over(period, now) or ahead(period, now))


def stated(tree: Tree) -> str:
    """When what the resource tells happened, as it says it: a FHIR date or dateTime; '' where it does not say."""
    for name in _WHEN:
        if isinstance(tree.get(name), str):
            return str(tree[name])
    for name in _PERIODS:
        start = tree.get(name, {}).get("start") if isinstance(tree.get(name), dict) else None
        if start:
            return str(start)
    return ""


def happened(tree: Tree) -> datetime | None:
    """The first instant of what `stated` gives, for order; None where the resource does not say."""
    text = stated(tree)
    return moment(text) if text else None


def said(tree: Tree, language: str) -> str:
    """When it happened, no more precise than the resource says it: a vaccine given on a day was not given at midnight.
    '' where it does not say."""
    text = stated(tree)
    if len(text) > len("2026-11-29"):
        return moment_said(moment(text), "d MMM y, HH:mm", language)
    return day(text, language)


def day(text: str, language: str, month: str = "MMM") -> str:
    """The day, the month or the year that a FHIR date names; '' for none. `month` is the CLDR pattern of its name."""
    pattern = {4: "y", 7: f"{month} y"}.get(len(text), f"d {month} y")
    return moment_said(moment(text), pattern, language) if text else ""


def written(tree: Tree) -> datetime:
    """When the record received this version."""
    return moment(tree["meta"]["lastUpdated"])


def late(tree: Tree, by: timedelta = timedelta(hours=2)) -> bool:
    """Whether it was received long after it happened: the page then says when it was received."""
    when = happened(tree)
    if tree.get("resourceType") == "QuestionnaireResponse":
        # A form says itself when it was filled and when it was received.
        stamps = (e.get("valueDateTime") for e in tree.get("extension", []) if e.get("url") == _FILLED)
        filled = next(filter(None, stamps), None)
        return filled is not None and when is not None and when - moment(filled) > by
    if when is not None and len(stated(tree)) <= 10:
        return written(tree).astimezone(PARIS).date() > when.date()
    return when is not None and written(tree) - when > by
