"""The five compartments of R4 and the parameters by which a resource is in one. http://hl7.org/fhir/R4/compartmentdefinition.html"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Final

import orjson

_FILE = Path(__file__).parent / "data" / "compartments.json"

COMPARTMENTS: Final = frozenset({"Device", "Encounter", "Patient", "Practitioner", "RelatedPerson"})
SELF: Final = "{def}"
"""HL7's way to say that the resource which makes the compartment is in it."""


@cache
def _all() -> dict[str, Mapping[str, tuple[str, ...]]]:
    return {
        code: MappingProxyType({type_: tuple(name for name in names if name != SELF) for type_, names in rows})
        for code, rows in orjson.loads(_FILE.read_bytes())
    }


def compartment(code: str) -> Mapping[str, tuple[str, ...]]:
    """By type that can be in it, the reference parameters of which one must name the compartment's own resource.

    Its own type is always there, if need be with () alone: that resource is in its own compartment. KeyError for what
    is no compartment.
    """
    found = _all()[code]
    return found if code in found else MappingProxyType({**found, code: ()})
