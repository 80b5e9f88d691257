"""Observation/$lastn: https://hl7.org/fhir/R4/observation-operation-lastn.html

The last `max` observations of each code and subject, newest first, among those that the other parameters match as in a
search. Candidates come from the index of clinical dates, already filtered; groups are made of the visible ones alone.

Two codes are one group when some observation of the subject carries both, as translations of each other; a code that is
only text is a group of its own spelling. What happened at the same moment as the last one counted is there too. A value
entered in error is not the last one, unless `status` asks for it.
"""

from collections.abc import AsyncIterator, Hashable, Iterator
from typing import Final, NamedTuple

from liaison.fhir import model
from liaison.fhir.errors import BadRequest, TooCostly
from liaison.fhir.interactions import scope
from liaison.fhir.interactions.routing import Route
from liaison.fhir.operations.definition import Given
from liaison.fhir.operations.definitions import LASTN
from liaison.fhir.search.criteria import Context, Query
from liaison.fhir.search.decide import BUDGET, Candidate
from liaison.fhir.search.known import with_parameters
from liaison.fhir.search.links import Links
from liaison.fhir.search.parse import criterion
from liaison.fhir.search.run import BATCH, Run
from liaison.fhir.search.searching import noted
from liaison.fhir.search.searchset import searchset, url
from liaison.fhir.search.sql import Position
from liaison.fhir.store import Store
from liaison.fhir.store.contract import Answer, Caller, Opened, Request, Tree

_SUBJECT: Final = frozenset({"patient", "subject"})
_KIND: Final = frozenset({"category", "code", "combo-code", "component-code"})
_NOT_THE_LAST: Final = frozenset({"entered-in-error", "cancelled"})


class Found(NamedTuple):
    """A candidate with its content, and a code of its group."""

    candidate: Candidate
    opened: Opened
    code: Hashable


async def lastn(store: Store, caller: Caller, where: Route, request: Request, base_url: str) -> Answer:
    """A searchset of the last observations of each group, in one Bundle. TooCostly beyond the budget of a search."""
    scope.permit_letter(caller, "s", "Observation")
    given = LASTN.read(request)
    names = {name.partition(":")[0] for name, _ in given.criteria}
    if not names & _SUBJECT:
        raise BadRequest("$lastn needs the parameter 'patient' or 'subject'.")
    if not names & _KIND:
        raise BadRequest("$lastn needs the parameter 'category' or 'code'.")
    return await with_parameters(
        store, " ".join(name for name, _ in given.criteria), lambda: _lastn(store, caller, given, base_url)
    )


async def _lastn(store: Store, caller: Caller, given: Given, base_url: str) -> Answer:
    names = {name.partition(":")[0] for name, _ in given.criteria}
    context = Context("Observation", base_url, store.database.clock.now())
    query = Query("Observation", tuple(criterion(name, text, context) for name, text in given.criteria))
    asked = Links(store, caller, base_url)
    groups = Groups()
    with noted(asked):
        run = await asked.run(query)
        found = [one async for one in _candidates(run, groups, every="status" in names)]
    last = _last(found, groups, given.number("max") or 1)
    links = [("self", url(base_url, "Observation/$lastn", given.pairs))]
    answer = searchset(last, (), total=len(last), links=links, base_url=base_url, ids_of=store.ids_of)
    return answer._replace(consulted=tuple(asked.consulted), singled=frozenset(asked.singled))


async def _candidates(run: Run, groups: "Groups", *, every: bool) -> AsyncIterator[Found]:
    """Every visible match, newest first. What is in no group yet joins those of its other codes."""
    after: Position | None = None
    seen = 0
    while True:
        some = await (run.page(BATCH, after) if run.plan.decided else run.matching(BATCH, after))
        seen += len(some)
        if seen > BUDGET:
            raise TooCostly(f"$lastn would open more than {BUDGET} records. Add a code, a category or a date.")
        rows = {one.row.key: one for one in some if one.row is not None}
        for opened in await run.store.open_rows(run.caller, [one.row for one in rows.values() if one.row is not None]):
            tree = model.glance(opened.body)
            if every or tree.get("status") not in _NOT_THE_LAST:
                code = groups.join((opened.row.key.patient, one) for one in codes(tree))
                yield Found(rows[opened.row.key], opened, code)
        if len(some) < BATCH:
            return
        after = Position(some[-1].moment, some[-1].key.res, some[-1].key.patient)


def codes(observation: Tree) -> Iterator[Hashable]:
    """What an observation is about: each coding by system and code, or its text where there is none."""
    code = observation.get("code") or {}
    codings = [one for one in code.get("coding") or () if one.get("code")]
    if codings:
        yield from ((one.get("system", ""), one["code"]) for one in codings)
    else:
        yield code.get("text", "")


class Groups:
    """Codes that stand together on one observation are one group, and so is all that is linked in this way."""

    def __init__(self) -> None:
        self._above: dict[Hashable, Hashable] = {}

    def of(self, code: Hashable) -> Hashable:
        """The code that stands for the group."""
        above = self._above.setdefault(code, code)
        while above != code:
            code, above = above, self._above[above]
        return code

    def join(self, together: Iterator[Hashable]) -> Hashable:
        """Makes one group of these codes; any of them."""
        first = next(together)
        for other in together:
            self._above[self.of(other)] = self.of(first)
        self.of(first)
        return first


def _last(found: list[Found], groups: Groups, most: int) -> list[Opened]:
    """Of each group the first `most`, and those of the same moment as the last of them."""
    counted: dict[Hashable, int] = {}
    moments: dict[Hashable, object] = {}
    kept: list[Opened] = []
    for one in found:
        group = groups.of(one.code)
        number = counted[group] = counted.get(group, 0) + 1
        if number <= most:
            moments[group] = one.candidate.moment
            kept.append(one.opened)
        elif one.candidate.moment == moments[group]:
            kept.append(one.opened)
    return kept
