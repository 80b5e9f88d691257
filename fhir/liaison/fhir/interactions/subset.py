"""The general parameters of read, vread and history that choose what of a resource is shown (http.html#parameters)."""

from collections.abc import Iterable
from urllib.parse import parse_qsl

from liaison.fhir.errors import BadRequest, Issue, Unprocessable, shown
from liaison.fhir.model.subset import Subset, subsetted
from liaison.fhir.search.parse import OF_THE_EDGE
from liaison.fhir.search.subset import PARAMETERS, elements_of, summary_of, together
from liaison.fhir.store.contract import Tree


def of_read(query: str, type_: str, *, lenient: bool = False) -> Subset | None:
    """What a read or vread asks to see, None for all of it. BadRequest names a parameter that would be ignored;
    `lenient` lets it be ignored, as in a search (Prefer: handling=lenient)."""
    wanted = []
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name in PARAMETERS:
            wanted.append((name, value))
        elif name not in OF_THE_EDGE and not lenient:
            raise BadRequest(issues=[Issue("not-supported", f"A read has no parameter '{shown(name)}' here.")])
    return of(wanted, type_)


def of(pairs: Iterable[tuple[str, str]], *types: str) -> Subset | None:
    """What the pairs named in PARAMETERS say together. Each may be given once."""
    found: dict[str, str] = {}
    for name, value in pairs:
        if name in found:
            raise BadRequest(f"The parameter '{name}' can be given once.")
        found[name] = value
    summary = summary_of(found["_summary"]) if "_summary" in found else None
    return together(summary, elements_of(found["_elements"], types) if "_elements" in found else None)


def require_whole(tree: Tree) -> None:
    """Raises for a resource that says it is not whole: stored, it would take the place of the rest."""
    if at := subsetted(tree):
        raise Unprocessable(
            issues=[
                Issue(
                    "business-rule",
                    "This is a subset of a resource (tag SUBSETTED). Read it without _summary and _elements, change "
                    "that, and send it. Where it is not shown whole even so, send a patch of what changes.",
                    at,
                )
            ]
        )
