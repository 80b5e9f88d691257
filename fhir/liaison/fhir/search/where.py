"""One condition as SQL over a row `v` of `visible`, for one patient or for each row `k` of several."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeGuard

from liaison.fhir.definitions import parameter_by_number
from liaison.fhir.errors import TooCostly
from liaison.fhir.search.conditions import (
    All,
    Bound,
    Condition,
    Ids,
    Linked,
    Marked,
    Named,
    Not,
    Owners,
    Present,
    Proven,
    Range,
    Tokens,
    Updated,
    instants,
)
from liaison.fhir.search.conditions import Any as AnyOf
from liaison.fhir.store.contract import FOREIGN

TokenOf = Callable[[int, int, bytes], int]
"""(patient, parameter, value) → the token under that patient's key."""

# Parameters that split a record into few, large parts: the last ones to start an index walk from.
_BROAD: Final = frozenset({"status", "category", "_profile", "_tag", "_security", "subject", "patient", "active"})
MOST_TOKENS: Final = 200_000
"""Of one condition: each costs a HMAC and a probe."""


@dataclass(slots=True)
class Binder:
    """Collects values and gives their placeholders: the same text for the same shape of query."""

    arguments: list[Any] = field(default_factory=list)

    def add(self, value: Any, type_: str) -> str:
        self.arguments.append(value)
        return f"${len(self.arguments)}::{type_}"


def start_of(condition: Condition) -> tuple[Tokens | Linked | Ids | None, tuple[Condition, ...]]:
    """The condition whose index walk a statement follows, and those to test on each row it meets."""
    conjuncts = _conjuncts(condition)
    best: Tokens | Linked | Ids | None = None
    for one in conjuncts:
        if _starts(one) and (best is None or _rank(one) < _rank(best)):
            best = one
    return best, tuple(one for one in conjuncts if one is not best)


def _conjuncts(condition: Condition) -> tuple[Condition, ...]:
    if not isinstance(condition, All):
        return (condition,)
    return tuple(one for inner in condition.of for one in _conjuncts(inner))


def _starts(one: Condition) -> TypeGuard[Tokens | Linked | Ids]:
    if isinstance(one, Tokens):
        return not one.negated and bool(one.values)
    return isinstance(one, Linked) or (isinstance(one, Ids) and not one.negated)


def _rank(one: Tokens | Linked | Ids) -> tuple[bool, bool, int]:
    if isinstance(one, Ids):
        return False, False, 0
    each = len(one.values) if isinstance(one, Tokens) else 2
    rare = isinstance(one, Tokens) and one.values == (FOREIGN,)
    return not rare, parameter_by_number(one.param).code in _BROAD, each


def _single(one: Tokens | Linked) -> bool:
    """Whether one token is looked for in each record, so that no row is met twice."""
    return isinstance(one, Tokens) and len(one.values) == 1


@dataclass(slots=True)
class Where:
    """`owner` and `kind` are SQL for the patient and the type of the rows wanted."""

    bind: Binder
    table: Callable[[str], str]
    patients: Sequence[int]
    owner: str
    kind: str
    token: TokenOf

    def walk(self, start: Tokens | Linked | Ids) -> tuple[str, str]:
        """The relations to select from, with their join and start; and the one whose index gives clinical order."""
        if isinstance(start, Ids):
            # A select of its own ("offset 0"), or the planner takes them from the index that has the order, and walks all
            # of the record, or of the directory, for them.
            ids = f"v.patient = {self.owner} and v.kind = {self.kind} and {self.test(start)}"
            return f"(select v.* from visible v where {ids} offset 0) v where true", "v"
        joined = "v.patient = d.patient and v.kind = d.kind and v.res = d.res and v.version = d.version"
        if _single(start):
            return f"{self.table('index_token')} d join visible v on {joined} where {self._at(start)}", "d"
        once = f"select distinct d.patient, d.kind, d.res, d.version from {self.table('index_token')} d"
        return f"({once} where {self._at(start)}) d join visible v on {joined} where true", "v"

    def ranked(self, start: Tokens | Linked, source: str) -> str:
        """A select of the index rows of every patient `k` of `source`: (patient, n, kind, res, version, clinical)."""
        return (
            f"select {'' if _single(start) else 'distinct '}k.patient, k.n, d.kind, d.res, d.version, d.clinical"
            f" from {source} join {self.table('index_token')} d on {self._at(start)} where true"
        )

    def _at(self, start: Tokens | Linked) -> str:
        return (
            f"d.patient = {self.owner} and d.kind = {self.kind} and d.param = {self.bind.add(start.param, 'smallint')}"
            f" and d.token {self._among(start)}"
        )

    def _among(self, tokens: Tokens | Linked) -> str:
        """`= …` or `= any(…)` over the tokens of the row's own patient."""
        if isinstance(tokens, Linked):
            return self._linked(tokens)
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

    def _linked(self, linked: Linked) -> str:
        """`= any(…)`: as many tokens as each record has of its own, so each has its slice."""
        if sum(len(linked.of(patient)) for patient in self.patients) > MOST_TOKENS:
            raise TooCostly(
                "This search would follow too many references. Add a patient to it, or ask for less at the end of a chain."
            )
        values: list[int] = []
        ends: list[int] = []
        for patient in self.patients:
            values += [self.token(patient, linked.param, value) for value in linked.of(patient)]
            ends.append(len(values))
        array = self.bind.add(values, "bigint[]")
        if len(self.patients) == 1:
            return f"= any({array})"
        bounds = self.bind.add([0, *ends], "integer[]")
        return f"= any(({array})[({bounds})[k.n::int] + 1 : ({bounds})[k.n::int + 1]])"

    def test(self, condition: Condition) -> str:
        """Boolean SQL over `v`."""
        match condition:
            case Tokens(_, values, negated):
                if not values:
                    return "true" if negated else "false"
                return self._tokens(condition)
            case Linked():
                return self._links(condition)
            case Present(param, dates, negated):
                return self._present(param, dates, negated)
            case Range(param, bounds, inverted):
                within = self._within(bounds, "t.low", "t.high", inverted)
                return (
                    f"exists (select 1 from {self.table('index_date')} t where {_own('t')}"
                    f" and t.param = {self.bind.add(param, 'smallint')} and {within})"
                )
            case Updated(bounds, inverted):
                return self._within(instants(bounds), "v.at", "v.at", inverted)
            case Ids(res, negated):
                return f"v.res {'<> all' if negated else '= any'}({self.bind.add(list(res), 'bigint[]')})"
            case Named(resources):
                patients, ids = ([one[part] for one in resources] for part in (0, 1))
                return (
                    f"((v.patient, v.res) in (select u.patient, u.res from unnest({self.bind.add(patients, 'bigint[]')},"
                    f" {self.bind.add(ids, 'bigint[]')}) u(patient, res))) is true"
                )
            case Owners(patients):
                return self._owned(patients)
            case Proven(patient, param, values):
                # Of no row in particular: PostgreSQL answers it once, not for each row. An array of the two or three tokens
                # would take longer to send than they do.
                tokens = ", ".join([self.bind.add(self.token(patient, param, value), "bigint") for value in values])
                return (
                    f"exists (select 1 from {self.table('index_token')} o where o.patient = {self.bind.add(patient, 'bigint')}"
                    f" and o.kind = {self.kind} and o.param = {self.bind.add(param, 'smallint')}"
                    f" and o.token in ({tokens or 'null'}))"
                )
            case Marked():
                bits = [condition.bit(patient) for patient in self.patients]
                if len(bits) == 1:
                    return f"v.classes & {self.bind.add(bits[0], 'bigint')} <> 0"
                return f"v.classes & ({self.bind.add(bits, 'bigint[]')})[k.n::int] <> 0"
            case Not(inner):
                return f"not ({self.test(inner)})"
            case AnyOf(of):
                return f"({' or '.join(map(self.test, of))})" if of else "false"
            case All(of):
                return f"({' and '.join(map(self.test, of))})" if of else "true"

    def _owned(self, patients: Sequence[int]) -> str:
        # The rows are of `self.patients`, so mostly this is known here. A test that is always true would not be harmless:
        # the planner takes it for a rare one, expects one row of a record, and then reads all of it for each index row.
        owned = frozenset(patients)
        if owned.issuperset(self.patients):
            return "true"
        if owned.isdisjoint(self.patients):
            return "false"
        return f"v.patient = any({self.bind.add(list(patients), 'bigint[]')})"

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

    def _links(self, linked: Linked) -> str:
        # Many tokens: each is looked up once and the rows are hashed, as in _present; not each of them for each row.
        one = len(self.patients) == 1
        source = (
            ""
            if one
            else f"unnest({self.bind.add(list(self.patients), 'bigint[]')}) with ordinality k(patient, n) join "
        )
        return (
            f"((v.patient, v.res, v.version) in (select t.patient, t.res, t.version from"
            f" {source}{self.table('index_token')} t"
            f" {'where' if one else 'on'} t.patient = {self.owner} and t.kind = {self.kind}"
            f" and t.param = {self.bind.add(linked.param, 'smallint')} and t.token {self._among(linked)})) is true"
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
