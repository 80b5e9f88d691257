"""Invariants as functions. http://hl7.org/fhirpath/N1, three-valued: what is empty is neither true nor false.

As in `compile`, types come from R4's structures before any resource is seen: each expression becomes one stream of
values for each type it may have. `*` is a type not known beforehand (descendants): its elements are its properties.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from liaison.fhir.definitions import PRIMITIVES, RESOURCE_TYPES, elements
from liaison.fhir.model.fhirpath.functions import FUNCTIONS, RESULT
from liaison.fhir.model.fhirpath.operators import Around, Evaluate, Values, operation
from liaison.fhir.model.fhirpath.parse import Binary, Call, Literal, Name, Node, ParseError, Variable, parse


@dataclass(frozen=True, slots=True)
class Stream:
    evaluate: Evaluate
    type: str


def compile_condition(text: str, type_: str, resource: str) -> Callable[[Any, Around], bool]:
    """An invariant of `type_` in resources of type `resource` ('*' for any) as a function.

    Only true keeps it: an empty result breaks it. But where two dates or quantities cannot be ordered (one is less
    precise and covers the other, the units differ) the order asked for counts as given. ParseError for what lies
    outside the subset or the types.
    """
    value = _joined(_Logic(type_, type_, resource).streams(parse(text)))
    return lambda item, around: value(item, around) == [True]


def compile_test(node: Node, type_: str, resource: str) -> Callable[[Any, Around], bool]:
    """The condition of a where() asked of items of `type_`. ParseError as above."""
    value = _joined(_Logic("*" if type_ == "Resource" else type_, type_, resource).streams(node))
    return lambda item, around: value(item, around) == [True]


def _joined(streams: list[Stream]) -> Evaluate:
    if len(streams) == 1:
        return streams[0].evaluate
    each = [stream.evaluate for stream in streams]
    return lambda item, around: [value for evaluate in each for value in evaluate(item, around)]


def _entered(before: Evaluate, key: str) -> Evaluate:
    def evaluate(item: Any, around: Around) -> Values:
        found: Values = []
        for node in before(item, around):
            child = node.get(key) if type(node) is dict else None
            if type(child) is list:
                found += [entry for entry in child if entry is not None]
            elif child is not None:
                found.append(child)
            # A primitive that has only extensions exists, without a value.
            beside = node.get("_" + key) if child is None and type(node) is dict else None
            if beside is not None:
                found += [entry for entry in beside if entry] if type(beside) is list else [beside]
        return found

    return evaluate


def _this(item: Any, _: Around) -> Values:
    return [item]


def _nothing(item: Any, around: Around) -> Values:
    return []


class _Logic:
    """Compiles for one type of `$this`; `context` is the type that the invariant is about."""

    def __init__(self, type_: str, context: str, resource: str) -> None:
        self.type = type_
        self.context = context
        self.resource = resource

    def streams(self, node: Node) -> list[Stream]:
        match node:
            case Literal(value):
                return [Stream(lambda item, around: [value], "literal")]
            case Variable(name):
                return [self.variable(name)]
            case Name(None, name) if name == self.resource and name == self.type:
                return [Stream(_this, self.type)]
            case Name(of, name):
                before = [Stream(_this, self.type)] if of is None else self.streams(of)
                return _each_child(before, name)
            case Binary("|", left, right):
                return self.streams(left) + self.streams(right)
            case Binary("as", of, Name(None, type_)) | Call(of, "as" | "ofType", (Name(None, type_),)):
                before = [Stream(_this, self.type)] if of is None else self.streams(of)
                return [s for s in before if s.type in (type_, "*")] or [Stream(_nothing, type_)]
            case Binary("is", of, Name(None, type_)) | Call(of, "is", (Name(None, type_),)) if of is not None:
                return [Stream(self.is_type(self.streams(of), type_), "boolean")]
            case Binary(operator, left, right):
                first, second = _joined(self.streams(left)), _joined(self.streams(right))
                return [Stream(operation(operator, first, second), "string" if operator == "&" else "boolean")]
            case Call(of, name, arguments):
                before = [Stream(_this, self.type)] if of is None else self.streams(of)
                return self.call(before, name, arguments)
            case _:
                raise ParseError(f"not in the subset: {node}")

    def variable(self, name: str) -> Stream:
        match name:
            case "this":
                return Stream(_this, self.type)
            case "resource":
                return Stream(lambda item, around: [around.resource], self.resource)
            case "rootResource":
                return Stream(lambda item, around: [around.root], "*")
            case "context":
                return Stream(lambda item, around: [around.context], self.context)
            case "ucum":
                return Stream(lambda item, around: ["http://unitsofmeasure.org"], "string")
            case _:
                raise ParseError(f"no variable {name}")

    def is_type(self, streams: list[Stream], type_: str) -> Evaluate:
        wanted = {type_, type_[0].lower() + type_[1:]}  # R4 writes `is Boolean` for its boolean too

        def evaluate(item: Any, around: Around) -> Values:
            for stream in streams:
                for value in stream.evaluate(item, around)[:1]:
                    named = value.get("resourceType") if type(value) is dict else None
                    return [stream.type in wanted or named == type_]
            return [False]  # nothing is of no type: ras-2 asks nothing of a prediction without a probability

        return evaluate

    def call(self, before: list[Stream], name: str, arguments: tuple[Node, ...]) -> list[Stream]:
        match name, arguments:
            case "where", (condition,):
                return [Stream(self.filtered(s, condition), s.type) for s in before]
            case "exists", (condition,):
                return [Stream(_exists([self.filtered(s, condition) for s in before]), "boolean")]
            case "exists", ():
                return [Stream(_exists([s.evaluate for s in before]), "boolean")]
            case "all", (condition,):
                return [Stream(_all([(s.evaluate, self.within(s, condition)) for s in before]), "boolean")]
            case "select", (projection,):
                return [
                    Stream(_selected(s.evaluate, inner.evaluate), inner.type)
                    for s in before
                    for inner in _Logic(s.type, self.context, self.resource).streams(projection)
                ]
            case "intersect" | "combine", (other,):
                return [Stream(_sets(name, _joined(before), _joined(self.streams(other))), before[0].type)]
            case "iif", (condition, *branches):
                first = before[0]
                inner = _Logic(first.type, self.context, self.resource)
                ways = [_joined(inner.streams(branch)) for branch in branches]
                return [Stream(_iif(_joined(before), _joined(inner.streams(condition)), ways), "boolean")]
        if name == "trace":
            return before
        if name not in FUNCTIONS:
            raise ParseError(f"no function {name} in the subset")
        function = FUNCTIONS[name]
        given = [_joined(self.streams(argument)) for argument in arguments]
        values = _joined(before)

        def evaluate(item: Any, around: Around) -> Values:
            found = [argument(item, around) for argument in given]
            if any(len(one) != 1 for one in found):
                return []
            return function(values(item, around), *(one[0] for one in found))

        return [Stream(evaluate, RESULT.get(name, before[0].type))]

    def within(self, stream: Stream, condition: Node) -> Evaluate:
        return _joined(_Logic(stream.type, self.context, self.resource).streams(condition))

    def filtered(self, stream: Stream, condition: Node) -> Evaluate:
        test, before = self.within(stream, condition), stream.evaluate
        return lambda item, around: [value for value in before(item, around) if test(value, around) == [True]]


def _each_child(before: list[Stream], name: str) -> list[Stream]:
    found = [Stream(_entered(s.evaluate, key), type_) for s in before for key, type_ in _keys(s.type, name)]
    if not found:
        raise ParseError(f"no element {name} in {', '.join(s.type for s in before)}")
    return found


@cache
def _keys(type_: str, name: str) -> tuple[tuple[str, str], ...]:
    """The properties behind an element and their types. None for an element that the type does not have."""
    if type_ == "*" or (type_ == "Resource" and name not in elements("Resource")):
        return ((name, "*"),)
    if type_ in PRIMITIVES or type_ in ("literal", "string"):
        return tuple((key, key) for key in ("id", "extension") if key == name)
    element = elements(type_).get(name)
    if element is None:
        return ()
    return tuple((name + kind.suffix if element.choice else name, kind.code) for kind in element.types)


def _exists(streams: list[Evaluate]) -> Evaluate:
    return lambda item, around: [any(evaluate(item, around) for evaluate in streams)]


def _all(streams: list[tuple[Evaluate, Evaluate]]) -> Evaluate:
    return lambda item, around: [
        all(test(value, around) == [True] for evaluate, test in streams for value in evaluate(item, around))
    ]


def _selected(before: Evaluate, projection: Evaluate) -> Evaluate:
    return lambda item, around: [found for value in before(item, around) for found in projection(value, around)]


def _iif(before: Evaluate, condition: Evaluate, ways: list[Evaluate]) -> Evaluate:
    def evaluate(item: Any, around: Around) -> Values:
        values = before(item, around)
        if not values:  # the one invariant that asks this of nothing (ctm-1) asks whether it is nothing
            return ways[0]({}, around)
        if condition(values[0], around) == [True]:
            return ways[0](values[0], around)
        return ways[1](values[0], around) if len(ways) > 1 else []

    return evaluate


def _sets(name: str, left: Evaluate, right: Evaluate) -> Evaluate:
    def evaluate(item: Any, around: Around) -> Values:
        first, second = left(item, around), right(item, around)
        return first + second if name == "combine" else [value for value in first if value in second]

    return evaluate


def resource_of(type_: str) -> str:
    """The resource in which a backbone element of this path stands; '*' for data types, which stand anywhere."""
    first = type_.partition(".")[0]
    return first if first in RESOURCE_TYPES else "*"
