"""The searches that a CapabilityStatement claims for one type, tried on the world; each difference is a line."""

import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote

import orjson

from liaison.fhir.definitions import SearchParameter, ownership, parameter_by_id, search_parameters
from liaison.fhir.model.fhirpath import compile_expression, evaluate
from liaison.fhir.store.contract import Tree

from .values import Asked, asked, begun, is_known, target
from .world import EACH, STORED, World

ELSEWHERE = {"_text", "_content", "near"}
"""Parameters without an expression whose values are compared in tests/fhir/search; here they must only be served."""

FEW = 10
"""Types to which a parameter may lead so that the world has an example of each."""

TRIES = 600
"""Resources made for a type, of which those are kept that tell a parameter's claim."""

LINKED = 150
"""Resources made for a type, of which those are kept that refer to what no other does."""

Draw = Callable[[list[Any]], list[Any]]
"""Which of the claims of a kind are tried."""


class Link(NamedTuple):
    """An include, as it is asked, and the types one of which it is to add something of."""

    path: str
    source: str
    parameter: SearchParameter
    targets: list[str]


class Searches:
    """What was tried, what differed, and of which parameters and includes no data here could tell right from wrong."""

    def __init__(self, world: World, draw: Draw) -> None:
        self.world = world
        self._draw = draw
        self.tried = 0
        self.wrong: list[str] = []
        self.untold: list[str] = []
        self._within: dict[int, Tree] = {}
        """The resource that each of the elements last looked at stands in (%resource)."""

    async def walk(self, claimed: dict[str, Any]) -> None:
        type_ = claimed["type"]
        for parameter in self._draw(claimed["searchParam"]):
            known = search_parameters(type_)[parameter["name"]]
            if known.type != parameter["type"]:
                self.wrong.append(f"{type_}.{known.code} is claimed to be a {parameter['type']}")
            await self._parameter(type_, known)
        for include in self._draw(claimed["searchInclude"]):
            await self._include(type_, include)
        for include in self._draw(claimed["searchRevInclude"]):
            await self._revinclude(type_, include, claimed["searchRevInclude"])
        for link in self._links(claimed):
            if not self._leads(link, self.world.of_type[link.source].values()):
                self.untold.append(link.path)

    async def _parameter(self, type_: str, parameter: SearchParameter) -> None:
        if parameter.code in ELSEWHERE:
            text = "46.1|5.2|10|km" if parameter.code == "near" else "word"
            await self._found(f"{type_}?{parameter.code}={quote(text)}")
            return
        values = self._values(type_, parameter)
        told = False
        for one, expected in self._meant(type_, parameter, values):
            if not expected or (len(expected) == len(values) and told):
                continue
            name = f"{parameter.code}:{one.modifier}" if one.modifier else parameter.code
            await self._compare(f"{type_}?{name}={quote(one.text)}", expected, among=set(values))
            if len(expected) < len(values):
                told = True
                break
        if not told:
            self.untold.append(f"{type_}.{parameter.code}")

    async def prepare(self, claimed: Sequence[dict[str, Any]]) -> None:
        """Adds to the world what it lacks to tell right from wrong for the claims of these types."""
        for one in claimed:
            await self._tell(one)
        await self._lead(claimed)

    async def _tell(self, claimed: dict[str, Any]) -> None:
        """Adds resources of a type for as long as one of its parameters finds all or nothing, and there is one that tells it."""
        type_ = claimed["type"]
        names = {one["name"] for one in self._draw(claimed["searchParam"])} - ELSEWHERE
        tried = (search_parameters(type_)[name] for name in names)
        lacking = {one.code: one for one in tried if not self._tells(type_, one, self._values(type_, one))}
        for number in range(EACH, EACH + TRIES):
            tree = self.world.made(type_, number)
            told = [code for code, one in lacking.items() if self._tells(type_, one, self._values(type_, one, tree))]
            if told:
                await self.world.add(type_, number, tree)
            for code in told:
                del lacking[code]
            if not lacking:
                break

    async def _lead(self, claimed: Sequence[dict[str, Any]]) -> None:
        """Adds resources that refer to others by each include of these types which would add nothing."""
        wanted: dict[str, list[Link]] = defaultdict(list)
        for one in claimed:
            for link in self._links(one):
                if not self._leads(link, self.world.of_type[link.source].values()):
                    wanted[link.source].append(link)
        for source, lacking in wanted.items():
            for number in range(EACH + TRIES, EACH + TRIES + LINKED):
                tree, chance = self.world.made(source, number), random.Random(number)
                chance.shuffle(lacking)
                for link in lacking:
                    _turn(tree, link.parameter, self.world.reference_to(chance.choice(link.targets)))
                left = [one for one in lacking if not self._leads(one, [tree])]
                if len(left) < len(lacking):
                    await self.world.add(source, number, tree)
                lacking = left
                if not lacking:
                    break

    def _links(self, claimed: dict[str, Any]) -> Iterator[Link]:
        """The includes that are tried and that the data are made to tell: those of a parameter that may lead to few types, since they
        cannot be for each type to which anything may refer. Whose a resource is leads to a Patient."""
        type_ = claimed["type"]
        for include in self._draw(claimed["searchInclude"]):
            parameter = search_parameters(type_).get(include.rpartition(":")[2])
            if parameter and (others := sorted(set(parameter.target) & set(STORED) - {type_})):
                yield Link(f"{type_}?_include={include}", type_, parameter, others)
        for include in self._draw(claimed["searchRevInclude"]):
            source, _, code = include.partition(":")
            if code not in ("", "*") and source != type_:
                parameter = search_parameters(source)[code]
                if len(parameter.target) <= FEW and (type_ == "Patient" or not names_owner(parameter, source)):
                    yield Link(f"{type_}?_revinclude={include}", source, parameter, [type_])

    def _leads(self, link: Link, trees: Iterable[Tree]) -> bool:
        there = {id_ for type_ in link.targets for id_ in self.world.of_type[type_]}
        return any(targets_of(self.world, link.parameter, tree) & there for tree in trees)

    def _values(self, type_: str, parameter: SearchParameter, more: Tree | None = None) -> dict[str, list[Any]]:
        """What the parameter looks at in each resource of the type, and in one that may be added; those of which the oracle cannot
        say what a search does with them are left out."""
        trees = self.world.of_type[type_] | ({} if more is None else {"": more})
        values = {id_: elements_of(parameter, tree) for id_, tree in trees.items()}
        self._within = {id(one): trees[id_] for id_, found in values.items() for one in found}
        return {id_: found for id_, found in values.items() if all(is_known(parameter.type, one) for one in found)}

    def _tells(self, type_: str, parameter: SearchParameter, values: dict[str, list[Any]]) -> bool:
        return any(0 < len(expected) < len(values) for _, expected in self._meant(type_, parameter, values))

    def _meant(
        self, type_: str, parameter: SearchParameter, values: dict[str, list[Any]]
    ) -> Iterator[tuple[Asked, set[str]]]:
        for one in self._questions(type_, parameter, values):
            yield one, {id_ for id_, found in values.items() if any(one.meant(element) for element in found)}

    def _questions(self, type_: str, parameter: SearchParameter, values: dict[str, list[Any]]) -> Iterator[Asked]:
        if parameter.type == "composite":
            yield from self._composites(type_, parameter, values)
        else:
            for found in values.values():
                for element in found:
                    yield from asked(parameter.type, element)

    def _composites(self, type_: str, parameter: SearchParameter, values: dict[str, list[Any]]) -> Iterator[Asked]:
        """Both parts in one element: another element that has one of them alone is not meant."""
        roots = {branch.type for branch in compile_expression(parameter.expression, type_)}
        parts = [
            (parameter_by_id(component.parameter).type, component.expression) for component in parameter.components
        ]

        def inside(element: Any, expression: str) -> list[Any]:
            return [
                hit
                for root in roots
                for branch in compile_expression(expression, type_, root)
                for hit in evaluate(branch, element, self._within[id(element)])
            ]

        for found in values.values():
            for element in found:
                sides = [
                    [
                        one
                        for hit in inside(element, path)
                        for one in (begun(hit) if kind == "string" else asked(kind, hit))
                    ]
                    for kind, path in parts
                ]
                if all(sides):
                    first = [side[0] for side in sides]

                    def meant(other: Any, first: list[Asked] = first) -> bool:
                        return all(
                            any(one.meant(hit) for hit in inside(other, path))
                            for one, (_, path) in zip(first, parts, strict=True)
                        )

                    yield Asked("$".join(one.text for one in first), meant)

    async def _include(self, type_: str, include: str) -> None:
        code = include.rpartition(":")[2]
        here = self.world.of_type[type_]
        parameters = [
            one for one in search_parameters(type_).values() if one.type == "reference" and code in ("*", one.code)
        ]
        leads = {
            text
            for parameter in parameters
            for tree in here.values()
            for text in targets_of(self.world, parameter, tree)
        }
        await self._compare(f"{type_}?_include={include}", set(here), leads - set(here))

    async def _revinclude(self, type_: str, include: str, each: list[str]) -> None:
        here = self.world.of_type[type_]
        lead = {
            id_
            for one in (each if include == "*" else [include])
            if one != "*"
            for source, _, code in [one.partition(":")]
            for id_, tree in self.world.of_type[source].items()
            if targets_of(self.world, search_parameters(source)[code], tree) & set(here)
        }
        # Resources of the type itself stand among the matches already.
        await self._compare(f"{type_}?_revinclude={include}", set(here), lead - set(here))

    async def _compare(
        self, path: str, expected: set[str], included: set[str] | None = None, among: set[str] | None = None
    ) -> None:
        """`among`: whatever else matches is not looked at."""
        found = await self._found(path)
        if found is None:
            return
        matches, others = found
        matches = matches if among is None else matches & among
        if matches != expected:
            self.wrong.append(f"{path}: {len(matches - expected)} too many, {len(expected - matches)} missing")
        if included is not None and others != included:
            self.wrong.append(f"{path}: {len(others - included)} included too many, {len(included - others)} missing")

    async def _found(self, path: str) -> tuple[set[str], set[str]] | None:
        self.tried += 1
        answer = await self.world.ask("GET", f"{path}&_count=1000")
        bundle = orjson.loads(answer.body)
        if answer.status != 200:
            self.wrong.append(f"{path}: {answer.status} {bundle['issue'][0]['diagnostics']}")
            return None
        entries = bundle.get("entry", ())
        modes = {
            mode: {e["resource"]["id"] for e in entries if e["search"]["mode"] == mode} for mode in ("match", "include")
        }
        return modes["match"], modes["include"]


def names_owner(parameter: SearchParameter, type_: str) -> bool:
    """Whether it looks at the element that says whose a resource of the type is."""
    path = f"{type_}.{ownership(type_).path}"
    return any(one.strip().partition(".where(")[0] == path for one in parameter.expression.split("|"))


def elements_of(parameter: SearchParameter, tree: Tree) -> list[Any]:
    """What a parameter looks at. tests/fhir/model/test_fhirpath.py holds the expressions against another reader."""
    branches = compile_expression(parameter.expression, tree["resourceType"])
    return [hit for branch in branches for hit in evaluate(branch, tree, tree)]


def _turn(tree: Tree, parameter: SearchParameter, to: str) -> None:
    """Makes the references that a parameter looks at lead there, but for the one that says whose the resource is."""
    owner = next(iter(ownership(tree["resourceType"]).references(tree)), None)
    for element in elements_of(parameter, tree):
        if isinstance(element, dict) and "reference" in element and element is not owner:
            element["reference"] = to


def targets_of(world: World, parameter: SearchParameter, tree: Tree) -> set[str]:
    """The ids of the resources here that a reference parameter leads to."""
    named = [target(element) for element in elements_of(parameter, tree)]
    found = (text.partition("/") for text in named)
    here = {id_ for type_, _, id_ in found if type_ in parameter.target and id_ in world.of_type.get(type_, {})}
    return here.union(*(defined(world, type_, text) for text in named for type_ in parameter.target))


def defined(world: World, type_: str, canonical: str) -> set[str]:
    """The definition of a type that a canonical names: of that version, or the latest (references.html#canonical)."""
    url, _, version = canonical.partition("|")
    known = [
        ([int(part) for part in tree["version"].split(".")], id_)
        for id_, tree in world.of_type.get(type_, {}).items()
        if url.startswith("http") and tree.get("url") == url and version in ("", tree["version"])
    ]
    return {max(known)[1]} if known else set()
