"""The operations as an OpenAPI document (https://spec.openapis.org/oas/v3.0.3), made from what they are called with.

The interactions of FHIR are in the CapabilityStatement; what R4 leaves to a server, its operations, a client generator or
a tester reads here. The engine holds calls to the same definitions.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from liaison.fhir.definitions import RESOURCE_TYPES, ownership
from liaison.fhir.operations.definition import ELEMENTS, WHOLE, Definition, Kind, Parameter
from liaison.services.api.negotiation import FHIR_JSON
from liaison.services.operation_definitions import DESCRIBED

Tree = dict[str, Any]

_REFUSALS: Final = (400, 401, 403, 404, 405, 406, 409, 410, 412, 413, 415, 422, 429, 503)
_DATE: Final = r"^\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?$"
_VALUES: Final[Mapping[Kind, Tree]] = {
    "boolean": {"type": "boolean"},
    "canonical": {"type": "string", "pattern": r"^\S+$"},
    "code": {"type": "string", "pattern": r"^[^\s]+(\s[^\s]+)*$"},
    "date": {"type": "string", "pattern": _DATE},
    "instant": {"type": "string", "format": "date-time"},
    "positiveInt": {"type": "integer", "minimum": 1, "maximum": 2147483647},
    "string": {"type": "string", "minLength": 1},
    "uri": {"type": "string", "pattern": r"^\S+$"},
    "Meta": {"type": "object"},
    "Attachment": {"type": "object", "properties": {"contentType": {"type": "string"}, "data": {"type": "string"}}},
    "Reference": {"type": "object", "required": ["reference"], "properties": {"reference": {"type": "string"}}},
}


async def openapi(request: Request) -> Response:
    """Says nothing of anybody: open to every origin."""
    answer = JSONResponse(document(request.app.state.house.settings.fhir_base, DESCRIBED))
    answer.headers["access-control-allow-origin"] = "*"
    return answer


def document(base_url: str, described: Mapping[str, Definition]) -> Tree:
    """The document of the operations at a FHIR base, by where they are called ('Patient/*/$everything')."""
    paths: dict[str, Tree] = {}
    for where, definition in sorted(described.items()):
        path = "/" + where.replace("Resource/", "{type}/").replace("/*/", "/{id}/")
        paths[path] = {
            "parameters": list(_of_path(path)),
            **{method.lower(): _operation(where, definition, method) for method in definition.methods},
        }
    return {
        "openapi": "3.0.3",
        "info": {"title": "Liaison: FHIR operations", "version": "R4"},
        "servers": [{"url": base_url}],
        "paths": paths,
        "security": [{"bearer": []}],
        "components": {
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
            "schemas": {"OperationOutcome": _outcome()},
            "responses": {
                "Refused": {
                    "description": "What is wrong, and where.",
                    "content": {FHIR_JSON: {"schema": {"$ref": "#/components/schemas/OperationOutcome"}}},
                }
            },
        },
    }


def _of_path(path: str) -> Iterator[Tree]:
    if "{type}" in path:
        types = sorted(type_ for type_ in RESOURCE_TYPES if ownership(type_).rule != "never")
        yield {"name": "type", "in": "path", "required": True, "schema": {"type": "string", "enum": types}}
    if "{id}" in path:
        schema = {"type": "string", "pattern": r"^[A-Za-z0-9\-.]{1,64}$"}
        yield {"name": "id", "in": "path", "required": True, "schema": schema}


def _operation(where: str, definition: Definition, method: str) -> Tree:
    place = where.partition("$")[0].replace("/*", "-instance").strip("/")
    made: Tree = {
        "operationId": "-".join(part for part in (method.lower(), place.replace("/", "-"), definition.name) if part),
        "externalDocs": {"url": definition.url},
        "responses": _responses(definition, method),
    }
    if method == "POST":
        if definition.parameters or definition.searches:
            needed = any(one.minimum for one in definition.parameters)
            made["requestBody"] = {"required": needed, "content": {FHIR_JSON: {"schema": _body(definition)}}}
    else:
        made["parameters"] = [*(_in_query(one) for one in definition.parameters if one.type not in WHOLE)]
        if definition.searches:
            made["parameters"].append(_criteria())
    return made


def _responses(definition: Definition, method: str) -> Tree:
    found: Tree = {}
    for status, type_ in definition.returns:
        found[str(status)] = {"description": f"A {type_}." if type_ else "Done."}
        if type_ and method != "HEAD":
            found[str(status)]["content"] = {FHIR_JSON: {"schema": _resource(type_)}}
    refused: Tree = {"description": "Refused."} if method == "HEAD" else {"$ref": "#/components/responses/Refused"}
    return found | {str(status): refused for status in _REFUSALS}


def _in_query(parameter: Parameter) -> Tree:
    value = _VALUES[parameter.type]
    schema = value if parameter.maximum else {"type": "array", "items": value}
    return {"name": parameter.name, "in": "query", "required": bool(parameter.minimum), "schema": schema}


def _criteria() -> Tree:
    """Search parameters of the type, by any name."""
    schema = {"type": "object", "additionalProperties": {"type": "string"}}
    return {"name": "criteria", "in": "query", "schema": schema, "style": "form", "explode": True}


def _body(definition: Definition) -> Tree:
    """A Parameters resource; a resource by itself where the definition has a parameter of that name."""
    parts = [_part(one) for one in definition.parameters]
    if definition.searches:
        parts.append(
            {
                "type": "object",
                "required": ["name", "valueString"],
                "properties": {"name": {"type": "string"}, "valueString": {"type": "string", "minLength": 1}},
            }
        )
    whole = _resource("Parameters")
    whole["properties"]["parameter"] = {"type": "array", "items": {"anyOf": parts}, "maxItems": 100}
    if definition.parameter("resource") is None:
        return whole
    return {"anyOf": [whole, _resource()]}


def _part(parameter: Parameter) -> Tree:
    element = WHOLE.get(parameter.type) or ELEMENTS[parameter.type][0]
    type_ = parameter.type
    value = _VALUES[type_] if type_ in _VALUES else _resource("" if type_ == "Resource" else type_)
    return {
        "type": "object",
        "required": ["name", element],
        "properties": {"name": {"type": "string", "enum": [parameter.name]}, element: value},
    }


def _resource(type_: str = "") -> Tree:
    named: Tree = {"type": "string"} | ({"enum": [type_]} if type_ else {})
    return {"type": "object", "required": ["resourceType"], "properties": {"resourceType": named}}


def _outcome() -> Tree:
    texts = {"type": "string", "minLength": 1}
    severities = ["fatal", "error", "warning", "information"]
    issue = {
        "type": "object",
        "required": ["severity", "code", "diagnostics"],
        "properties": {
            "severity": {"type": "string", "enum": severities},
            "code": texts,
            "diagnostics": texts,
            "expression": {"type": "array", "items": texts, "minItems": 1},
        },
    }
    found = _resource("OperationOutcome")
    found["required"].append("issue")
    found["properties"]["issue"] = {"type": "array", "items": issue, "minItems": 1}
    return found
