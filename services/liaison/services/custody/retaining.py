"""What the retention rules ask for, and the destruction of records whose time is over.

One record is one transaction: locked, looked at anew, then its accounts, keys, bodies and index rows go, with a tombstone
and an entry in the journal that stand or fall with it. Stopped in between, it goes on where it was when it is run again.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import asyncpg

from liaison.auth.caller import Caller
from liaison.auth.journal.acts import Act
from liaison.auth.journal.entry import Entry, Event, entry
from liaison.auth.people import notices
from liaison.auth.people.accounts import close_of_record
from liaison.auth.retention import archiving, rules
from liaison.auth.retention.records import Record, records, today
from liaison.fhir.store.contract import Request
from liaison.fhir.store.erasure import erase
from liaison.services.custody import outside
from liaison.services.house import House

Told = Callable[..., Entry]
"""Makes the entry of the journal for one patient: `patient`, `reason`, `detail`."""

DESTROYED: Final = "destroyed"
HELD: Final = "held"
CHANGED: Final = "changed"
"""Something came into the record since the plan: it is kept, and the next plan says until when."""
UNSEEN: Final = "by a death that nobody established"
"""It is due for no other reason than a death, and whoever destroys did not say by what that was established."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Of every record in force, on one day. A record on hold is neither due nor to come."""

    day: date
    records: tuple[Record, ...]

    @property
    def due(self) -> tuple[Record, ...]:
        """To be destroyed."""
        return tuple(one for one in self.records if one.over(self.day) and not one.held)

    @property
    def due_by_death(self) -> tuple[Record, ...]:
        """Those of them that a death alone makes due: a day that somebody typed into an identity."""
        return tuple(one for one in self.due if rests_on_a_death(one, self.day))

    @property
    def held(self) -> tuple[Record, ...]:
        return tuple(one for one in self.records if one.held)

    @property
    def at_rest(self) -> tuple[Record, ...]:
        """Out of active use, and not yet to be destroyed."""
        return tuple(one for one in self.records if one.at_rest(self.day) and not one.over(self.day))

    @property
    def to_archive(self) -> tuple[Record, ...]:
        """Out of active use, and still open to the teams."""
        return tuple(one for one in self.records if one.at_rest(self.day) and not one.archived)

    @property
    def to_reopen(self) -> tuple[Record, ...]:
        """Archived, and in active use again: something came into it."""
        return tuple(one for one in self.records if one.archived and not one.at_rest(self.day))

    @property
    def archived(self) -> tuple[Record, ...]:
        return tuple(one for one in self.records if one.archived)

    @property
    def open_stays(self) -> int:
        return sum(one.terms is None for one in self.records)

    def to_come(self) -> dict[int, int]:
        """How many records may be destroyed in each later year, those on hold left out."""
        kept = (one for one in self.records if one.terms and not one.held and not one.over(self.day))
        return dict(sorted(Counter(one.terms.kept_until.year for one in kept if one.terms).items()))


def rests_on_a_death(record: Record, day: date) -> bool:
    """Whether the record would be kept on this day if nobody had said that the person died (CSP R.1112-7)."""
    return record.over(day) and day <= rules.terms(record.facts._replace(died=None), rules.in_force().rules).kept_until


async def plan(connection: asyncpg.Connection, house: House) -> Plan:
    """In the caller's transaction, which also holds the entry that says so: it reads dates of every person."""
    found = await records(connection, house.vault, rules.in_force().rules)
    return Plan(await today(connection), tuple(found))


def at_console(event: Event = Event.DESTRUCTION, path: str = "retention apply") -> Told:
    """The entries of whoever types at the console, who is nobody to the journal."""

    def made(**told: Any) -> Entry:
        return Entry(event, method="console", path=path, **told)

    return made


def by_person(caller: Caller, request: Request, event: Event = Event.DESTRUCTION) -> Told:
    """The entries of whoever is signed in."""

    def made(**told: Any) -> Entry:
        return entry(caller, event, request=request, **told)

    return made


async def tell_officer(house: House, gone: int) -> None:
    """A notice to the data protection officer, of how many records were destroyed."""
    async with house.database.writing.acquire() as connection:
        await notices.tell(connection, notices.Kind.DESTRUCTION, gone)


async def archive(house: House, record: Record, *, by: str, why: str, told_by: Told) -> bool:
    """Closed to the teams, or opened again where it is in active use; with a line in the journal for each patient. False where
    that changes nothing, or something came into the record since the plan."""
    async with house.database.writing.acquire() as connection, connection.transaction():
        again = await records(connection, house.vault, rules.in_force().rules, record.patients)
        now = await today(connection)
        if len(again) != 1 or again[0].at_rest(now) != (not record.archived):
            return False
        if record.archived:
            done, act = await archiving.reopen(connection, house.vault, record.patients), Act.REOPENED
        else:
            done, act = await archiving.archive(connection, house.vault, record.patients, by=by, why=why), Act.ARCHIVED
        detail = {"act": act, "by": by, **told(again[0])}
        await house.journal.record_within(
            connection, [told_by(patient=patient, reason=why, detail=detail) for patient in done]
        )
        return bool(done)


async def reopen(house: House, patient: int, *, by: str, why: str, told_by: Told) -> bool:
    """Open to its team again, with a line in the journal. False for what is not archived."""
    async with house.database.writing.acquire() as connection, connection.transaction():
        done = await archiving.reopen(connection, house.vault, [patient])
        detail = {"act": Act.REOPENED, "by": by}
        await house.journal.record_within(connection, [told_by(patient=one, reason=why, detail=detail) for one in done])
        return bool(done)


async def destroy(
    house: House, record: Record, *, by: str, why: str, deaths: str = "", told_by: Told | None = None
) -> str:
    """DESTROYED, or why the record is still there. `by` and `why`: who decided, and by which decision; `deaths`: by what the
    death was established where the record is due by nothing else, which the journal keeps."""
    law = rules.in_force()
    async with house.database.writing.acquire() as connection, connection.transaction():
        # Writers and holds take the same rows: they come before, and are seen below, or find the person gone.
        locked = await connection.fetch(
            "select patient from patient where patient = any($1::bigint[]) and state = 0 order by patient for update",
            list(record.patients),
        )
        again = await records(connection, house.vault, law.rules, record.patients)
        now = await today(connection)
        if len(locked) != len(record.patients) or len(again) != 1 or again[0].elsewhere != record.elsewhere:
            return CHANGED
        if again[0].held:
            return HELD
        if not again[0].over(now) or again[0].terms is None:
            return CHANGED
        detail = {"by": by, "rules": law.version, **told(again[0])}
        if rests_on_a_death(again[0], now):
            if not deaths.strip():
                return UNSEEN
            detail["death"] = deaths
        made = told_by or at_console()
        entries = [made(patient=patient, reason=why, detail=detail) for patient in again[0].patients]
        await _gone(connection, house, again[0], entries)
    return DESTROYED


async def _gone(connection: asyncpg.Connection, house: House, record: Record, entries: Sequence[Entry]) -> None:
    for patient in record.patients:
        await close_of_record(connection, patient)
        await erase(connection, house.vault, patient)
    await house.journal.record_within(connection, entries)


def told(record: Record) -> dict[str, str]:
    """The terms in words of data: what the plan prints and the journal keeps."""
    if record.terms is None:
        return {"last_act": "open"}
    return {
        "last_act": record.facts.last_act.isoformat(),
        "active_until": record.terms.active_until.isoformat(),
        "kept_until": record.terms.kept_until.isoformat(),
        "because": record.terms.because,
        "rule": record.terms.kind,
    }


def numbers(house: House, found: Sequence[Record]) -> list[str]:
    """What names these records without naming anyone."""
    return [f"Patient/{house.store.id(key)}" for one in found for key in one.resources]


async def keep_outside(house: House) -> None:
    """Tombstones into the files outside at once, where no service runs that does it within two seconds."""
    async with house.database.writing.acquire() as connection:
        await outside.follow_once(connection, house.journal_keys, house.settings.outside_folder)
