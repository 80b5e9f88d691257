"""Weights of what a client would take: RFC 9110 §12.4.2."""

import re
from typing import Final

_WEIGHT: Final = re.compile(r"0(\.\d{0,3})?|1(\.0{0,3})?", re.ASCII)


def quality(text: str) -> float:
    """The weight that `text` writes, 0 to 1. What is no weight counts as 0: nothing is sent that nobody asked for."""
    return float(text) if _WEIGHT.fullmatch(text) else 0
