"""Which interaction a method and a path name: https://hl7.org/fhir/R4/http.html#summary, as a closed table."""

import re
from functools import lru_cache
from typing import Final, Literal, NamedTuple

from liaison.fhir.definitions import COMPARTMENTS, RESOURCE_TYPES
from liaison.fhir.errors import BadRequest, Issue, MethodNotAllowed, UnknownPath, shown
from liaison.fhir.store.contract import Interaction

Name = Literal[
    "read",
    "vread",
    "history",
    "history-type",
    "history-system",
    "update",
    "patch",
    "delete",
    "create",
    "search",
    "conditional-update",
    "conditional-patch",
    "conditional-delete",
    "bundle",
    "capabilities",
    "operation",
]

LETTER: Final[dict[str, Interaction]] = {
    "read": "r",
    "vread": "r",
    "history": "r",
    "history-type": "s",
    "update": "u",
    "conditional-update": "u",
    "patch": "u",
    "conditional-patch": "u",
    "delete": "d",
    "conditional-delete": "d",
    "create": "c",
    "search": "s",
}
"""The SMART letter that bounds each interaction (SMART App Launch 2.2, scopes). The others check what they contain."""

METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")

_ID: Final = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_OPERATION: Final = re.compile(r"\$[a-z][a-z0-9-]{0,63}")

_BY_TYPE: Final[dict[str, Name]] = {
    "GET": "search",
    "HEAD": "search",
    "POST": "create",
    "PUT": "conditional-update",
    "PATCH": "conditional-patch",
    "DELETE": "conditional-delete",
}
_BY_ID: Final[dict[str, Name]] = {"GET": "read", "HEAD": "read", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}

_OF_OPERATION: Final[dict[str, Name]] = {"GET": "operation", "HEAD": "operation", "POST": "operation"}


class Route(NamedTuple):
    """What was asked. `id_` and `version` are as sent: they may name nothing."""

    name: Name
    type_: str = ""
    id_: str = ""
    version: str = ""
    operation: str = ""
    compartment: str = ""  # the resource in whose compartment is searched: Patient/1a


def _type(text: str) -> str:
    if text not in RESOURCE_TYPES:
        raise UnknownPath(f"'{shown(text)}' is not a resource type of FHIR R4.")
    return text


def _id(text: str) -> str:
    if not _ID.fullmatch(text):
        raise BadRequest(issues=[Issue("value", "An id is 1 to 64 characters of A-Z a-z 0-9 - and full stop.")])
    return text


def _only(method: str, table: dict[str, Name]) -> Name:
    if method not in table:
        served = sorted(table)
        raise MethodNotAllowed(f"{shown(method)} is not served here.", served)
    return table[method]


def methods(path: str) -> tuple[str, ...]:
    """The methods that are routed at a path. Raises as `route` does when it is none of ours."""
    served = []
    for method in METHODS:
        try:
            route(method, path)
        except MethodNotAllowed:
            continue
        served.append(method)
    return tuple(served)


@lru_cache(maxsize=1024)
def route(method: str, path: str) -> Route:
    """The interaction, or BadRequest, MethodNotAllowed, UnknownPath. Says nothing of whether a record exists."""
    segments = path.split("/")
    if segments[-1] == "":
        segments.pop()
    match segments:
        case [type_, id_] if id_[:1] not in ("_", "$"):
            known = _type(type_)  # first: a method that is not served is not what is wrong with `fhir/Patient`
            return Route(_only(method, _BY_ID), known, _id(id_))
        case [] | [""]:
            return Route(_only(method, {"POST": "bundle", "GET": "search", "HEAD": "search"}))
        case ["_search"]:
            return Route(_only(method, {"POST": "search"}))
        case ["metadata"]:
            return Route(_only(method, {"GET": "capabilities", "HEAD": "capabilities"}))
        case [*where, name] if name.startswith("$") and len(where) <= 2:
            if not _OPERATION.fullmatch(name):
                raise UnknownPath(f"'{shown(name)}' is not an operation.")
            type_ = _type(where[0]) if where else ""
            id_ = _id(where[1]) if len(where) == 2 else ""
            return Route(_only(method, _OF_OPERATION), type_, id_, operation=name[1:])
        case ["_history"]:
            return Route(_only(method, {"GET": "history-system", "HEAD": "history-system"}))
        case [type_]:
            return Route(_only(method, _BY_TYPE), _type(type_))
        case [type_, "_history"]:
            return Route(_only(method, {"GET": "history-type", "HEAD": "history-type"}), _type(type_))
        case [type_, "_search"]:
            return Route(_only(method, {"POST": "search"}), _type(type_))
        case [type_, id_, "_history"]:
            return Route(_only(method, {"GET": "history", "HEAD": "history"}), _type(type_), _id(id_))
        case [owner, id_, "_search"] if owner in COMPARTMENTS:
            return Route(_only(method, {"POST": "search"}), compartment=f"{owner}/{_id(id_)}")
        case [owner, id_, type_] if owner in COMPARTMENTS and (type_[:1].isupper() or type_ == "*"):
            found = "" if type_ == "*" else _type(type_)
            return Route(_only(method, {"GET": "search", "HEAD": "search"}), found, compartment=f"{owner}/{_id(id_)}")
        case [owner, id_, type_, "_search"] if owner in COMPARTMENTS and (type_[:1].isupper() or type_ == "*"):
            found = "" if type_ == "*" else _type(type_)
            return Route(_only(method, {"POST": "search"}), found, compartment=f"{owner}/{_id(id_)}")
        case [type_, id_, "_history", version]:
            return Route(_only(method, {"GET": "vread", "HEAD": "vread"}), _type(type_), _id(id_), _id(version))
        case _:
            raise UnknownPath("This path is no FHIR interaction served here.")
