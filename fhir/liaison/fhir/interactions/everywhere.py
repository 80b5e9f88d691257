"""CapabilityStatement.rest.searchParam: the search parameters that every type has, those that shape the result too.

R4 defines the first as SearchParameters; `_filter` among its examples; `_has`, `_list` and `_type` in prose alone, so that
they are named here by the definitions that R5 has given to the same parameters. What shapes the result has none.
"""

from collections.abc import Iterable
from typing import Final

from liaison.fhir.definitions import RESOURCE_TYPES, official_parameters
from liaison.fhir.search import supported

_DEFINED: Final = "http://hl7.org/fhir/SearchParameter/"
_BESIDE: Final = (
    ("_filter", "special", "filter", "Tests joined by and, or, not and parentheses, also along references."),
    ("_has", "string", "Resource-has", "As _has:Observation:patient:code, nested two deep, and in chains."),
    ("_list", "string", "Resource-list", "The id of a List. Lists by function ($current-problems) are not kept."),
    ("_type", "token", "Resource-type", "Of a search over several types: GET [base]?_type=Observation,Condition."),
)
_SHAPING: Final = (
    ("_sort", "string", "Parameters that have an order, also chained; - before one turns its order."),
    ("_count", "number", "20 unless given, at most 1000; 0 is _summary=count."),
    ("_total", "token", "none, estimate or accurate."),
    ("_summary", "token", "true, text, data, count or false."),
    ("_elements", "string", "Elements at the top of the type."),
    ("_include", "string", "Type:parameter, Type:parameter:Target, Type:* or *; with :iterate too."),
    ("_revinclude", "string", "Type:parameter, Type:parameter:Target, Type:* or *; with :iterate too."),
)


def of_every_type(types: Iterable[str], elsewhere: Iterable[str]) -> list[dict[str, str]]:
    """The parameters of all these types. `elsewhere`: types with a reader of their own, who know what they name alone."""
    among = sorted(set(types))
    held = {type_: official_parameters(type_) for type_ in among}
    codes = sorted({code for one in held.values() for code in one if code.startswith("_")})
    apart = f"Not of {', '.join(sorted(elsewhere))}, which names its own." if elsewhere else ""
    found = []
    for code in codes:
        known = next(one[code] for one in held.values() if code in one)
        if supported(known):
            lacking = [type_ for type_, one in held.items() if code not in one and type_ in RESOURCE_TYPES]
            said = f"Not of {', '.join(lacking)}, which have no narrative." if lacking else ""
            found.append({"name": code, "definition": known.canonical, "type": known.type} | _said(said, apart))
    found += [
        {"name": name, "definition": f"{_DEFINED}{defined}", "type": kind} | _said(said, apart)
        for name, kind, defined, said in _BESIDE
    ]
    return found + [{"name": name, "type": kind} | _said(said, apart) for name, kind, said in _SHAPING]


def _said(*parts: str) -> dict[str, str]:
    said = " ".join(part for part in parts if part)
    return {"documentation": said} if said else {}
