"""The lines that a file of tours may be about: all of its days, and those of other days that have one of its numbers.

A visit that the planning moves to another week keeps its number there, so it is looked for under it too. A number is that of one visit:
what was made, or is somebody else's, is not moved by it, and nothing is published before the file says otherwise.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from liaison.protocols.staying import is_paused
from liaison.services.pages.clock import PARIS
from liaison.services.pages.home_service import arrivals
from liaison.services.pages.home_service.arrivals import Planned
from liaison.services.pages.home_service.differences import Named, number_of, token
from liaison.services.pages.home_service.tour_file import Wanted
from liaison.services.pages.marking import _
from liaison.services.pages.reception.people_file import Problem
from liaison.services.pages.record import Record

Tree = dict[str, Any]
_AT_ONCE: Final = 100
"""Numbers that one search asks for."""


@dataclass(frozen=True, slots=True)
class Known:
    """Those that stand or pause, and those that were called off; `others`: the numbers that lines of other days have."""

    planned: list[Planned]
    called_off: list[Tree]
    others: frozenset[str]


async def known_lines(record: Record, rows: Sequence[Wanted], named: Sequence[Named], service: str) -> Known:
    """`rows`: all lines of the file, whose days they are."""
    begin, end = _days_of(rows)
    query = [("date", f"ge{begin.isoformat()}"), ("date", f"lt{end.isoformat()}"), *_WHOLE]
    of_days = await record.search("Appointment", query, most=2 * arrivals.MOST)
    there = {number_of(one, service) for one in of_days}
    asked = [token(one, service) for one in named if one.wanted.number and one.number not in there]
    others: list[Tree] = []
    for first in range(0, len(asked), _AT_ONCE):
        tokens = ",".join(asked[first : first + _AT_ONCE])
        others += await record.search("Appointment", [("identifier", tokens), *_WHOLE], most=2 * _AT_ONCE)
    made = await arrivals.visits(record, {"date": f"ge{begin.isoformat()}"})
    elsewhere = [f"Appointment/{one['id']}" for one in others if one["resourceType"] == "Appointment"]
    if elsewhere:
        made |= await arrivals.visits(record, {"appointment": ",".join(elsewhere)})
    standing = [one for one in arrivals.lines(of_days, made) if begin <= one.at < end] + arrivals.lines(others, made)
    off = [one for one in (*of_days, *others) if one.get("status") == "cancelled" and not is_paused(one)]
    return Known(standing, off, frozenset(number_of(one, service) for one in others) - {""})


def taken(named: Sequence[Named], known: Known, service: str) -> Iterator[Problem]:
    """The numbers that are those of other visits: what the file says of them cannot be published."""
    standing = {number_of(one.tree, service): one for one in known.planned}
    before = {number_of(one, service): one for one in known.called_off} | {
        number: one.tree for number, one in standing.items()
    }
    for one in named:
        line = before.get(one.number)
        if line is None:
            continue
        actors = {str((p.get("actor") or {}).get("reference", "")) for p in line.get("participant", [])}
        if one.patient["reference"] not in actors:
            words = _("Le numéro {given} est celui d'une visite à quelqu'un d'autre : donnez-en un nouveau.")
            yield Problem(one.wanted.line, one.wanted.column("numero"), words, one.number)
        elif one.number in known.others and one.number in standing and standing[one.number].done:
            words = _("Le numéro {given} est celui d'une visite déjà faite un autre jour : donnez-en un nouveau.")
            yield Problem(one.wanted.line, one.wanted.column("numero"), words, one.number)


def _days_of(rows: Sequence[Wanted]) -> tuple[datetime, datetime]:
    """From the beginning of the first to the end of the last."""
    first = min(one.start for one in rows).date()
    last = max(one.start for one in rows).date() + timedelta(days=1)
    return datetime.combine(first, datetime.min.time(), PARIS), datetime.combine(last, datetime.min.time(), PARIS)


_WHOLE: Final = (("_sort", "date"), ("_include", "Appointment:patient"), ("_count", "200"))
