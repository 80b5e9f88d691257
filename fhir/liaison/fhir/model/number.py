"""A JSON number that keeps its own text: 72.50 stays 72.50, 0.000000100 stays 0.000000100.

FHIR gives the digits of a decimal a meaning (http://hl7.org/fhir/R4/datatypes.html#decimal: "the precision of the
decimal value has significance"). float loses them and Decimal rewrites some, so the text travels with the value.
"""

import re
from decimal import Decimal
from typing import Self

_GRAMMAR = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")


class Number(Decimal):
    """A Decimal made from a JSON number's text, which `str` and `model.dump` give back unchanged.

    Arithmetic gives plain Decimals. ValueError for text that is not a JSON number.
    """

    __slots__ = ("text",)

    text: str

    def __new__(cls, text: str) -> Self:
        if _GRAMMAR.fullmatch(text) is None:
            raise ValueError("not a JSON number")
        self = super().__new__(cls, text)
        self.text = text
        return self

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"Number({self.text!r})"

    def __format__(self, spec: str, /) -> str:  # type: ignore[override]  # decimal's own second parameter is private
        return format(Decimal(self), spec) if spec else self.text

    def __reduce__(self) -> tuple[type[Self], tuple[str]]:  # copies keep the text too
        return type(self), (self.text,)

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, _: object, /) -> Self:
        return self


def integer(text: str) -> int | Number:
    """An int where Python and orjson write back the same text, else a Number: -0 and what 64 bits do not hold."""
    if len(text) > 18 or text == "-0":
        return Number(text)
    return int(text)
