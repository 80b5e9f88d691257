"""What an import may do that a request may not: references by the names of the system the data came from, and logical ones."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from liaison.fhir.errors import FhirError
from liaison.fhir.interactions.references import Target
from liaison.fhir.interactions.writes import Write
from liaison.fhir.store.contract import Key


@dataclass(slots=True)
class Lenience:
    """What an import may do that a request may not. A request has none of it.

    `known` and `names` say what texts name that mean nothing here (ids of the system the data came from). With `logical`, a
    reference that leads to nothing becomes a logical one (Reference.identifier, R4 references.html#logical), counted
    in `unmatched`. A resource that still cannot be stored is left out, in `refused`, and the others go on.
    """

    known: Mapping[str, Key] = field(default_factory=dict)
    names: Mapping[str, Write] = field(default_factory=dict)
    logical: bool = False
    unmatched: Counter[str] = field(default_factory=Counter)
    refused: list[tuple[Write, FhirError]] = field(default_factory=list)


def identifier(text: str, found: Target | None) -> dict[str, str]:
    """What is known of a target that is not here: its business identifier, or the text that named it."""
    if found is not None and found.kind == "conditional":
        given = dict(parse_qsl(found.name.replace("+", "%2B"))).get("identifier", "")
        system, bar, value = given.rpartition("|")
        if value:
            return {"system": system, "value": value} if bar and system else {"value": value}
    return {"value": text}
