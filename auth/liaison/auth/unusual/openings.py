"""The journal's entries as a rule looks at them: what one professional did on one record in one day, and counts by the hour.

Only what was shown of a record, and what was not shown by the id that was asked for. Not the person and those close to them,
not the offices (their own readings of the journal are entries), not background work, not software without a person.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cache, lru_cache
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from liaison.auth.access import internal
from liaison.auth.access.relations import Relation
from liaison.auth.access.roles import ROLES
from liaison.auth.journal.entry import OUTCOME_REFUSED, Entry, Event
from liaison.auth.journal.sealing import Record
from liaison.fhir.store.contract import Key

PARIS: Final = ZoneInfo("Europe/Paris")
HOUR: Final = timedelta(hours=1)
ONE_BY_ONE: Final = frozenset({Event.READ, Event.VREAD, Event.HISTORY})
TOGETHER: Final = frozenset({Event.SEARCH, Event.OPERATION, Event.BUNDLE, Event.EXPORT})
_RELATIONS: Final = frozenset(map(int, Relation))
_LEFT_OUT: Final = frozenset({"person", "control"})
_NOT_SHOWN: Final = frozenset({403, 404, 410})
"""Answers to who would have seen something, had they a right or had it been there. Others say what was wrong in the question."""


class Looked(NamedTuple):
    record: Record
    entry: Entry


@dataclass(slots=True)
class Opening:
    """`at` is the first entry's, and so is its place in the journal; `refused` counts answers without anything."""

    person: int
    role: int
    role_code: str
    organization: int
    patient: int
    day: date
    at: datetime
    worker: int
    sequence: int
    moments: list[datetime] = field(default_factory=list)
    relations: set[Relation] = field(default_factory=set)
    opened: int = 0
    refused: int = 0


Decode = Callable[[str, str], Key | None]


def by_a_professional(entry: Entry) -> bool:
    return bool(entry.person) and entry.person != entry.client and _of_a_professional(entry.role_code)


@cache
def _of_a_professional(role_code: str) -> bool:
    role = ROLES.get(role_code)
    return not role_code.startswith(internal.PREFIX) and role is not None and role.category not in _LEFT_OUT


@lru_cache(maxsize=4096)
def _links(pairs: tuple[int, ...]) -> frozenset[Relation]:
    return frozenset(Relation(number) for number in pairs[1::2] if number in _RELATIONS)


def about(entry: Entry, decode: Decode) -> int:
    """The patient whose record was opened, or asked for in vain; 0 for anything else."""
    if entry.event not in ONE_BY_ONE | TOGETHER or not by_a_professional(entry):
        return 0
    if entry.outcome == OUTCOME_REFUSED and entry.status in _NOT_SHOWN and all(entry.requested):
        key = decode(*entry.requested)
        return key.patient if key is not None else 0
    return entry.patient if entry.items and not entry.outcome else 0


def openings(looked: Iterable[Looked], decode: Decode) -> list[Opening]:
    """In the order of their first entries."""
    found: dict[tuple[int, int, date], Opening] = {}
    for record, entry in looked:
        patient = about(entry, decode)
        if not patient:
            continue
        day = record.at.astimezone(PARIS).date()
        where = (entry.person, patient, day)
        if where not in found:
            found[where] = Opening(
                entry.person,
                entry.role,
                entry.role_code,
                entry.organization,
                patient,
                day,
                record.at,
                record.worker,
                record.sequence,
            )
        one = found[where]
        one.moments.append(record.at)
        for item in entry.items:
            one.relations |= _links(item[3:])
        if entry.outcome:
            one.refused += 1
        else:
            one.opened += 1
    return list(found.values())


def crossings(looked: Iterable[Looked], events: frozenset[Event], most: int) -> list[tuple[Opening, int]]:
    """Where someone came to `most` different records within an hour by such events, the first time of each day, and to how
    many. The entries are in the order of time."""
    recent: dict[int, list[tuple[datetime, int]]] = {}
    told: set[tuple[int, date]] = set()
    found = []
    for record, entry in looked:
        if entry.event not in events or entry.outcome or not entry.items or not entry.patient:
            continue
        if not by_a_professional(entry):
            continue
        window = [one for one in recent.get(entry.person, []) if one[0] > record.at - HOUR]
        window.append((record.at, entry.patient))
        recent[entry.person] = window
        count, day = len({patient for _, patient in window}), record.at.astimezone(PARIS).date()
        if count >= most and (entry.person, day) not in told:
            told.add((entry.person, day))
            found += [(one, count) for one in openings([Looked(record, entry)], lambda _type, _id: None)]
    return found
