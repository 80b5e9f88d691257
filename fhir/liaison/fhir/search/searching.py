"""A search of one type, of several, or in a compartment: parse, plan, run, include, and the page as a Bundle."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import NamedTuple

from liaison.fhir.definitions import in_force
from liaison.fhir.errors import BadRequest, FhirError, Forbidden, Gone
from liaison.fhir.search import page
from liaison.fhir.search.answering import Page
from liaison.fhir.search.compartment import branches
from liaison.fhir.search.conditions import All, Condition, Not
from liaison.fhir.search.criteria import Context, Query
from liaison.fhir.search.elsewhere import records
from liaison.fhir.search.known import with_parameters
from liaison.fhir.search.links import Links, Scope
from liaison.fhir.search.page import Cursor
from liaison.fhir.search.parse import OF_THE_EDGE, criterion, pairs
from liaison.fhir.search.plan import NOBODY, condition_of
from liaison.fhir.search.run import Run
from liaison.fhir.search.several import Several
from liaison.fhir.search.system import PARAMETER as TYPES
from liaison.fhir.search.system import parse_each, require_narrow, types_of
from liaison.fhir.store.contract import Answer, Caller, Disclosure, Key, Singled
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

    `type_` '' searches the types that `_type` names, or all; those that the scopes do not allow give nothing. `query` is
    the query string or form body as received. `compartment` names a resource ('Patient/x'): only what is in its
    compartment. `lenient` reports what it does not understand instead of refusing it (Prefer: handling=lenient).
    """
    if type_:
        permitted(caller, (type_,))
    return await with_parameters(
        store,
        query,
        lambda: _search(store, caller, type_, query, base_url, lenient, compartment),
        lenient=lenient,
    )


async def _search(
    store: Store, caller: Caller, type_: str, query: str, base_url: str, lenient: bool, compartment: str
) -> Answer:
    sent = pairs(query)
    carried = tuple(one for one in sent if one[0] in OF_THE_EDGE)
    given = tuple(one for one in sent if one[0] not in OF_THE_EDGE)
    now = store.database.clock.now()
    cursor = None
    if any(name == page.PARAMETER for name, _ in given):
        if len(given) > 1:
            raise BadRequest(f"'{page.PARAMETER}' continues a search as it was; it goes with no other parameter.")
        cursor = page.unseal(store.vault.cursor, caller, type_, given[0][1], now)
        if cursor.compartment != compartment:
            raise page.dead()  # it continues another search than the address says
        given, lenient, now = cursor.pairs, cursor.lenient, cursor.started
        _require_unchanged(cursor)
    types = types_of(type_, given, compartment.partition("/")[0])
    queries = parse_each(given, types, base_url, now, named=bool(type_), lenient=lenient)
    if not type_ and not compartment and all(name != TYPES for name, _ in given):
        require_narrow(queries[0])
    allowed = permitted(caller, types)
    asked_of = [query for query in queries if query.type_ in allowed]
    links = Links(store, caller, base_url, snapshot=None if cursor is None else cursor.snapshot)
    first = Cursor(now, "", given, lenient, compartment, None, added=_added(given))
    with noted(links):
        run = await _runs(links, asked_of, compartment)
        answer = await Page(run, type_, asked_of[0], base_url, cursor or first, cursor is None, carried).answer()
    return answer._replace(consulted=tuple(links.consulted), singled=answer.singled | links.singled)


@contextmanager
def noted(links: Links) -> Iterator[None]:
    """A refusal within says what was read before it."""
    try:
        yield
    except FhirError as error:
        error.consulted, error.singled = tuple(links.consulted), frozenset(links.singled)
        raise


def _require_unchanged(cursor: Cursor) -> None:
    """A page goes on with the parameters of the first one. Index rows of an older moment are not made for a new one, and of
    one that has ended there are none."""
    custom, numbers = in_force(), _added(cursor.pairs)
    if numbers != cursor.added or any(custom.since[one] > cursor.started for one in numbers):
        raise Gone(
            "A search parameter that this search names was retired or defined anew meanwhile: run the search again from its"
            " first page."
        )


def _added(given: Sequence[tuple[str, str]]) -> tuple[int, ...]:
    """The numbers of the added parameters that a query may name."""
    added = in_force().ready
    if not added:
        return ()
    asked = " ".join(text for pair in given for text in pair)
    return tuple(one.number for one in added if one.code in asked)


def permitted(caller: Caller, types: Sequence[str]) -> frozenset[str]:
    """Those of the types that the scopes let be searched; Forbidden when there is none."""
    found = frozenset(one for one in types if caller.bound.allows("s", one))
    if not found:
        raise Forbidden(f"The scopes of this token do not allow 's' on {' or '.join(types[:5])}.")
    return found


class Matches(NamedTuple):
    """Resources that match, the versions that were read to say what the criteria mean, and the patients whom these single
    out: the journal is owed these."""

    keys: list[Key]
    consulted: tuple[Disclosure, ...] = ()
    singled: frozenset[Singled] = frozenset()


async def find(store: Store, caller: Caller, type_: str, query: str, *, limit: int = 2, base_url: str = "") -> Matches:
    """The first `limit` resources that match among what the caller may see: for conditional requests and references.

    Only criteria are taken: a parameter that shapes a result page is refused by name.
    """
    return await with_parameters(store, query, lambda: _find(store, caller, type_, query, limit, base_url))


async def _find(store: Store, caller: Caller, type_: str, query: str, limit: int, base_url: str) -> Matches:
    now = store.database.clock.now()
    asked = Context(type_, base_url, now)
    parsed = Query(type_, tuple(criterion(name, text, asked) for name, text in pairs(query)))
    if not parsed.criteria:
        raise BadRequest("A conditional request or reference has at least one criterion.")
    links = Links(store, caller, base_url)
    with noted(links):
        run = await links.run(parsed)
        found = await (run.page(limit, None) if run.plan.decided else run.matching(limit, None))
    return Matches([one.key for one in found], tuple(links.consulted), frozenset(links.singled))


async def _runs(links: Links, queries: Sequence[Query], compartment: str) -> Run | Several:
    """What answers the queries, one for each type: within a compartment a run for each way to be in it."""
    if not compartment:
        runs = [await links.run(query) for query in queries]
        return runs[0] if len(runs) == 1 else await _together(links, runs)
    owner, _, id_ = compartment.partition("/")
    key = links.store.key(owner, id_)
    scope = await _whence(links, key)
    runs = []
    for query in queries:
        others: list[Condition] = []
        for branch in branches(owner, id_, query.type_, links.base_url):
            run = await links.run(replace(query, criteria=(*query.criteria, branch)), scope)
            run.plan = replace(run.plan, condition=All((run.plan.condition, *others)))
            runs.append(run)
            known = condition_of(branch, query.type_, links.store.key)
            assert known is not None, "references and ids are decided in SQL"
            others.append(Not(known))
    # Only a resource that the caller may see opens its compartment. Of any other, nothing is a member.
    if key is None or not await runs[0].rows([key]):
        for run in runs:
            run.plan = replace(run.plan, owners=(NOBODY,), families=("patient",))
    return await _together(links, runs)


async def _whence(links: Links, key: Key | None) -> Scope:
    """The records in which something may refer to this resource; None: any of the caller's."""
    if key is None or not key.patient:
        return None
    if links.snapshot is None:  # before it is asked who refers: nobody who did at the snapshot is missed then
        [[links.snapshot]] = await links.store.lanes.fetch("select pg_current_snapshot()::text")
    found = await records(links.store, links.caller, (key.patient,))
    return None if found is None else found | {key.patient}


async def _together(links: Links, runs: Sequence[Run]) -> Several:
    for run in runs:
        run.snapshot = links.snapshot  # of the first chain that was followed, if any
    several = Several(runs)
    await several.begin()
    return several
