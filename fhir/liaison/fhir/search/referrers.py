"""What refers to given resources (_revinclude), found by the tokens of all the references that there may be to them.

References stay in one record or lead to the directory, but for a few whose records the store knows (store.referring). So
what refers to a resource of a record is looked for in that record, in the directory, and in the records that refer into
it; what refers to one of the directory, in every record of the caller. The number of types and parameters changes no
statement; of many, only those are looked for that the records hold at all.

Where the index was not made anew since the store has known (elsewhere.sources), each record of the caller is asked whether it holds a mark
of the parameter (store contract, FOREIGN).

Each token costs a HMAC and a probe. More than MOST_TOKENS are not made, nor more than MOST_MARKS to look for marks: what
they would have found is left out, and `spent` says so.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache, lru_cache
from itertools import islice
from typing import Any, Final, NamedTuple

from liaison.fhir.definitions import (
    RESOURCE_TYPES,
    SearchParameter,
    in_force,
    kept_parameters,
    kind_of,
    official_parameters,
    ownership,
    parameter_by_number,
    type_of,
)
from liaison.fhir.search import reference
from liaison.fhir.search.canonical import Definitions, is_canonical
from liaison.fhir.search.criteria import Include
from liaison.fhir.search.elsewhere import sources
from liaison.fhir.search.named import Place, Token, carried, held, naming
from liaison.fhir.search.paths import names_owner, owner_parameter
from liaison.fhir.search.plan import families_of
from liaison.fhir.search.run import Run
from liaison.fhir.search.scopes import letter_for
from liaison.fhir.search.sql import Compiler, Family, Statement
from liaison.fhir.store.contract import FOREIGN, Key, Row
from liaison.fhir.store.faults import reported
from liaison.fhir.store.rows import rows_of
from liaison.fhir.vault import PatientKey

MOST_TOKENS: Final = 120_000
"""Over one page: about two seconds' work."""

MOST_MARKS: Final = 50_000
"""Marks looked for in one turn: ways to refer, times patients of the caller."""

CHUNK: Final = 5_000
"""Tokens of one statement: what is made between two turns of the event loop."""

FEW: Final = 8
"""Ways that are simply looked for. Of more, it is first asked which types there are in the records."""

Take = Callable[[Sequence[Row]], Awaitable[bool]]
"""Is given rows that may be seen, some of them more than once; False when it wants no more."""


class Way(NamedTuple):
    """A type, and the parameter under which its references to some other type are indexed. `leads_out`: such a reference
    may lead into another record."""

    kind: int
    param: int
    leads_out: bool


Places = Sequence[tuple[Sequence[int], Way]]
"""In which records each way is looked for; 0 is the directory."""


class Wanted(NamedTuple):
    """A reference that is looked for in one record, or (0) in the directory."""

    patient: int
    kind: int
    param: int
    value: bytes


class Referrers:
    """The look-ups of one page of a run; `spent` says that some were not made."""

    def __init__(self, run: Run, base_url: str) -> None:
        self.run, self.base_url = run, base_url
        self.store, self.caller = run.store, run.caller
        self.spent = False
        self.tokens = 0
        self._everyone: tuple[int, ...] | None = None
        self._marks: dict[Way, list[int]] = {}
        self._held: dict[int, set[int]] = {}

    async def give(self, keys: Sequence[Key], asked: Sequence[Include], limit: int, take: Take) -> bool:
        """Gives the rows that refer to these resources, `limit` at once, by type and newest first; whether all were
        taken. Nothing is said of the scopes."""
        owned = [key for key in keys if key.patient]
        shared = [key for key in keys if not key.patient]
        ways = {kind: self._ways(type_of(kind), asked) for kind in {key.kind for key in keys}}
        in_records = {kind: [way for way in some if _kept(way.kind, "patient")] for kind, some in ways.items()}
        in_directory = {kind: [way for way in some if _kept(way.kind, "directory")] for kind, some in ways.items()}
        leading_out = {way for kind in {key.kind for key in owned} for way in in_records[kind] if way.leads_out}
        known = await sources(self.store, self.caller, {key.patient for key in owned}) if leading_out else {}
        everyone = await self._patients() if known is None or shared else ()
        if _many(in_records):
            await self._look_into("patient", {*everyone, *(key.patient for key in owned)})
        if _many(in_directory):
            await self._look_into("directory", {0})
        marks = await self._marked(leading_out, everyone) if known is None else None
        defining = {kind for kind in ways if any(map(_of_canonicals, ways[kind]))}
        canonicals = await Definitions(self.run, self.base_url).tokens_of(key for key in shared if key.kind in defining)

        @cache
        def within(patient: int, kind: int) -> Places:
            """In one record: how something that it may hold could refer to one of this type."""
            some = in_records[kind] if patient else in_directory[kind]
            return [((patient,), way) for way in some if self._may_hold(patient, way.kind)]

        @cache
        def elsewhere(patient: int, kind: int) -> Places:
            if marks is not None:
                return [(marks[way], way) for way in in_records[kind] if marks.get(way)]
            by_name = {(way.kind, way.param): way for way in in_records[kind] if way.leads_out}
            named = (known or {}).get(patient, ())
            return [((one.patient,), by_name[one[1:]]) for one in named if one[1:] in by_name]

        @cache
        def anywhere(kind: int) -> Places:
            found = [([one for one in everyone if self._may_hold(one, w.kind)], w) for w in in_records[kind]]
            return [(patients, way) for patients, way in found if patients]

        looked: tuple[tuple[Family, Iterator[Wanted]], ...] = (
            ("patient", self._references(owned, {}, lambda key: within(key.patient, key.kind))),
            ("directory", self._references(keys, canonicals, lambda key: within(0, key.kind))),
            ("patient", self._references(owned, {}, lambda key: elsewhere(key.patient, key.kind))),
            ("patient", self._references(shared, canonicals, lambda key: anywhere(key.kind))),
        )
        for family, wanted in looked:
            if not await self._give(family, wanted, limit, take):
                return False
        return True

    async def _give(self, family: Family, wanted: Iterable[Wanted], limit: int, take: Take) -> bool:
        async for tokens in self._tokens(wanted):
            after: Place | None = None
            while True:
                found = await self._fetch(naming(self._compiler(family), tokens, limit, after))
                rows = rows_of(found)
                if not await take(rows):
                    return False
                if len(found) < limit:
                    break
                last = rows[-1].key
                after = Place(last.kind, found[-1]["clinical"], last.res, last.patient)
        return True

    # ---- what is looked for ----------------------------------------------------------------------------------------

    def _ways(self, type_: str, asked: Sequence[Include]) -> list[Way]:
        """By which references something may be included for a resource of this type, within the scopes."""
        found: dict[Way, None] = {}
        for one in asked:
            if one.target in ("", type_):
                for source in (one.source,) if one.source else _sources():
                    if letter_for(self.caller, source) is not None:
                        found |= dict.fromkeys(_ways_to(source, one.parameter, type_))
        return list(found)

    def _references(
        self, keys: Iterable[Key], canonicals: Mapping[Key, Sequence[bytes]], places: Callable[[Key], Places]
    ) -> Iterator[Wanted]:
        for key in keys:
            written = reference.ways(type_of(key.kind), self.store.id(key), self.base_url)
            values = [reference.of(one) for one in written]
            for patients, way in places(key):
                more = canonicals.get(key, ()) if _of_canonicals(way) else ()
                for patient in patients:
                    for value in (*values, *more):
                        yield Wanted(patient, way.kind, way.param, value)

    async def _marked(self, ways: Collection[Way], everyone: Sequence[int]) -> dict[Way, list[int]]:
        """The records in which a reference of each way leads into another record."""
        unknown = [way for way in sorted(ways) if way not in self._marks]
        wanted = [
            Wanted(patient, way.kind, way.param, FOREIGN)
            for way in unknown
            for patient in everyone
            if self._may_hold(patient, way.kind)
        ]
        if len(wanted) > MOST_MARKS:
            self.spent = True
            return self._marks
        self._marks |= {way: [] for way in unknown}
        by_name = {(way.kind, way.param): way for way in unknown}
        async for tokens in self._tokens(wanted):
            for patient, kind, param in await self._fetch(carried(self._compiler("patient"), tokens)):
                self._marks[by_name[kind, param]].append(patient)
        return self._marks

    async def _look_into(self, family: Family, patients: Collection[int]) -> None:
        """Finds which types there are in these records, or (0) in the directory: of others nothing is looked for."""
        if unknown := sorted(set(patients) - self._held.keys()):
            self._held |= {patient: set() for patient in unknown}
            for patient, kind in await self._fetch(held(self._compiler(family), unknown)):
                self._held[patient].add(kind)

    def _may_hold(self, patient: int, kind: int) -> bool:
        known = self._held.get(patient)
        return known is None or kind in known

    async def _tokens(self, wanted: Iterable[Wanted]) -> AsyncIterator[list[Token]]:
        """The tokens of these, as many at once as one statement takes, until the page has cost what it may."""
        each = iter(wanted)
        while some := list(islice(each, CHUNK)):
            if self.tokens + len(some) > MOST_TOKENS:
                self.spent = True
                return
            self.tokens += len(some)
            keys = await self._keys({one.patient for one in some})
            made: dict[tuple[int, int, bytes], int] = {}
            found = []
            for patient, kind, param, value in some:
                if patient in keys:  # erased meanwhile otherwise
                    name = patient, param, value
                    if name not in made:
                        made[name] = keys[patient].token(param, value)
                    found.append(Token(patient, kind, param, made[name]))
            yield found

    # ---- inside ----------------------------------------------------------------------------------------------------

    async def _keys(self, patients: Collection[int]) -> dict[int, PatientKey]:
        with reported():
            keys = await self.store.vault.patient_keys(self.store.database.reading, [one for one in patients if one])
        return {**keys, 0: self.store.vault.territory}

    async def _patients(self) -> tuple[int, ...]:
        """All patients of the caller."""
        if self._everyone is None:
            asked = f"select p.patient from {self.store.filter.patients('$1::bigint')} p"
            found = await self._fetch(Statement(asked, [self.caller.session]))
            self._everyone = tuple(sorted([patient for (patient,) in found]))
        return self._everyone

    def _compiler(self, family: Family) -> Compiler:
        return Compiler(self.store.filter, family, self.caller.session, self.run.snapshot)

    async def _fetch(self, statement: Statement) -> list[Any]:
        return await self.store.lanes.fetch(statement.text, *statement.arguments)


@cache
def _sources() -> tuple[str, ...]:
    """The types that are kept in the store: others refer to nothing here."""
    return tuple(sorted(one for one in RESOURCE_TYPES if ownership(one).rule != "never"))


def _of_canonicals(way: Way) -> bool:
    return is_canonical(parameter_by_number(way.param), type_of(way.kind))


def _many(ways: Mapping[int, Sequence[Way]]) -> bool:
    return len({way for some in ways.values() for way in some}) > FEW


@cache
def _kept(kind: int, family: Family) -> bool:
    return family in families_of(type_of(kind))


def _ways_to(source: str, asked: SearchParameter | None, type_: str) -> tuple[Way, ...]:
    """How resources of one type may refer to one of another, by one parameter or by any."""
    if asked is not None:
        return _ways(source, (asked,), type_)
    added = tuple(one for one in kept_parameters(source) if one in in_force().ready)
    return _ways_of_r4(source, type_) + (_ways(source, added, type_) if added else ())


@cache
def _ways_of_r4(source: str, type_: str) -> tuple[Way, ...]:
    return _ways(source, tuple(official_parameters(source).values()), type_)


@lru_cache(maxsize=4096)
def _ways(source: str, parameters: tuple[SearchParameter, ...], type_: str) -> tuple[Way, ...]:
    found: dict[Way, None] = {}
    for parameter in parameters:
        if parameter.type == "reference" and (not parameter.target or type_ in parameter.target):
            owner = owner_parameter(source) if names_owner(parameter, source) else None
            # The Patient is indexed under one of the parameters that look at the element which names it.
            indexed = owner if owner is not None and type_ == "Patient" else parameter
            found[Way(kind_of(source), indexed.number, owner is None)] = None
    return tuple(found)
