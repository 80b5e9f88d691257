"""quantity parameters, decided after decryption: `[prefix]number|system|code` (R4 search.html#quantity).

With UCUM as the system, values are converted exactly into the unit asked for, the written precision with them: `5.4` mg
finds 5400 ug, and 5449 ug, but not 5450. A code that UCUM does not know, or another system, is compared as written; so
is `number||unit`, with the coded unit or the unit's text.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from fractions import Fraction
from math import inf
from typing import Any, Final, NamedTuple

from liaison.fhir.definitions import SearchParameter
from liaison.fhir.definitions.units import Unit, conversion, unit
from liaison.fhir.errors import BadRequest
from liaison.fhir.model.values import Quantity
from liaison.fhir.search.conditions import Condition
from liaison.fhir.search.criteria import Context, Criterion
from liaison.fhir.search.escapes import split, unescape
from liaison.fhir.search.number import Amount, amount, exact

UCUM: Final = "http://unitsofmeasure.org"
MODIFIERS: Final[frozenset[str]] = frozenset()
_NUMBER: Final = Unit(Fraction(1))


class Measure(NamedTuple):
    """An amount and its unit; `system` and `code` are '' when nothing is asked of them."""

    amount: Amount[Decimal]
    exact: Amount[Fraction]
    system: str
    code: str


def operand(text: str, modifier: str, parameter: SearchParameter, context: Context) -> Any:
    match [unescape(part) for part in split(text, "|")]:
        case [number]:
            system = code = ""
        case [number, system, code]:
            pass
        case _:
            raise BadRequest("A quantity is written number, number|system|code or number||unit.")
    found = amount(number)
    return Measure(found, exact(found), system, code)


def index(value: Quantity) -> Iterable[bytes]:
    return ()


def narrow(criterion: Criterion) -> Condition | None:
    return None


def matches(values: Sequence[Quantity], criterion: Criterion) -> bool:
    return any(_holds(value, measure) for value in values for measure in criterion.operands)


def rank(value: Quantity) -> tuple[int, str, str, Any]:
    """Where it stands in an order: quantities that can be compared side by side, by what they amount to.

    First those of UCUM, by their base units and then in them, numbers without a unit among its numbers; then what is
    compared as written, by system and unit. One open below (`<5`) is lower than any of its kind.
    """
    known = unit(value.code) if value.system == UCUM else None
    if known is None and not (value.system or value.code or value.unit):
        known = _NUMBER
    if known is None:
        return 1, value.system, value.code or value.unit, -inf if value.low is None else value.low
    return 0, known.base, "", -inf if value.low is None else Fraction(value.low) * known.factor + known.zero


def _holds(value: Quantity, measure: Measure) -> bool:
    if measure.system:
        if value.system != measure.system:
            return False
        if measure.code and value.code != measure.code:
            return measure.system == UCUM and _converted(value, measure)
    elif measure.code and measure.code not in (value.code, value.unit):
        return False
    return measure.amount.holds(value.low, value.high, strict=value.strict)


def _converted(value: Quantity, measure: Measure) -> bool:
    found = conversion(value.code, measure.code)
    if found is None:
        return False
    slope, shift = found
    low, high = (None if end is None else Fraction(end) * slope + shift for end in (value.low, value.high))
    return measure.exact.holds(low, high, strict=value.strict)
