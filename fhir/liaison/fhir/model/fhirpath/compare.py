"""Equality and order of FHIRPath values as they stand in JSON. None: the two cannot be compared.

http://hl7.org/fhirpath/N1/#comparison
"""

from decimal import Decimal
from typing import Any

from liaison.fhir.model import dates


def order(left: Any, right: Any) -> int | None:
    """Below 0, 0 or above 0 for numbers, quantities of one unit, dates and times, and strings."""
    if _is_number(left) and _is_number(right):
        return int((Decimal(left)).compare(Decimal(right)))
    if isinstance(left, dict) and isinstance(right, dict):
        return _quantities(left, right)
    if isinstance(left, str) and isinstance(right, str):
        first, second = dates.span(left), dates.span(right)
        if first is None or second is None:
            return (left > right) - (left < right)
        return _spans(first, second)
    return None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


def _quantities(left: dict[str, Any], right: dict[str, Any]) -> int | None:
    units = [(q.get("system"), q.get("code"), q.get("unit") if "code" not in q else None) for q in (left, right)]
    if units[0] != units[1] or not (_is_number(left.get("value")) and _is_number(right.get("value"))):
        return None
    return order(left["value"], right["value"])


def _spans(left: tuple[Any, Any], right: tuple[Any, Any]) -> int | None:
    if left == right:
        return 0
    if left[1] <= right[0]:
        return -1
    if right[1] <= left[0]:
        return 1
    return None  # one is less precise and covers the other


def distinct(values: list[Any]) -> bool:
    """Whether no two are equal."""
    try:
        return len({(type(value) is bool, value) for value in values}) == len(values)
    except TypeError:  # objects
        return all(value not in values[:index] for index, value in enumerate(values))
