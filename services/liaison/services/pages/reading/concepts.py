"""The words of codes. A bare code is never shown, save where hiding it would hide a clinical fact: `named`."""

from collections.abc import Callable
from typing import Any, Final

from liaison.services.pages.marking import _

Say = Callable[[str], str]
"""Puts words of ours into the reader's language: a catalogue's gettext. `str` leaves them in French."""

SYSTEMS: Final = {
    "http://www.whocc.no/atc": "ATC",
    "http://snomed.info/sct": "SNOMED CT",
    "http://loinc.org": "LOINC",
    "http://hl7.org/fhir/sid/icd-10": "CIM-10",
    "http://hl7.org/fhir/sid/icd-11": "CIM-11",
    "http://www.nlm.nih.gov/research/umls/rxnorm": "RxNorm",
}


_CODE: Final = _("code")


def label(concept: Any) -> str:
    """The words of a CodeableConcept or Coding: its text, else a display, never a bare code."""
    if not isinstance(concept, dict):
        return ""
    if concept.get("text"):
        return str(concept["text"])
    return next((str(c["display"]) for c in codings(concept) if c.get("display")), "")


def named(concept: Any, say: Say = str) -> str:
    """The words, or for want of any the first code with its system: 'ATC R03BB04', 'code 12'. For medicines, substances
    and results, which must not be lost because other software left out their words."""
    coded = (c for c in codings(concept) if c.get("code"))
    return label(concept) or next((f"{SYSTEMS.get(c.get('system', ''), say(_CODE))} {c['code']}" for c in coded), "")


def labels(concepts: Any) -> list[str]:
    """The words of each that has some."""
    return [words for one in concepts or [] if (words := label(one))]


def codings(concept: Any) -> list[dict[str, Any]]:
    """The codings of a CodeableConcept; a Coding is its own."""
    if not isinstance(concept, dict):
        return []
    alone = [concept] if "display" in concept or "code" in concept else []
    return [one for one in concept.get("coding", alone) if isinstance(one, dict)]


def codes(concept: Any) -> set[str]:
    return {str(one["code"]) for one in codings(concept) if one.get("code")}
