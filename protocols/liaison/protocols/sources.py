"""What a definition of the library rests on, and which of it nobody of the library has read again."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from liaison.protocols import codes


@dataclass(frozen=True, slots=True)
class Cited:
    """`display` as the page names it."""

    label: str
    display: str
    unverified: bool


def sources(definition: Mapping[str, Any]) -> list[Cited]:
    """Of a PlanDefinition, Measure or any other, in its order."""
    return [
        Cited(str(one.get("label", "")), str(one.get("display", "")), _marked(one))
        for one in definition.get("relatedArtifact", ())
        if one.get("display")
    ]


def _marked(artifact: Mapping[str, Any]) -> bool:
    told = (one for one in artifact.get("extension", ()) if one.get("url") == codes.UNVERIFIED)
    return any(one.get("valueBoolean") is True for one in told)
