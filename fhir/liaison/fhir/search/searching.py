"""The search of one type: parse, plan, run, include, and the page as a Bundle."""

from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from liaison.fhir import model
from liaison.fhir.definitions import kind_of, type_of
from liaison.fhir.errors import BadRequest, Forbidden
from liaison.fhir.model import dates
from liaison.fhir.search import include, page
from liaison.fhir.search.criteria import Context, Criterion, Facts, Query
from liaison.fhir.search.decide import Candidate, satisfies
from liaison.fhir.search.listing import load, save
from liaison.fhir.search.page import Cursor
from liaison.fhir.search.parse import criterion, pairs, parse
from liaison.fhir.search.plan import NOBODY, Alternatives, Plan, plan
from liaison.fhir.search.run import Run
from liaison.fhir.search.searchset import searchset, url
from liaison.fhir.search.sql import Position
from liaison.fhir.store.contract import Answer, Caller, Key, Opened, Tree
from liaison.fhir.store.store import Store


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

    `query` is the query string or form body as received. `compartment` is the id of a Patient: only what belongs to
    that patient. `lenient` reports what it does not understand instead of refusing it (Prefer: handling=lenient).
    """
    if not caller.bound.allows("s", type_):
        raise Forbidden(f"The scopes of this token do not allow 's' on {type_}.")
    given = pairs(query)
    now = datetime.now(UTC)
    cursor = None
    if any(name == page.PARAMETER for name, _ in given):
        asked = [one for one in given if one[0] not in ("_format", "_pretty")]
        if len(asked) > 1:
            raise BadRequest(f"'{page.PARAMETER}' continues a search as it was; it goes with no other parameter.")
        cursor = page.unseal(store.vault.cursor, caller, type_, asked[0][1], now)
        given, lenient, compartment, now = cursor.pairs, cursor.lenient, cursor.compartment, cursor.started
    parsed = parse(given, Context(type_, base_url, now), lenient=lenient)
    run = Run(store, caller, await _plan(store, caller, parsed, base_url, compartment))
    if cursor is not None:
        run.snapshot = cursor.snapshot
    first = Cursor(now, "", given, lenient, compartment, None)
    return await _Page(run, parsed, base_url, cursor or first, cursor is None).answer()


async def find(
    store: Store, caller: Caller, type_: str, query: str, *, limit: int = 2, base_url: str = ""
) -> list[Key]:
    """The first `limit` resources that match among what the caller may see: for conditional requests and references.

    Only criteria are taken: a parameter that shapes a result page is refused by name.
    """
    now = datetime.now(UTC)
    asked = Context(type_, base_url, now)
    parsed = Query(type_, tuple(criterion(name, text, asked) for name, text in pairs(query)))
    if not parsed.criteria:
        raise BadRequest("A conditional request or reference has at least one criterion.")
    run = Run(store, caller, plan(parsed, _bound(caller, type_, base_url), store.key))
    return [one.key for one in (await run.page(limit, None) if run.plan.decided else await run.matching(limit, None))]


def match(type_: str, tree: Tree, query: str, *, base_url: str = "") -> bool:
    """Whether one resource meets every criterion of a query: plain evaluation on its own content."""
    criteria = _criteria(type_, query, base_url)
    return satisfies(_facts(type_, tree), criteria, ())


def _facts(type_: str, tree: Tree) -> Facts:
    meta = tree.get("meta") or {}
    span = dates.span(str(meta.get("lastUpdated", "")))
    updated = dates.EARLIEST if span is None else span[0]
    return Facts(type_, str(tree.get("id", "")), updated, model.extract(type_, tree))


@lru_cache(maxsize=1024)
def _criteria(type_: str, query: str, base_url: str) -> tuple[Criterion, ...]:
    asked = Context(type_, base_url, datetime.now(UTC))
    return tuple(criterion(name, text, asked) for name, text in pairs(query))


def _bound(caller: Caller, type_: str, base_url: str) -> Alternatives:
    """What the scopes ask of a resource beside the query. A scope that cannot be read opens nothing."""
    try:
        return tuple(_criteria(type_, one, base_url) for one in caller.bound.criteria("s", type_))
    except BadRequest:
        raise Forbidden(f"A scope of this token asks something of {type_} that cannot be searched.") from None


async def _plan(store: Store, caller: Caller, query: Query, base_url: str, compartment: str) -> Plan:
    made = plan(query, _bound(caller, query.type_, base_url), store.key)
    if not compartment:
        return made
    if made.families == ("directory",):
        raise BadRequest(f"{query.type_} is not in the compartment of a patient.")
    # An id gives its patient whatever it names: only the id of a Patient the caller may see opens the compartment.
    key = store.key("Patient", compartment)
    only = replace(made, owners=(NOBODY if key is None else key.patient,), families=("patient",))
    if key is None or not await Run(store, caller, only).rows([key]):
        return replace(only, owners=(NOBODY,))
    return replace(only, owners=(key.patient,) if made.owners in (None, (key.patient,)) else (NOBODY,))


class _Page:
    """One page of a run."""

    def __init__(self, run: Run, query: Query, base_url: str, here: Cursor, first: bool) -> None:
        self.run, self.query, self.base_url, self.here, self.first = run, query, base_url, here, first
        self.store, self.caller = run.store, run.caller
        compartment = here.compartment
        self.path = f"Patient/{compartment}/{query.type_}" if compartment else query.type_

    async def answer(self) -> Answer:
        if self.query.count_only:
            return self._searchset([], [], await self.run.count(), None)
        if self.run.plan.order is None:
            found, total, following = await self._of_list()
        else:
            found, total, following = await self._of_index()
        rows = [one.row for one in found if one.row is not None]
        if len(rows) < len(found):
            rows = await self.run.rows([one.key for one in found])
        matches = await self.store.open_rows(self.caller, rows)
        included = await self._included(matches)
        return self._searchset(matches, included, None if self.query.total == "none" else total, following)

    async def _of_index(self) -> tuple[list[Candidate], int | None, Cursor | None]:
        query, run, here = self.query, self.run, self.here
        wanted = query.total in ("accurate", "estimate") and self.first
        total = here.total
        if run.plan.decided:
            found = await run.page(query.count + 1, here.position, total=wanted)
            total = run.total if wanted else total
        else:
            found = await run.matching(query.count + 1, here.position)
            total = await run.count() if wanted else total
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
            keys = await load(self.store, listed, kind_of(self.query.type_))
        upto = here.offset + count
        following = self._next(len(keys), stored=listed, offset=upto) if len(keys) > upto else None
        some = keys[here.offset : upto]
        return [Candidate(key, 0, self.here.started, self.here.started, None) for key in some], len(keys), following

    def _next(self, total: int | None, **where: Any) -> Cursor:
        return replace(self.here, snapshot=self.run.snapshot or "", total=total, **where)

    async def _included(self, matches: list[Opened]) -> list[Opened]:
        if not self.query.includes or not matches:
            return []
        wanted = include.targets(self.store, self.caller, self.query, matches, self.base_url)
        found = await self.store.open_rows(self.caller, await self.run.rows(wanted))
        return [one for one in found if self._in_scope(one)]

    def _in_scope(self, one: Opened) -> bool:
        type_ = type_of(one.row.key.kind)
        letter = include.letter_for(self.caller, type_)
        if letter is None:
            return False
        criteria = self.caller.bound.criteria(letter, type_)
        return not criteria or any(
            match(type_, model.read(one.body), asked, base_url=self.base_url) for asked in criteria
        )

    def _searchset(
        self, matches: list[Opened], included: list[Opened], total: int | None, following: Cursor | None
    ) -> Answer:
        links = [("self", url(self.base_url, self.path, self.query.pairs))]
        if following is not None:
            text = page.seal(self.store.vault.cursor, self.caller, self.query.type_, following)
            links.append(("next", url(self.base_url, self.query.type_, ((page.PARAMETER, text),))))
        return searchset(
            matches,
            included,
            total=total,
            links=links,
            ignored=self.query.ignored,
            base_url=self.base_url,
            id_of=self.store.id,
        )
