"""Each R4 type as a table of functions, one a property, made at first use from liaison.fhir.definitions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from liaison.fhir.definitions import PRIMITIVES, RESOURCE_TYPES, Element, Type, elements
from liaison.fhir.model.validation import once
from liaison.fhir.model.validation.codes import code_test, concept_test
from liaison.fhir.model.validation.invariants import Invariant, invariants
from liaison.fhir.model.validation.links import link_test
from liaison.fhir.model.validation.primitives import TESTS, Test
from liaison.fhir.model.validation.problem import Problem, Problems, shown, under
from liaison.fhir.model.validation.scope import Scope

Node = dict[str, Any]
Check = Callable[[Any, Node, Scope, Problems], None]
"""(value of the property, object it stands in, scope, problems to add to)."""

NOT_A_LIST = "Expected a single value, not a list."
NOT_AN_OBJECT = "Expected an object."
EMPTY = "An object is not empty: leave the element out."


@dataclass(slots=True)
class Shape:
    """A complex type, backbone element or resource."""

    name: str
    is_resource: bool
    properties: dict[str, Check] = field(default_factory=dict)
    # For each required element: its name, and the properties of which one must be there.
    required: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    # Properties of a choice, each with the name of the choice.
    choices: dict[str, str] = field(default_factory=dict)
    invariants: tuple[Invariant, ...] = ()


@cache
def shape(type_: str) -> Shape:
    """The shape of one type. KeyError for what is no R4 type."""
    made = Shape(type_, type_ in RESOURCE_TYPES)
    for element in elements(type_).values():
        keys = [(element.name + t.suffix if element.choice else element.name, t) for t in element.types]
        for key, kind in keys:
            made.properties[key] = _property(type_, element, key, kind)
            if kind.code in PRIMITIVES:
                made.properties["_" + key] = _extensions(key, element.maximum != 1)
            if element.choice:
                made.choices[key] = made.choices["_" + key] = element.name
        if element.minimum:
            names = tuple(key for key, _ in keys)
            made.required.append((element.name, names + tuple("_" + name for name in names)))
    made.invariants = invariants(type_)
    return made


def check_object(made: Shape, node: Node, scope: Scope, problems: Problems) -> None:
    """Every problem of one object of a type, its properties and what they hold included."""
    properties = made.properties
    for key, value in node.items():
        check = properties.get(key)
        if check is not None:
            check(value, node, scope, problems)
        elif key != "resourceType" or not made.is_resource:
            problems.append(Problem("", "structure", f"{made.name} has no element {shown(key)}."))
    for name, keys in made.required:
        if keys[0] not in node and not any(key in node for key in keys):
            problems.append(Problem(f".{name}", "required", f"{made.name}.{name} is required."))
    if made.choices:
        _check_choices(made, node, problems)
    for invariant in made.invariants if scope.ruled else ():
        invariant.check(node, scope, problems)


def _check_choices(made: Shape, node: Node, problems: Problems) -> None:
    found: dict[str, str] = {}
    for key in node:
        choice = made.choices.get(key)
        if choice is not None and found.setdefault(choice, key.lstrip("_")) != key.lstrip("_"):
            problems.append(
                Problem(f".{choice}", "structure", f"{choice} has one type: only one {choice}[x] is allowed.")
            )


def _property(owner: str, element: Element, key: str, kind: Type) -> Check:
    one = _value(owner, element, kind)
    step = f".{element.name}"
    return _single(step, one) if element.maximum == 1 else _list(step, key, one, kind, element.maximum)


def _single(step: str, one: Check) -> Check:
    def check(value: Any, node: Node, scope: Scope, problems: Problems) -> None:
        start = len(problems)
        if type(value) is list:
            problems.append(Problem("", "structure", NOT_A_LIST))
        else:
            one(value, node, scope, problems)
        if len(problems) != start:
            under(problems, start, step)

    return check


def _list(step: str, key: str, one: Check, kind: Type, maximum: int) -> Check:
    beside = "_" + key if kind.code in PRIMITIVES else ""

    def check(value: Any, node: Node, scope: Scope, problems: Problems) -> None:
        if type(value) is not list or not value:
            problems.append(Problem(step, "structure", "Expected a list that is not empty."))
            return
        if maximum and len(value) > maximum:
            problems.append(Problem(step, "structure", f"At most {maximum} are allowed."))
        start = len(problems)
        for index, item in enumerate(value):
            if item is None and beside:
                others = node.get(beside)
                if type(others) is not list or index >= len(others) or others[index] is None:
                    problems.append(Problem("", "structure", "null stands only where an extension takes its place."))
            else:
                one(item, node, scope, problems)
            if len(problems) != start:
                under(problems, start, f"{step}[{index}]")
                start = len(problems)

    return check


def _value(owner: str, element: Element, kind: Type) -> Check:
    if kind.code in PRIMITIVES:
        if element.binding and kind.code == "code":
            return _primitive(code_test(element.binding), "code-invalid")
        return _primitive(TESTS[kind.code], "value")
    if kind.code == "Resource":
        return _resource(contained=element.name == "contained")
    if kind.code == "Reference":
        return _reference(kind.targets)
    inner = _once(kind.code) if kind.code in once.TYPES else _complex(kind.code)
    bound = concept_test(element.binding, kind.code) if kind.code in ("Coding", "CodeableConcept") else None
    if bound is None:
        return inner

    def check(value: Any, node: Node, scope: Scope, problems: Problems) -> None:
        inner(value, node, scope, problems)
        if type(value) is dict and (wrong := bound(value)) is not None:
            problems.append(Problem("", "code-invalid", wrong))

    return check


@cache
def _reference(targets: tuple[str, ...]) -> Check:
    """A Reference that may lead to these types: what it says, and where it leads."""
    inner, test = _complex("Reference"), link_test(targets)

    def check(value: Any, node: Node, scope: Scope, problems: Problems) -> None:
        inner(value, node, scope, problems)
        if type(value) is dict and (wrong := test(value, scope)) is not None:
            problems.append(Problem("", "value", wrong))

    return _remembered(check)


def _primitive(test: Test, code: str) -> Check:
    def check(value: Any, node: Node, scope: Scope, problems: Problems) -> None:
        wrong = test(value)
        if wrong is not None:
            problems.append(Problem("", code, wrong))

    return check


def _complex(type_: str) -> Check:
    made: Shape | None = None

    def check(value: Any, node: Node, scope: Scope, problems: Problems) -> None:
        nonlocal made
        if type(value) is not dict:
            problems.append(Problem("", "structure", NOT_AN_OBJECT))
        elif not value:
            problems.append(Problem("", "structure", EMPTY))
        else:
            if made is None:  # at first use: types may hold themselves
                made = shape(type_)
            check_object(made, value, scope, problems)

    return check


@cache
def _once(type_: str) -> Check:
    """The same for a type of once.TYPES."""
    return _remembered(_complex(type_))


def _remembered(inner: Check) -> Check:
    """The same check, but what was valid a moment ago is not looked at again."""
    seen = once.Seen()

    def check(value: Any, node: Node, scope: Scope, problems: Problems) -> None:
        text = once.said(value)
        if text and text in seen:
            return
        start = len(problems)
        inner(value, node, scope, problems)
        if text and len(problems) == start:
            seen.add(text)

    return check


def _extensions(key: str, repeats: bool) -> Check:
    """The `_name` beside a primitive: its id and extensions. http://hl7.org/fhir/R4/json.html#primitive"""
    element = _complex("Element")
    step = f".{key}"

    def check(value: Any, node: Node, scope: Scope, problems: Problems) -> None:
        start = len(problems)
        if not repeats:
            element(value, node, scope, problems)
        elif type(value) is not list or not value:
            problems.append(Problem("", "structure", f"_{key} is a list like {key}."))
        else:
            others = node.get(key)
            if others is not None and (type(others) is not list or len(others) != len(value)):
                problems.append(Problem("", "structure", f"{key} and _{key} have the same length."))
            for index, item in enumerate(value):
                before = len(problems)
                if item is not None:
                    element(item, node, scope, problems)
                under(problems, before, f"[{index}]")
        under(problems, start, step)

    return check


def _resource(contained: bool) -> Check:
    def check(value: Any, node: Node, scope: Scope, problems: Problems) -> None:
        if type(value) is not dict:
            problems.append(Problem("", "structure", NOT_AN_OBJECT))
        elif contained:
            check_resource(value, scope.inside(value), problems)
        else:
            check_resource(value, Scope.of(value, ruled=scope.ruled), problems)

    return check


def check_resource(node: Node, scope: Scope, problems: Problems) -> None:
    """Every problem of a resource, of whatever type it says it is."""
    type_ = node.get("resourceType")
    if type(type_) is not str:
        problems.append(Problem(".resourceType", "required", "resourceType is required."))
    elif type_ not in RESOURCE_TYPES:
        problems.append(Problem(".resourceType", "structure", f"R4 has no resource type {shown(type_)}."))
    else:
        check_object(shape(type_), node, scope, problems)
