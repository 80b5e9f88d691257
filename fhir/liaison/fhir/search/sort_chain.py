"""_sort by something of what a resource refers to: `patient.family`, `encounter:Encounter.service-provider.name`.

R4 search.html#sort leaves chains in _sort open; they are written as in a criterion. Here a key is read;
liaison.fhir.search.ends follows it.
"""

from collections.abc import Sequence

from liaison.fhir.errors import BadRequest
from liaison.fhir.search.chain import MOST_LINKS, MOST_WAYS, fitting, link_of
from liaison.fhir.search.criteria import SortKey
from liaison.fhir.search.known import find_parameter
from liaison.fhir.search.sort import sortable


def chained_key(code: str, type_: str, *, descending: bool) -> SortKey:
    """The key, or BadRequest that names what is not understood in it."""
    try:
        key = _key(code, type_, descending, 0)
        kinds = {leaf.parameter.type for leaf in _leaves(key)}
        if len(kinds) > 1 or len(list(_leaves(key))) > MOST_WAYS:
            raise BadRequest("it means different things; name the type a link leads to, as in subject:Patient.name.")
        return key
    except BadRequest as error:
        raise BadRequest(f"The parameter '_sort' cannot be by '{code[:60]}': {error.issues[0].diagnostics}") from None


def _key(code: str, type_: str, descending: bool, links: int) -> SortKey:
    head, dot, rest = code.partition(".")
    if not dot:
        parameter = find_parameter(type_, code)
        if parameter is None or not sortable(parameter):
            raise BadRequest(f"'{code[:60]}' is not a parameter of {type_} that has an order.")
        return SortKey(parameter, descending)
    if links == MOST_LINKS:
        raise BadRequest(f"A chain has at most {MOST_LINKS} links.")
    parameter, targets = link_of(head, type_)
    fit = fitting(rest, targets)
    if not fit:
        raise BadRequest(f"no type that '{head[:60]}' may lead to has '{rest[:60]}'.")
    return SortKey(parameter, descending, tuple((one, _key(rest, one, descending, links + 1)) for one in fit))


def compared_by(key: SortKey) -> str:
    """The type of the parameter whose values a key compares, chained or not."""
    return _leaves(key)[0].parameter.type


def _leaves(key: SortKey) -> Sequence[SortKey]:
    return [leaf for _, one in key.then for leaf in _leaves(one)] if key.then else [key]
