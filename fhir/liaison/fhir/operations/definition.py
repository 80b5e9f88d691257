"""What an operation is called with: a typed table of its parameters, and the reading of a request by it.

https://hl7.org/fhir/R4/operations.html#executing: an operation that changes nothing is served by GET, its parameters in
the URL, and by POST with a Parameters resource; one whose only resource parameter is `resource` also takes it bare. Both
give the same `Given`. What is unknown, given too often or of another type is a BadRequest that names the parameter.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Literal
from urllib.parse import parse_qsl, urlencode

from liaison.fhir import model
from liaison.fhir.definitions import RESOURCE_TYPES
from liaison.fhir.errors import BadRequest, Issue, MethodNotAllowed, shown
from liaison.fhir.model import dates
from liaison.fhir.model.validation.primitives import TESTS
from liaison.fhir.search.parse import OF_THE_EDGE
from liaison.fhir.store.contract import Request, Tree

Kind = Literal[
    "boolean", "canonical", "code", "date", "instant", "positiveInt", "string", "uri",
    "Attachment", "CodeableConcept", "Meta", "Patient", "Reference", "Resource",
]  # fmt: skip

WHOLE: Final[Mapping[Kind, str]] = {
    "Attachment": "valueAttachment",
    "CodeableConcept": "valueCodeableConcept",
    "Meta": "valueMeta",
    "Patient": "resource",
    "Reference": "valueReference",
    "Resource": "resource",
}
"""The types that no URL can write, by where a part holds them."""

ELEMENTS: Final[Mapping[str, tuple[str, ...]]] = {
    "boolean": ("valueBoolean",),
    "canonical": ("valueCanonical", "valueUri", "valueUrl", "valueString"),
    "code": ("valueCode", "valueString"),
    "date": ("valueDate", "valueDateTime", "valueString"),
    "instant": ("valueInstant", "valueDateTime", "valueString"),
    "positiveInt": ("valuePositiveInt", "valueInteger", "valueUnsignedInt"),
    "string": ("valueString", "valueCode", "valueUri", "valueId", "valueMarkdown"),
    "uri": ("valueUri", "valueCanonical", "valueUrl", "valueString"),
}
"""In which value[x] a parameter of each type may come: its own, and what clients write for want of a definition."""

_ANY: Final = tuple(dict.fromkeys(name for names in ELEMENTS.values() for name in names))
_MOST: Final = 100
CURSOR: Final = "_cursor"


@dataclass(frozen=True, slots=True)
class Parameter:
    """`maximum` 0 is any number of times; a GET may then also write several between commas."""

    name: str
    type: Kind
    maximum: int = 1
    minimum: int = 0


@dataclass(frozen=True, slots=True)
class Given:
    """The parameters of one call: values by name, as text; resources and Meta apart. `bare`: the body was no Parameters.

    `criteria` are the search parameters of an operation that takes them, in order.
    """

    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    trees: Mapping[str, Tree] = field(default_factory=dict)
    criteria: tuple[tuple[str, str], ...] = ()
    cursor: str = ""

    def text(self, name: str) -> str:
        return next(iter(self.values.get(name, ())), "")

    def texts(self, name: str) -> tuple[str, ...]:
        return self.values.get(name, ())

    def number(self, name: str) -> int | None:
        text = self.text(name)
        return int(text) if text else None

    def span(self, name: str) -> tuple[datetime, datetime] | None:
        """From the first instant that a date or instant means to the first one after."""
        text = self.text(name)
        return dates.span(text) if text else None

    def types(self, name: str) -> frozenset[str] | None:
        """Resource types; None when none is given."""
        found = self.texts(name)
        for type_ in found:
            if type_ not in RESOURCE_TYPES:
                raise _bad(name, f"names '{shown(type_, 64)}', which is not a resource type of R4.")
        return frozenset(found) or None

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """The values as a query: what a link to the same call says."""
        return tuple((name, value) for name, values in self.values.items() for value in values) + self.criteria


@dataclass(frozen=True, slots=True)
class Definition:
    """`url` is the OperationDefinition's. `searches`: every other parameter is a search parameter. `paged`: takes the
    cursor of a `next` link. `returns` is the type of resource that it answers, by status; '' is none."""

    name: str
    url: str
    parameters: tuple[Parameter, ...] = ()
    affects_state: bool = False
    searches: bool = False
    paged: bool = False
    returns: tuple[tuple[int, str], ...] = ((200, "Parameters"),)

    def read(self, request: Request) -> Given:
        """The parameters of a request, or BadRequest, MethodNotAllowed."""
        self.require(request.method)
        taking = _Taking(self)
        taking.query(request.query)
        if request.method == "POST":
            taking.body(request.body)
        return taking.given()

    def asked(self, request: Request) -> str:
        """What a valid request asks, URL and body together, as a query; resources that it carries are left out."""
        return urlencode(self.read(request).pairs)

    @property
    def methods(self) -> tuple[str, ...]:
        """How it is called. By POST alone when it changes something, or must be given what no URL can write."""
        written = any(one.type == "Meta" or (one.minimum and one.type in WHOLE) for one in self.parameters)
        return ("POST",) if self.affects_state or written else ("GET", "HEAD", "POST")

    def require(self, method: str) -> None:
        """Raises MethodNotAllowed for a call by another method."""
        if method not in self.methods:
            raise MethodNotAllowed(f"${self.name} is called with {', '.join(self.methods)}.", self.methods)

    def parameter(self, name: str) -> Parameter | None:
        return next((one for one in self.parameters if one.name == name), None)


class _Taking:
    """Collects what one request gives."""

    def __init__(self, definition: Definition) -> None:
        self.definition = definition
        self.values: dict[str, list[str]] = {}
        self.trees: dict[str, Tree] = {}
        self.criteria: list[tuple[str, str]] = []
        self.cursor = ""

    def given(self) -> Given:
        if self.cursor and (self.values or self.trees or self.criteria):
            raise BadRequest(f"'{CURSOR}' continues a call as it was; it goes with no other parameter.")
        found = {name: tuple(values) for name, values in self.values.items()}
        return Given(found, self.trees, tuple(self.criteria), self.cursor)

    def query(self, text: str) -> None:
        try:
            pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=_MOST)
        except ValueError:  # UnicodeDecodeError is one
            raise BadRequest(f"The parameters are not valid UTF-8, or more than {_MOST}.") from None
        for name, value in pairs:
            if name in OF_THE_EDGE:
                continue
            if name == CURSOR and self.definition.paged:
                if self.cursor:
                    raise _bad(CURSOR, "can be given once.")
                self.cursor = value
                continue
            known = self._known(name)
            if known is None:
                self.criteria.append((name, value))
            elif known.type in WHOLE:
                raise _bad(name, "is a resource or a data type: send it in a Parameters resource with POST.")
            else:
                for one in value.split(",") if known.maximum == 0 else (value,):
                    self._add(known, one)

    def body(self, body: bytes) -> None:
        if not body:
            return
        tree = model.read(body)
        if tree.get("resourceType") != "Parameters":
            if self.definition.parameter("resource") is None:
                raise BadRequest("Send a Parameters resource here.", "resourceType")
            self.trees["resource"] = tree
            return
        parts = tree.get("parameter", [])
        if not isinstance(parts, list) or len(parts) > _MOST:
            raise BadRequest(f"Parameters.parameter is a list of at most {_MOST}.", "Parameters.parameter")
        for number, part in enumerate(parts):
            self._part(f"Parameters.parameter[{number}]", part)

    def _part(self, at: str, part: Any) -> None:
        if not isinstance(part, dict) or not isinstance(part.get("name"), str):
            raise BadRequest("A parameter is an object with a name.", at)
        name = part["name"]
        known = self._known(name, at)
        if known is not None and known.type in WHOLE:
            element = WHOLE[known.type]
            value = part.get(element)
            if not isinstance(value, dict):
                raise _bad(name, f"has a {element}.", at)
            if name in self.trees:
                raise _bad(name, "can be given once.", at)
            self.trees[name] = value
            return
        elements = _ANY if known is None else ELEMENTS[known.type]
        found = [part[element] for element in elements if element in part]
        if len(found) != 1 or isinstance(found[0], dict | list):
            raise _bad(name, f"has a {elements[0]}.", at)
        text = _text(found[0])
        if known is None:
            self.criteria.append((name, text))
        else:
            self._add(known, text, at)

    def _known(self, name: str, at: str = "") -> Parameter | None:
        """None for a search parameter, where these are taken."""
        known = self.definition.parameter(name)
        if known is None and not self.definition.searches:
            names = ", ".join(one.name for one in self.definition.parameters) or "none"
            raise _bad(name, f"is not one of ${self.definition.name}; these are: {names}.", at, "not-supported")
        return known

    def _add(self, known: Parameter, text: str, at: str = "") -> None:
        values = self.values.setdefault(known.name, [])
        if known.type == "instant":
            text = text.replace(" ", "+")  # the plus sign of an offset, sent without being encoded
        if known.maximum and len(values) == known.maximum:
            raise _bad(known.name, "can be given once.", at)
        if wrong := _wrong(known.type, text):
            raise _bad(known.name, f"is not understood: {wrong}", at)
        if text not in values:
            values.append(text)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _wrong(kind: str, text: str) -> str | None:
    """What is wrong with the text of a value, if anything is."""
    match kind:
        case "boolean":
            return None if text in ("true", "false") else "expected true or false."
        case "positiveInt":
            whole = text.isascii() and text.isdigit() and len(text) < 11
            return TESTS[kind](int(text)) if whole else "Expected a whole number from 1 on."
        case "instant":
            # _since of real clients also comes as a date; what it means is its first instant.
            return None if dates.span(text) is not None else TESTS[kind](text)
        case _:
            return TESTS[kind](text)


def instant(given: Given, name: str) -> datetime | None:
    """The first instant of a parameter, in UTC."""
    found = given.span(name)
    return None if found is None else found[0].astimezone(UTC)


def _bad(name: str, said: str, at: str = "", code: str = "value") -> BadRequest:
    return BadRequest(issues=[Issue(code, f"The parameter '{shown(name, 64)}' {said}", at)])


def refused(name: str, said: str) -> BadRequest:
    """The refusal of the value of a parameter, by name."""
    return _bad(name, said, code="not-supported")


def places(definitions: Mapping[str, Definition]) -> Sequence[tuple[str, str, str]]:
    """(type, name, url) of each operation in a table like `definitions.DEFINITIONS`; type '' is the whole service."""
    return [(where.partition("$")[0].partition("/")[0], one.name, one.url) for where, one in definitions.items()]
