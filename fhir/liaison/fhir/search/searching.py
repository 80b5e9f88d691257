"""A search of one type, of several, or in a compartment: parse, plan, run, include, and the page as a Bundle."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from liaison.fhir.definitions import type_of
from liaison.fhir.errors import BadRequest, FhirError, Forbidden
from liaison.fhir.search import page
from liaison.fhir.search.compartment import branches
from liaison.fhir.search.conditions import All, Condition, Not
from liaison.fhir.search.criteria import Context, Query
from liaison.fhir.search.decide import Candidate
from liaison.fhir.search.include import Includes
from liaison.fhir.search.links import Links
from liaison.fhir.search.listing import load, save
from liaison.fhir.search.page import Cursor
from liaison.fhir.search.parse import criterion, pairs
from liaison.fhir.search.plan import NOBODY, condition_of
from liaison.fhir.search.run import Run
from liaison.fhir.search.searchset import searchset, url
from liaison.fhir.search.several import Several
from liaison.fhir.search.sql import Position
from liaison.fhir.search.system import PARAMETER as TYPES
from liaison.fhir.search.system import parse_each, require_narrow, types_of
from liaison.fhir.store.contract import Answer, Caller, Disclosure, Key, Opened
from liaison.fhir.store.store import Store

_BREATH: Final = 50  # bodies cut between two turns of the event loop


async def search(
    store: Store,
    caller: Caller,
    type_: str,
    query: str,
    *,
    base_url: str,
    lenient: bool = False,
    compartment: str = "",
) -> Answer:
    """A page of what matches among what the caller may see, in the order asked for.

    `type_` '' searches the types that `_type` names, or all; those that the scopes do not allow give nothing. `query` is
    the query string or form body as received. `compartment` names a resource ('Patient/x'): only what is in its
    compartment. `lenient` reports what it does not understand instead of refusing it (Prefer: handling=lenient).
    """
    if type_:
        _permitted(caller, (type_,))
    given = pairs(query)
    now = datetime.now(UTC)
    cursor = None
    if any(name == page.PARAMETER for name, _ in given):
        asked = [one for one in given if one[0] not in ("_format", "_pretty")]
        if len(asked) > 1:
            raise BadRequest(f"'{page.PARAMETER}' continues a search as it was; it goes with no other parameter.")
        cursor = page.unseal(store.vault.cursor, caller, type_, asked[0][1], now)
        given, lenient, compartment, now = cursor.pairs, cursor.lenient, cursor.compartment, cursor.started
    types = types_of(type_, given, compartment.partition("/")[0])
    queries = parse_each(given, types, base_url, now, named=bool(type_), lenient=lenient)
    if not type_ and not compartment and all(name != TYPES for name, _ in given):
        require_narrow(queries[0])
    allowed = _permitted(caller, types)
    asked_of = [query for query in queries if query.type_ in allowed]
    links = Links(store, caller, base_url, snapshot=None if cursor is None else cursor.snapshot)
    first = Cursor(now, "", given, lenient, compartment, None)
    with noted(links):
        run = await _runs(links, asked_of, compartment)
        answer = await _Page(run, type_, asked_of[0], base_url, cursor or first, cursor is None).answer()
    return replace(answer, consulted=tuple(links.consulted))


@contextmanager
def noted(links: Links) -> Iterator[None]:
    """A refusal within says what was read before it."""
    try:
        yield
    except FhirError as error:
        error.consulted = tuple(links.consulted)
        raise


def _permitted(caller: Caller, types: Sequence[str]) -> frozenset[str]:
    """Those of the types that the scopes let be searched; Forbidden when there is none."""
    found = frozenset(one for one in types if caller.bound.allows("s", one))
    if not found:
        raise Forbidden(f"The scopes of this token do not allow 's' on {' or '.join(types[:5])}.")
    return found


class Matches(NamedTuple):
    """Resources that match, and the versions that were read to say what the criteria mean: the journal is owed these."""

    keys: list[Key]
    consulted: tuple[Disclosure, ...] = ()


async def find(
    store: Store, caller: Caller, type_: str, query: str, *, limit: int = 2, base_url: str = ""
) -> Matches:
    """The first `limit` resources that match among what the caller may see: for conditional requests and references.

    Only criteria are taken: a parameter that shapes a result page is refused by name.
    """
    now = datetime.now(UTC)
    asked = Context(type_, base_url, now)
    parsed = Query(type_, tuple(criterion(name, text, asked) for name, text in pairs(query)))
    if not parsed.criteria:
        raise BadRequest("A conditional request or reference has at least one criterion.")
    links = Links(store, caller, base_url)
    with noted(links):
        run = await links.run(parsed)
        found = await (run.page(limit, None) if run.plan.decided else run.matching(limit, None))
    return Matches([one.key for one in found], tuple(links.consulted))


async def _runs(links: Links, queries: Sequence[Query], compartment: str) -> Run | Several:
    """What answers the queries, one for each type: within a compartment a run for each way to be in it."""
    if not compartment:
        runs = [await links.run(query) for query in queries]
        return runs[0] if len(runs) == 1 else await _together(links, runs)
    owner, _, id_ = compartment.partition("/")
    runs = []
    for query in queries:
        others: list[Condition] = []
        for branch in branches(owner, id_, query.type_, links.base_url):
            run = await links.run(replace(query, criteria=(*query.criteria, branch)))
            run.plan = replace(run.plan, condition=All((run.plan.condition, *others)))
            runs.append(run)
            known = condition_of(branch, query.type_, links.store.key)
            assert known is not None, "references and ids are decided in SQL"
            others.append(Not(known))
    # Only a resource that the caller may see opens its compartment. Of any other, nothing is a member.
    key = links.store.key(owner, id_)
    if key is None or not await runs[0].rows([key]):
        for run in runs:
            run.plan = replace(run.plan, owners=(NOBODY,), families=("patient",))
    return await _together(links, runs)


async def _together(links: Links, runs: Sequence[Run]) -> Several:
    for run in runs:
        run.snapshot = links.snapshot  # of the first chain that was followed, if any
    several = Several(runs)
    await several.begin()
    return several


class _Page:
    """One page of a run. `query` is that of any of the types: they differ only in what they ask of each."""

    def __init__(self, run: Run | Several, type_: str, query: Query, base_url: str, here: Cursor, first: bool) -> None:
        self.run, self.query, self.base_url, self.here, self.first = run, query, base_url, here, first
        self.one = run if isinstance(run, Run) else run.one
        self.store, self.caller, self.type_ = self.one.store, self.one.caller, type_
        self.path = f"{here.compartment}/{type_ or '*'}" if here.compartment else type_

    async def answer(self) -> Answer:
        if self.query.count_only:
            return self._searchset([], [], await self.run.count(), None)
        if self.run.order is None:
            found, total, following = await self._of_list()
        else:
            found, total, following = await self._of_index()
        rows = [one.row for one in found if one.row is not None]
        if len(rows) < len(found):
            rows = await self.run.rows([one.key for one in found])
        matches = await self.store.open_rows(self.caller, rows)
        included = await Includes(self.one, self.query.includes, self.base_url).of(matches)
        matches, included = await self._cut(matches), await self._cut(included, match=False)
        return self._searchset(matches, included, None if self.query.total == "none" else total, following)

    async def _cut(self, shown: list[Opened], *, match: bool = True) -> list[Opened]:
        """The same with the part of each body that `_summary` or `_elements` asks for."""
        subset = self.query.subset
        if subset is None:
            return shown
        cut = []
        for number, one in enumerate(shown, 1):
            cut.append(one._replace(body=subset.of(one.body, type_of(one.row.key.kind), match=match)))
            if number % _BREATH == 0:
                await asyncio.sleep(0)
        return cut

    async def _of_index(self) -> tuple[list[Candidate], int | None, Cursor | None]:
        query, run, here = self.query, self.run, self.here
        wanted = query.total in ("accurate", "estimate") and self.first
        total = here.total
        found = await run.first(query.count + 1, here.position, total=wanted)
        total = run.total if wanted else total
        if len(found) <= query.count:
            return found, len(found) if self.first else total, None
        last = found[query.count - 1]
        position = Position(last.moment, last.key.res, last.key.patient)
        return found[: query.count], total, self._next(total, position=position)

    async def _of_list(self) -> tuple[list[Candidate], int | None, Cursor | None]:
        here, count = self.here, self.query.count
        if self.first:
            keys = [one.key for one in await self.run.all()]
            listed = await save(self.store, keys) if len(keys) > count else b""
        else:
            listed = here.stored
            keys = await load(self.store, listed)
        upto = here.offset + count
        following = self._next(len(keys), stored=listed, offset=upto) if len(keys) > upto else None
        some = keys[here.offset : upto]
        return [Candidate(key, 0, self.here.started, self.here.started, None) for key in some], len(keys), following

    def _next(self, total: int | None, **where: Any) -> Cursor:
        return replace(self.here, snapshot=self.run.snapshot or "", total=total, **where)

    def _searchset(
        self, matches: list[Opened], included: list[Opened], total: int | None, following: Cursor | None
    ) -> Answer:
        links = [("self", url(self.base_url, self.path, self.query.pairs))]
        if following is not None:
            text = page.seal(self.store.vault.cursor, self.caller, self.type_, following)
            links.append(("next", url(self.base_url, self.path, ((page.PARAMETER, text),))))
        return searchset(
            matches,
            included,
            total=total,
            links=links,
            ignored=self.query.ignored,
            base_url=self.base_url,
            id_of=self.store.id,
        )
