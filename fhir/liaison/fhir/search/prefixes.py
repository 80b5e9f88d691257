"""The prefixes of ordered values: eq ne gt lt ge le sa eb ap (FHIR R4 search.html#prefix)."""

from typing import Final

PREFIXES: Final = frozenset({"eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"})


def prefixed(text: str) -> tuple[str, str]:
    """The prefix, 'eq' when there is none, and the rest."""
    if text[:2] in PREFIXES:
        return text[:2], text[2:]
    return "eq", text
