"""Where a FHIRPath leads in a resource: not the values, but the objects and lists that hold them, so as to change them.

https://hl7.org/fhir/R4/fhirpatch.html: a path stays within the resource. It may use element names, [n], where(), first(),
last(), single(), ofType(), as and extension(); anything else is a ParseError that says so.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from liaison.fhir.definitions import PRIMITIVES, RESOURCE_TYPES, Element, elements
from liaison.fhir.model.fhirpath.logic import compile_test
from liaison.fhir.model.fhirpath.operators import Around
from liaison.fhir.model.fhirpath.parse import Binary, Call, Index, Literal, Name, Node, ParseError, Variable
from liaison.fhir.model.tree import Tree

_BASES = {"SimpleQuantity": "Quantity", "Age": "Quantity", "Count": "Quantity", "Distance": "Quantity"}
_BASES |= {"Duration": "Quantity", "MoneyQuantity": "Quantity"}


@dataclass(frozen=True, slots=True)
class Place:
    """One element: property `name` of `holder`, item `index` of it when it is a list. `type` is its FHIR type.

    The resource itself has no name. A primitive's id and extensions stand beside it, under `_name` (R4 json.html).
    """

    holder: Tree
    name: str
    index: int | None
    type: str
    element: Element | None = None

    @property
    def value(self) -> Any:
        if not self.name:
            return self.holder
        found = self.holder.get(self.name)
        return found if self.index is None or found is None else found[self.index]

    def inner(self, *, make: bool = False) -> Tree | None:
        """The object in which the element's own elements stand. For a primitive with `make`, made when it is absent."""
        if self.type not in PRIMITIVES:
            found = self.value
            return found if isinstance(found, dict) else None
        beside = beside_of(self.holder, self.name, self.index, make=make)
        return beside if isinstance(beside, dict) else None


def beside_of(holder: Tree, name: str, index: int | None, *, make: bool = False) -> Any:
    """What stands beside a primitive: its id and extensions, or None."""
    key = f"_{name}"
    if index is None:
        return holder.setdefault(key, {}) if make else holder.get(key)
    row = holder.get(key)
    if row is None:
        if not make:
            return None
        row = holder[key] = []
    if make:
        row += [None] * (len(holder[name]) - len(row))
        if row[index] is None:
            row[index] = {}
    return row[index] if index < len(row) else None


def element_of(type_: str, name: str) -> Element:
    """An element of a type. ParseError when R4 knows none of that name."""
    known = elements("Element" if type_ in PRIMITIVES else type_)
    found = known.get(name)
    if found is None:
        raise ParseError(f"{type_} has no element {name:.40}")
    return found


def keys_of(element: Element) -> Iterator[tuple[str, str]]:
    """The properties an element may stand under, each with its type: `value[x]` has many."""
    for kind in element.types:
        yield (element.name + kind.suffix if element.choice else element.name), kind.code


def places(node: Node, tree: Tree) -> list[Place]:
    """Every element that the path leads to, in document order."""
    return _Way(tree).places(node)


class _Way:
    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._type = str(tree["resourceType"])
        self._root = Place(tree, "", None, self._type)

    def places(self, node: Node) -> list[Place]:
        match node:
            case Name(None, name) if name == self._type or name in ("Resource", "DomainResource"):
                return [self._root]
            case Name(None, name) if name in RESOURCE_TYPES:
                raise ParseError(f"the resource is no {name}")
            case Variable("resource" | "context" | "this"):
                return [self._root]
            case Name(of, name):
                return [found for place in self._before(of) for found in children(place, name)]
            case Index(of, index):
                return self.places(of)[index : index + 1]
            case Binary("as", of, Name(None, type_)) | Call(of, "ofType" | "as", (Name(None, type_),)) if of:
                return [one for one in self.places(of) if type_ in (one.type, _BASES.get(one.type))]
            case Call(of, "first", ()) if of:
                return self.places(of)[:1]
            case Call(of, "last", ()) if of:
                return self.places(of)[-1:]
            case Call(of, "single", ()) if of:
                return self.places(of)
            case Call(of, "where", (condition,)):
                return [one for one in self._before(of) if self._holds(one, condition)]
            case Call(of, "extension", (Literal(str() as url),)):
                found = [one for place in self._before(of) for one in children(place, "extension")]
                return [one for one in found if isinstance(one.value, dict) and one.value.get("url") == url]
            case _:
                raise ParseError("a path names elements, [n], where(), first(), last(), ofType() and extension() only")

    def _before(self, of: Node | None) -> list[Place]:
        return [self._root] if of is None else self.places(of)

    def _holds(self, place: Place, condition: Node) -> bool:
        test = compile_test(condition, place.type, self._type)
        return test(place.value, Around(self._tree, self._tree, place.value))


def children(place: Place, name: str) -> list[Place]:
    """The elements of this name inside one element. ParseError when its type has no such element."""
    inner, type_ = place.inner(), place.type
    if type_ == "Resource":
        type_ = str((inner or {}).get("resourceType", "Resource"))
    element = element_of(type_, name)
    found: list[Place] = []
    if inner is None:
        return found
    for key, kind in keys_of(element):
        value, beside = inner.get(key), inner.get(f"_{key}")
        if isinstance(value, list):
            found += [Place(inner, key, index, kind, element) for index in range(len(value))]
        elif value is not None or isinstance(beside, dict):
            found.append(Place(inner, key, None, kind, element))
    return found
