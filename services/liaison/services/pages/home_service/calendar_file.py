"""The events of an iCalendar file (RFC 5545), as far as a tour needs them: UID, DTSTART, DTEND, SUMMARY, DESCRIPTION, ATTENDEE, STATUS.

Moments are UTC, of Europe/Paris, or without a zone, which counts as Paris; any other zone, a whole day and a rule of repetition are
refused by name: nothing is guessed.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from liaison.services.pages.clock import PARIS
from liaison.services.pages.marking import _

_ZONES: Final = frozenset({"europe/paris", "romance standard time", ""})
_NAMED: Final = re.compile(r'CN=("[^"]*"|[^;:]*)', re.IGNORECASE)


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
    uid: str = ""
    end: datetime | None = None
    summary: str = ""
    description: str = ""
    attendee: str = ""
    cancelled: bool = False


_NEVER: Final = datetime.min.replace(tzinfo=UTC)


def events(text: str) -> list[Event]:
    """Raises NotRead."""
    found: list[Event] = []
    one: Event | None = None
    inside = 0  # of what stands within an event: an alarm
    for number, line in _unfolded(text):
        name, parameters, value = _parted(line)
        if name == "BEGIN" and value.upper() == "VEVENT":
            one = Event(number, _NEVER)
        elif one is not None and name in ("BEGIN", "END") and value.upper() != "VEVENT":
            inside += 1 if name == "BEGIN" else -1
        elif one is not None and name == "END":
            if one.start == _NEVER:
                raise NotRead(one.line, "DTSTART", _("La réponse manque."))
            found.append(one)
            one = None
        elif one is not None and not inside:
            one = _with(one, number, name, parameters, value)
    if one is not None:
        raise NotRead(one.line, "VEVENT", _("Le calendrier s'arrête au milieu d'une visite."))
    return found


def _with(one: Event, number: int, name: str, parameters: str, value: str) -> Event:
    match name:
        case "UID":
            return replace(one, uid=value[:200])
        case "DTSTART":
            return replace(one, start=_moment(number, name, parameters, value))
        case "DTEND":
            return replace(one, end=_moment(number, name, parameters, value))
        case "SUMMARY":
            return replace(one, summary=_text(value))
        case "DESCRIPTION":
            return replace(one, description=_text(value))
        case "ATTENDEE" if not one.attendee:
            named = _NAMED.search(parameters)
            return replace(one, attendee=named[1].strip('"') if named else re.sub(r"(?i)^mailto:", "", value))
        case "STATUS":
            return replace(one, cancelled=value.upper() == "CANCELLED")
        case "RRULE" | "RDATE":
            words = _("Cette visite se répète : exportez chaque visite à part.")
            raise NotRead(number, name, words)
    return one


def _moment(number: int, name: str, parameters: str, value: str) -> datetime:
    zone = re.search(r'TZID=("[^"]*"|[^;:]*)', parameters, re.IGNORECASE)
    if zone is not None and zone[1].strip('"').lower() not in _ZONES:
        raise NotRead(number, name, _("Ce fuseau horaire n'est pas celui de Paris."))
    try:
        if value.endswith("Z"):
            return datetime.strptime(value, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).astimezone(PARIS)
        return datetime.strptime(value, "%Y%m%dT%H%M%S").replace(tzinfo=PARIS)
    except ValueError:
        raise NotRead(number, name, _("Ce n'est pas une date avec son heure.")) from None


def _unfolded(text: str) -> Iterator[tuple[int, str]]:
    """Lines with the number of their first: one that begins with a space goes on with the one before (RFC 5545 §3.1)."""
    kept, began = "", 0
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), 1):
        if line[:1] in (" ", "\t"):
            kept += line[1:]
            continue
        if kept:
            yield began, kept
        kept, began = line, number
    if kept:
        yield began, kept


def _parted(line: str) -> tuple[str, str, str]:
    """(name, parameters, value). A colon between quotes is no end."""
    quoted = False
    for place, letter in enumerate(line):
        quoted ^= letter == '"'
        if letter == ":" and not quoted:
            name, _semicolon, parameters = line[:place].partition(";")
            return name.upper(), parameters, line[place + 1 :].strip()
    return line.upper(), "", ""


def _text(value: str) -> str:
    return re.sub(r"\\(.)", lambda found: {"n": "\n", "N": "\n"}.get(found[1], found[1]), value).strip()
