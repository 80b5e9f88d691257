"""What this service can do, as a CapabilityStatement: https://hl7.org/fhir/R4/http.html#capabilities.

Made from what is registered: the search parameters that the search decides, the interactions of each ownership rule.
It depends on configuration only, never on stored records, and is the same for every caller.
"""

from collections.abc import Iterable
from functools import cache
from importlib.metadata import version
from typing import Any, Final

import orjson

from liaison.fhir.definitions import COMPARTMENTS, RESOURCE_TYPES, SearchParameter, ownership, search_parameters
from liaison.fhir.search import supported
from liaison.fhir.store.contract import Answer

SINCE: Final = "2026-11-23"
"""CapabilityStatement.date: when what follows last changed in kind."""

_INTERACTIONS: Final = ("read", "vread", "update", "delete", "history-instance", "create", "search-type")
_OF_R4: Final = frozenset({"PlanDefinition-apply", "Patient-everything", "Resource-validate"})
_DOCUMENTATION: Final = (
    "Search: unknown parameters, modifiers and values are refused (Prefer: handling=lenient reports what it ignores). "
    "Result parameters: _sort, _count (20 unless given, at most 1000), _total, _summary, _elements, _include, "
    "_revinclude. _filter, without paths through other resources. GET and POST _search; over several types with _type; in a compartment, of one type or of all (*). "
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
            _resource(type_, named.get(type_, ())) for type_ in sorted(RESOURCE_TYPES) if type_ != "Parameters"
        ],
        "interaction": [{"code": "transaction"}, {"code": "batch"}, {"code": "search-system"}],
        "compartment": [f"http://hl7.org/fhir/CompartmentDefinition/{name.lower()}" for name in sorted(COMPARTMENTS)],
    }
    if system := named.get(""):
        rest["operation"] = [_operation(name) for name in system]
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


def _resource(type_: str, operations: Iterable[str]) -> dict[str, Any]:
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
        made["operation"] = [_operation(name, type_) for name in operations]
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


def _operation(name: str, type_: str = "") -> dict[str, str]:
    id_ = f"{type_}-{name}" if type_ else name
    base = "http://hl7.org/fhir" if id_ in _OF_R4 else "https://liaison.example/fhir"
    return {"name": name, "definition": f"{base}/OperationDefinition/{id_}"}
