"""number parameters, decided after decryption. Equality is a range: `100` means 99.5 up to 100.5 (R4 search.html#number).

The other prefixes compare with the exact value: `gt5.4` is anything above 5.4.
"""

import re
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, Final, NamedTuple

from liaison.fhir.definitions import SearchParameter
from liaison.fhir.errors import BadRequest
from liaison.fhir.model.values import Number
from liaison.fhir.search.conditions import Condition
from liaison.fhir.search.criteria import Context, Criterion
from liaison.fhir.search.escapes import unescape
from liaison.fhir.search.prefixes import prefixed

MODIFIERS: Final[frozenset[str]] = frozenset()
_NUMBER: Final = re.compile(r"[+-]?\d{1,30}(\.\d{1,30})?([eE][+-]?\d{1,3})?", re.ASCII)


class Amount(NamedTuple):
    """A number with its prefix, and half the weight of its last written digit."""

    prefix: str
    value: Decimal
    half: Decimal

    def holds(self, low: Decimal | None, high: Decimal | None) -> bool:
        """For a value that lies between two bounds, None when it has no such end; both are equal for a plain number."""
        match self.prefix:
            case "eq" | "ne":
                above = low is not None and low >= self.value - self.half
                below = high is not None and high < self.value + self.half
                return (above and below) is (self.prefix == "eq")
            case "gt" | "sa":
                end = low if self.prefix == "sa" else high
                return self.prefix == "gt" if end is None else end > self.value
            case "lt" | "eb":
                end = high if self.prefix == "eb" else low
                return self.prefix == "lt" if end is None else end < self.value
            case "ge":
                return high is None or high >= self.value
            case "le":
                return low is None or low <= self.value
            case _:
                margin = max(abs(self.value) / 10, self.half)
                return (low is None or low <= self.value + margin) and (high is None or high >= self.value - margin)


def amount(text: str) -> Amount:
    """BadRequest for what is not a decimal."""
    prefix, rest = prefixed(text)
    rest = rest.replace(" ", "+")
    if not _NUMBER.fullmatch(rest):
        raise BadRequest(f"'{rest[:40]}' is not a number such as 100, 5.40 or 1e3.")
    value = Decimal(rest)
    return Amount(prefix, value, Decimal(5).scaleb(int(value.as_tuple().exponent) - 1))


def operand(text: str, modifier: str, parameter: SearchParameter, context: Context) -> Any:
    return amount(unescape(text))


def index(value: Number) -> Iterable[bytes]:
    return ()


def narrow(criterion: Criterion) -> Condition | None:
    return None


def matches(values: Sequence[Number], criterion: Criterion) -> bool:
    return any(one.holds(value.low, value.high) for value in values for one in criterion.operands)
