"""What the retention rules need to know of each record: last act, birth, death, disputes, holds.

The last act is the latest clinical date of anything in force in the record (an appointment to come included), or the end
of its last stay; a stay without an end keeps the record. Where nothing has a date it is the day on which the record was
made. Records that are linked as one person's (Patient.link) are one: they share their terms, and go together.
"""

from calendar import monthrange
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import asyncpg

from liaison.auth.retention import archiving, holds
from liaison.auth.retention.rules import Facts, Rule, Terms, terms
from liaison.fhir.definitions import kind_of, official_parameters
from liaison.fhir.model import read
from liaison.fhir.store import rows
from liaison.fhir.store.contract import Key
from liaison.fhir.store.ids import Ids
from liaison.fhir.vault import Vault

_PATIENT: Final = kind_of("Patient")
_ENCOUNTER: Final = kind_of("Encounter")
_NEVER: Final = date.max

_DATES: Final = """
    select p.patient, (p.made_at at time zone 'Europe/Paris')::date as made,
           (nullif((select max(v.clinical) from version v
                    where v.patient = p.patient and v.superseded is null and not v.deleted), '-infinity')
            at time zone 'Europe/Paris')::date as last,
           s.high = 'infinity' as open,
           case when isfinite(s.high) then ((s.high - interval '1 microsecond') at time zone 'Europe/Paris')::date end
               as stayed
    from patient p
    left join lateral (
        select max(d.high) as high from index_date d
        join version v on v.patient = d.patient and v.kind = d.kind and v.res = d.res and v.version = d.version
        where d.patient = p.patient and d.kind = $2 and d.param = $3 and v.superseded is null and not v.deleted
    ) s on true
    where p.state = 0 and p.patient <> 0 and ($1::bigint[] is null or p.patient = any($1))
"""
_PERSONS: Final = f"""
    select {rows.COLUMNS}, null from version v
    where v.kind = $2 and v.superseded is null and v.patient = any($1::bigint[])
"""


@dataclass(frozen=True, slots=True)
class Record:
    """One person's record: the patient numbers that are linked as one, with what is known and the terms that follow.

    `terms` is None while a stay is open."""

    patients: tuple[int, ...]
    resources: tuple[Key, ...]
    facts: Facts
    terms: Terms | None
    held: bool
    archived: bool
    """Whether it is closed to the teams: every one of the patients is."""
    elsewhere: frozenset[int]
    """Patients that it links and that were not looked at, or are no more."""

    def over(self, today: date) -> bool:
        """Whether the record may be destroyed, but for a hold."""
        return self.terms is not None and today > self.terms.kept_until

    def at_rest(self, today: date) -> bool:
        """Whether it has left active use."""
        return self.terms is not None and today > self.terms.active_until


@dataclass(slots=True)
class _Person:
    resources: list[Key]
    born: date | None = None
    died: date | None = None
    linked: frozenset[int] = frozenset()


async def today(connection: asyncpg.Connection) -> date:
    """By the database's clock, in Paris."""
    found: date = await connection.fetchval("select (now() at time zone 'Europe/Paris')::date")
    return found


async def records(
    connection: asyncpg.Connection, vault: Vault, rules: Sequence[Rule], patients: Iterable[int] | None = None
) -> list[Record]:
    """Every record in force, or those of these patients; links to others than these are not followed then."""
    number = official_parameters("Encounter")["date"].number
    only = None if patients is None else list(patients)
    dates = {row["patient"]: row for row in await connection.fetch(_DATES, only, _ENCOUNTER, number)}
    persons = await _persons(connection, vault, list(dates))
    held = await holds.held(connection, dates)
    suspended = await holds.suspensions(connection, dates)
    archived = await archiving.archived(connection, dates)
    found = []
    for group in groups({patient: persons[patient].linked for patient in dates}):
        those = [persons[patient] for patient in group]
        last = max(_last(dates[patient]) for patient in group)
        facts = Facts(
            last,
            # The later of two that differ: the record is kept longer.
            max((one.born for one in those if one.born), default=None),
            # One of them does not say that the person is dead: then nothing is taken off.
            max(one.died for one in those if one.died) if all(one.died for one in those) else None,
            tuple(period for patient in group for period in suspended.get(patient, ())),
        )
        found.append(
            Record(
                group,
                tuple(key for one in those for key in one.resources),
                facts,
                None if last == _NEVER else terms(facts, rules),
                not held.isdisjoint(group),
                archived.issuperset(group),
                frozenset[int]().union(*(one.linked for one in those)) - dates.keys(),
            )
        )
    return found


async def patients_of(connection: asyncpg.Connection, patients: Sequence[int]) -> list[Key]:
    """The Patient resources of these records."""
    found = await connection.fetch(_PERSONS, list(patients), _PATIENT)
    return [rows.row_of(record).key for record in found]


def _last(row: Mapping[str, Any]) -> date:
    if row["open"]:
        return _NEVER
    days = [row[name] for name in ("last", "stayed") if row[name] is not None]
    return max(days) if days else row["made"]  # type: ignore[no-any-return]  # a date column


async def _persons(connection: asyncpg.Connection, vault: Vault, patients: Sequence[int]) -> dict[int, _Person]:
    found = {patient: _Person([]) for patient in patients}
    decode = Ids(vault.id_key).decode
    for start in range(0, len(patients), 500):
        some = patients[start : start + 500]
        keys = await vault.patient_keys(connection, some)
        for record in await connection.fetch(_PERSONS, some, _PATIENT):
            row = rows.row_of(record)
            person = found[row.key.patient]
            person.resources.append(row.key)
            if row.deleted or (key := keys.get(row.key.patient)) is None:
                continue
            tree = read(rows.open_(key, row))
            person.born = last_day(tree.get("birthDate"))
            person.died = last_day(tree.get("deceasedDateTime"))
            references = [str((link.get("other") or {}).get("reference", "")) for link in tree.get("link") or ()]
            others = [decode("Patient", one.rpartition("/")[2]) for one in references]
            person.linked = frozenset(other.patient for other in others if other)
    return found


def last_day(text: object) -> date | None:
    """The last day that a FHIR date or dateTime may mean; None for what is none."""
    parts = str(text or "")[:10].split("-")
    try:
        year, month, day = (*(int(part) for part in parts), 0, 0)[:3]
        month = month or 12
        return date(year, month, day or monthrange(year, month)[1])
    except ValueError:
        return None


def groups(linked: Mapping[int, frozenset[int]]) -> Iterator[tuple[int, ...]]:
    """The patients of one person together, whichever of them names the other."""
    near: dict[int, set[int]] = {patient: set() for patient in linked}
    for patient, others in linked.items():
        for other in others & linked.keys():
            near[patient].add(other)
            near[other].add(patient)
    seen: set[int] = set()
    for patient in sorted(near):
        if patient in seen:
            continue
        group, waiting = {patient}, [patient]
        while waiting:
            new = near[waiting.pop()] - group
            group |= new
            waiting += new
        seen |= group
        yield tuple(sorted(group))
