"""The answer to a question: its visits, what they have in common with a count each, and when they were."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final

from liaison.auth.access.purposes import Purpose
from liaison.auth.caller import Caller
from liaison.auth.journal import expiry
from liaison.auth.journal.looking import Asked, Period, look
from liaison.auth.journal.visits import Visit, visits
from liaison.services.pages.audit.edges import Edge, edge
from liaison.services.pages.audit.lines import worth_telling
from liaison.services.pages.audit.question import Question
from liaison.services.pages.clock import PARIS

FACETS: Final = ("personne", "structure", "role", "motif", "heure", "logiciel")
HOURS: Final = range(24)
DAYS: Final = range(1, 8)
_BY_DAY: Final = timedelta(days=62)


@dataclass(slots=True)
class Answer:
    """Visits latest first. `cut`: there are older ones in the period, and `older` is where they begin, but for an export;
    `split`: a visit may go on there; `refusals_cut`: vain attempts were left out. `readable`: the period begins before this day,
    from which on entries can be read: what was before is kept as proofs alone.

    `facets` counts visits by name of a criterion and value, most first; `times` by first and last day, in order; `hours`
    by hour and day of the week (1 is Monday), in Paris.
    """

    question: Question
    since: datetime
    until: datetime
    visits: list[Visit]
    cut: bool
    refusals_cut: bool
    clients: dict[int, tuple[str, str]] = field(default_factory=dict)  # number → client_id, name
    older: Edge | None = None
    split: bool = False
    readable: date | None = None

    @property
    def facets(self) -> dict[str, list[tuple[str, int]]]:
        read = {name: Counter(self._values(name)) for name in FACETS}
        found = {name: counter.most_common() for name, counter in read.items()}
        found["heure"].sort(key=lambda one: int(one[0]))
        return found

    @property
    def times(self) -> list[tuple[date, date, int]]:
        by_day = self.until - self.since <= _BY_DAY
        counted: Counter[date] = Counter()
        for visit in self.visits:
            day = _local(visit).date()
            counted[day if by_day else day.replace(day=1)] += 1
        return [(first, first if by_day else _end_of_month(first), count) for first, count in sorted(counted.items())]

    @property
    def hours(self) -> dict[tuple[int, int], int]:
        return Counter((_local(visit).hour, _local(visit).isoweekday()) for visit in self.visits)

    def _values(self, name: str) -> Iterable[str]:
        for visit in self.visits:
            match name:
                case "personne":
                    yield from _id(visit.practitioner)
                case "structure":
                    yield from _id(visit.organization)
                case "role":
                    yield from [visit.role_code] if visit.role_code else []
                case "motif":
                    yield from (Purpose(one).name for one in visit.purposes)
                case "heure":
                    yield str(_local(visit).hour)
                case _:
                    client_id = self.clients.get(visit.client, ("", ""))[0]
                    yield from [client_id] if client_id else []


async def answer(house: Any, caller: Caller, question: Question, now: datetime, *, exported: bool = False) -> Answer:
    """`exported`: of more entries, for a file. Raises Unread for a period that cannot be asked, NotFound for a record or person that is no reference."""
    since, until = question.period(now)
    reader = house.audit
    before = min(until, question.before.moment) if question.before else until
    asked = Asked(
        Period(since, before),
        reader.patient(question.dossier) if question.dossier else 0,
        reader.number(f"Practitioner/{question.personne}") if question.personne else 0,
        reader.number(f"Organization/{question.structure}") if question.structure else 0,
    )
    looked = await look(reader, caller, asked, exported=exported)
    found = visits(reader, looked.seen)
    older = edge(found, looked.cut) if looked.cut and not exported else None
    if older:
        found = [one for one in found if one.since >= older.moment]
    found = [one for one in found if worth_telling(one, acts=not question.dossier)]
    software = await reader.software({one.client for one in found} - {0})
    clients = {number: (one.client_id, one.name) for number, one in software.items()}
    for one in found:
        one.software = clients.get(one.client, ("", ""))[1]
    keep = _test(question, clients)
    kept = [one for one in found if keep(one)]
    readable = await expiry.readable_since(house.database.reading)
    return Answer(
        question, since, until, kept, looked.cut is not None, looked.refusals_cut, clients,
        older, older is not None and older.moment == looked.cut,
        readable if readable and since.date() < readable else None,
    )  # fmt: skip


def _test(question: Question, clients: dict[int, tuple[str, str]]) -> Callable[[Visit], bool]:
    tests: list[Callable[[Visit], bool]] = []
    if question.role:
        tests.append(lambda one: one.role_code == question.role)
    if question.motif:
        tests.append(lambda one: Purpose[question.motif] in one.purposes)
    if question.heure:
        tests.append(lambda one: _local(one).hour == int(question.heure))
    if question.jour:
        tests.append(lambda one: _local(one).isoweekday() == int(question.jour))
    if question.logiciel:
        tests.append(lambda one: clients.get(one.client, ("", ""))[0] == question.logiciel)
    return lambda visit: all(test(visit) for test in tests)


def _local(visit: Visit) -> datetime:
    return visit.since.astimezone(PARIS)


def _id(reference: str) -> list[str]:
    id_ = reference.partition("/")[2]
    return [id_] if id_ else []


def _end_of_month(first: date) -> date:
    return (first.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
