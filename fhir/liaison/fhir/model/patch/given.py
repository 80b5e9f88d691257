"""The value of a FHIRPath Patch operation: from parts of a Parameters resource to what stands in a resource.

https://hl7.org/fhir/R4/fhirpatch.html: a data type comes as value[x]; a backbone element, which has no data type, as parts
named like its elements.
"""

from typing import Any, NamedTuple

from liaison.fhir.definitions import Element
from liaison.fhir.model.fhirpath.parse import ParseError
from liaison.fhir.model.patch.places import element_of, keys_of
from liaison.fhir.model.tree import Tree

_VALUE = "value"


class Given(NamedTuple):
    """A value ready to stand under the property `key`; `beside` is what stands under `_key` (id and extensions)."""

    key: str
    value: Any
    beside: Any


def sent_as(part: Tree) -> str:
    """The suffix of the value[x] that a part carries ('CodeableConcept'); '' when it carries none."""
    for name in part:
        plain = name.removeprefix("_")
        if plain.startswith(_VALUE) and plain != _VALUE:
            return plain.removeprefix(_VALUE)
    return ""


def given(part: Tree, element: Element) -> Given:
    """What a part says, as `element`. ParseError when it says nothing, or is of a type that the element cannot have."""
    suffix = sent_as(part)
    if not suffix:
        if isinstance(part.get("resource"), dict):
            return Given(element.name, part["resource"], None)
        if not isinstance(part.get("part"), list):
            raise ParseError("the value is missing")
        if element.choice or len(element.types) != 1:
            raise ParseError(f"{element.name}[x] needs a value[x]")
        return Given(element.name, _made_of(part["part"], element.types[0].code), None)
    value, beside = part.get(_VALUE + suffix), part.get(f"_{_VALUE}{suffix}")
    if not element.choice:
        return Given(element.name, value, beside)
    key = element.name + suffix
    if key not in dict(keys_of(element)):
        raise ParseError(f"{element.name}[x] cannot be a {suffix:.40}")
    return Given(key, value, beside)


def _made_of(parts: list[Any], type_: str) -> Tree:
    """An object from parts named like the elements of its type; an element that repeats is given several times."""
    made: Tree = {}
    for part in parts:
        name = str(part.get("name", ""))
        element = element_of(type_, name)
        key, value, beside = given(part, element)
        if element.maximum == 1:
            if key in made or f"_{key}" in made:
                raise ParseError(f"{type_}.{name} comes twice")
            put(made, key, value, beside)
        else:
            append(made, key, value, beside)
    return made


def put(holder: Tree, key: str, value: Any, beside: Any) -> None:
    if value is not None:
        holder[key] = value
    if beside is not None:
        holder[f"_{key}"] = beside


def append(holder: Tree, key: str, value: Any, beside: Any) -> None:
    """At the end of a list, made when it is not there."""
    insert(holder, key, len(holder.get(key) or holder.get(f"_{key}") or ()), value, beside)


def insert(holder: Tree, key: str, index: int, value: Any, beside: Any) -> None:
    """At a place of a list. What stands beside the items keeps standing beside them (R4 json.html#null)."""
    row, next_to = holder.get(key), holder.get(f"_{key}")
    length = len(row if row is not None else next_to or ())
    if row is None and value is not None:
        row = holder[key] = [None] * length
    if next_to is None and beside is not None:
        next_to = holder[f"_{key}"] = [None] * length
    if row is not None:
        row.insert(index, value)
    if next_to is not None:
        next_to += [None] * (length - len(next_to))
        next_to.insert(index, beside)
