"""The Parameters resources that operations read and answer: https://hl7.org/fhir/R4/parameters.html."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

import orjson

from liaison.fhir import model
from liaison.fhir.errors import BadRequest, MethodNotAllowed, NotFound
from liaison.fhir.interactions.routing import Route
from liaison.fhir.operations.definition import Definition
from liaison.fhir.store import Store
from liaison.fhir.store.contract import Answer, Key, Request, Tree

_POST: Final = "POST"
_CODES: Final = frozenset({"result", "token-type", "opposition"})
_INSTANTS: Final = frozenset({"until", "expires"})
_TEXTS: Final = frozenset({"access-token"})


def answered(status: int, /, **parts: str | Sequence[str]) -> Answer:
    """A Parameters resource; '_' in a name is written '-'. A part is a reference unless its name says otherwise, or one for each
    of several."""
    parameter: list[Tree] = []
    for written, value in parts.items():
        name = written.replace("_", "-")
        if name in _CODES:
            parameter.append({"name": name, "valueCode": value})
        elif name in _INSTANTS:
            parameter.append({"name": name, "valueInstant": value})
        elif name in _TEXTS:
            parameter.append({"name": name, "valueString": value})
        else:
            for one in [value] if isinstance(value, str) else value:
                parameter += [{"name": name, "valueReference": {"reference": one}}] if one else []
    return Answer(status, orjson.dumps({"resourceType": "Parameters", "parameter": parameter}))


def posted_to(store: Store, type_: str, where: Route, request: Request) -> Key:
    """The key of what an operation without parameters is called on. Raises MethodNotAllowed, NotFound."""
    if request.method != _POST:
        raise MethodNotAllowed("Call this operation with POST.", (_POST,))
    key = store.key(type_, where.id_)
    if key is None:
        raise NotFound
    return key


def parts(request: Request) -> list[Mapping[str, Any]]:
    """The parameters of the body. Raises BadRequest for another resource, or for what is no list of objects."""
    tree = model.read(request.body)
    if tree.get("resourceType") != "Parameters":
        raise BadRequest("A Parameters resource is expected.", "Parameters")
    given = tree.get("parameter", [])
    if not isinstance(given, list):
        raise BadRequest("Parameters.parameter is a list.", "Parameters.parameter")
    for place, part in enumerate(given):
        if not isinstance(part, dict):
            raise BadRequest("A parameter is an object.", f"Parameters.parameter[{place}]")
    return given


class Given:
    """The Parameters of a request; an unknown name is refused rather than ignored."""

    def __init__(self, request: Request, definition: Definition) -> None:
        definition.require(request.method)
        self._parts: dict[str, list[Mapping[str, Any]]] = {}
        for part in parts(request):
            name = str(part.get("name"))
            if definition.parameter(name) is None:
                raise BadRequest(f"There is no parameter '{name[:64]}' here.", "Parameters.parameter.name")
            self._parts.setdefault(name, []).append(part)

    def patient(self) -> Tree:
        given = self._parts.get("patient", [])
        tree = given[0].get("resource") if len(given) == 1 else None
        if not isinstance(tree, dict) or tree.get("resourceType") != "Patient":
            raise BadRequest("patient is required: a Patient resource.", "Parameters.parameter.where(name='patient')")
        model.validate(tree, "Patient")
        return tree

    def code(self, name: str, missing: str = "") -> str:
        return self._value(name, ("valueCode", "valueString"), missing)

    def text(self, name: str) -> str:
        return self._value(name, ("valueString",), "")

    def _value(self, name: str, elements: tuple[str, ...], missing: str) -> str:
        for part in self._parts.get(name, ()):
            for element in elements:
                if isinstance(value := part.get(element), str):
                    return value
            raise BadRequest(f"{name} has a {elements[0]}.", f"Parameters.parameter.where(name='{name}')")
        return missing

    def has(self, name: str) -> bool:
        return name in self._parts

    def date(self, name: str) -> str:
        """A whole day, as FHIR writes it."""
        value = self._value(name, ("valueDate",), "")
        try:
            if len(value) != 10:
                raise ValueError
            return date.fromisoformat(value).isoformat()
        except ValueError:
            raise BadRequest(
                f"{name} is a whole date: YYYY-MM-DD.", f"Parameters.parameter.where(name='{name}')"
            ) from None

    def flag(self, name: str) -> bool:
        return any(part.get("valueBoolean") is True for part in self._parts.get(name, ()))

    def stating(self, name: str, url: str) -> dict[str, str]:
        """References, each with the code that its extension of that URL holds; '' where it holds none."""
        found = {}
        for reference, part in zip(self.references(name), self._parts.get(name, ()), strict=True):
            extensions = part["valueReference"].get("extension")
            known = extensions if isinstance(extensions, list) else []
            codes = [one.get("valueCode") for one in known if isinstance(one, dict) and one.get("url") == url]
            found[reference] = codes[0] if codes and isinstance(codes[0], str) else ""
        return found

    def attachment(self, name: str) -> Tree:
        """{} where it is missing."""
        for part in self._parts.get(name, ()):
            value = part.get("valueAttachment")
            if not isinstance(value, dict):
                raise BadRequest(f"{name} has a valueAttachment.", f"Parameters.parameter.where(name='{name}')")
            return value
        return {}

    def reference(self, name: str, one: str) -> str:
        """The only one, '' for none. BadRequest, with the sentence that says why there is `one`, for several."""
        found = self.references(name)
        if len(found) > 1:
            raise BadRequest(one, f"Parameters.parameter.where(name='{name}')")
        return found[0] if found else ""

    def references(self, name: str) -> list[str]:
        found = []
        for part in self._parts.get(name, ()):
            value = part.get("valueReference")
            reference = value.get("reference") if isinstance(value, dict) else None
            if not isinstance(reference, str):
                raise BadRequest(f"{name} has a valueReference.", f"Parameters.parameter.where(name='{name}')")
            found.append(reference)
        return found
