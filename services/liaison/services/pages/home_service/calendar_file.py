"""The events of an iCalendar file (RFC 5545), as far as a tour needs them: UID, RECURRENCE-ID, DTSTART, DTEND or DURATION, SUMMARY,
DESCRIPTION, ATTENDEE, STATUS.

A moment without a zone counts as Paris. A zone that is not known, a whole day and a rule of repetition are refused by name:
nothing is guessed.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from icalendar import Calendar

from liaison.services.pages.clock import PARIS
from liaison.services.pages.marking import _

_ONCE: Final = ("UID", "DTSTART", "DTEND", "DURATION", "SUMMARY", "DESCRIPTION", "STATUS", "RECURRENCE-ID")
YEARS: Final = range(1900, 2100)
"""Of births and visits; another one is a slip of whoever wrote it."""
_LONGEST: Final = timedelta(days=1)
_REPEATS: Final = ("RRULE", "RDATE")


class NotRead(ValueError):
    """What is wrong, on which line, of which property."""

    def __init__(self, line: int, property_: str, words: str) -> None:
        self.line, self.property, self.words = line, property_, words
        super().__init__(words)


@dataclass(frozen=True, slots=True)
class Event:
    """`line` is that of its BEGIN. `attendee` is the name of the first one (CN), or their address."""

    line: int
    start: datetime
    uid: str
    end: datetime | None
    summary: str
    description: str
    attendee: str
    cancelled: bool


def events(text: str) -> list[Event]:
    """Raises NotRead."""
    lines = [line.strip().upper() for line in text.splitlines()]
    begun = [number for number, line in enumerate(lines, 1) if line == "BEGIN:VEVENT"]
    if len(begun) > lines.count("END:VEVENT"):
        raise NotRead(begun[-1], "VEVENT", _("Le calendrier s'arrête au milieu d'une visite."))
    try:
        parts = [part for calendar in Calendar.from_ical(text, multiple=True) for part in calendar.walk("VEVENT")]
    except ValueError:
        parts = []
    if len(parts) != len(begun):
        raise NotRead(0, "", _("Ce n'est pas un calendrier."))
    return [_event(part, line, lines) for part, line in zip(parts, begun, strict=True)]


def _event(part: Any, line: int, lines: list[str]) -> Event:
    def place(name: str) -> int:
        """The line of a property of this event."""
        found = (number for number in range(line, len(lines)) if lines[number].startswith((f"{name}:", f"{name};")))
        return next(found, line - 1) + 1

    for name in _REPEATS:
        if name in part:
            raise NotRead(place(name), name, _("Cette visite se répète : exportez chaque visite à part."))
    for name in _ONCE:
        if isinstance(part.get(name), list):
            raise NotRead(place(name), name, _("Cette ligne est là deux fois dans la visite."))
    for name, _problem in part.errors:
        raise NotRead(place(name), name, _("Ce n'est pas une date avec son heure."))
    if "DTSTART" not in part:
        raise NotRead(line, "DTSTART", _("La réponse manque."))
    attendees = part.get("ATTENDEE", [])
    first: Any = next(iter(attendees if isinstance(attendees, list) else [attendees]), "")
    named = str(first.params.get("CN", "")) if first else ""
    start = _moment(part, "DTSTART", place("DTSTART"), lines)
    end = _moment(part, "DTEND", place("DTEND"), lines) if "DTEND" in part else None
    if end is None and "DURATION" in part:
        end = start + min(part["DURATION"].dt, _LONGEST)
    return Event(
        line,
        start,
        _uid(part),
        end,
        str(part.get("SUMMARY", "")).strip(),
        str(part.get("DESCRIPTION", "")).strip(),
        named or str(first).lower().removeprefix("mailto:"),
        str(part.get("STATUS", "")).upper() == "CANCELLED",
    )


def _uid(part: Any) -> str:
    """What one visit has to itself: each one of a series that was written out has the UID of the series, and its own RECURRENCE-ID
    (RFC 5545 §3.8.4.4)."""
    uid, instance = str(part.get("UID", "")), part.get("RECURRENCE-ID")
    return f"{uid}/{instance.to_ical().decode()}" if uid and instance is not None else uid


def _moment(part: Any, name: str, line: int, lines: list[str]) -> datetime:
    given = part[name]
    # A whole day in a zone is read as its midnight: nobody comes then.
    if (
        not isinstance(given.dt, datetime)
        or given.dt.year not in YEARS
        or "T" not in lines[line - 1].rpartition(":")[2]
    ):
        raise NotRead(line, name, _("Ce n'est pas une date avec son heure."))
    if given.dt.tzinfo is None and given.params.get("TZID"):
        raise NotRead(line, name, _("Ce fuseau horaire n'est pas connu."))
    return given.dt.replace(tzinfo=PARIS) if given.dt.tzinfo is None else given.dt.astimezone(PARIS)
