"""What this service can do, as a CapabilityStatement: https://hl7.org/fhir/R4/http.html#capabilities.

Made from what is registered: the interactions that the router knows, the search parameters that the search decides, the
operations of the engine. It depends on configuration and on the search parameters that the territory has added, never
on records, and is the same for every caller.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from importlib.metadata import version
from typing import Any, Final
from urllib.parse import parse_qsl

import orjson

from liaison.fhir.definitions import (
    COMPARTMENTS,
    NONE_ADDED,
    RESOURCE_TYPES,
    Custom,
    SearchParameter,
    ownership,
)
from liaison.fhir.definitions.profiles import profiles_of
from liaison.fhir.errors import BadRequest, FhirError, Issue
from liaison.fhir.interactions import patch_body
from liaison.fhir.interactions.everywhere import of_every_type
from liaison.fhir.interactions.prefer import preferences
from liaison.fhir.interactions.routing import route
from liaison.fhir.operations.definition import places
from liaison.fhir.operations.definitions import DEFINITIONS
from liaison.fhir.search import supported
from liaison.fhir.store.contract import Answer

SINCE: Final = "2026-11-28"
"""CapabilityStatement.date: when what follows last changed in kind."""

_DEFINED: Final = {
    "PlanDefinition-apply": "http://hl7.org/fhir/OperationDefinition/PlanDefinition-apply",
    **{f"{type_}-{name}".lstrip("-"): url for type_, name, url in places(DEFINITIONS)},
}
"""The operations that others have defined."""
# http://hl7.org/fhir/R4/valueset-type-restful-interaction.html and -system-: by a call that asks for it.
_ON_TYPE: Final = {
    "create": ("POST", "Patient"),
    "search-type": ("GET", "Patient"),
    "read": ("GET", "Patient/a"),
    "vread": ("GET", "Patient/a/_history/1"),
    "update": ("PUT", "Patient/a"),
    "patch": ("PATCH", "Patient/a"),
    "delete": ("DELETE", "Patient/a"),
    "history-instance": ("GET", "Patient/a/_history"),
    "history-type": ("GET", "Patient/_history"),
}
_ON_SYSTEM: Final = {
    "transaction": ("POST", ""),
    "batch": ("POST", ""),
    "search-system": ("GET", ""),
    "history-system": ("GET", "_history"),
}
_PATCH_FORMATS: Final = (patch_body.JSON_PATCH, patch_body.FHIR_JSON)
_NOTES: Final = {
    "by reference": "Created in a transaction that also holds the resource which refers to it: that says whose it is.",
}
_DOCUMENTATION: Final = (
    "Search: unknown parameters, modifiers and values are refused (Prefer: handling=lenient reports what it ignores). "
    "Chains of at most four links, _has nested two deep, both mixed, and chained _sort. Tokens take "
    ":in, :not-in, :above and :below by what is stored here. GET and POST _search; over several types with _type; in a compartment, of one type or of all (*). "
    "A next link is good for one hour."
)


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A type that another reader answers for: its interactions, its search parameters by code with their type, the
    definitions of those that R4 does not define, and the profiles that it gives."""

    interactions: tuple[str, ...]
    parameters: tuple[tuple[str, str], ...]
    definitions: tuple[tuple[str, str], ...] = ()
    profiles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Stated:
    """What this area cannot know. `security` is CapabilityStatement.rest.security; `many_deletions`, whether some caller
    may delete several matches at once."""

    security: Mapping[str, Any] = field(default_factory=dict)
    elsewhere: Mapping[str, Elsewhere] = field(default_factory=dict)
    many_deletions: bool = False


def capabilities(
    base_url: str,
    operations: Iterable[str] = (),
    stated: Stated | None = None,
    *,
    custom: Custom = NONE_ADDED,
    query: str = "",
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """The statement of the service at `base_url`. `operations` as liaison.services registers them: 'Patient/$register'.

    `custom` are the search parameters added. Its ETag is a digest: a statement that has not changed is a 304. BadRequest for a `mode` other than full.
    """
    given = headers or {}
    _require_full(query, given)
    more = stated or Stated()
    elsewhere = tuple(sorted(more.elsewhere.items()))
    body = _render(
        base_url, tuple(sorted(operations)), orjson.dumps(more.security), elsewhere, more.many_deletions, custom
    )
    tag = f'W/"{sha256(body).hexdigest()[:32]}"'
    kept = (("etag", tag), ("cache-control", "no-cache"))
    held = {one.strip() for one in given.get("if-none-match", "").split(",")}
    if held & {tag, tag.removeprefix("W/"), "*"}:
        return Answer(304, b"", kept)
    return Answer(200, body, kept)


def _require_full(query: str, headers: Mapping[str, str]) -> None:
    lenient = preferences(headers).get("handling", "").lower() == "lenient"
    for name, value in parse_qsl(query, keep_blank_values=True):
        if lenient or (name, value) in (("mode", "full"), ("_summary", "false")) or name in ("_format", "_pretty"):
            continue
        shown = "".join(c if c.isprintable() else "?" for c in name[:40])
        if name == "mode":
            reason = "mode can be full: there is no normative part of its own, and no terminology service here."
        else:
            reason = f"The parameter '{shown}' is not supported here; mode=full is."
        raise BadRequest(issues=[Issue("not-supported", reason)])


def _served(calls: Mapping[str, tuple[str, str]]) -> list[dict[str, str]]:
    return [{"code": code} for code, call in calls.items() if _is_served(*call)]


def _is_served(method: str, path: str) -> bool:
    try:
        route(method, path)
    except FhirError:
        return False
    return True


@lru_cache(maxsize=8)
def _render(
    base_url: str,
    operations: tuple[str, ...],
    security: bytes,
    elsewhere: tuple[tuple[str, Elsewhere], ...],
    many_deletions: bool,
    custom: Custom,
) -> bytes:
    others = dict(elsewhere)
    named: dict[str, list[str]] = {}
    for one in operations:
        where, _, name = one.rpartition("$")
        named.setdefault(where.partition("/")[0], []).append(name)
    known = {one: [p for _, p in sorted(custom.asked(one).items()) if supported(p)] for one in RESOURCE_TYPES}
    referring = _referring(known)
    searched = [one for one in RESOURCE_TYPES if one not in others and ownership(one).rule != "never"]
    rest: dict[str, Any] = {
        "mode": "server",
        "documentation": _DOCUMENTATION,
        "security": orjson.loads(security),
        "resource": [
            _elsewhere(type_, others[type_], known[type_])
            if type_ in others
            else _resource(type_, _operations(named, type_), known[type_], referring[type_], many_deletions)
            for type_ in sorted(RESOURCE_TYPES)
            if type_ in others or ownership(type_).rule != "never"
        ],
        "interaction": _served(_ON_SYSTEM),
        "searchParam": of_every_type(searched, others),
        "compartment": [f"http://hl7.org/fhir/CompartmentDefinition/{name.lower()}" for name in sorted(COMPARTMENTS)],
    }
    if system := named.get(""):
        rest["operation"] = [_operation(name, "") for name in dict.fromkeys(system)]
    if not rest["security"]:
        del rest["security"]
    formats = {"format": ["application/fhir+json", "json"]}
    if _is_served(*_ON_TYPE["patch"]):
        formats["patchFormat"] = list(_PATCH_FORMATS)
    return orjson.dumps(
        {
            "resourceType": "CapabilityStatement",
            "url": f"{base_url}/metadata",
            "version": version("liaison"),
            "name": "Liaison",
            "title": "Liaison",
            "status": "active",
            "date": SINCE,
            "publisher": "Liaison",
            "kind": "instance",
            "software": {"name": "Liaison", "version": version("liaison")},
            "implementation": {"description": "Liaison", "url": base_url},
            "fhirVersion": "4.0.1",
            **formats,
            "rest": [rest],
        }
    )


def _operations(named: Mapping[str, Iterable[str]], type_: str) -> list[dict[str, str]]:
    """The operations of one type, those of every type included."""
    if ownership(type_).rule == "never":
        return []
    each = [(name, owner) for owner in (type_, "Resource") for name in named.get(owner, ())]
    return [_operation(name, owner) for name, owner in dict.fromkeys(each)]


def _described(type_: str) -> dict[str, Any]:
    described: dict[str, Any] = {"type": type_, "profile": f"http://hl7.org/fhir/StructureDefinition/{type_}"}
    return described | ({"supportedProfile": supported} if (supported := profiles_of(type_)) else {})


def _elsewhere(type_: str, other: Elsewhere, known: Sequence[SearchParameter]) -> dict[str, Any]:
    defined, elsewhere = {one.code: one for one in known}, dict(other.definitions)
    supported = {"supportedProfile": list(other.profiles)} if other.profiles else {}
    return {
        **_described(type_),
        **supported,
        "documentation": ownership(type_).reason,
        "interaction": [{"code": code} for code in other.interactions],
        "searchParam": [
            _parameter(defined[code])
            if code in defined
            else {"name": code, "type": kind} | ({"definition": elsewhere[code]} if code in elsewhere else {})
            for code, kind in sorted(other.parameters)
        ],
    }


def _resource(
    type_: str,
    operations: list[dict[str, str]],
    parameters: Sequence[SearchParameter],
    referring: Sequence[str],
    many_deletions: bool,
) -> dict[str, Any]:
    made = _described(type_)
    if note := _NOTES.get(ownership(type_).rule):
        made["documentation"] = note
    made |= {
        "interaction": _served(_ON_TYPE),
        "versioning": "versioned",
        "readHistory": True,
        "updateCreate": False,
        "conditionalCreate": True,
        "conditionalRead": "full-support",
        "conditionalUpdate": True,
        "conditionalDelete": "multiple" if many_deletions else "single",
        "referencePolicy": ["literal", "logical", "local", "enforced"],
        "searchInclude": ["*", f"{type_}:*", *(f"{type_}:{p.code}" for p in parameters if p.type == "reference")],
        "searchRevInclude": ["*", *referring],
        "searchParam": [_parameter(p) for p in parameters],
    }
    if operations:
        made["operation"] = operations
    return made


def _referring(known: Mapping[str, Sequence[SearchParameter]]) -> dict[str, list[str]]:
    """By type, the reference parameters of all types that may point to it."""
    found: dict[str, list[str]] = {type_: [] for type_ in RESOURCE_TYPES}
    for source in sorted(type_ for type_ in RESOURCE_TYPES if ownership(type_).rule != "never"):
        for parameter in known[source]:
            if parameter.type == "reference":
                for target in parameter.target:
                    found[target].append(f"{source}:{parameter.code}")
    return found


def _parameter(parameter: SearchParameter) -> dict[str, str]:
    return {"name": parameter.code, "definition": parameter.canonical, "type": parameter.type}


def _operation(name: str, type_: str) -> dict[str, str]:
    id_ = f"{type_}-{name}" if type_ else name
    ours = f"https://liaison.example/fhir/OperationDefinition/{id_}"
    return {"name": name, "definition": _DEFINED.get(id_, ours)}
