"""Which module decides which type of parameter. `_id` and `_lastUpdated` are facts of the row, so they have their own."""

from typing import Final

from liaison.fhir.definitions import SearchParameter
from liaison.fhir.search import (
    composite,
    date,
    identity,
    near,
    number,
    quantity,
    reference,
    string,
    token,
    updated,
    uri,
    words,
)
from liaison.fhir.search.criteria import Criterion, ParameterType

TYPES: Final[dict[str, ParameterType]] = {
    "composite": composite,
    "date": date,
    "number": number,
    "quantity": quantity,
    "reference": reference,
    "special": near,
    "string": string,
    "token": token,
    "uri": uri,
}
ID: Final[ParameterType] = identity
UPDATED: Final[ParameterType] = updated
WORDS: Final[ParameterType] = words


def kind_for(criterion: Criterion) -> ParameterType:
    """The module that decides this criterion."""
    return kind_of(criterion.parameter)


def kind_of(parameter: SearchParameter) -> ParameterType:
    """The module that decides this parameter."""
    match parameter.code:
        case "_id":
            return ID
        case "_lastUpdated":
            return UPDATED
        case "_text" | "_content":
            return WORDS
        case _:
            return TYPES[parameter.type]
