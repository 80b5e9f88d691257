"""A plan carried out for one caller: candidates from SQL, decided, ordered, cut to a page. All reads go through `Rows`."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Final

from liaison.fhir.errors import TooCostly
from liaison.fhir.search.conditions import BEGINNING, All, Condition
from liaison.fhir.search.conditions import values_in as values_asked
from liaison.fhir.search.criteria import Facts
from liaison.fhir.search.decide import (
    BUDGET,
    CACHED,
    Budget,
    Candidate,
    known_of,
    satisfies,
    texts_of,
    values_in,
    values_of,
)
from liaison.fhir.search.ends import Ends
from liaison.fhir.search.plan import NOBODY, Plan, reads_words
from liaison.fhir.search.sort import BY_UPDATE, needs_values, ordered
from liaison.fhir.search.sql import Columns, Compiler, Family, Order, Position, Statement
from liaison.fhir.search.withheld import Left, lenient
from liaison.fhir.store.contract import Caller, Key, Row, make
from liaison.fhir.store.faults import reported
from liaison.fhir.store.identity import IDENTIFIER, identifier_token
from liaison.fhir.store.rows import rows_of
from liaison.fhir.store.store import Store
from liaison.fhir.vault import PatientKey

MOST_TOKENS: Final = 300_000
"""Tokens that one statement may need: about half a second's work."""

BATCH: Final = 2_000
"""Candidates read at once, at most, when bodies have to be decided on."""
_EVERYTHING: Final = All(())
FIRST: Final = 4
"""The first batch holds so many times what the page needs, and each one after it twice the one before: most pages are
full long before the record has ended."""


@dataclass(slots=True)
class Run:
    """One search at one snapshot: `snapshot` None until the first statement has said which."""

    store: Store
    caller: Caller
    plan: Plan
    snapshot: str | None = None
    total: int | None = None
    _patients: tuple[int, ...] | None = None
    own: tuple[int, ...] | None = None
    """The caller's patients, as soon as somebody has asked."""
    _keys: dict[int, PatientKey] = field(default_factory=dict)
    budget: Budget = field(default_factory=Budget)
    base_url: str = ""
    counted: set[int] = field(default_factory=set)
    """The patients of whom something was counted; of many, more than are few."""
    _uncounted: bool = False
    """Whether `total` counts rows that have yet to be settled."""
    _left: Left = field(init=False)

    def __post_init__(self) -> None:
        self._left = Left(self.store, self.caller, self.plan.kind)

    # ---- statements ------------------------------------------------------------------------------------------------

    @property
    def order(self) -> Order | None:
        return self.plan.order

    def turn(self) -> None:
        """From here on in the opposite order: a page before a position is read backwards from it."""
        assert self.plan.order is not None
        self.plan = replace(self.plan, order=self.plan.order.turned)

    async def first(
        self, limit: int, after: Position | None, *, total: bool = False, rough: bool = False
    ) -> list[Candidate]:
        """The first `limit` matches after a position, in index order; with `total`, the number of all of them, which with
        `rough` is left out where it is too costly."""
        if self.plan.decided:
            return await self.page(limit, after, total=total)
        found = await self.matching(limit, after)
        if total:
            with suppress(*(TooCostly,) if rough else ()):
                self.total = await self.count()
        return found

    async def page(self, limit: int, after: Position | None, *, total: bool = False) -> list[Candidate]:
        """The first `limit` candidates after a position, in index order, with their rows. Needs a decided plan."""
        assert self.plan.order is not None
        some = await self._candidates(self.plan.order, "row", limit, after, total=total)
        found = await self._settled(some)
        while len(found) < limit and len(some) == limit:
            some = await self._candidates(self.plan.order, "row", limit, _last(some))
            found = [*found, *await self._settled(some)]
        if total and self._uncounted:
            self.total = await self.count()
        return found[:limit]

    async def count(self) -> int:
        """How many resources match."""
        if not self.plan.decided:
            found_all = await self.all(sorted_=False)
            self.counted.update(one.key.patient for one in found_all)
            return len(found_all)
        found = 0
        for family in self.plan.families:
            patients = self._affordable(await self._scope(family))
            compiler = self._compiler(family)
            statement = compiler.count(self.plan.kind, patients, self._condition, self._token, self._left.marks)
            fetch = self.store.lanes.fetch if len(patients) == 1 else self.store.lanes.fetch_planned
            [[counted, having, marked, snapshot]] = await fetch(statement.text, *statement.arguments)
            self.snapshot = snapshot
            self.counted.update(having or ())
            found += counted
            if marked:
                named = await self._settled(await self._every(BUDGET + 1, self._left.marks))
                self.counted.update(one.key.patient for one in named)
                found += len(named)
        return found

    async def matching(self, limit: int, after: Position | None) -> list[Candidate]:
        """The first `limit` matches after a position, in index order, deciding on bodies as far as needed."""
        assert self.plan.order is not None
        found: list[Candidate] = []
        batch = BATCH if self._cached else min(FIRST * limit, BATCH)
        while len(found) < limit:
            some = await self._candidates(self.plan.order, self._columns(), batch, after)
            settled = await self._settled(some)
            found += [one for one, facts in await self._facts(settled) if self._matches(facts)]
            if len(some) < batch:
                break
            after = _last(some)
            batch = min(2 * batch, BATCH)
        return found[:limit]

    async def all(self, *, sorted_: bool = True) -> list[Candidate]:
        """Every match, in the order asked for."""
        sort = self.plan.query.sort
        found = await self.ranked() if sorted_ else await self.matched(values=False)
        return ordered(found, sort) if sorted_ else [one for _, one in found]

    async def ranked(self) -> list[tuple[Facts, Candidate]]:
        """Every match, in an order of no meaning, with all that the order asked for compares."""
        sort = self.plan.query.sort
        chained = [Ends(self, key) for key in sort if key.then]
        found = await self.matched(values=needs_values(sort))
        for ends in chained:
            found = await ends.of(found)
        return found

    async def matched(self, *, values: bool) -> list[tuple[Facts, Candidate]]:
        """Every match, in an order of no meaning; with `values`, those of the parameters that the plan needs."""
        values = values or not self.plan.decided
        candidates = await self._every(BUDGET + 1)
        self.budget.check(len(candidates))
        candidates = await self._settled(candidates)
        found: list[tuple[Facts, Candidate]] = []
        for start in range(0, len(candidates), BATCH):
            some = candidates[start : start + BATCH]
            for one, facts in await self._facts(some) if values else self._bare(some):
                if self._matches(facts):
                    found.append((facts, one))
        return found

    async def owners(self) -> tuple[int, ...]:
        """The patients in whose records something matches."""
        if not self.plan.decided:
            return tuple({one.key.patient for _, one in await self.matched(values=True)})
        patients = await self._scope("patient")
        compiler = self._compiler("patient")
        statement = compiler.owners(self.plan.kind, patients, self._condition, self._token, self._left.marks)
        records = await self._fetch(statement)
        if records:
            self.snapshot = records[0]["snapshot"]
        found = {record["patient"] for record in records if not record["marked"]}
        if len(found) < len(records):  # another of theirs may match, or the one that was found
            others = replace(self.plan, owners=tuple(record["patient"] for record in records if record["marked"]))
            run = Run(self.store, self.caller, others, self.snapshot, budget=self.budget)
            found.update([one.key.patient for _, one in await run.matched(values=False)])
        return tuple(found)

    async def everyone(self) -> tuple[int, ...]:
        """The caller's patients, asked for once; of these only the ones with a business identifier asked for, if one is."""
        if self.own is None:
            self.own = await self._own()
        return self.own

    async def present(self, kinds: Sequence[int]) -> frozenset[int]:
        """Of these types, those of which the caller may see anything where this run looks."""
        found: set[int] = set()
        for family in self.plan.families:
            patients = (0,) if family == "directory" else self.plan.owners or await self.everyone() or (NOBODY,)
            found.update(kind for (kind,) in await self._fetch(self._compiler(family).present(kinds, patients)))
        return frozenset(found)

    async def rows(self, keys: Sequence[Key]) -> list[Row]:
        """The rows of these resources that the caller may see, in this order, at this snapshot."""
        found: dict[Key, Row] = {}
        families: dict[Family, list[Key]] = {
            "patient": [key for key in keys if key.patient],
            "directory": [key for key in keys if not key.patient],
        }
        for family, some in families.items():
            if some:
                records = await self._fetch(self._compiler(family).rows(some))
                found |= {row.key: row for row in rows_of(records)}
                if records:
                    self.snapshot = records[0]["snapshot"]
        return [found[key] for key in keys if key in found]

    # ---- inside ----------------------------------------------------------------------------------------------------

    async def _candidates(
        self, order: Order, columns: Columns, limit: int, after: Position | None, *, total: bool = False
    ) -> list[Candidate]:
        found: list[Candidate] = []
        for family in self.plan.families:
            patients = self._affordable(await self._scope(family))
            statement = self._compiler(family).page(
                self.plan.kind,
                patients,
                self._condition,
                self._token,
                order=order,
                limit=limit,
                columns=columns,
                after=after,
                total=self._left.marks if total else None,
            )
            records = await self._fetch(statement)
            if records:
                self.snapshot = records[0]["snapshot"]
            if total:
                counted, marked = records[0]["total"] if records else (0, 0)
                self.total = (self.total or 0) + counted
                self._uncounted = self._uncounted or bool(marked)
            found += candidates_of(records, columns)
        if len(self.plan.families) > 1:
            found.sort(key=lambda one: place(one, order))
            del found[limit:]
        return found

    async def _every(self, limit: int, also: Condition = _EVERYTHING) -> list[Candidate]:
        """Everything that SQL lets match, by its last change: the order is made here."""
        found: list[Candidate] = []
        for family in self.plan.families:
            patients = self._affordable(await self._scope(family))
            condition = All((self._condition, also))
            records = await self._fetch(
                self._compiler(family).every(self.plan.kind, patients, condition, self._token, limit)
            )
            if records:
                self.snapshot = records[0]["snapshot"]
            found += candidates_of(records, "key")
        found.sort(key=lambda one: place(one, BY_UPDATE))
        return found

    @property
    def _condition(self) -> Condition:
        """What SQL is asked, once it is known of whom."""
        return lenient(self.plan.condition, self._left.marks)

    async def _settled(self, found: list[Candidate]) -> list[Candidate]:
        return await self._left.settled(found, self.plan.condition, self.rows, self.budget)

    def _affordable(self, patients: tuple[int, ...]) -> tuple[int, ...]:
        """The patients again, or TooCostly: each value is made a token under each patient's key."""
        values = values_asked(self.plan.condition)
        if values * len(patients) > MOST_TOKENS:
            raise TooCostly(
                f"This search asks for {values} values over {len(patients)} patients. Name fewer values, or the patients."
            )
        return patients

    def _compiler(self, family: Family) -> Compiler:
        return Compiler(self.store.filter, family, self.caller.session, self.snapshot)

    async def _fetch(self, statement: Statement) -> list[Any]:
        return await self.store.lanes.fetch(statement.text, *statement.arguments)

    async def _scope(self, family: Family) -> tuple[int, ...]:
        """The patients whose rows a statement looks at, their keys at hand."""
        if family == "directory":
            return (0,)
        if self._patients is None:
            owners = self.plan.owners if self.plan.owners is not None else await self.everyone() or (NOBODY,)
            theirs = [patient for patient in owners if patient != NOBODY]
            with reported():
                if self.plan.owners is not None:
                    self._keys = await self.store.acquainted.keys(self.caller.session, theirs)
                else:
                    self._keys = await self.store.vault.patient_keys(self.store.database.reading, theirs)
            self._left.look_for(self._keys)
            self._patients = owners
        return self._patients

    async def _own(self) -> tuple[int, ...]:
        asked = f"select p.patient from {self.store.filter.patients('$1::bigint')} p"
        identifiers = self.plan.identifiers if self.snapshot is None else ()
        # In no order: the index that has it is one of everybody's grants, and would be read whole.
        if not identifiers:
            found = await self.store.lanes.fetch(asked, self.caller.session)
        else:
            tokens = [identifier_token(self.store.vault, *one) for one in identifiers]
            named = await self.store.lanes.fetch(
                "select distinct t.patient from identity_token t where t.space = $1 and t.token = any($2::bytea[])"
                " and t.kind = $3",
                IDENTIFIER,
                tokens,
                self.plan.kind,
            )
            # Asked of these few, it looks at no other right. It is asked when there is none too: that takes as long.
            found = await self.store.lanes.fetch(
                f"{asked} where p.patient = any($2::bigint[])",
                self.caller.session,
                [patient for (patient,) in named] or [NOBODY],
            )
        return tuple(sorted([patient for (patient,) in found]))

    def _token(self, patient: int, parameter: int, value: bytes) -> int:
        # A patient without a key has no rows: any token will do, and takes as long.
        return self._keys.get(patient, self.store.vault.territory).token(parameter, value)

    @property
    def _cached(self) -> bool:
        return self.plan.query.type_ in CACHED and not reads_words(self.plan)

    def _columns(self) -> Columns:
        return "key" if self._cached else "row"

    def _matches(self, facts: Facts) -> bool:
        return satisfies(facts, self.plan.residual, self.plan.residual_bound)

    def _bare(self, some: Sequence[Candidate]) -> list[tuple[Candidate, Facts]]:
        type_ = self.plan.query.type_
        ids = self.store.ids_of([one.key for one in some])
        return [(one, Facts(type_, id_, one.at)) for one, id_ in zip(some, ids, strict=True)]

    async def _facts(self, some: Sequence[Candidate]) -> list[tuple[Candidate, Facts]]:
        """The candidates with their values, from the cache or opened; those erased meanwhile are left out."""
        self.budget.spend(len(some))
        known = known_of(self.store.vault)
        values: dict[Key, dict[int, list[Any]]] = {}
        only = None if (cached := self._cached) else self.plan.needed
        opened, missing = [one.row for one in some if one.row and one.key not in self._left.trees], list[Key]()
        for one in some:
            if (left := self._left.trees.get(one.key)) is not None:
                values[one.key] = values_in(self.plan.query.type_, left, only, texts_of(only))
            elif one.row is None:
                found = known.get(one.key, one.version) if cached else None
                if found is None:
                    missing.append(one.key)
                else:
                    values[one.key] = found
        for start in range(0, len(missing), BATCH):
            opened += await self.rows(missing[start : start + BATCH])
        with reported():
            keys = await self.store.vault.patient_keys(self.store.database.reading, {row.key.patient for row in opened})
        shown = await values_of(opened, keys, only, self.store.filter.abridged(self.caller))
        for row, found in zip(opened, shown, strict=True):
            if found is not None:
                values[row.key] = found
                if cached:
                    known.put(row.key, row.version, found)
        ids = self.store.ids_of([one.key for one in some])
        return [
            (one, Facts(self.plan.query.type_, id_, one.at, values[one.key]))
            for one, id_ in zip(some, ids, strict=True)
            if one.key in values
        ]


def candidates_of(records: Sequence[Any], columns: Columns) -> list[Candidate]:
    if columns == "row":
        rows = rows_of(records)
        return [
            make(Candidate, (row[0], row[1], row[2], record[12], row, row[4]))
            for row, record in zip(rows, records, strict=True)
        ]
    return [
        Candidate(Key(patient, kind, res), version, at, moment, None, classes)
        for patient, kind, res, version, at, classes, moment in (record[:7] for record in records)
    ]


def _last(some: Sequence[Candidate]) -> Position:
    return Position(some[-1].moment, some[-1].key.res, some[-1].key.patient)


def place(one: Candidate, order: Order) -> tuple[float, int, int]:
    moment = float("-inf") if one.moment == BEGINNING else one.moment.timestamp()
    place = (moment, -one.key.res, -one.key.patient)
    return tuple(-part for part in place) if order.descending else place  # type: ignore[return-value]  # three parts
