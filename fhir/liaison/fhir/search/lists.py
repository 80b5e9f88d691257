"""_list: resources that a List names in List.entry.item (R4 search.html#list). What the caller may not see of it, or in
it, does not exist. Lists by function (`$current-allergies`) are not kept, and refused by name: an empty answer would be
taken for a patient without allergies."""

from typing import Final, NamedTuple

from liaison.fhir.definitions import search_parameters
from liaison.fhir.errors import BadRequest
from liaison.fhir.search.criteria import Criterion
from liaison.fhir.search.escapes import split, unescape

NAME: Final = "_list"


class Listed(NamedTuple):
    """The id of a List, to be resolved into the ids of what it names."""

    id: str


def listed(asked: str, text: str, type_: str) -> Criterion:
    """A criterion on the ids of resources, once it is resolved."""
    if asked != NAME:
        raise BadRequest("The search parameter '_list' has no modifiers.")
    return Criterion(NAME, "", search_parameters(type_)["_id"], tuple(_of(part) for part in split(text, ",")))


def _of(text: str) -> Listed:
    value = unescape(text)
    if text.startswith("$"):
        raise BadRequest(
            f"The list '{value[:40]}' is not kept here: lists are named by their id. Ask for what is current by its status, "
            "as in clinical-status=active of Condition and AllergyIntolerance, or status=active of MedicationRequest."
        )
    id_ = value.removeprefix("List/")
    if not id_ or "/" in id_:
        raise BadRequest("The search parameter '_list' takes the id of a List.")
    return Listed(id_)
