"""What a request that writes may carry: https://hl7.org/fhir/R4/http.html#create and below, RFC 9110 §13.1.1.

A parameter or a condition that means nothing to it is refused: ignored, its sender would take it for heard.
"""

from collections.abc import Mapping
from typing import Final

from liaison.fhir.errors import BadRequest, Issue, PreconditionFailed, shown
from liaison.fhir.interactions.routing import Name, Route
from liaison.fhir.search.parse import OF_THE_EDGE, pairs

_INSTEAD: Final[dict[Name, str]] = {
    "create": "For a conditional create, send the criteria as If-None-Exist (ifNoneExist).",
    "update": "A resource is named by its id, or by criteria in the place of the id.",
    "patch": "A resource is named by its id, or by criteria in the place of the id.",
    "delete": "A resource is named by its id, or by criteria in the place of the id.",
    "bundle": "The criteria of an entry stand in its request.url.",
}


def require_applicable(where: Route, query: str, headers: Mapping[str, str]) -> None:
    """Raises BadRequest, or PreconditionFailed for a version asked of what is only about to be made."""
    if query and (instead := _INSTEAD.get(where.name)):
        for name, _ in pairs(query):
            if name not in OF_THE_EDGE:
                said = f"This request takes no parameter '{shown(name)}'. {instead}"
                raise BadRequest(issues=[Issue("not-supported", said)])
    if "if-none-exist" in headers and where.name != "create":
        raise BadRequest("If-None-Exist (ifNoneExist) is for creating a resource; this request creates none by it.")
    if "if-match" in headers and where.name == "create":
        raise PreconditionFailed("A resource that is only about to be made has no version, as If-Match asks.")
