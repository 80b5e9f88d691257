"""The searches that a CapabilityStatement claims for one type, tried on the world; each difference is a line."""

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import orjson

from liaison.fhir.definitions import SearchParameter, parameter_by_id, search_parameters
from liaison.fhir.model.fhirpath import compile_expression, evaluate
from liaison.fhir.store.contract import Tree

from .values import Asked, asked, is_known, target
from .world import World

ELSEWHERE = {"_text", "_content", "near"}
"""Parameters without an expression whose values are compared in tests/fhir/search; here they must only be served."""

FEW = 10
"""Types to which a parameter may lead so that the world has an example of each."""

Draw = Callable[[list[Any]], list[Any]]
"""Which of the claims of a kind are tried."""


class Searches:
    """What was tried, what differed, and which parameters and includes had no data here that could tell right from wrong."""

    def __init__(self, world: World, draw: Draw) -> None:
        self.world = world
        self._draw = draw
        self.tried = self.asked = self.added = 0
        self.wrong: list[str] = []
        self.untold: list[str] = []
        self.unadded: list[str] = []

    async def walk(self, claimed: dict[str, Any]) -> None:
        type_ = claimed["type"]
        for parameter in self._draw(claimed["searchParam"]):
            self.asked += 1
            known = search_parameters(type_)[parameter["name"]]
            if known.type != parameter["type"]:
                self.wrong.append(f"{type_}.{known.code} is claimed to be a {parameter['type']}")
            await self._parameter(type_, known)
        for include in self._draw(claimed["searchInclude"]):
            await self._include(type_, include)
        for include in self._draw(claimed["searchRevInclude"]):
            await self._revinclude(type_, include, claimed["searchRevInclude"])

    async def _parameter(self, type_: str, parameter: SearchParameter) -> None:
        if parameter.code in ELSEWHERE:
            text = "46.1|5.2|10|km" if parameter.code == "near" else "word"
            await self._found(f"{type_}?{parameter.code}={quote(text)}")
            return
        values = {id_: elements_of(parameter, tree) for id_, tree in self.world.of_type[type_].items()}
        told = False
        for one in self._questions(type_, parameter, values):
            expected = {id_ for id_, found in values.items() if any(one.meant(element) for element in found)}
            if not expected or (len(expected) == len(values) and told):
                continue
            name = f"{parameter.code}:{one.modifier}" if one.modifier else parameter.code
            await self._compare(f"{type_}?{name}={quote(one.text)}", expected)
            if len(expected) < len(values):
                told = True
                break
        if not told:
            self.untold.append(f"{type_}.{parameter.code}")

    def _questions(self, type_: str, parameter: SearchParameter, values: dict[str, list[Any]]) -> Iterator[Asked]:
        if parameter.type == "composite":
            yield from self._composites(type_, parameter, values)
        elif all(is_known(parameter.type, element) for found in values.values() for element in found):
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
                for hit in evaluate(branch, element, element)
            ]

        for found in values.values():
            for element in found:
                sides = [[one for hit in inside(element, path) for one in asked(kind, hit)] for kind, path in parts]
                if all(sides) and not any(side[0].modifier for side in sides):
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
        elsewhere = any(set(parameter.target) - {type_} for parameter in parameters)
        await self._added(f"{type_}?_include={include}", set(here), leads, told=elsewhere)

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
        source, _, code = include.partition(":")
        few = code not in ("", "*") and len(search_parameters(source)[code].target) <= FEW
        await self._added(f"{type_}?_revinclude={include}", set(here), lead, told=few and source != type_)

    async def _added(self, path: str, here: set[str], added: set[str], *, told: bool) -> None:
        """Resources of the type itself stand among the matches already: nothing is told apart by these. `told`: the data
        are made for telling this claim apart; they cannot be for each type to which anything may refer."""
        self.added += told
        if told and not added - here:
            self.unadded.append(path)
        await self._compare(path, here, added - here)

    async def _compare(self, path: str, expected: set[str], included: set[str] | None = None) -> None:
        found = await self._found(path)
        if found is None:
            return
        matches, others = found
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


def elements_of(parameter: SearchParameter, tree: Tree) -> list[Any]:
    """What a parameter looks at. tests/fhir/model/test_fhirpath.py holds the expressions against another reader."""
    branches = compile_expression(parameter.expression, tree["resourceType"])
    return [hit for branch in branches for hit in evaluate(branch, tree, tree)]


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
