"""The day that a FHIR date or dateTime names, on the calendar where it was written."""

from datetime import date, timedelta

from liaison.fhir.model.dates import ZONE, span


def first_day(text: str | None) -> date | None:
    """The day; the first one of a month or a year that is named whole. None where nothing is said, or no date."""
    return date.fromisoformat(f"{text}-01-01"[:10]) if text and span(text) is not None else None


def named_day(text: str | None) -> date | None:
    """The day; the last one of a month or a year that is named whole. None where nothing is said, or no date."""
    found = span(text) if text else None
    if found is None or text is None:
        return None
    if len(text) >= 10:
        return date.fromisoformat(text[:10])
    return (found[1] - timedelta(days=1)).astimezone(ZONE).date()
