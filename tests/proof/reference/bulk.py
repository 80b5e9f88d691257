"""Tens of thousands of whole queries beside the reference, by several processes over one store.

Each query has a number and is made from that number alone: whatever differs is asked again by its number, and is made
smaller first. `Asker.ask` is one query; `python -m tests.proof.reference.bulk` is a process that asks its share of them.
"""

import asyncio
import json
import pickle
import random
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from liaison.auth.access.filter import Filter
from liaison.auth.caller import Caller
from liaison.fhir.store import Store
from liaison.fhir.store.database import Database
from liaison.fhir.vault import FileKeyProvider, Vault

from . import several, texts
from .elements import Resource, elements
from .evaluator import Asked, matching
from .meanings import Meanings
from .meant import Meant
from .results import Filters, holds, text_of
from .tables import PARAMETERS
from .world import Hooks, Way, World, compare

FILTERS: dict[str, Any] = {}
"""The tree of each filter, and of each text to look for, by how it was written."""
LONG = 2_000
"""Of so many resources `_content` is asked of one record only."""


class Whole(Meanings):
    """What one caller may see, asked about by filters and words, too."""

    def __init__(self, resources: Iterable[Resource]) -> None:
        super().__init__(resources)
        self._texts: dict[tuple[str, str], str] = {}

    def _ids(
        self, here: Iterable[Resource], type_: str, name: str, modifier: str, values: tuple[str, ...]
    ) -> Iterator[str]:
        if name == "_filter":
            yield from (one["id"] for one in here if holds(one, FILTERS[values[0]]))
        elif name in ("_text", "_content"):
            for one in here:
                if any(texts.says(self._text(name, one), FILTERS[value]) for value in values):
                    yield one["id"]
        else:
            yield from super()._ids(here, type_, name, modifier, values)

    def _text(self, name: str, resource: Resource) -> str:
        asked = (name, resource["id"])
        if asked not in self._texts:
            self._texts[asked] = (texts.narrative if name == "_text" else texts.content)(resource)
        return self._texts[asked]


class Mixed(Meant):
    """Queries of every form: larger types more often, most of them about one record."""

    def __init__(self, corpus: Sequence[Resource], seed: int) -> None:
        super().__init__(corpus, seed)
        self.of_one, self.filters = 0.85, Filters(corpus, seed)
        self.types = sorted(self.by_type)
        self.weights = [len(self.by_type[one]) ** 0.5 for one in self.types]

    def numbered(self, number: str) -> None:
        self.random = self.filters.random = random.Random(number)

    def type(self) -> str:
        return self.random.choices(self.types, self.weights if self.random.random() < 0.75 else None)[0]

    def _criterion(self, type_: str, example: Resource) -> tuple[str, str, tuple[str, ...]] | None:
        way = self.random.random()
        if way < 0.25:
            return super()._criterion(type_, example)
        if way < 0.5:
            return self.plain(type_, example)
        # Some types have many tokens and references, and one number: each kind as often, about something that has it.
        kinds: dict[str, list[str]] = {}
        for name, parameter in sorted(PARAMETERS[type_].items()):
            kinds.setdefault(parameter.type, []).append(name)
        name = self.random.choice(kinds[self.random.choice(sorted(kinds))])
        known = self.by_type.get(type_, [])  # none of what is only contained in others
        near = [example, *self.random.sample(known, min(8, len(known)))]
        return self.plain(type_, next((one for one in near if elements(one, name)), example), name)

    def more(self, type_: str, example: Resource) -> list[tuple[str, str, tuple[str, ...]]]:
        way = self.random.random()
        if way < 0.1:
            tree = self.filters.tree(type_)
            written = text_of(tree, self.random.random() < 0.5)
            FILTERS[written] = tree
            return [("_filter", "", (written,))]
        if way < 0.15 and type_ not in ("CodeSystem", "ValueSet"):
            return self._words(type_, example)
        return []

    def _words(self, type_: str, example: Resource) -> list[tuple[str, str, tuple[str, ...]]]:
        name = "_text" if "text" in example and self.random.random() < 0.7 else "_content"
        near = [example, *self.random.sample(self.by_type[type_], 1)]
        held = [text for one in near if (text := (texts.narrative if name == "_text" else texts.content)(one))]
        values = []
        for _ in range(self.random.choice((1, 1, 2))):
            tree = texts.asked_of(held, self.random, self.random.choice((0, 1, 2)))
            values.append(texts.written(tree, self.random))
            FILTERS[values[-1]] = tree
        criteria = [(name, "", tuple(values))]
        owner = (example.get("subject") or example.get("patient") or {}).get("reference", "")
        if len(self.by_type[type_]) > LONG:
            criteria.append(("patient", "", (owner,)))
        return criteria


@dataclass
class Tally:
    """What was asked and how much of it found something; what differed."""

    asked: int = 0
    met: int = 0
    forms: Counter[str] = field(default_factory=Counter)
    differences: list[str] = field(default_factory=list)

    def add(self, other: "Tally") -> None:
        self.asked += other.asked
        self.met += other.met
        self.forms.update(other.forms)
        self.differences += other.differences


class Asker:
    """Asks the queries of one seed, each by its number."""

    def __init__(self, world: World, seed: int) -> None:
        self.world, self.seed = world, seed
        self.made = Mixed(list(world.corpus.resources.values()), seed)
        self.seen = {caller: Whole(world.visible(caller)) for caller in world.callers}
        self.callers = sorted(self.seen, key=lambda one: one.session)
        self.tally = Tally()

    async def ask(self, number: int) -> None:
        self.made.numbered(f"{self.seed}:{number}")
        made = self.made.random
        # The last caller has no patient: asked for the directory now and then.
        caller = made.choices(self.callers, [6, 3, 3, 1][: len(self.callers)])[0]
        self.tally.asked += 1
        if made.random() < 0.05:
            shown = list(self.seen[caller].by_id.values())
            asked, wrong, met = await self._several(caller, shown)
            self.tally.forms["several types or a compartment"] += 1
            self.tally.met += met
        else:
            asked, wrong = await self._one(caller)
        if wrong:
            self.tally.differences.append(f"query {self.seed}:{number} of caller {caller.session}: {asked}: {wrong}")

    async def _several(self, caller: Caller, shown: Sequence[Resource]) -> tuple[str, str, bool]:
        try:
            return await several.difference(self.world, caller, shown, self.made.random)
        except Exception as error:  # noqa: BLE001  # a refusal, or a fault: neither is what the reference says
            return "several", _said(error), False

    async def _one(self, caller: Caller) -> tuple[str, str]:
        made, asked = self.made.random, self.made.query()
        expected = len(matching(self.seen[caller], asked))
        # A dozen pages at most.
        count = made.choice((1000, 1000, 20, 7)) if expected < 80 else made.choice((1000, expected // 8))
        way = Way(min(count, 1000), made.choice(("accurate", "accurate", "estimate", "none", "")), made.random() < 0.3)
        if made.random() < 0.06:
            way = Way(only=made.choice(("_summary=count", "_count=0")))
        self.tally.met += bool(expected)
        self.tally.forms.update(_forms(asked, way))
        wrong = await self._compare(caller, asked, way)
        if wrong:
            asked, wrong = await self._smaller(caller, asked, way, wrong)
        return f"{asked.type}?{urlencode([*asked.text(), *way.text()])}", wrong

    async def _compare(self, caller: Caller, asked: Asked, way: Way) -> str:
        try:
            return await compare(self.world, caller, asked, self.seen[caller], way)
        except Exception as error:  # noqa: BLE001  # a refusal, or a fault: neither is what the reference says
            return _said(error)

    async def _smaller(self, caller: Caller, asked: Asked, way: Way, wrong: str) -> tuple[Asked, str]:
        """Without each criterion, value and sort key that is not needed for a difference."""
        smaller = True
        while smaller:
            smaller = False
            for fewer in _fewer(asked):
                found = await self._compare(caller, fewer, way)
                if found:
                    asked, wrong, smaller = fewer, found, True
                    break
        return asked, wrong


def _fewer(asked: Asked) -> Iterator[Asked]:
    for number in range(len(asked.sort)):
        yield replace(asked, sort=asked.sort[:number] + asked.sort[number + 1 :])
    for number, (name, modifier, values) in enumerate(asked.criteria):
        before, after = asked.criteria[:number], asked.criteria[number + 1 :]
        yield replace(asked, criteria=before + after)
        for one in values if len(values) > 1 else ():
            yield replace(asked, criteria=(*before, (name, modifier, (one,)), *after))


def _said(error: Exception) -> str:
    return f"{type(error).__name__} {error} {[issue.diagnostics for issue in getattr(error, 'issues', ())]}"


def _forms(asked: Asked, way: Way) -> Iterator[str]:
    """What a query holds of all that may be asked."""
    yield asked.type
    yield way.only or f"_total={way.total}"
    for key in asked.sort:
        yield "_sort by a chain" if "." in key else f"_sort by {_type(asked.type, key.lstrip('-'))}"
    if len(asked.sort) > 1:
        yield "_sort by several"
    for name, modifier, values in asked.criteria:
        if name.startswith("_has:"):
            yield "_has"
        elif "." in name:
            yield "a chain"
        else:
            kind = _type(asked.type, name)
            prefix = values[0][:2] if kind in ("date", "number", "quantity") and values[0][:2].isalpha() else ""
            yield f"{kind}:{'[type]' if modifier[:1].isupper() else modifier or prefix}"


def _type(type_: str, name: str) -> str:
    known = PARAMETERS[type_].get(name)
    return known.type if known else "composite" if name.startswith(("code-", "component-", "combo-")) else name


# ---- a process ----------------------------------------------------------------------------------------------------


def write(world: World, path: Path) -> None:
    """What another process has to know of the world."""
    callers = [(caller.session, patients) for caller, patients in world.callers.items()]
    path.write_bytes(pickle.dumps((world.corpus.resources, world.corpus.owner, world.hooks.hidden, callers)))


async def share(url: str, folder: Path, seed: int, numbers: Iterable[int], most: int = 10) -> Tally:
    """Asks these queries of the world in the folder, until so many differ."""
    async with await Database.connect(url, check=False) as database:
        async with database.writing.acquire() as connection:
            vault = await Vault.open(connection, FileKeyProvider(folder / "key"))
        async with Store(database, vault, Filter(), Hooks()) as store:
            world = World(store, Hooks())
            resources, owner, hidden, callers = pickle.loads((folder / "world").read_bytes())  # ours
            world.corpus.resources, world.corpus.owner, world.hooks.hidden = resources, owner, hidden
            world.know(callers)
            asker = Asker(world, seed)
            for number in numbers:
                await asker.ask(number)
                if len(asker.tally.differences) >= most:
                    break
            return asker.tally


def _main(url: str, folder: str, seed: str, first: str, last: str, step: str) -> None:
    tally = asyncio.run(share(url, Path(folder), int(seed), range(int(first), int(last), int(step))))
    print(json.dumps([tally.asked, tally.met, tally.forms, tally.differences]))


if __name__ == "__main__":
    _main(*sys.argv[1:])
