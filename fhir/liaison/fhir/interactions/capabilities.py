"""What this service can do, as a CapabilityStatement: https://hl7.org/fhir/R4/http.html#capabilities.

Made from what is registered: the search parameters that the search decides, the interactions of each ownership rule.
It depends on configuration only, never on stored records, and is the same for every caller.
"""

from collections.abc import Iterable, Mapping
from functools import cache
from importlib.metadata import version
from typing import Any, Final

import orjson

from liaison.fhir.definitions import COMPARTMENTS, RESOURCE_TYPES, SearchParameter, ownership, search_parameters
from liaison.fhir.operations.definition import places
from liaison.fhir.operations.definitions import DEFINITIONS
from liaison.fhir.search import supported
from liaison.fhir.store.contract import Answer

SINCE: Final = "2026-11-23"
"""CapabilityStatement.date: when what follows last changed in kind."""

_INTERACTIONS: Final = ("read", "vread", "update", "delete", "history-instance", "create", "search-type")
_DEFINED: Final = {
    "PlanDefinition-apply": "http://hl7.org/fhir/OperationDefinition/PlanDefinition-apply",
    **{f"{type_}-{name}".lstrip("-"): url for type_, name, url in places(DEFINITIONS)},
}
"""The operations that others have defined."""
_DOCUMENTATION: Final = (
    "Search: unknown parameters, modifiers and values are refused (Prefer: handling=lenient reports what it ignores). "
    "Result parameters: _sort, _count (20 unless given, at most 1000), _total, _summary, _elements, _include, "
    "_revinclude. _filter, without paths through other resources. _list by id. Tokens take "
    ":in, :not-in, :above and :below by what is stored here. GET and POST _search; over several types with _type; in a compartment, of one type or of all (*). "
    "A next link is good for one hour."
)


def capabilities(base_url: str, operations: Iterable[str] = ()) -> Answer:
    """The statement of the service at `base_url`. `operations` as liaison.services registers them: 'Patient/$register'."""
    return Answer(200, _render(base_url, tuple(sorted(operations))))


@cache
def _render(base_url: str, operations: tuple[str, ...]) -> bytes:
    named: dict[str, list[str]] = {}
    for one in operations:
        where, _, name = one.rpartition("$")
        named.setdefault(where.partition("/")[0], []).append(name)
    rest: dict[str, Any] = {
        "mode": "server",
        "documentation": _DOCUMENTATION,
        "security": {
            "cors": True,
            "service": [
                {
                    "coding": [
                        {
                            "system": "http://terminology.hl7.org/CodeSystem/restful-security-service",
                            "code": "SMART-on-FHIR",
                        }
                    ]
                }
            ],
            "description": "Endpoints and capabilities are at .well-known/smart-configuration below this base.",
        },
        "resource": [
            _resource(type_, _served(named, type_)) for type_ in sorted(RESOURCE_TYPES) if type_ != "Parameters"
        ],
        "interaction": [{"code": "transaction"}, {"code": "batch"}, {"code": "search-system"}],
        "compartment": [f"http://hl7.org/fhir/CompartmentDefinition/{name.lower()}" for name in sorted(COMPARTMENTS)],
    }
    if system := named.get(""):
        rest["operation"] = [_operation(name, "") for name in dict.fromkeys(system)]
    return orjson.dumps(
        {
            "resourceType": "CapabilityStatement",
            "status": "active",
            "date": SINCE,
            "kind": "instance",
            "software": {"name": "Liaison", "version": version("liaison")},
            "implementation": {"description": "Liaison", "url": base_url},
            "fhirVersion": "4.0.1",
            "format": ["application/fhir+json", "json"],
            "rest": [rest],
        }
    )


def _served(named: Mapping[str, Iterable[str]], type_: str) -> list[dict[str, str]]:
    """The operations of one type, those of every type included."""
    if ownership(type_).rule == "never":
        return []
    each = [(name, owner) for owner in (type_, "Resource") for name in named.get(owner, ())]
    return [_operation(name, owner) for name, owner in dict.fromkeys(each)]


def _resource(type_: str, operations: list[dict[str, str]]) -> dict[str, Any]:
    made: dict[str, Any] = {"type": type_, "profile": f"http://hl7.org/fhir/StructureDefinition/{type_}"}
    if ownership(type_).rule == "never":  # kept elsewhere, and read only
        return made | {"interaction": [{"code": "search-type"}], "documentation": ownership(type_).reason}
    parameters = [p for _, p in sorted(search_parameters(type_).items()) if supported(p)]
    made |= {
        "interaction": [{"code": code} for code in _INTERACTIONS],
        "versioning": "versioned",
        "readHistory": True,
        "updateCreate": False,
        "conditionalCreate": True,
        "conditionalRead": "full-support",
        "conditionalUpdate": True,
        "conditionalDelete": "not-supported",
        "referencePolicy": ["literal", "logical", "local", "enforced"],
        "searchInclude": [f"{type_}:*", *(f"{type_}:{p.code}" for p in parameters if p.type == "reference")],
        "searchRevInclude": _referring()[type_],
        "searchParam": [_parameter(p) for p in parameters],
    }
    if operations:
        made["operation"] = operations
    return made


@cache
def _referring() -> dict[str, list[str]]:
    """By type, the reference parameters of all types that may point to it."""
    found: dict[str, list[str]] = {type_: [] for type_ in RESOURCE_TYPES}
    for source in sorted(RESOURCE_TYPES - {"Parameters", "AuditEvent"}):
        for code, parameter in sorted(search_parameters(source).items()):
            if parameter.type == "reference" and supported(parameter):
                for target in parameter.target:
                    found[target].append(f"{source}:{code}")
    return found


def _parameter(parameter: SearchParameter) -> dict[str, str]:
    return {
        "name": parameter.code,
        "definition": f"http://hl7.org/fhir/SearchParameter/{parameter.id}",
        "type": parameter.type,
    }


def _operation(name: str, type_: str) -> dict[str, str]:
    id_ = f"{type_}-{name}" if type_ else name
    ours = f"https://liaison.example/fhir/OperationDefinition/{id_}"
    return {"name": name, "definition": _DEFINED.get(id_, ours)}
