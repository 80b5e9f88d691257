"""The search of one type: parse, plan, run, include, and the page as a Bundle."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from liaison.fhir.definitions import kind_of, type_of
from liaison.fhir.errors import BadRequest, Forbidden
from liaison.fhir.search import page
from liaison.fhir.search.criteria import Context, Query
from liaison.fhir.search.decide import Candidate
from liaison.fhir.search.include import Includes
from liaison.fhir.search.listing import load, save
from liaison.fhir.search.page import Cursor
from liaison.fhir.search.parse import criterion, pairs, parse
from liaison.fhir.search.plan import NOBODY, Plan, plan
from liaison.fhir.search.run import Run
from liaison.fhir.search.scopes import bound
from liaison.fhir.search.searchset import searchset, url
from liaison.fhir.search.sql import Position
from liaison.fhir.store.contract import Answer, Caller, Key, Opened
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
    run = Run(store, caller, plan(parsed, bound(caller, "s", type_, base_url), store.key))
    return [one.key for one in (await run.page(limit, None) if run.plan.decided else await run.matching(limit, None))]


async def _plan(store: Store, caller: Caller, query: Query, base_url: str, compartment: str) -> Plan:
    made = plan(query, bound(caller, "s", query.type_, base_url), store.key)
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
        included = await Includes(self.run, self.query.includes, self.base_url).of(matches)
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
