"""What chained keys of _sort find at their ends.

Every match stays in the result: one whose reference leads to nothing, or to nothing that the caller may see and search,
has a missing value (hapi-fhir#5904, hapi-fhir#818 dropped those). Where several resources are reached, the first value in the
order asked counts.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from liaison.fhir import model
from liaison.fhir.definitions import type_of
from liaison.fhir.errors import Forbidden
from liaison.fhir.search.criteria import Facts, SortKey
from liaison.fhir.search.decide import Candidate, values_in
from liaison.fhir.search.reference import ours
from liaison.fhir.search.scopes import match
from liaison.fhir.search.sort import comparable, looked_at
from liaison.fhir.store.contract import Key

if TYPE_CHECKING:
    from liaison.fhir.search.run import Run

_BATCH: Final = 2_000


class Ends:
    """What one chained key finds for the matches of a run, at its snapshot and within its budget.

    Forbidden, before any record is read, when the scopes allow none of the types that a link may lead to.
    """

    def __init__(self, run: "Run", key: SortKey) -> None:
        self.run, self.key = run, key
        self._permitted = self._allowed(key)

    def _allowed(self, key: SortKey) -> SortKey:
        if not key.then:
            return key
        bound = self.run.caller.bound
        then = tuple((type_, self._allowed(one)) for type_, one in key.then if bound.allows("s", type_))
        if not then:
            types = " or ".join(type_ for type_, _ in key.then)
            raise Forbidden(f"The scopes of this token do not allow 's' on {types}, which '_sort' asks about.")
        return replace(key, then=then)

    async def of(self, found: Sequence[tuple[Facts, Candidate]]) -> list[tuple[Facts, Candidate]]:
        """The matches, each with what the key finds for it."""
        each = await self._ends([facts for facts, _ in found], self._permitted)
        return [
            (replace(facts, ends={**facts.ends, self.key: ends}), one)
            for (facts, one), ends in zip(found, each, strict=True)
        ]

    async def _ends(self, found: Sequence[Facts], key: SortKey) -> list[list[Any]]:
        if not key.then:
            return [list(comparable(facts, key)) for facts in found]
        led = [self._targets(facts, key) for facts in found]
        ends: dict[Key, list[Any]] = {}
        for type_, then in key.then:
            wanted = list(dict.fromkeys(one for targets in led for one in targets if type_of(one.kind) == type_))
            reached = await self._facts(type_, wanted, then)
            ends |= dict(zip(reached, await self._ends(list(reached.values()), then), strict=True))
        return [[end for one in targets for end in ends.get(one, ())] for targets in led]

    def _targets(self, facts: Facts, key: SortKey) -> list[Key]:
        found = []
        for value in facts.values.get(key.parameter.number, ()):
            named = ours(value, self.run.base_url)
            target = None if named is None else self.run.store.key(*named)
            if target is not None:
                found.append(target)
        return found

    async def _facts(self, type_: str, keys: Sequence[Key], then: SortKey) -> dict[Key, Facts]:
        """Those of the resources that may be seen, and searched: both walls stand before each of them."""
        run = self.run
        criteria = run.caller.bound.criteria("s", type_)
        found: dict[Key, Facts] = {}
        for start in range(0, len(keys), _BATCH):
            some = keys[start : start + _BATCH]
            run.budget.spend(len(some))
            for opened in await run.store.open_rows(run.caller, await run.rows(some)):
                tree = model.read(opened.body)
                if criteria and not any(match(type_, tree, one, base_url=run.base_url) for one in criteria):
                    continue
                row = opened.row
                values = values_in(type_, tree, frozenset([looked_at(then, type_)]))
                found[row.key] = Facts(type_, run.store.id(row.key), row.at, values)
        return found
