"""An allergy in a line: to what, how grave, what happens. http://hl7.org/fhir/R4/allergyintolerance.html"""

from typing import Any, Final

from liaison.services.pages.reading.concepts import Say, codings, label, named

Tree = dict[str, Any]


def _(text: str) -> str:
    """Marks a string for the catalogue; it is translated when it is shown."""
    return text


_GRAVE: Final = _("grave")
UNNAMED: Final = _("substance non précisée")
_SNOMED: Final = "http://snomed.info/sct"
# What says that there is none: as a bare code it would read as an allergy.
_NONE: Final = {"716186003": _("aucune allergie connue"), "409137002": _("aucune allergie médicamenteuse connue")}


def told(allergy: Tree, say: Say = str) -> str:
    """'Pénicilline, risque élevé : urticaire, choc (grave)'."""
    grave = [say(_("risque élevé"))] if is_high(allergy) else []
    happens = [words for one in allergy.get("reaction", []) for words in _manifestations(one, say)]
    named_ = ", ".join([substance(allergy, say), *grave])
    return f"{named_} : {', '.join(dict.fromkeys(happens))}" if happens else named_


def substance(allergy: Tree, say: Say = str) -> str:
    """What the person is allergic to: the allergy's own words, those of its reactions, or a code; never ''."""
    code = allergy.get("code")
    reactions = [one.get("substance") for one in allergy.get("reaction", [])]
    none = next((_NONE[c["code"]] for c in codings(code) if c.get("system") == _SNOMED and c.get("code") in _NONE), "")
    spoken = label(code) or (say(none) if none else "") or ", ".join(dict.fromkeys(filter(None, map(label, reactions))))
    return spoken or next((words for one in (code, *reactions) if (words := named(one, say))), "") or say(UNNAMED)


def is_high(allergy: Tree) -> bool:
    return allergy.get("criticality") == "high"


def gravest_first(allergies: list[Tree]) -> list[Tree]:
    return sorted(allergies, key=lambda one: not is_high(one))


def _manifestations(reaction: Tree, say: Say) -> list[str]:
    words = [words for one in reaction.get("manifestation", []) if (words := named(one, say))]
    return [f"{one} ({say(_GRAVE)})" for one in words] if reaction.get("severity") == "severe" else words
