"""The words of codes. A bare code is never shown."""

from typing import Any


def label(concept: Any) -> str:
    """The words of a CodeableConcept or Coding: its text, else a display, never a bare code."""
    if not isinstance(concept, dict):
        return ""
    if concept.get("text"):
        return str(concept["text"])
    codings = concept.get("coding", [concept] if "display" in concept else [])
    return next((str(c["display"]) for c in codings if c.get("display")), "")
