"""`_summary` and `_elements`, read: http://hl7.org/fhir/R4/search.html#summary, #elements."""

from collections.abc import Sequence
from typing import Final, cast

from liaison.fhir.definitions import RESOURCE_TYPES
from liaison.fhir.errors import BadRequest, shown
from liaison.fhir.model.subset import Subset, Summary, element_named

PARAMETERS: Final = ("_summary", "_elements")
_SUMMARIES: Final = ("true", "text", "data")


def summary_of(text: str, *, count: bool = False) -> Summary | None:
    """None for the whole resource. `count` says that 'count' has a meaning here: it is the caller's to handle."""
    if text in _SUMMARIES:
        return cast(Summary, text)
    if text == "false" or (count and text == "count"):
        return None
    if text == "count":
        raise BadRequest(
            "The parameter '_summary' can be count in a search only; here it is true, text, data or false."
        )
    raise BadRequest(f"The parameter '_summary' is true, text, data{', count' if count else ''} or false.")


def elements_of(text: str, types: Sequence[str]) -> Subset:
    """`name` of a resource searched or read, or `Type.name` of every resource of that type in the answer.

    `types` are those searched or read; a name that none of them has is a BadRequest, as is one below the top level.
    """
    names: set[str] = set()
    typed: dict[str, set[str]] = {}
    for part in text.split(","):
        first, _, rest = part.strip().partition(".")
        if rest and first in RESOURCE_TYPES:
            found = {element_named(first, rest)}
            typed.setdefault(first, set()).update(found)
        else:
            found = {element_named(type_, first) for type_ in types} if not rest else {""}
            names |= found - {""}
        if not found - {""}:
            raise BadRequest(
                f"The parameter '_elements' names '{shown(part.strip(), 60)}', which is not an element at the top of"
                f" {first if rest and first in RESOURCE_TYPES else ', '.join(types[:5])}."
            )
    return Subset(None, frozenset(names), {type_: frozenset(found) for type_, found in typed.items()})


def together(summary: Summary | None, wanted: Subset | None) -> Subset | None:
    """Both parameters as one. R4 gives no meaning to a summary of listed elements: BadRequest."""
    if summary is not None and wanted is not None:
        raise BadRequest("The parameters '_summary' and '_elements' do not go together: give one of them.")
    return wanted if summary is None else Subset(summary)
