"""The rows that contain what a link of a chain asks for (liaison.fhir.search.contained): by their tokens as far as these can
say it, else by their content."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from liaison.fhir import model
from liaison.fhir.definitions import type_of
from liaison.fhir.search import contained
from liaison.fhir.search.chain import Chained, Way
from liaison.fhir.search.criteria import Criterion, Query
from liaison.fhir.search.expression import Expression, joined
from liaison.fhir.search.paths import is_owner_alone
from liaison.fhir.search.plan import condition_of
from liaison.fhir.store.contract import Key

if TYPE_CHECKING:
    from liaison.fhir.search.links import Links

_BATCH: Final = 500


class Containing:
    """Of the chains of one search."""

    def __init__(self, links: "Links") -> None:
        self.links = links

    def tokens(self, one: Chained, type_: str) -> tuple[tuple[bytes, ...], bool]:
        """Tokens of the rows that may contain what a link asks for; and whether each of these rows does."""
        if is_owner_alone(one.parameter, type_):
            return (), True
        tokens: list[bytes] = []
        whole = True
        for way in one.ways:
            bounds = self.links.bound(way.type_)
            condition = None if bounds else condition_of(way.asked, way.type_, self.links.store.key)
            exact = contained.exactly(way, condition)
            whole = whole and exact is not None
            tokens += (contained.of_type(way.type_),) if exact is None else exact
        return tuple(tokens), whole

    async def of(self, one: Chained, keys: Sequence[Key]) -> list[Key]:
        """Those of these rows, of one type, that contain what a link asks for."""
        if not keys:
            return []
        links = self.links
        asked = [Way(type_, await self._with_ends(type_, asked)) for type_, asked in one.ways]
        link, inside = replace(one, ways=tuple(asked)), contained.Inside(links.named, links.bound)
        run = links.running(await links.plan(Query(type_of(keys[0].kind))))
        found = []
        for start in range(0, len(keys), _BATCH):
            some = keys[start : start + _BATCH]
            links.budget.spend(len(some))
            for opened in await links.store.open_rows(links.caller, await run.rows(some)):
                tree = model.read(opened.body)
                if inside.leads(link, tree, tree):
                    found.append(opened.row.key)
        return found

    async def _with_ends(self, type_: str, asked: Criterion) -> Criterion:
        """What is asked of a contained resource, with what its own links reach outside."""
        if isinstance(asked, Expression):
            return joined(asked.way, [await self._with_ends(type_, part) for part in asked.of])
        if not isinstance(asked, Chained):
            return await self.links.meant(type_, asked)
        if asked.reverse:
            return asked
        asked = await self.links.looked_up(asked)
        ways = tuple([Way(there, await self._with_ends(there, then)) for there, then in asked.ways])
        reached = await self.links.reached(asked, None)
        return contained.Reached(asked.name, "", asked.parameter, asked.operands, ways, keys=reached)
