"""Entries as a person tells them: who opened this record, when, how long, for what. For the audit page.

A visit is what one person did in one role through one client on one record, without a pause of half an hour.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

from liaison.auth.access.purposes import Purpose
from liaison.auth.access.relations import Relation
from liaison.auth.access.table import label_of
from liaison.auth.caller import Caller
from liaison.auth.journal.acts import BY_REASON
from liaison.auth.journal.audit_event import identifier
from liaison.auth.journal.audit_reader import AuditReader, Seen
from liaison.auth.journal.commit import Journal
from liaison.auth.journal.entry import Event, entry
from liaison.auth.journal.told import Told, actor, at_console, reason_of, told_of
from liaison.fhir.definitions import type_of

PAUSE: Final = timedelta(minutes=30)
SHOWN_EVENTS: Final = frozenset(Event) - {Event.CHAIN_START, Event.CHAIN_END, Event.LINK}


@dataclass(slots=True)
class Visit:
    """References, codes and counts: the page looks names up in the directory, under its reader's own rights."""

    practitioner: str  # 'Practitioner/x', 'patient', 'represented' or '' for a client alone
    organization: str  # 'Organization/x' or ''
    role_code: str
    client: int
    since: datetime
    until: datetime
    acts_for: str = ""  # 'Practitioner/x' whom the person replaces, or who answers for them
    software: str = ""  # the name under which the client is registered
    read: int = 0  # resources read
    written: int = 0
    refused: int = 0
    asked: int = 0  # questions that were answered by a number, or by "none"
    types: set[str] = field(default_factory=set)
    rules: set[str] = field(default_factory=set)
    relations: set[Relation] = field(default_factory=set)
    purposes: set[Purpose] = field(default_factory=set)
    reasons: set[str] = field(default_factory=set)
    emergency: bool = False
    patient: int = 0  # the record; 0 for lists of several people, and for what is about nobody
    people: set[int] = field(default_factory=set)  # of the lists: those whom they showed
    console: bool = False  # typed at the console of the server, by nobody that the journal knows
    deeds: dict[Told, None] = field(
        default_factory=dict
    )  # what neither reads nor writes, newest first: sign-ins, rights
    lines: list[Seen] = field(default_factory=list)  # the entries behind the visit, newest first

    @property
    def events(self) -> list[str]:
        """Ids of the AuditEvents behind the visit."""
        return [identifier(one.record.worker, one.record.sequence) for one in self.lines]


async def who_saw(
    reader: AuditReader, journal: Journal, caller: Caller, patient_id: str, query: str = "", *, refusals: bool = True
) -> list[Visit]:
    """The visits to one record, latest first, as far as the caller may read its traces; [] when they may not.

    The reading is durable in the journal before this returns. `query` narrows: date=ge2026-01-01, agent=…
    Raises TooCostly when too many entries would have to be opened; `refusals` False leaves out the vain attempts.
    """
    patient = reader.patient(patient_id)
    narrowed = "&".join(part for part in (f"patient=Patient/{patient_id}", query) if part)
    seen = await reader.entries(caller, narrowed, refusals=refusals)
    officer = caller.purpose == Purpose.HOPERAT
    about = patient if seen else 0
    await journal.record([entry(caller, Event.JOURNAL_READ, patient=about, returned=len(seen), query=narrowed)])
    found = visits(reader, seen, officer=officer)
    registered = await reader.software({visit.client for visit in found} - {0})
    for visit in found:
        if visit.client in registered:
            visit.software = registered[visit.client].name
    return found


def visits(reader: AuditReader, seen: Iterable[Seen], *, officer: bool = True) -> list[Visit]:
    """Groups entries, given newest first. An answer on several people is one act of a list, not a visit to each. `officer` False:
    for the person, who is not told what officers did."""
    entries = [one for one in seen if one.entry.event in SHOWN_EVENTS]
    lists = _lists(entries)
    open_: dict[tuple[int | str, ...], Visit] = {}
    found: list[Visit] = []
    reference = lru_cache(maxsize=None)(reader.reference)  # few people and places make many visits
    for one in entries:
        patient = 0 if _answer(one) in lists else one.entry.patient
        by, console = actor(one.entry), at_console(one.entry)
        # Tasks of the service have no role of theirs: their names tell them apart.
        who = (by.person, by.organization, by.role, by.role_code, by.client, by.acts_for, patient, console)
        visit = open_.get(who)
        if visit is None or visit.since - one.record.at > PAUSE:
            visit = _begin(reference, one)
            visit.patient, visit.console = patient, console
            open_[who] = visit
            found.append(visit)
        _add(visit, one, told_of(one.entry, officer=officer), reason_of(one.entry, officer=officer))
    return sorted(found, key=lambda visit: visit.until, reverse=True)


def _answer(one: Seen) -> tuple[int, int, datetime]:
    """Which answer an entry belongs to: those of one answer are recorded in one call, at one moment of one process."""
    return (one.entry.session, one.record.worker, one.record.at)


def _lists(entries: Iterable[Seen]) -> frozenset[tuple[int, int, datetime]]:
    """The answers that were on more than one person."""
    people: dict[tuple[int, int, datetime], int] = {}
    several = set()
    for one in entries:
        if one.entry.patient and people.setdefault(_answer(one), one.entry.patient) != one.entry.patient:
            several.add(_answer(one))
    return frozenset(several)


@lru_cache(maxsize=4096)
def _grounds(pairs: tuple[int, ...]) -> tuple[frozenset[str], frozenset[Relation]]:
    """The rules and relations of an item: few combinations, told of thousands of items."""
    return frozenset(map(label_of, pairs[::2])), frozenset(map(Relation, pairs[1::2]))


def _begin(reference: Callable[[str, int, int], str], one: Seen) -> Visit:
    done = actor(one.entry)
    person = ""
    if done.person and done.person != done.client:
        own = {"patient": "patient", "guardian": "represented"}.get(done.role_code)
        person = own or reference("Practitioner", 0, done.person)
    organization = reference("Organization", 0, done.organization) if done.organization else ""
    acts_for = reference("Practitioner", 0, done.acts_for) if done.acts_for else ""
    return Visit(person, organization, done.role_code, done.client, one.record.at, one.record.at, acts_for)


_QUESTIONS: Final = frozenset({Event.HISTORY, Event.SEARCH, Event.OPERATION})
_READS: Final = frozenset({Event.READ, Event.VREAD, Event.BUNDLE})
_WRITES: Final = frozenset({Event.CREATE, Event.UPDATE, Event.DELETE})


def _add(visit: Visit, one: Seen, told: Told | None, reason: str) -> None:
    done = one.entry
    visit.since = one.record.at
    if done.outcome:
        visit.refused += 1
    elif done.event in _WRITES:
        visit.written += len(done.items)
    else:
        visit.read += len(done.items)
        visit.asked += not done.items and not told and done.event in _QUESTIONS
    if told is not None:
        visit.deeds.setdefault(told)
    if done.patient and not visit.patient:
        visit.people.add(done.patient)
    for item in done.items:
        visit.types.add(type_of(item[0]))
        rules, relations = _grounds(item[3:])
        visit.rules |= rules
        visit.relations |= relations
    if done.purpose:
        visit.purposes.add(Purpose(done.purpose))
    if reason and not (told and told.act in BY_REASON):
        visit.reasons.add(reason)
    visit.emergency |= done.event == Event.EMERGENCY or done.purpose == Purpose.ETREAT
    visit.lines.append(one)
