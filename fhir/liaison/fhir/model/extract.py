"""All search values of a resource, by parameter number. Expressions are compiled once a type, at first use.

Values of the parameters that a territory has added are found too, where these are in force (definitions.Custom).
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache, lru_cache
from itertools import product
from typing import Any

from liaison.fhir.definitions import (
    PRIMITIVES,
    SearchParameter,
    clinical_paths,
    elements,
    kept_parameters,
    official_parameters,
    parameter_by_id,
)
from liaison.fhir.model import dates
from liaison.fhir.model.convert import CONVERT, MORE, NOTHING, Convert
from liaison.fhir.model.fhirpath import Branch, compile_expression, evaluate
from liaison.fhir.model.tree import Tree
from liaison.fhir.model.values import Composite, Uri, Value

_Way = tuple[Branch, Convert]

# What a value of a primitive type is in JSON; of any other type it is an object.
_JSON: dict[str, type | tuple[type, ...]] = dict.fromkeys(PRIMITIVES, str)
_NUMBERS = ("integer", "decimal", "positiveInt", "unsignedInt")
_JSON |= {"boolean": bool, **dict.fromkeys(_NUMBERS, (int, float, Decimal))}


def _hits(branch: Branch, item: Any, tree: Tree) -> list[Any]:
    """What the branch finds, but for what is not of its type at all."""
    shape = _JSON.get(branch.type, dict)
    return [hit for hit in evaluate(branch, item, tree) if isinstance(hit, shape)]


@dataclass(frozen=True, slots=True)
class _Plain:
    """One branch of a parameter's expression."""

    number: int
    branch: Branch
    convert: Convert

    def values(self, tree: Tree) -> Iterable[Value]:
        convert = self.convert
        for item in _hits(self.branch, tree, tree):
            yield from convert(item)


@dataclass(frozen=True, slots=True)
class _Property:
    """The same for a branch that only enters one property of the resource, as most do: half the work."""

    number: int
    name: str
    shape: type | tuple[type, ...]
    convert: Convert

    def values(self, tree: Tree) -> Iterable[Value]:
        found, shape = tree.get(self.name), self.shape
        if type(found) is list:
            return [value for item in found if isinstance(item, shape) for value in self.convert(item)]
        return self.convert(found) if isinstance(found, shape) else ()


@dataclass(frozen=True, slots=True)
class _Inner:
    """The same for a property of a property: what meta says, above all, which every resource has."""

    number: int
    name: str
    inner: str
    shape: type | tuple[type, ...]
    convert: Convert

    def values(self, tree: Tree) -> Iterable[Value]:
        found, inner, shape = tree.get(self.name), self.inner, self.shape
        values: list[Value] = []
        for node in found if type(found) is list else (found,):
            child = node.get(inner) if type(node) is dict else None
            if child is None:
                continue
            for item in child if type(child) is list else (child,):
                if isinstance(item, shape):
                    values += self.convert(item)
        return values


@dataclass(frozen=True, slots=True)
class _Canonical:
    """The `url` of a definition, which other resources name with the version that stands beside it."""

    number: int

    def values(self, tree: Tree) -> Iterable[Value]:
        url, version = tree.get("url"), tree.get("version")
        if type(url) is str:
            yield Uri(url, version if type(version) is str else "")


@dataclass(frozen=True, slots=True)
class _Composite:
    """One branch of a composite; `parts` are the ways of each component from what the branch finds."""

    number: int
    branch: Branch
    parts: tuple[tuple[_Way, ...], ...]

    def values(self, tree: Tree) -> Iterable[Value]:
        for item in _hits(self.branch, tree, tree):
            columns = [
                [value for way, convert in ways for hit in _hits(way, item, tree) for value in convert(hit)]
                for ways in self.parts
            ]
            yield from map(Composite, product(*columns))


_Step = _Plain | _Property | _Inner | _Canonical | _Composite


@cache
def _plan(type_: str) -> tuple[dict[str, list[_Step]], list[_Step]]:
    """Branches by the first property they enter, and those that enter none: a property absent costs nothing."""
    by_property: dict[str, list[_Step]] = defaultdict(list)
    always: list[_Step] = []
    for parameter in official_parameters(type_).values():
        if not parameter.expression:  # _text, _content, _query
            continue
        for branch in compile_expression(parameter.expression, type_):
            step = _step(parameter, branch, type_)
            if step is None:
                continue
            first = branch.steps[0] if branch.steps else None
            (by_property[first] if isinstance(first, str) else always).append(step)
    return dict(by_property), always


@lru_cache(maxsize=1024)
def _plan_of(type_: str, only: frozenset[int]) -> tuple[dict[str, list[_Step]], list[_Step], bool]:
    """The same, of some parameters; and whether each looks at one property only, so that the order of the document is
    that of this property."""
    by_property, always = _plan(type_)
    some = {name: [step for step in steps if step.number in only] for name, steps in by_property.items()}
    some = {name: steps for name, steps in some.items() if steps}
    numbers = [number for steps in some.values() for number in {step.number for step in steps}]
    return some, [step for step in always if step.number in only], len(numbers) == len(set(numbers))


@lru_cache(maxsize=512)
def _steps(added: tuple[SearchParameter, ...], type_: str) -> tuple[_Step, ...]:
    """Every branch of added parameters that a value can be made of."""
    return tuple(
        step
        for parameter in added
        for branch in compile_expression(parameter.expression, type_)
        if parameter.type == "composite" or convert_of(parameter.type, branch.type) is not None
        if (step := _step(parameter, branch, type_)) is not None
    )


def convert_of(kind: str, type_: str) -> Convert | None:
    """What makes values of a parameter's type from elements of a data type; None when nothing does."""
    return CONVERT.get((kind, type_)) or MORE.get((kind, type_))


def _step(parameter: SearchParameter, branch: Branch, type_: str) -> _Step | None:
    if parameter.type == "composite":
        parts = tuple(
            tuple(
                (way, convert)
                for way in compile_expression(component.expression, type_, branch.type)
                if (convert := convert_of(parameter_by_id(component.parameter).type, way.type)) is not None
            )
            for component in parameter.components
        )
        return _Composite(parameter.number, branch, parts)
    pair = parameter.type, branch.type
    if pair == ("uri", "uri") and branch.steps == ("url",) and "version" in elements(type_):
        return _Canonical(parameter.number)
    if pair in NOTHING:
        return None
    convert = CONVERT.get(pair) or MORE[pair]
    match branch.steps:
        case (str() as name,) if not branch.from_root:
            return _Property(parameter.number, name, _JSON.get(branch.type, dict), convert)
        case (str() as name, str() as inner) if not branch.from_root:
            return _Inner(parameter.number, name, inner, _JSON.get(branch.type, dict), convert)
    return _Plain(parameter.number, branch, convert)


def extract(type_: str, tree: Tree, only: Collection[int] | None = None) -> dict[int, list[Value]]:
    """The values of each parameter that finds any, by SearchParameter.number, without repetition, in document order.

    `only` limits it to some parameters, which is the faster way when few are asked. For a valid resource; what is not
    of the expected shape gives no value. _text, _content and _query have none.
    """
    by_property, always = _plan(type_)
    names: Iterable[str] = tree
    if only is not None:
        by_property, always, apart = _plan_of(type_, frozenset(only))
        if apart:
            names = by_property
    found: dict[int, list[Value]] = defaultdict(list)
    for key in names:
        for step in by_property.get(key, ()):
            found[step.number] += step.values(tree)
    for step in always:
        found[step.number] += step.values(tree)
    if added := kept_parameters(type_):
        for step in _steps(tuple(added), type_):
            if only is None or step.number in only:
                found[step.number] += step.values(tree)
    return {
        number: values if len(values) == 1 else list(dict.fromkeys(values))
        for number, values in found.items()
        if values
    }


def clinical(type_: str, tree: Tree) -> datetime | None:
    """The earliest instant of the type's main date (definitions.clinical_paths); None when the resource has none."""
    for path in clinical_paths(type_):
        instants = []
        for found in _at(tree, path.split(".")):
            if type(found) is dict:  # a Period counts by its start, else by its end
                found = found.get("start") or found.get("end")
            if type(found) is str and (span := dates.span(found)) is not None:
                instants.append(span[0])
        if instants:
            return min(instants)
    return None


def _at(node: Any, steps: Sequence[str]) -> Iterable[Any]:
    if type(node) is list:
        for item in node:
            yield from _at(item, steps)
    elif not steps:
        yield node
    elif type(node) is dict and steps[0] in node:
        yield from _at(node[steps[0]], steps[1:])
