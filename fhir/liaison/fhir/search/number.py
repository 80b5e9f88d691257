"""number parameters, decided after decryption. Equality is a range: `100` means 99.5 up to 100.5 (R4 search.html#number).

The range is half the weight of the last digit written, so 1.00e2 is 100; digits without a point before an exponent
count as if they had one decimal, because R4 reads `1e2` as 95 up to 105. Other prefixes compare with the exact value.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final, Generic, TypeVar

from liaison.fhir.definitions import SearchParameter
from liaison.fhir.errors import BadRequest
from liaison.fhir.model.values import Number
from liaison.fhir.search.conditions import Condition
from liaison.fhir.search.criteria import Context, Criterion
from liaison.fhir.search.escapes import unescape
from liaison.fhir.search.prefixes import prefixed

MODIFIERS: Final[frozenset[str]] = frozenset()
_NUMBER: Final = re.compile(r"[+-]?\d{1,30}(\.\d{1,30})?([eE][+-]?\d{1,3})?", re.ASCII)

N = TypeVar("N", Decimal, Fraction)


@dataclass(frozen=True, slots=True)
class Amount(Generic[N]):
    """A number with its prefix, and half the weight of its last written digit."""

    prefix: str
    value: N
    half: N

    def holds(self, low: N | None, high: N | None, *, strict: bool = False) -> bool:
        """For a value that lies between two bounds, None when it has no such end; both are equal for a plain number.
        `strict`: the one end it has is not part of it."""
        value = self.value
        match self.prefix:
            case "eq" | "ne":
                above = low is not None and low >= value - self.half
                below = high is not None and high < value + self.half
                return (above and below) is (self.prefix == "eq")
            case "gt":
                return high is None or high > value
            case "lt":
                return low is None or low < value
            case "ge":
                return high is None or high > value or (high == value and not strict)
            case "le":
                return low is None or low < value or (low == value and not strict)
            case "sa":
                return low is not None and (low > value or (low == value and strict))
            case "eb":
                return high is not None and (high < value or (high == value and strict))
            case _:
                margin = max(abs(value) / 10, self.half)
                return (low is None or low <= value + margin) and (high is None or high >= value - margin)


def amount(text: str) -> Amount[Decimal]:
    """BadRequest for what is not a decimal."""
    prefix, rest = prefixed(text)
    rest = rest.replace(" ", "+")
    found = _NUMBER.fullmatch(rest)
    if not found:
        raise BadRequest(f"'{rest[:40]}' is not a number such as 100, 5.40 or 1e3.")
    value = Decimal(rest)
    last = int(value.as_tuple().exponent) - (1 if found[2] and not found[1] else 0)
    return Amount(prefix, value, Decimal(5).scaleb(last - 1))


def exact(asked: Amount[Decimal]) -> Amount[Fraction]:
    """The same in fractions, to compare with converted values."""
    return Amount(asked.prefix, Fraction(asked.value), Fraction(asked.half))


def operand(text: str, modifier: str, parameter: SearchParameter, context: Context) -> Any:
    return amount(unescape(text))


def index(value: Number) -> Iterable[bytes]:
    return ()


def narrow(criterion: Criterion) -> Condition | None:
    return None


def matches(values: Sequence[Number], criterion: Criterion) -> bool:
    return any(one.holds(value.low, value.high) for value in values for one in criterion.operands)
