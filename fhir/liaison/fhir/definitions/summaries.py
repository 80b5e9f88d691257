"""Which elements R4 marks as part of a summary (ElementDefinition.isSummary), for every type."""

from functools import cache
from pathlib import Path

import orjson

from liaison.fhir.definitions.structures import base_of

_FILE = Path(__file__).parent / "data" / "summaries.json"


@cache
def _own() -> dict[str, frozenset[str]]:
    return {name: frozenset(names) for name, names in orjson.loads(_FILE.read_bytes())}


@cache
def summary_elements(type_: str) -> frozenset[str]:
    """The names of the flagged elements, those of the bases included; choices without their type. KeyError for a type
    that R4 does not have."""
    base = base_of(type_)
    return _own().get(type_, frozenset()) | (summary_elements(base) if base else frozenset())
