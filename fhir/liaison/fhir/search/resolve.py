"""Criteria that name something of the base (value sets, code systems, lists, parts of a place or stay) with what it says put in its place.

Done before a search is planned, with what the caller may see at the search's snapshot: what may not be seen is the same
as what does not exist. A value set or code system that is not there is refused by name, for it would match nothing.
What is read on the way decides the answer as much as what stands in it: all of it is handed to the journal.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from liaison.fhir import model
from liaison.fhir.definitions import RESOURCE_TYPES, search_parameters
from liaison.fhir.errors import BadRequest, Forbidden, TooCostly
from liaison.fhir.search.canonical import natural
from liaison.fhir.search.criteria import Context, Criterion, Query
from liaison.fhir.search.elements import implied
from liaison.fhir.search.expression import Expression, joined
from liaison.fhir.search.lists import Listed
from liaison.fhir.search.parse import criterion
from liaison.fhir.search.plan import plan
from liaison.fhir.search.reference import HIERARCHIES, Lineage, Link, ways
from liaison.fhir.search.run import Run
from liaison.fhir.search.scopes import bound, lets_include, letter_for
from liaison.fhir.search.token import InSet, Related
from liaison.fhir.store.contract import Caller, Disclosure, Key, Opened
from liaison.fhir.store.store import Store
from liaison.fhir.terminology import Codes, CodeSystem, Members, expand

_MOST: Final = 100  # versions of one definition looked at
_MOST_PARTS: Final = 1_000
_KEPT: Final = 32

# A version never changes, and SQL has said for each request that the caller may see it.
_code_systems: "OrderedDict[tuple[Key, int], CodeSystem]" = OrderedDict()


Consulted = dict[Disclosure, None]
"""The versions read to say what a criterion means, each once, in the order in which they were."""


async def resolved(
    store: Store, caller: Caller, query: Query, base_url: str, snapshot: str | None, consulted: Consulted
) -> Query:
    """The same query, its operands looked up; what that took is added to `consulted`. BadRequest or Forbidden names
    what cannot be."""
    asked_of = (InSet, Related, Listed, Lineage)
    if not any(isinstance(one, asked_of) for each in query.criteria for one in each.operands):
        return query
    base = _Base(store, caller, base_url, snapshot, consulted)
    return replace(query, criteria=tuple([await base.criterion(one, query.type_) for one in query.criteria]))


@dataclass(slots=True)
class _Base:
    """What one caller may see of the base, at one snapshot."""

    store: Store
    caller: Caller
    base_url: str
    snapshot: str | None
    consulted: Consulted

    async def criterion(self, one: Criterion, type_: str) -> Criterion:
        if not any(isinstance(asked, InSet | Related | Listed | Lineage) for asked in one.operands):
            return one
        if isinstance(one, Expression):
            return joined(one.way, [await self.criterion(part, type_) for part in one.of])
        found: list[Any] = []
        try:
            for asked in one.operands:
                match asked:
                    case InSet(url):
                        self._permit("ValueSet")
                        found.append(_with_bare(await expand(url, self), one, type_))
                    case Related(system, code):
                        self._permit("CodeSystem")
                        found.append(_with_bare(await self._related(one.modifier, system, code), one, type_))
                    case Listed(id_):
                        self._permit("List")
                        found += await self._items(id_, type_)
                    case Lineage(named, id_):
                        self._permit(named)
                        found += await self._lineage(one.modifier, named, id_)
                    case _:
                        found.append(asked)
        except BadRequest as error:
            asked_as = f"{one.name}:{one.modifier}" if one.modifier else one.name
            raise BadRequest(f"Search parameter '{asked_as}': {error.issues[0].diagnostics}") from None
        return replace(one, operands=tuple(found))

    def _permit(self, type_: str) -> None:
        if letter_for(self.caller, type_) is None:
            raise Forbidden(
                f"The scopes of this token do not allow 's' or 'r' on {type_}, which this search asks about."
            )

    # ---- definitions (terminology.Definitions) ---------------------------------------------------------------------

    async def value_set(self, url: str) -> Mapping[str, Any] | None:
        found = await self._definition("ValueSet", url)
        return None if found is None else model.read(found.body)

    async def code_system(self, url: str) -> CodeSystem | None:
        found = await self._definition("CodeSystem", url)
        if found is None:
            return None
        name = found.row.key, found.row.version
        if name not in _code_systems:
            _code_systems[name] = CodeSystem(model.read(found.body))
            if len(_code_systems) > _KEPT:
                _code_systems.popitem(last=False)
        return _code_systems[name]

    async def _related(self, way: str, system: str, code: str) -> Members:
        found = await self.code_system(system)
        if found is None:
            raise BadRequest(f"The code system '{system[:200]}' is not kept here.")
        return Members.of(system.partition("|")[0], found.below(code) if way == "below" else found.above(code))

    async def _definition(self, type_: str, url: str) -> Opened | None:
        """By its literal address here, else by its canonical URL: the highest version, the latest of equal ones."""
        literal = url.removeprefix(f"{self.base_url}/")
        if literal.startswith(f"{type_}/"):
            key = self.store.key(type_, literal.removeprefix(f"{type_}/"))
            return self._read(await self._opened([] if key is None else [key]))
        escaped = url.partition("|")[0].replace("\\", "\\\\").replace(",", "\\,").replace("$", "\\$")
        asked = criterion("url", escaped, Context(type_, self.base_url, self.store.database.clock.now()))
        run = Run(self.store, self.caller, plan(Query(type_, (asked,)), (), self.store.key), self.snapshot)
        candidates = await run.page(_MOST, None)
        opened = await self._opened([one.key for one in candidates])
        version = url.partition("|")[2]
        kept = [(str(model.read(one.body).get("version", "")), one) for one in opened]
        known = [(held, one) for held, one in kept if version in ("", held)]
        last = max(known, key=lambda pair: (natural(pair[0]), pair[1].row.at), default=None)
        return None if last is None else self._read([last[1]])

    def _read(self, opened: Sequence[Opened]) -> Opened | None:
        """The first of these, if there is one, and only if the scopes show it: its content decides the answer."""
        if not opened or not lets_include(self.caller, opened[0], self.base_url):
            return None
        self.consulted[opened[0].disclosure] = None
        return opened[0]

    async def _opened(self, keys: Sequence[Key]) -> list[Opened]:
        if not keys:
            return []
        type_ = "ValueSet"  # any: only the rows are read
        run = Run(self.store, self.caller, plan(Query(type_), (), self.store.key), self.snapshot)
        return await self.store.open_rows(self.caller, await run.rows(keys))

    # ---- hierarchies -----------------------------------------------------------------------------------------------

    async def _lineage(self, way: str, type_: str, id_: str) -> list[Link]:
        """The resource, and all that are above or below it, as far as the caller sees."""
        seen, level = {id_}, [id_]
        while level:
            step = self._above if way == "above" else self._below
            level = [one for one in dict.fromkeys(await step(type_, level)) if one not in seen]
            seen.update(level)
            if len(seen) > _MOST_PARTS:
                raise TooCostly(f"More than {_MOST_PARTS} resources are {way} this one.")
        return [self._link(type_, one) for one in sorted(seen)]

    def _link(self, type_: str, id_: str) -> Link:
        return Link(ways(type_, id_, self.base_url), ((type_, id_),))

    async def _above(self, type_: str, ids: Sequence[str]) -> list[str]:
        keys = [key for one in ids if (key := self.store.key(type_, one)) is not None]
        opened = [one for one in await self._opened(keys) if self._read([one]) is not None]
        number = search_parameters(type_)[HIERARCHIES[type_]].number
        found: list[str] = []
        for one in opened:
            values: Sequence[Any] = model.extract(type_, model.read(one.body), {number}).get(number, ())
            found += [value.id for value in values if value.type == type_ and not value.url]
        return found

    async def _below(self, type_: str, ids: Sequence[str]) -> list[str]:
        keys = [key for one in ids if (key := self.store.key(type_, one)) is not None]
        if not keys:
            return []
        parts = search_parameters(type_)[HIERARCHIES[type_]]
        asked = Query(type_, (Criterion(parts.code, "", parts, tuple(self._link(type_, one) for one in ids)),))
        letter = letter_for(self.caller, type_)
        assert letter is not None, "it was permitted"
        made = plan(asked, bound(self.caller, letter, type_, self.base_url), self.store.key)
        if made.families == ("patient",):  # a part belongs to the patient of its whole
            made = replace(made, owners=tuple(sorted({key.patient for key in keys})))
        run = Run(self.store, self.caller, made, self.snapshot)
        return [self.store.id(one.key) for one in await run.first(_MOST_PARTS + 1, None)]

    # ---- lists -----------------------------------------------------------------------------------------------------

    async def _items(self, id_: str, type_: str) -> list[str]:
        """The ids of resources of this type that a List names, if the caller may see the List; not of what it says has been
        taken off it (list.html, `entry.deleted`)."""
        key = self.store.key("List", id_)
        found = self._read(await self._opened([] if key is None else [key]))
        if found is None:
            return []
        number = search_parameters("List")["item"].number
        tree = model.read(found.body)
        kept = [one for one in tree.get("entry", ()) if one.get("deleted") is not True]
        values: Sequence[Any] = model.extract("List", {**tree, "entry": kept}, {number}).get(number, ())
        own = (one for one in values if not one.url or one.url == f"{self.base_url}/{one.type}/{one.id}")
        return [one.id for one in own if one.type == type_ and one.type in RESOURCE_TYPES]


def _with_bare(members: Members, one: Criterion, type_: str) -> Members:
    """With the codes that stand without their system, when the parameter's elements are of type `code`."""
    bare: set[str] = set()
    for system, codes in implied(one.parameter, type_).items():
        held = members.systems.get(system)
        if held is not None and codes is not None:
            bare |= {code for code in codes if held.has(code)}
        elif held is not None:
            return members.union(Members({"": held}))
    return members.union(Members({"": Codes(frozenset(bare))})) if bare else members
