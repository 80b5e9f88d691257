"""FHIRPath Patch: https://hl7.org/fhir/R4/fhirpatch.html. A Parameters resource of operations, done one after the other.

`delete` of what is not there does nothing, as R4 says ("if found"); every other path must lead to exactly one element.
"""

import copy
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, Final

from liaison.fhir.definitions import PRIMITIVES, Element, elements
from liaison.fhir.errors import BadRequest
from liaison.fhir.model.fhirpath.parse import Call, Name, Node, ParseError, parse
from liaison.fhir.model.patch.change import MOST_OPERATIONS, Budget, Operation, Patch, marks, prune, require_kept
from liaison.fhir.model.patch.given import append, given, insert, put
from liaison.fhir.model.patch.places import Place, element_of, keys_of, places
from liaison.fhir.model.tree import Tree

LONGEST: Final = 1_000
"""Characters of one path."""
_PATTERNS: Final = frozenset({"matches", "replaceMatches"})
"""A pattern of somebody else's can keep a process busy for hours."""
_NEEDS: Final[dict[str, tuple[str, ...]]] = {
    "add": ("path", "name", "value"),
    "insert": ("path", "value", "index"),
    "delete": ("path",),
    "replace": ("path", "value"),
    "move": ("path", "source", "destination"),
}


def _called(node: object) -> set[str]:
    """The functions that an expression calls."""
    found: set[str] = set()
    left = [node]
    while left:
        one = left.pop()
        if isinstance(one, Call):
            found.add(one.name)
        if isinstance(one, tuple | list):
            left += one
        elif is_dataclass(one):
            left += [getattr(one, part.name) for part in fields(one)]
    return found


class _Step:
    """One operation, its path parsed."""

    def __init__(self, number: int, parameter: Tree) -> None:
        where = f"Parameters.parameter[{number - 1}]"
        if parameter.get("name") != "operation":
            raise BadRequest(f"Parameter {number} is not named 'operation'.", where)
        parts: dict[str, Tree] = {}
        for part in parameter.get("part") or ():
            if part.get("name") in parts:
                raise BadRequest(f"Operation {number}: a part comes twice.", where)
            parts[str(part.get("name"))] = part
        self.kind = str(_text(parts.pop("type", {})))
        if self.kind not in _NEEDS:
            raise BadRequest(f"Operation {number}: 'type' is one of {', '.join(_NEEDS)}.", where)
        path = str(_text(parts.get("path", {})))
        self.at = Operation(number, self.kind, path, where)
        needed = _NEEDS[self.kind]
        for name in needed:
            if name not in parts:
                raise self.at.malformed(f"the part '{name}' is missing.")
        for name in parts:
            if name not in needed:
                raise self.at.malformed(f"the part '{name:.40}' means nothing to {self.kind}.")
        self.parts = parts
        self.path = self._parsed(path)
        self.name = str(_text(parts.get("name", {})))
        self.numbers = {name: self._number(name) for name in ("index", "source", "destination") if name in parts}

    def _parsed(self, path: str) -> Node:
        if len(path) > LONGEST:
            raise self.at.malformed(f"a path has at most {LONGEST} characters.")
        try:
            found = parse(path)
        except ParseError:
            raise self.at.malformed("this is no FHIRPath that a patch can use.") from None
        except RecursionError:
            raise self.at.malformed("the path is nested too deep.") from None
        if used := _PATTERNS & _called(found):
            raise self.at.malformed(
                f"a path compares by {', '.join(sorted(used))}: only values, not patterns, are compared."
            )
        return found

    def _number(self, name: str) -> int:
        value = self.parts[name].get("valueInteger")
        if type(value) is not int or value < 0:
            raise self.at.malformed(f"'{name}' is a valueInteger from 0.")
        return value


def _text(part: Mapping[str, Any]) -> Any:
    return next((value for name, value in part.items() if name in ("valueCode", "valueString")), "")


def fhirpath_patch(parameters: Tree) -> Patch:
    """The patch in a Parameters resource that is valid as such. BadRequest names what is wrong with it."""
    sent = parameters.get("parameter") or ()
    if len(sent) > MOST_OPERATIONS:
        raise BadRequest(f"A patch has at most {MOST_OPERATIONS} operations; this one has {len(sent)}.")
    steps = [_Step(number, one) for number, one in enumerate(sent, 1)]
    if not steps:
        raise BadRequest("The Parameters hold no operation.", "Parameters.parameter")

    def apply(tree: Tree) -> Tree:
        before, budget = marks(tree), Budget()
        for step in steps:
            budget.take(list(step.parts.values()), 1)
            try:
                _DO[step.kind](step, tree)
            except ParseError as error:
                raise step.at.misfit(f"{error}.") from None
            except RecursionError:
                raise step.at.misfit("the path is nested too deep.") from None
        found = require_kept(before, tree)
        prune(found)
        return found

    return apply


def _one(step: _Step, tree: Tree, path: Node) -> Place:
    found = places(path, tree)
    if len(found) != 1:
        many = f"{len(found)} elements; only one may be meant" if found else "nothing"
        raise step.at.misfit(f"the path finds {many}.", "processing" if found else "not-found")
    return found[0]


def _type(place: Place) -> str:
    """The type whose elements stand there: a contained resource's own."""
    return str(place.value["resourceType"]) if place.type == "Resource" else place.type


def _add(step: _Step, tree: Tree) -> None:
    place = _one(step, tree, step.path)
    type_ = _type(place)
    element = _element(type_, step.name)
    key, value, beside = given(copy.deepcopy(step.parts["value"]), element)
    inner = place.inner(make=True)
    if inner is None:
        raise step.at.misfit("what is there has no elements.")
    if element.maximum != 1:
        append(inner, key, value, beside)
        return
    if any(one in inner or f"_{one}" in inner for one, _ in keys_of(element)):
        raise step.at.misfit(f"{element.name} is there already, and does not repeat: replace it.")
    put(inner, key, value, beside)


def _element(type_: str, name: str) -> Element:
    """By its name, or by that of one of its types: 'value' and 'valueQuantity' are both value[x]."""
    known = elements("Element" if type_ in PRIMITIVES else type_)
    if name not in known:
        for element in known.values():
            if element.choice and name in dict(keys_of(element)):
                return element
    return element_of(type_, name)


def _list(step: _Step, tree: Tree) -> tuple[Tree, str, Element, int]:
    """The collection that a path names: what holds it, its property, its element, and how many items it has."""
    if not isinstance(step.path, Name):
        raise step.at.misfit("the path ends with the name of the list.")
    of = step.path.of if step.path.of is not None else Name(None, str(tree["resourceType"]))
    place = _one(step, tree, of)
    element = element_of(_type(place), step.path.name)
    if element.maximum == 1:
        raise step.at.misfit(f"{element.name} does not repeat.")
    inner = place.inner(make=True)
    if inner is None:
        raise step.at.misfit("what is there has no elements.")
    return inner, element.name, element, len(inner.get(element.name) or inner.get(f"_{element.name}") or ())


def _insert(step: _Step, tree: Tree) -> None:
    inner, key, element, length = _list(step, tree)
    if step.numbers["index"] > length:
        raise step.at.misfit(f"the list has {length} items; 'index' is at most {length}.")
    _, value, beside = given(copy.deepcopy(step.parts["value"]), element)
    insert(inner, key, step.numbers["index"], value, beside)


def _move(step: _Step, tree: Tree) -> None:
    inner, key, _, length = _list(step, tree)
    source, destination = step.numbers["source"], step.numbers["destination"]
    if max(source, destination) >= length:
        raise step.at.misfit(f"the list has {length} items; 'source' and 'destination' are below that.")
    for row in (inner.get(key), inner.get(f"_{key}")):
        if row is not None:
            row += [None] * (length - len(row))
            row.insert(destination, row.pop(source))


def _delete(step: _Step, tree: Tree) -> None:
    found = places(step.path, tree)
    if not found:
        return
    place = _one(step, tree, step.path)
    if not place.name:
        raise step.at.misfit("the whole resource is not deleted by a patch: delete it.")
    for name in (place.name, f"_{place.name}"):
        if place.index is None:
            place.holder.pop(name, None)
        elif place.index < len(place.holder.get(name) or ()):
            del place.holder[name][place.index]


def _replace(step: _Step, tree: Tree) -> None:
    place = _one(step, tree, step.path)
    if not place.name:
        raise step.at.misfit("the whole resource is not replaced by a patch: update it.")
    assert place.element is not None
    key, value, beside = given(copy.deepcopy(step.parts["value"]), place.element)
    holder, name = place.holder, place.name
    if place.index is not None:
        holder[name][place.index] = value
        row = holder.get(f"_{name}")
        if row is not None and place.index < len(row):
            row[place.index] = beside
        return
    held: Tree = {}
    for one, old in holder.items():  # in its place; another type of a choice has another name there
        if one == name or (one == f"_{name}" and name not in holder):
            put(held, key, value, beside)
        elif one != f"_{name}":
            held[one] = old
    holder.clear()
    holder.update(held)


_DO: Final = {"add": _add, "insert": _insert, "delete": _delete, "replace": _replace, "move": _move}
