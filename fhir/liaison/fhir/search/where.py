"""One condition as SQL over a row `v` of `visible`, for one patient or for each row `k` of several."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from liaison.fhir.definitions import parameter_by_number
from liaison.fhir.search.conditions import (
    BEGINNING,
    All,
    Bound,
    Condition,
    Ids,
    Not,
    Owners,
    Present,
    Proven,
    Range,
    Tokens,
    Updated,
)
from liaison.fhir.search.conditions import Any as AnyOf

TokenOf = Callable[[int, int, bytes], int]
"""(patient, parameter, value) → the token under that patient's key."""

# Parameters that split a record into few, large parts: the last ones to start an index walk from.
_BROAD: Final = frozenset({"status", "category", "_profile", "_tag", "_security", "subject", "patient", "active"})
_INSTANT: Final = timedelta(milliseconds=1)


@dataclass(slots=True)
class Binder:
    """Collects values and gives their placeholders: the same text for the same shape of query."""

    arguments: list[Any] = field(default_factory=list)

    def add(self, value: Any, type_: str) -> str:
        self.arguments.append(value)
        return f"${len(self.arguments)}::{type_}"


def start_of(condition: Condition) -> tuple[Tokens | None, tuple[Condition, ...]]:
    """The condition whose index walk a statement follows, and those to test on each row it meets."""
    conjuncts = _conjuncts(condition)
    best: Tokens | None = None
    for one in conjuncts:
        if isinstance(one, Tokens) and not one.negated and one.values and (best is None or _rank(one) < _rank(best)):
            best = one
    return best, tuple(one for one in conjuncts if one is not best)


def _conjuncts(condition: Condition) -> tuple[Condition, ...]:
    if not isinstance(condition, All):
        return (condition,)
    return tuple(one for inner in condition.of for one in _conjuncts(inner))


def _rank(tokens: Tokens) -> tuple[bool, int]:
    return parameter_by_number(tokens.param).code in _BROAD, len(tokens.values)


@dataclass(slots=True)
class Where:
    """`owner` and `kind` are SQL for the patient and the type of the rows wanted."""

    bind: Binder
    table: Callable[[str], str]
    patients: Sequence[int]
    owner: str
    kind: str
    token: TokenOf

    def walk(self, start: Tokens) -> tuple[str, str]:
        """The relations to select from, with their join and start; and the one whose index gives clinical order."""
        joined = "v.patient = d.patient and v.kind = d.kind and v.res = d.res and v.version = d.version"
        if len(start.values) == 1:
            return f"{self.table('index_token')} d join visible v on {joined} where {self._at(start)}", "d"
        once = f"select distinct d.patient, d.kind, d.res, d.version from {self.table('index_token')} d"
        return f"({once} where {self._at(start)}) d join visible v on {joined} where true", "v"

    def ranked(self, start: Tokens, source: str) -> str:
        """A select of the index rows of every patient `k` of `source`: (patient, n, kind, res, version, clinical)."""
        return (
            f"select {'distinct ' if len(start.values) > 1 else ''}k.patient, k.n, d.kind, d.res, d.version, d.clinical"
            f" from {source} join {self.table('index_token')} d on {self._at(start)} where true"
        )

    def _at(self, start: Tokens) -> str:
        return (
            f"d.patient = {self.owner} and d.kind = {self.kind} and d.param = {self.bind.add(start.param, 'smallint')}"
            f" and d.token {self._among(start)}"
        )

    def _among(self, tokens: Tokens) -> str:
        """`= …` or `= any(…)` over the tokens of the row's own patient."""
        values = [self.token(patient, tokens.param, value) for patient in self.patients for value in tokens.values]
        each = len(tokens.values)
        if len(self.patients) == 1:
            return (
                f"= {self.bind.add(values[0], 'bigint')}"
                if each == 1
                else f"= any({self.bind.add(values, 'bigint[]')})"
            )
        array = self.bind.add(values, "bigint[]")
        if each == 1:
            return f"= ({array})[k.n::int]"
        return f"= any(({array})[(k.n::int - 1) * {each} + 1 : k.n::int * {each}])"

    def test(self, condition: Condition) -> str:
        """Boolean SQL over `v`."""
        match condition:
            case Tokens(_, values, negated):
                if not values:
                    return "true" if negated else "false"
                return self._tokens(condition)
            case Present(param, dates, negated):
                return self._present(param, dates, negated)
            case Range(param, bounds, inverted):
                within = self._within(bounds, "t.low", "t.high", inverted)
                return (
                    f"exists (select 1 from {self.table('index_date')} t where {_own('t')}"
                    f" and t.param = {self.bind.add(param, 'smallint')} and {within})"
                )
            case Updated(bounds, inverted):
                # An instant's range is one millisecond long, the precision of meta.lastUpdated.
                instant = tuple(b if b.side == "low" else Bound("low", b.operator, _earlier(b)) for b in bounds)
                return self._within(instant, "v.at", "v.at", inverted)
            case Ids(res, negated):
                return f"v.res {'<> all' if negated else '= any'}({self.bind.add(list(res), 'bigint[]')})"
            case Owners(patients):
                return f"v.patient = any({self.bind.add(list(patients), 'bigint[]')})"
            case Proven(patient, param, values):
                # Of no row in particular: PostgreSQL answers it once, not for each row.
                tokens = [self.token(patient, param, value) for value in values]
                return (
                    f"exists (select 1 from {self.table('index_token')} o where o.patient = {self.bind.add(patient, 'bigint')}"
                    f" and o.kind = {self.kind} and o.param = {self.bind.add(param, 'smallint')}"
                    f" and o.token = any({self.bind.add(tokens, 'bigint[]')}))"
                )
            case Not(inner):
                return f"not ({self.test(inner)})"
            case AnyOf(of):
                return f"({' or '.join(map(self.test, of))})" if of else "false"
            case All(of):
                return f"({' and '.join(map(self.test, of))})" if of else "true"

    def _present(self, param: int, dates: bool, negated: bool) -> str:
        # No index key goes from a row to its tokens: all that have the parameter are hashed once, and rows looked up.
        # "is true" keeps the planner from making a join of it, which would read the index again for each row.
        one = len(self.patients) == 1
        owner = f"= {self.owner}" if one else f"= any({self.bind.add(list(self.patients), 'bigint[]')})"
        return (
            f"((v.patient, v.res, v.version) in (select t.patient, t.res, t.version"
            f" from {self.table('index_date' if dates else 'index_token')} t where t.patient {owner}"
            f" and t.kind = {self.kind} and t.param = {self.bind.add(param, 'smallint')})) is {'not ' if negated else ''}true"
        )

    def _tokens(self, tokens: Tokens) -> str:
        # With the clinical date, which the row has too, the whole index key is known: one probe, no heap.
        return (
            f"{'not ' if tokens.negated else ''}exists (select 1 from {self.table('index_token')} t where {_own('t')}"
            f" and t.param = {self.bind.add(tokens.param, 'smallint')} and t.token {self._among(tokens)}"
            " and t.clinical = v.clinical)"
        )

    def _within(self, bounds: Sequence[Bound], low: str, high: str, inverted: bool) -> str:
        tests = [
            f"{low if bound.side == 'low' else high} {bound.operator} {self.bind.add(bound.moment, 'timestamptz')}"
            for bound in bounds
        ]
        return f"{'not ' if inverted else ''}({' and '.join(tests)})"


def _own(alias: str) -> str:
    return (
        f"{alias}.patient = v.patient and {alias}.kind = v.kind and {alias}.res = v.res and {alias}.version = v.version"
    )


def _earlier(bound: Bound) -> datetime:
    try:
        return bound.moment - _INSTANT
    except OverflowError:
        return BEGINNING
