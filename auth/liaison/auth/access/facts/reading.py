"""What the modules of facts read from: the tree of one resource, its key, and the key of what it refers to."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from liaison.auth.access.classes import Class
from liaison.auth.access.intervals import BEGINNING, FOREVER, Interval
from liaison.fhir.definitions import RESOURCE_TYPES
from liaison.fhir.model.dates import span
from liaison.fhir.model.references import unversioned
from liaison.fhir.store.contract import Key

Decode = Callable[[str, str], Key | None]
"""(type, id) → key: liaison.fhir.store.ids.Ids.decode."""

STAFF: Final = ("Practitioner", "PractitionerRole")


@dataclass(frozen=True, slots=True)
class Reading:
    """One version of one resource. `classes` as it was classified; `at` is its meta.lastUpdated."""

    tree: Mapping[str, Any]
    key: Key
    decode: Decode
    classes: Class

    def name(self, reference: object, *types: str) -> tuple[str, Key] | None:
        """(type, key) of a literal reference to one of the types, or to a version of it; None for anything else."""
        text = reference.get("reference") if isinstance(reference, Mapping) else None
        if not isinstance(text, str):
            return None
        type_, _, id_ = unversioned(text).partition("/")
        if type_ not in types or type_ not in RESOURCE_TYPES:
            return None
        key = self.decode(type_, id_)
        return None if key is None else (type_, key)

    def person(self, reference: object) -> int:
        """The principal of a professional or of a role; 0 for anything else."""
        found = self.name(reference, *STAFF)
        return found[1].res if found else 0

    def structure(self, reference: object) -> int:
        found = self.name(reference, "Organization")
        return found[1].res if found else 0

    @property
    def at(self) -> datetime:
        text = self.tree.get("meta", {}).get("lastUpdated")
        return span(text)[0] if isinstance(text, str) and span(text) else BEGINNING  # type: ignore[index]  # just asked


def period(value: object) -> Interval | None:
    """The stretch that a Period covers; an open or absent end is open. None when a date in it cannot be read: what is
    dated and not understood gives no right."""
    if value is None:
        return Interval(BEGINNING, FOREVER)
    if not isinstance(value, Mapping):
        return None
    start, end = first(value.get("start"), BEGINNING), last(value.get("end"), FOREVER)
    return Interval(start, end) if start is not None and end is not None and start < end else None


def first(text: object, missing: datetime) -> datetime | None:
    """The first instant of a date or dateTime; `missing` when there is none; None when it cannot be read."""
    if text is None:
        return missing
    found = span(text) if isinstance(text, str) else None
    return None if found is None else min(max(found[0], BEGINNING), FOREVER)


def last(text: object, missing: datetime) -> datetime | None:
    """The first instant after a date or dateTime: an end is the last day or second that counts."""
    if text is None:
        return missing
    found = span(text) if isinstance(text, str) else None
    return None if found is None else min(max(found[1], BEGINNING), FOREVER)


def codes(concepts: object, system: str) -> Iterator[str]:
    """The codes of one system in a CodeableConcept, a Coding, or a list of either."""
    for concept in concepts if isinstance(concepts, list) else [concepts]:
        if isinstance(concept, Mapping):
            for coding in concept.get("coding") or [concept]:
                if (
                    isinstance(coding, Mapping)
                    and coding.get("system") == system
                    and isinstance(coding.get("code"), str)
                ):
                    yield coding["code"]


def extension(element: Mapping[str, Any], url: str) -> Mapping[str, Any]:
    """The first extension of that url; {} when there is none."""
    for one in element.get("extension") or ():
        if isinstance(one, Mapping) and one.get("url") == url:
            return one
    return {}
