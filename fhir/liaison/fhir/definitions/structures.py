"""The elements of every R4 type, as its StructureDefinition gives them, and the codes of required bindings."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

import orjson

_DATA = Path(__file__).parent / "data"

PRIMITIVES: frozenset[str] = frozenset(
    {
        "base64Binary",
        "boolean",
        "canonical",
        "code",
        "date",
        "dateTime",
        "decimal",
        "id",
        "instant",
        "integer",
        "markdown",
        "oid",
        "positiveInt",
        "string",
        "time",
        "unsignedInt",
        "uri",
        "url",
        "uuid",
        "xhtml",
    }
)
"""http://hl7.org/fhir/R4/datatypes.html#primitive"""


class Type(NamedTuple):
    """One type an element may have. `code` is a data type, `Resource`, or the path of a backbone element.

    `targets` are the resource types a Reference may lead to; () is any.
    """

    code: str
    targets: tuple[str, ...] = ()

    @property
    def suffix(self) -> str:
        """What a choice element's name ends with for this type: valueQuantity, dosageDose*Quantity* for SimpleQuantity."""
        name = "Quantity" if self.code == "SimpleQuantity" else self.code
        return name[0].upper() + name[1:]


class Element(NamedTuple):
    """One element. `name` is without `[x]`; `maximum` 0 is `*`; `binding` is the value set when required, else ''."""

    name: str
    choice: bool
    minimum: int
    maximum: int
    types: tuple[Type, ...]
    binding: str


@cache
def _rows() -> dict[str, tuple[str, list[list[object]]]]:
    return {name: (base, rows) for name, base, rows in orjson.loads((_DATA / "structures.json").read_bytes())}


def _type(text: str) -> Type:
    code, opened, targets = text.partition("(")
    return Type(code, tuple(targets[:-1].split("|"))) if opened else Type(code)


def _element(name: str, minimum: int, maximum: int, types: list[str], binding: str = "") -> Element:
    choice = name.endswith("[x]")
    return Element(name.removesuffix("[x]"), choice, minimum, maximum, tuple(_type(text) for text in types), binding)


@cache
def elements(type_: str) -> Mapping[str, Element]:
    """All elements of a complex type, resource or backbone element by name, inherited ones first. KeyError for others."""
    base, rows = _rows()[type_]
    found = dict(elements(base)) if base else {}
    for row in rows:
        element = _element(*row)  # type: ignore[arg-type]  # the rows of our own file
        found[element.name] = element
    return found


def base_of(type_: str) -> str:
    """The type this one derives from, '' for none. KeyError for what is no complex type."""
    return _rows()[type_][0]


class Constraint(NamedTuple):
    """An invariant of a type, or of its element `element` when that is not a type of its own ('' otherwise)."""

    element: str
    key: str
    severity: str
    text: str
    expression: str


@cache
def _constraints() -> dict[str, tuple[Constraint, ...]]:
    found: dict[str, list[Constraint]] = {}
    for owner, *row in orjson.loads((_DATA / "invariants.json").read_bytes()):
        found.setdefault(owner, []).append(Constraint(*row))
    return {owner: tuple(rows) for owner, rows in found.items()}


@cache
def constraints(type_: str) -> tuple[Constraint, ...]:
    """All invariants of a complex type, resource or backbone element, those of its bases first. KeyError for others."""
    base, _ = _rows()[type_]
    return (constraints(base) if base else ()) + _constraints().get(type_, ())


@cache
def _bindings() -> dict[str, dict[str, frozenset[str]]]:
    return {
        url: {system: frozenset(codes) for system, codes in systems}
        for url, systems in orjson.loads((_DATA / "bindings.json").read_bytes())
    }


def required_codes(value_set: str) -> Mapping[str, frozenset[str]] | None:
    """Codes by system of a value set with a required binding; None when R4's definitions do not list its codes
    (currencies, MIME types, UCUM units, LL379-9)."""
    return _bindings().get(value_set)
