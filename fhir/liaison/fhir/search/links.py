"""Following chains: from what is asked of the far end to a condition on the type searched, one hop after the other.

Each hop is a search of its own among visible rows, under the caller's scopes for its type: a resource in the middle that
the caller may not see is not there, and what it refers to, or what refers to it, is not found through it (R4
search.html#chaining; hapi-fhir#6065 leaked through _has). All hops are read at one snapshot, within one budget.

References stay in one record, or lead to the directory, to a Patient, or rarely into another record. So a hop looks in
the records that the search is about already. The few references out of them are found by a mark (store contract,
FOREIGN), those into them by what the store knows (elsewhere.py): a question about one patient never walks through other
records.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Final

from liaison.fhir.definitions import SearchParameter, kind_of, ownership, search_parameters, type_of
from liaison.fhir.errors import Forbidden
from liaison.fhir.model.values import Reference
from liaison.fhir.search import reference
from liaison.fhir.search.canonical import Definitions, is_canonical
from liaison.fhir.search.chain import Chained, Way
from liaison.fhir.search.conditions import (
    All,
    Any,
    Condition,
    Linked,
    Named,
    Owners,
    Tokens,
    any_of,
    implied_patients,
)
from liaison.fhir.search.containing import Containing
from liaison.fhir.search.criteria import Criterion, Query
from liaison.fhir.search.decide import Budget
from liaison.fhir.search.elsewhere import records
from liaison.fhir.search.expression import Expression, Tested, conjuncts, joined, leaves
from liaison.fhir.search.paths import names_owner, owner_parameter
from liaison.fhir.search.plan import Alternatives, Plan, condition_of, families_of, plan, within
from liaison.fhir.search.resolve import Consulted, resolved
from liaison.fhir.search.run import Run
from liaison.fhir.search.scopes import bound
from liaison.fhir.search.singled import few, singled_out
from liaison.fhir.search.sql import Family
from liaison.fhir.store.contract import FOREIGN, Caller, Key, Singled
from liaison.fhir.store.identity import identifier_token
from liaison.fhir.store.store import Store

Scope = frozenset[int] | None
"""The patients in whose records a hop looks; None: all of the caller's."""

_NOTHING: Final = Any(())
_PATIENT: Final = kind_of("Patient")


class Links:
    """The chains of one search, for one caller. `snapshot` is that of the first statement, once there was one;
    `consulted` is what was read to say what its criteria mean, `singled` the patients whom they single out."""

    def __init__(
        self, store: Store, caller: Caller, base_url: str, *, snapshot: str | None = None, budget: Budget | None = None
    ) -> None:
        self.store, self.caller, self.base_url, self.snapshot = store, caller, base_url, snapshot
        self.budget = budget or Budget()
        self.consulted: Consulted = {}
        self.singled: set[Singled] = set()

    async def plan(self, query: Query, scope: Scope = None) -> Plan:
        """The plan of a search, its chains followed; with `scope`, in these records only."""
        self._note(query)
        asked, query = (
            query,
            await resolved(self.store, self.caller, query, self.base_url, self.snapshot, self.consulted),
        )
        if query is not asked:
            self._note(query)
        known = await self.conditions(query.criteria, query.type_, scope)
        query = await self._decidable(query, known, scope)
        return within(plan(query, self.bound(query.type_), self.store.key, known), scope)

    async def run(self, query: Query, scope: Scope = None) -> Run:
        """What answers a search, its chains followed, at their snapshot and within their budget; with `scope`, in these
        records only."""
        made = await self.plan(query, scope)
        return Run(self.store, self.caller, made, self.snapshot, budget=self.budget, base_url=self.base_url)

    async def conditions(
        self, criteria: Sequence[Criterion], type_: str, scope: Scope = None
    ) -> Mapping[Criterion, Condition]:
        """What each chained criterion, and each within an expression, means for rows of the type. Forbidden, whatever
        the data, when the scopes of the token allow no type that a link may lead to."""
        together = list(conjuncts(criteria))
        asked = {one: self._permitted(one) for one in leaves(together) if isinstance(one, Chained)}
        found: dict[Criterion, Condition] = {}
        if not asked:
            return found
        for one in together:
            if one not in asked:
                scope = _narrowed(scope, condition_of(one, type_, self.store.key))
        # Those that say whose records it is about come first: they narrow the others. What stands under `or` or `not`
        # narrows nothing.
        narrowing = {one for one in together if one in asked}
        for one in sorted(asked, key=lambda one: (one not in narrowing, not names_owner(one.parameter, type_))):
            found[one] = await self._hop(asked[one], type_, scope)
            self.singled |= few(implied_patients(found[one]))
            if one in narrowing:
                scope = _narrowed(scope, found[one])
        return found

    async def _decidable(self, query: Query, known: Mapping[Criterion, Condition], scope: Scope) -> Query:
        """The query with the chains of an expression that is decided after decryption put as the ids that they find."""
        if not any(isinstance(one, Expression) for one in query.criteria):
            return query
        criteria = []
        for one in conjuncts(query.criteria):
            if known and isinstance(one, Expression):
                others = [other for other in conjuncts(query.criteria) if other is not one]
                if condition_of(one, query.type_, self.store.key, known) is None:
                    one = await self._with_ids(one, replace(query, criteria=tuple(others)), known, scope)
            criteria.append(one)
        return replace(query, criteria=tuple(criteria))

    async def _with_ids(
        self, one: Expression, rest: Query, known: Mapping[Criterion, Condition], scope: Scope
    ) -> Expression:
        """Each chain of it as a test of the id. `rest` is what else is asked: it says which rows can matter."""
        decided = [condition_of(other, rest.type_, self.store.key, known) for other in rest.criteria]
        within_rest = All(tuple(condition for condition in decided if condition is not None))
        parts: list[Criterion] = []
        for part in one.of:
            if isinstance(part, Expression):
                part = await self._with_ids(part, rest, known, scope)
            elif part in known:
                made = within(plan(Query(rest.type_), self.bound(rest.type_), self.store.key), scope)
                run = self.running(replace(made, condition=All((made.condition, within_rest, known[part]))))
                ids = frozenset({self.store.id(found.key) for found in await run.all(sorted_=False)})
                self._seen(run)
                by_id = search_parameters(rest.type_)["_id"]
                part = Tested("_id", "", by_id, part.operands, ids.__contains__)
            parts.append(part)
        return joined(one.way, parts)

    def _permitted_of(self, one: Criterion) -> Criterion:
        if isinstance(one, Expression):
            return joined(one.way, [self._permitted_of(part) for part in one.of])
        return self._permitted(one) if isinstance(one, Chained) else one

    def _permitted(self, one: Chained) -> Chained:
        """The criterion with only the ways that the scopes allow. Decided before any record is looked at."""
        ways = []
        for way in one.ways:
            if self.caller.bound.allows("s", way.type_):
                self.bound(way.type_)
                ways.append(Way(way.type_, self._permitted_of(way.asked)))
        if not ways:
            types = " or ".join(way.type_ for way in one.ways)
            raise Forbidden(f"The scopes of this token do not allow 's' on {types}, which '{one.name}' asks about.")
        return replace(one, ways=tuple(ways))

    async def _hop(self, one: Chained, type_: str, scope: Scope) -> Condition:
        if not _of_patients(type_) or (scope is not None and 0 in scope):
            scope = None  # what is in the directory is referred to from anywhere, and may refer anywhere
        return await (self._referring(one, type_, scope) if one.reverse else self._referred(one, type_, scope))

    # ---- forward ---------------------------------------------------------------------------------------------------

    async def _referred(self, one: Chained, type_: str, scope: Scope) -> Condition:
        """The rows that refer to what matches at the far end, there or within themselves."""
        parameter = one.parameter
        one = await self.looked_up(one)
        within = Containing(self)
        inside, exact = within.tokens(one, type_)
        into_records = any(_of_patients(way.type_) for way in one.ways)
        marks = (FOREIGN,) if into_records and _of_patients(type_) and not names_owner(parameter, type_) else ()
        found = []
        if into_records or not exact:  # which records hold them is known then: the rest looks into no others
            marks, inside = (*marks, *inside), ()
        if marks:
            found = await self.marked(type_, parameter, scope, marks)
        foreign = [
            (key, [to for to in self._local(values) if to.patient not in (0, key.patient)]) for key, values in found
        ]
        there = scope
        if scope is not None:
            there = scope | {target.patient for _, targets in foreign for target in targets}
        reached = await self.reached(one, there)
        out = [key for key, targets in foreign if not reached.isdisjoint(targets)]
        out += await within.of(one, [key for key, values in found if any(value.contained for value in values)])
        met: list[Condition] = [self.naming(type_, parameter, reached)] if reached else []
        if reached and is_canonical(parameter, type_):
            named = await self._definitions(one).tokens_of(reached)
            inside = (*inside, *(token for tokens in named.values() for token in tokens))
        if inside:
            met = [_with_tokens(condition, parameter, inside) for condition in met or (Tokens(parameter.number, ()),)]
        if out:
            met.append(Named(tuple((key.patient, key.res) for key in out)))
        return any_of(met) or _NOTHING

    async def reached(self, one: Chained, scope: Scope) -> frozenset[Key]:
        """What matches at the far end of a link."""
        keys: set[Key] = set()
        for way in one.ways:
            run = await self._inner(way.type_, way.asked, scope if _of_patients(way.type_) else None)
            keys.update(found.key for found in await run.all(sorted_=False))
            self._seen(run)
        return frozenset(keys)

    async def looked_up(self, one: Chained) -> Chained:
        """A link with what its values stand for in the base (resolve.py) in their place."""
        return replace(one, ways=tuple([Way(type_, await self.meant(type_, asked)) for type_, asked in one.ways]))

    async def meant(self, type_: str, asked: Criterion) -> Criterion:
        query = Query(type_, (asked,))
        self._note(query)
        return (await resolved(self.store, self.caller, query, self.base_url, self.snapshot, self.consulted)).criteria[
            0
        ]

    # ---- naming ----------------------------------------------------------------------------------------------------

    def naming(self, type_: str, parameter: SearchParameter, keys: Iterable[Key]) -> Condition:
        """The rows of a type that refer to one of these resources, those of other records apart (`foreign`)."""
        rule, owner = ownership(type_), owner_parameter(type_)
        owners: list[int] = []
        by_number: dict[int, list[Key]] = {}
        for key in keys:
            if key.kind != _PATIENT or owner is None or not names_owner(parameter, type_):
                by_number.setdefault(parameter.number, []).append(key)
            elif rule.through or rule.otherwise != "refuse":
                by_number.setdefault(owner.number, []).append(key)  # the owner is indexed under one parameter
            else:
                owners.append(key.patient)  # each row of the record names this Patient
        found: list[Condition] = [Owners(tuple(owners))] if owners else []
        found += [self._linked(number, some, type_) for number, some in by_number.items()]
        return any_of(found) or _NOTHING

    def _linked(self, number: int, keys: Iterable[Key], type_: str) -> Condition:
        in_directory = "directory" in families_of(type_)
        shared: list[bytes] = []
        own: dict[int, list[bytes]] = {}
        for key in keys:
            ways = reference.ways(type_of(key.kind), self.store.id(key), self.base_url)
            written = [reference.of(way) for way in ways]
            if not key.patient:
                shared += written
            else:
                own.setdefault(key.patient, []).extend(written)
                if in_directory:
                    own.setdefault(0, []).extend(written)
        return Linked(number, tuple(shared), {patient: tuple(values) for patient, values in own.items()})

    async def marked(
        self, type_: str, parameter: SearchParameter, scope: Scope, marks: tuple[bytes, ...]
    ) -> list[tuple[Key, Sequence[Reference]]]:
        """The rows in these records that carry one of these tokens under this parameter, and their references by it."""
        run = self.running(await self.plan(Query(type_), scope))
        families: tuple[Family, ...] = ("patient",) if marks == (FOREIGN,) else run.plan.families
        condition = All((run.plan.condition, Tokens(parameter.number, marks)))
        run.plan = replace(run.plan, condition=condition, families=families)
        return await self._values(run, parameter)

    # ---- _has ------------------------------------------------------------------------------------------------------

    async def _referring(self, one: Chained, type_: str, scope: Scope) -> Condition:
        """The rows that something that matches refers to."""
        [way] = one.ways
        source, parameter = way.type_, one.parameter
        rule = ownership(source)
        if type_ == "Patient" and names_owner(parameter, source) and not rule.through and rule.otherwise == "refuse":
            # Each row of a record names its Patient: whose records hold a match is all there is to know.
            run = await self._inner(source, way.asked, scope)
            owners = await run.owners()
            self._seen(run)
            return Owners(owners) if owners else _NOTHING
        run = await self._inner(source, way.asked, scope if _of_patients(source) else None)
        found = await self._values(run, parameter)
        if scope is not None and _of_patients(source) and not names_owner(parameter, source):
            # Read after the snapshot: it knows of every reference that there was then.
            run = await self._inner(source, way.asked, await records(self.store, self.caller, scope))
            marked = All((run.plan.condition, Tokens(parameter.number, (FOREIGN,))))
            run.plan = replace(run.plan, condition=marked, families=("patient",))
            found += await self._values(run, parameter)
        kind = kind_of(type_)
        keys = {key for _, values in found for key in self._local(values) if key.kind == kind}
        if is_canonical(parameter, source):
            written = (value for _, values in found for value in values)
            keys.update((await self._definitions(one).led_to(type_, written)).values())
        return Named(tuple((key.patient, key.res) for key in sorted(keys))) if keys else _NOTHING

    # ---- inside ----------------------------------------------------------------------------------------------------

    async def _inner(self, type_: str, asked: Criterion, scope: Scope) -> Run:
        """The search of one hop."""
        run = self.running(await self.plan(Query(type_, (asked,)), scope))
        if self.snapshot is None and not run.plan.identifiers:
            # Before the first hop: what it does not find, no later page may find. (A look-up by identifier is of now.)
            [[self.snapshot]] = await self.store.lanes.fetch("select pg_current_snapshot()::text")
            run.snapshot = self.snapshot
        return run

    def running(self, made: Plan) -> Run:
        return Run(self.store, self.caller, made, self.snapshot, budget=self.budget)

    def bound(self, type_: str) -> Alternatives:
        return bound(self.caller, "s", type_, self.base_url)

    def _definitions(self, one: Chained) -> Definitions:
        made = plan(Query(one.ways[0].type_), (), self.store.key)  # any: only its rows are read
        return Definitions(self.running(made), self.base_url)

    async def _values(self, run: Run, parameter: SearchParameter) -> list[tuple[Key, Sequence[Reference]]]:
        """The matches of a run, each with its references."""
        run.plan = replace(run.plan, also=frozenset({parameter.number}))
        found = await run.matched(values=True)
        self._seen(run)
        return [(one.key, facts.values.get(parameter.number, ())) for facts, one in found]

    def _local(self, values: Iterable[Reference]) -> Iterator[Key]:
        """The resources of ours that these references name."""
        for value in values:
            key = self.named(value)
            if key is not None:
                yield key

    def named(self, value: Reference) -> Key | None:
        named = reference.ours(value, self.base_url)
        return None if named is None else self.store.key(*named)

    def _note(self, query: Query) -> None:
        """Whom the criteria name is whom the answer tells of."""
        token_of = partial(identifier_token, self.store.vault)
        self.singled.update(singled_out(query.criteria, query.type_, self.store.key, token_of))

    def _seen(self, run: Run) -> None:
        self.snapshot = run.snapshot or self.snapshot


def _of_patients(type_: str) -> bool:
    return "patient" in families_of(type_)


def _with_tokens(condition: Condition, parameter: SearchParameter, tokens: tuple[bytes, ...]) -> Condition:
    """The rows that a condition on a parameter means, and those that carry one of these tokens under it."""
    match condition:
        case Linked(param, shared, own) if param == parameter.number:
            return Linked(param, (*shared, *tokens), own)
        case Tokens(param, values, False) if param == parameter.number:
            return Tokens(param, (*values, *tokens))
    return Any((condition, Tokens(parameter.number, tokens)))


def _narrowed(scope: Scope, condition: Condition | None) -> Scope:
    implied = None if condition is None else implied_patients(condition)
    if implied is None or scope is None:
        return implied if scope is None else scope
    return scope & implied
