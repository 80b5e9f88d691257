"""A SearchParameter resource as the definition that extraction and search know. It must be valid and usable:
liaison.fhir.search.added says of one whether it is. http://hl7.org/fhir/R4/searchparameter.html
"""

from collections.abc import Mapping
from typing import Any, Final

from liaison.fhir.definitions.parameters import Allowed, Component, SearchParameter

OFFICIAL: Final = "http://hl7.org/fhir/SearchParameter/"


def is_active(tree: Mapping[str, Any] | None) -> bool:
    """Whether a SearchParameter is meant to be searched by: drafts and retired ones are content like any other."""
    return tree is not None and tree.get("status") == "active"


def definition_of(tree: Mapping[str, Any], number: int) -> SearchParameter:
    """The definition, under this number."""
    return SearchParameter(
        number,
        str(tree.get("id", "")),
        tree["code"],
        tree["type"],
        tuple(tree["base"]),
        tree.get("expression", ""),
        tuple(tree.get("target", ())),
        tuple(
            Component(one["definition"].partition("|")[0].removeprefix(OFFICIAL), one["expression"])
            for one in tree.get("component", ())
        ),
        tree["url"],
        Allowed(
            tree.get("multipleOr") is not False,
            tree.get("multipleAnd") is not False,
            _set(tree.get("modifier")),
            _set(tree.get("comparator")),
            _set(tree.get("chain")),
        ),
    )


def _set(given: list[str] | None) -> frozenset[str] | None:
    return frozenset(given) if given else None
