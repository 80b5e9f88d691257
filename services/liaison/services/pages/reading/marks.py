"""What must be known with a measured value: of whom and how it was taken, what the laboratory says of it, whether it is final."""

from typing import Any, Final

from liaison.services.pages.marking import _
from liaison.services.pages.reading.concepts import Say, codes, labels, named

Tree = dict[str, Any]


# http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation; what is normal needs no word.
_HOW: Final = {
    "HH": _("très haut"),
    "H": _("haut"),
    "HU": _("très haut"),
    "LL": _("très bas"),
    "L": _("bas"),
    "LU": _("très bas"),
    "A": _("anormal"),
    "AA": _("très anormal"),
    "HX": _("au-dessus du seuil critique"),
    "LX": _("au-dessous du seuil critique"),
    ">": _("au-dessus de ce qui se mesure"),
    "<": _("au-dessous de ce qui se mesure"),
    "U": _("en hausse"),
    "D": _("en baisse"),
    "B": _("en mieux"),
    "W": _("en moins bien"),
    "POS": _("positif"),
    "NEG": _("négatif"),
    "DET": _("détecté"),
    "ND": _("non détecté"),
    "IND": _("indéterminé"),
    "R": _("résistant"),
    "I": _("intermédiaire"),
    "S": _("sensible"),
}
# http://hl7.org/fhir/R4/valueset-observation-status.html; what is final needs no word.
_STATES: Final = {
    "registered": _("en attente"),
    "preliminary": _("provisoire"),
    "amended": _("corrigé"),
    "corrected": _("corrigé"),
    "cancelled": _("annulé"),
    "entered-in-error": _("saisi par erreur"),
    "unknown": _("état inconnu"),
}


def told(observation: Tree, say: Say = str) -> list[str]:
    """What must be known with the value: where and how it was measured, that it is of something else than the person,
    that the laboratory found it high or low, that it is not final."""
    way = [words for name in ("bodySite", "method") if (words := named(observation.get(name), say))]
    how = [say(_HOW[code]) for one in observation.get("interpretation", []) for code in codes(one) if code in _HOW]
    how = how or labels(observation.get("interpretation"))
    state = _STATES.get(str(observation.get("status", "")))
    return [*way, *elsewhere(observation, say), *dict.fromkeys(how), *([say(state)] if state else [])]


def elsewhere(observation: Tree, say: Say = str) -> list[str]:
    """R4: focus, « the actual focus of an observation when it is not the patient of record »: a fœtus, an implant."""
    whose = (observation.get("subject") or {}).get("reference")
    others = [one for one in observation.get("focus", []) if not whose or one.get("reference") != whose]
    named_ = [str(one.get("display") or "") for one in others]
    words = say(_("ne concerne pas la personne elle-même"))
    return list(dict.fromkeys(say(_("concerne : {whom}")).format(whom=one) if one else words for one in named_))
