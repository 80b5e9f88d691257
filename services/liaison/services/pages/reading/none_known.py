"""« None known » is written with codes of its own where a substance, a problem or a medicine would stand: told as one, it
would say the contrary.

https://hl7.org/fhir/uv/ips/STU1.1/CodeSystem-absent-unknown-uv-ips.html and http://hl7.org/fhir/R4/valueset-allergyintolerance-code.html
"""

from typing import Any, Final

from liaison.services.pages.marking import _
from liaison.services.pages.reading.concepts import Say, codings

_SNOMED: Final = "http://snomed.info/sct"
_IPS: Final = (
    "http://hl7.org/fhir/uv/ips/CodeSystem/absent-unknown-uv-ips",
    "http://terminology.hl7.org/CodeSystem/absent-unknown-uv-ips",
)
_ALLERGY: Final = _("aucune allergie connue")
_DRUG: Final = _("aucune allergie médicamenteuse connue")
_PLACE: Final = _("aucune allergie connue à l'environnement")
_FOOD: Final = _("aucune allergie alimentaire connue")
_PROBLEM: Final = _("aucun problème de santé connu")
_MEDICINE: Final = _("aucun traitement connu")
_UNSURE: Final = _("on ne sait pas s'il y en a")
_BY_SNOMED: Final = {
    "716186003": _ALLERGY,
    "409137002": _DRUG,
    "428607008": _PLACE,
    "429625007": _FOOD,
    "428197003": _("aucune allergie connue aux insectes"),
    "716184000": _("aucune allergie connue au latex"),
    "1003774007": _("aucune allergie connue au latex"),
    "160245001": _PROBLEM,
    "787481004": _MEDICINE,
}
_BY_IPS: Final = {
    "no-known-allergies": _ALLERGY,
    "no-known-medication-allergies": _DRUG,
    "no-known-environmental-allergies": _PLACE,
    "no-known-food-allergies": _FOOD,
    "no-known-problems": _PROBLEM,
    "no-known-medications": _MEDICINE,
    "no-allergy-info": _UNSURE,
    "no-problem-info": _UNSURE,
    "no-medication-info": _UNSURE,
}
_WORDS: Final = {_SNOMED: _BY_SNOMED, **dict.fromkeys(_IPS, _BY_IPS)}


def is_said(concept: Any) -> bool:
    return bool(_known(concept))


def says_all(concept: Any) -> bool:
    """Whether it says that there is no allergy of any kind, or that nobody knows: what one that is known contradicts."""
    return _known(concept) in (_ALLERGY, _UNSURE)


def told(concept: Any, say: Say = str) -> str:
    """Its own text, else ours rather than a display in the words of a terminology; '' where it says no such thing."""
    words = _known(concept)
    return str(concept.get("text") or say(words)) if words else ""


def _known(concept: Any) -> str:
    found = (_WORDS.get(str(one.get("system")), {}).get(str(one.get("code")), "") for one in codings(concept))
    return next(filter(None, found), "")
