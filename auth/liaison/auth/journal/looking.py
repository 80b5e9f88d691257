"""What an officer asks of the journal: the latest entries of a period, by the columns that are kept in clear.

A record is found with the refusals that were about it: these are in the sealed part, so all those of the period are
opened, up to a bound. What is beyond a bound is said, never left out in silence.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Final, NamedTuple

from liaison.auth.caller import Caller
from liaison.auth.journal.audit_reader import AuditReader, Seen
from liaison.auth.journal.audit_search import Where
from liaison.auth.journal.commit import Journal
from liaison.auth.journal.entry import Event, entry
from liaison.auth.journal.told import at_console

MOST: Final = 5_000
"""Entries opened for one answer: what is opened within the second that an answer may take."""
MOST_EXPORTED: Final = 20_000
MOST_REFUSALS: Final = 2_000


class Period(NamedTuple):
    since: datetime
    until: datetime  # not in it


class Asked(NamedTuple):
    """0: any."""

    period: Period
    patient: int = 0
    person: int = 0
    organization: int = 0


class Looked(NamedTuple):
    """Newest first. `cut`: from when on they were opened, where older entries of the period were left out; `refusals_cut`:
    refusals were."""

    seen: list[Seen]
    cut: datetime | None = None
    refusals_cut: bool = False


async def look(reader: AuditReader, caller: Caller, asked: Asked, *, exported: bool = False) -> Looked:
    """`exported`: for a file, which may take longer. Forbidden for anyone but an officer. What of it is shown is then told to the journal: `tell`."""
    about = [Where("e.patient <> 0 and e.patient = {}", (asked.patient,))] if asked.patient else []
    seen, older = await reader.columns(caller, _all([*about, *_who(asked)]), MOST_EXPORTED if exported else MOST)
    cut = seen[-1].record.at if older else None
    if asked.person:  # the columns of what was typed at the console say whom it concerned, not who did it
        seen = [one for one in seen if not at_console(one.entry)]
    if not asked.patient:
        return Looked(seen, cut)
    vain, more = await reader.columns(
        caller, _all([Where("e.patient = 0 and e.outcome <> 0", ()), *_who(asked)]), MOST_REFUSALS
    )
    seen += [one for one in vain if reader.holder(*one.entry.requested) == asked.patient]
    seen.sort(key=lambda one: (one.record.at, one.record.worker, one.record.sequence), reverse=True)
    return Looked(seen, cut, more)


async def tell(journal: Journal, caller: Caller, patients: Iterable[int], returned: int, query: str) -> None:
    """That entries were shown, durably: one entry for the question, and one on each person whose entries they were."""
    about = sorted(set(patients) - {0})
    await journal.record(
        [
            entry(caller, Event.JOURNAL_READ, returned=returned, query=query),
            *(entry(caller, Event.JOURNAL_READ, patient=one, query=query) for one in about),
        ]
    )


def _who(asked: Asked) -> list[Where]:
    found = [Where("e.at >= {} and e.at < {}", tuple(asked.period))]
    if asked.person:
        found.append(Where("e.person = {}", (asked.person,)))
    if asked.organization:
        found.append(Where("e.organization = {}", (asked.organization,)))
    return found


def _all(conditions: list[Where]) -> Where:
    return Where(
        " and ".join(one.sql for one in conditions), tuple(value for one in conditions for value in one.values)
    )
