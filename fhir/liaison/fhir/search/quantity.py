"""quantity parameters, decided after decryption: `[prefix]number|system|code` (R4 search.html#quantity).

Units are compared as written: with a system, the coded unit; with `number||unit`, the coded unit or the unit's text.
There is no conversion between units yet.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from liaison.fhir.definitions import SearchParameter
from liaison.fhir.errors import BadRequest
from liaison.fhir.model.values import Quantity
from liaison.fhir.search.conditions import Condition
from liaison.fhir.search.criteria import Context, Criterion
from liaison.fhir.search.escapes import split, unescape
from liaison.fhir.search.number import Amount, amount

MODIFIERS: Final[frozenset[str]] = frozenset()


class Measure(NamedTuple):
    """An amount and its unit; `system` and `code` are '' when nothing is asked of them."""

    amount: Amount
    system: str
    code: str


def operand(text: str, modifier: str, parameter: SearchParameter, context: Context) -> Any:
    match [unescape(part) for part in split(text, "|")]:
        case [number]:
            return Measure(amount(number), "", "")
        case [number, system, code] if code or not system:
            return Measure(amount(number), system, code)
        case _:
            raise BadRequest("A quantity is written number, number|system|code or number||unit.")


def index(value: Quantity) -> Iterable[bytes]:
    return ()


def narrow(criterion: Criterion) -> Condition | None:
    return None


def matches(values: Sequence[Quantity], criterion: Criterion) -> bool:
    return any(_holds(value, measure) for value in values for measure in criterion.operands)


def _holds(value: Quantity, measure: Measure) -> bool:
    if measure.system and (value.system, value.code) != (measure.system, measure.code):
        return False
    if not measure.system and measure.code and measure.code not in (value.code, value.unit):
        return False
    return measure.amount.holds(value.low, value.high)
