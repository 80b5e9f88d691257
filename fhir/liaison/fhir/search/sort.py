"""_sort. By _lastUpdated or the type's main date, an index gives the order; any other order is made from a sealed list.

The order is by the values of the parameter, and of nothing else (R4 search.html#sort). A value that repeats sorts by its
first in the order asked; a missing value is lower than any. A parameter that is the type's main date (paths.is_main_date)
sorts by that date, alone, among other keys and in chains. Where the main date (definitions.clinical_paths) falls back on
elements that the parameter does not look at, it gives the order only of a search whose matches all have a value.
Equal rows are put in an order of no meaning that never changes, so that pages neither repeat nor skip.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

from liaison.fhir.definitions import SearchParameter
from liaison.fhir.model import dates
from liaison.fhir.search import quantity
from liaison.fhir.search.criteria import Criterion, Facts, SortKey
from liaison.fhir.search.expression import conjuncts
from liaison.fhir.search.folding import folded
from liaison.fhir.search.paths import is_clinical, is_main_date
from liaison.fhir.search.reference import literal
from liaison.fhir.search.sql import Order

_ORDERED: Final = frozenset({"string", "token", "date", "number", "quantity", "reference", "uri"})
MAIN_DATE: Final = 0
"""Where `Facts.values` has the type's main date; no parameter has this number."""
BY_CLINICAL: Final = Order("clinical")
BY_UPDATE: Final = Order("at")


def sortable(parameter: SearchParameter) -> bool:
    return parameter.type in _ORDERED and bool(parameter.expression)


def order_of(type_: str, sort: Sequence[SortKey], default: Order, criteria: Sequence[Criterion] = ()) -> Order | None:
    """The order as an index gives it of what satisfies the criteria, or None when a list has to be made."""
    if not sort:
        return default
    if len(sort) > 1:
        return None
    [key] = sort
    if key.parameter.code == "_lastUpdated":
        return Order("at", key.descending)
    if is_main_date(key.parameter, type_):
        return Order("clinical", key.descending)
    if is_clinical(key.parameter, type_) and any(_asks_for(key.parameter, one) for one in conjuncts(criteria)):
        return Order("clinical", key.descending)
    return None


def _asks_for(parameter: SearchParameter, criterion: Criterion) -> bool:
    """Whether only what has a value of the parameter satisfies the criterion."""
    if type(criterion) is not Criterion or criterion.parameter is not parameter:
        return False
    return not criterion.modifier or (criterion.modifier == "missing" and criterion.operands == (False,))


def looked_at(key: SortKey, type_: str) -> int:
    """The number under which a key finds in `Facts.values` what it compares, or what its chain goes on from."""
    return MAIN_DATE if not key.then and is_main_date(key.parameter, type_) else key.parameter.number


def needs_values(sort: Sequence[SortKey]) -> bool:
    """Whether some key is not a fact of the row itself."""
    return any(key.parameter.code not in ("_id", "_lastUpdated") for key in sort)


def ordered(found: Sequence[tuple[Facts, Any]], sort: Sequence[SortKey]) -> list[Any]:
    """The second of each pair, in order. They come in their own fixed order, which decides between equal ones."""
    rows = list(found)
    for key in reversed(sort):  # list.sort is stable, in both directions
        rows.sort(key=lambda row: _rank(row[0], key), reverse=key.descending)  # used before the next turn
    return [row for _, row in rows]


def merged(groups: Sequence[tuple[Sequence[tuple[Facts, Any]], Sequence[SortKey]]]) -> list[Any]:
    """The same over several types, each with its own parameters for the same keys."""
    rows = [([_rank(facts, key) for key in sort], one) for found, sort in groups for facts, one in found]
    keys = groups[0][1] if groups else ()
    for number in reversed(range(len(keys))):
        rows.sort(key=lambda row: row[0][number], reverse=keys[number].descending)  # used before the next turn
    return [one for _, one in rows]


def _rank(facts: Facts, key: SortKey) -> tuple[int, Any]:
    found = facts.ends[key] if key.then else comparable(facts, key)
    if not found:
        return 0, None
    return 1, max(found) if key.descending else min(found)


def comparable(facts: Facts, key: SortKey) -> Sequence[Any]:
    """The values by which a key that is not chained orders a resource; none when it has none."""
    parameter = key.parameter
    if parameter.code == "_id":
        return (facts.id_,)
    if parameter.code == "_lastUpdated":
        return (facts.updated,)
    number = looked_at(key, facts.type_)
    values = facts.values.get(number, ())
    if number == MAIN_DATE:
        return values
    return [one for value in values if (one := _value(parameter.type, value)) is not None]


def _value(type_: str, value: Any) -> Any:
    match type_:
        case "string":
            return folded(value.value)
        case "token":
            return (value.code, value.system) if value.code else None
        case "date":
            return value.low or dates.EARLIEST
        case "quantity":
            return quantity.rank(value)
        case "number":
            return Decimal("-Infinity") if value.low is None else value.low
        case "reference":
            return literal(value) or None
        case _:
            return value.value
