"""What a unit of writes makes, searched without the base: nothing of it is stored yet."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Final

from liaison.fhir.interactions.references import Target
from liaison.fhir.interactions.writes import Write
from liaison.fhir.search import Alone, facts_of
from liaison.fhir.search.criteria import Facts
from liaison.fhir.store.contract import Tree

BREATH: Final = 200
"""Comparisons between two turns of the event loop."""


async def matching(
    writes: Sequence[Write], asked: AbstractSet[Target], base_url: str, now: datetime
) -> dict[Target, list[Write]]:
    """Which entries of a Bundle match each conditional reference: they are resolved when all else is done (R4
    http.html#trules). Without those that only the base can answer (chains, texts, lists, value sets): these ask what was
    there before."""
    types = {one.type_ for one in asked}
    made = [
        (write, write.tree)
        for write in writes
        if write.at and write.type_ in types and write.tree is not None and not write.existing
    ]
    if not made:
        return {}
    here = Made(made)
    found: dict[Target, list[Write]] = {}
    for count, one in enumerate(asked, 1):
        alone = Alone.of(one.type_, one.name, base_url, now)
        if alone.whole:
            found[one] = [write for write, facts in here.candidates(alone) if alone.met(facts)]
        if count % BREATH == 0:
            await asyncio.sleep(0)
    return found


class Made:
    """By type and by code, so that many entries are not each compared with all."""

    def __init__(self, made: Iterable[tuple[Write, Tree]]) -> None:
        self._of_type: dict[str, list[tuple[Write, Facts]]] = defaultdict(list)
        for write, tree in made:
            self._of_type[write.type_].append((write, facts_of(write.type_, tree)))
        self._coded: dict[tuple[str, int], dict[str, list[tuple[Write, Facts]]]] = {}

    def candidates(self, alone: Alone) -> Iterator[tuple[Write, Facts]]:
        """At least all that meet the criteria."""
        groups = [self._with(alone.type_, number, codes) for number, codes in alone.codes.items()]
        yield from min(groups, key=len) if groups else self._of_type[alone.type_]

    def _with(self, type_: str, number: int, codes: frozenset[str]) -> list[tuple[Write, Facts]]:
        if (type_, number) not in self._coded:
            coded = self._coded[type_, number] = defaultdict(list)
            for one in self._of_type[type_]:
                for code in {value.code for value in one[1].values.get(number, ())}:
                    coded[code].append(one)
        return [one for code in codes for one in self._coded[type_, number].get(code, ())]
