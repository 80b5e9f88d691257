"""The parameters by which one can search here and now: R4's, and those that the territory has added.

One search, one set: it is fixed when a search begins (`with_parameters`), and what is asked while a parameter is being
added, changed or retired is answered by the one set or by the other.
"""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from liaison.fhir.definitions import SearchParameter, in_force, search_parameters
from liaison.fhir.errors import BadRequest, Gone, Issue
from liaison.fhir.search.page import PARAMETER as CURSOR
from liaison.fhir.search.prefixes import PREFIXES
from liaison.fhir.store.store import Store

T = TypeVar("T")

_ORDERED = frozenset({"date", "number", "quantity"})


async def with_parameters(store: Store, text: str, work: Callable[[], Awaitable[T]], *, lenient: bool = False) -> T:
    """Does the work of a search with the parameters of this moment, as far as `text`, its query, may name them.

    What was added in the last second may be unknown to this process: before something is refused, or left out as
    unknown, the base is asked.
    """
    parameters = store.parameters
    known = await parameters.current()
    if lenient or (not known.empty and (CURSOR in text or known.named_in(text))):
        known = await parameters.refreshed()
    try:
        with known.in_force():
            return await work()
    except (BadRequest, Gone):  # Gone: a page that another process began, with what this one does not know yet
        newer = await parameters.refreshed()
        if newer is known:
            raise
    with newer.in_force():
        return await work()


def find_parameter(type_: str, code: str) -> SearchParameter | None:
    """The parameter of the type, None for none. BadRequest when one cannot search by it yet."""
    found = search_parameters(type_).get(code)
    if found is None and in_force().is_waiting(type_, code):
        text = (
            f"'{code}' of {type_} is a new search parameter: what is stored is being indexed for it. Until that is done "
            "it would not find everything. Try again later."
        )
        raise BadRequest(issues=[Issue("incomplete", text)])
    return found


def require_allowed(parameter: SearchParameter, modifier: str, values: list[str]) -> None:
    """Raises BadRequest for what the SearchParameter of an added parameter does not allow (`modifier`, `comparator`,
    `multipleOr`)."""
    allowed = parameter.allowed
    if allowed is None:
        return
    if not allowed.several and len(values) > 1:
        raise BadRequest("Its definition allows one value, not several joined by commas.")
    named = {"of-type": "ofType"}.get(modifier, "type" if modifier[:1].isupper() else modifier)
    if modifier and allowed.modifiers is not None and named not in allowed.modifiers:
        raise BadRequest(f"Its definition allows these modifiers only: {', '.join(sorted(allowed.modifiers))}.")
    if allowed.comparators is not None and parameter.type in _ORDERED:
        for value in values:
            if value[:2] in PREFIXES and value[:2] not in {"eq", *allowed.comparators}:
                raise BadRequest(
                    f"Its definition allows these prefixes only: {', '.join(sorted(allowed.comparators))}."
                )
