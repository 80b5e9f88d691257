"""A meeting or a stay in a line: where, why, and how it ended. http://hl7.org/fhir/R4/encounter.html"""

from typing import Any, Final

from liaison.services.pages.marking import _
from liaison.services.pages.reading import values
from liaison.services.pages.reading.concepts import Say, codes, label, labels, named

Tree = dict[str, Any]


# http://terminology.hl7.org/CodeSystem/v3-ActCode, the part that R4 recommends.
SETTINGS: Final = {
    "EMER": _("Urgences"),
    "HH": _("Au domicile"),
    "IMP": _("Hospitalisation"),
    "ACUTE": _("Hospitalisation"),
    "NONAC": _("Hospitalisation"),
    "OBSENC": _("Mise en observation"),
    "PRENC": _("Avant une hospitalisation"),
    "SS": _("Hospitalisation de jour"),
    "VR": _("À distance"),
}
# http://terminology.hl7.org/CodeSystem/discharge-disposition
_LEFT: Final = {
    "home": _("retour à domicile"),
    "alt-home": _("retour chez un proche ou dans un autre domicile"),
    "other-hcf": _("transfert vers un autre établissement"),
    "hosp": _("sortie vers des soins palliatifs"),
    "long": _("sortie vers un long séjour"),
    "aadvice": _("sortie contre avis médical"),
    "exp": _("décès"),
    "psy": _("transfert en psychiatrie"),
    "rehab": _("transfert en rééducation"),
    "snf": _("transfert vers des soins de suite"),
}


def told(encounter: Tree, say: Say = str) -> str:
    """'Hospitalisation, Chute, sortie contre avis médical, fin : 09/03/2026'; '' where nothing has words."""
    reasons = labels(encounter.get("reasonCode")) or labels(encounter.get("type"))[:1]
    found = [str((one.get("condition") or {}).get("display") or "") for one in encounter.get("diagnosis", [])]
    stay = encounter.get("hospitalization") or {}
    parts = [_setting(encounter.get("class"), say), *reasons, *found, _left(stay.get("dischargeDisposition"), say)]
    return ", ".join(dict.fromkeys(filter(None, [*parts, _end(encounter.get("period") or {}, say)])))


def _setting(class_: Any, say: Say) -> str:
    """Where an Encounter took place, by its words or those of the code that R4 has for it."""
    known = next((SETTINGS[code] for code in codes(class_) if code in SETTINGS), "")
    return label(class_) or (say(known) if known else "")


def _left(disposition: Any, say: Say) -> str:
    known = next((_LEFT[code] for code in sorted(codes(disposition)) if code in _LEFT), "")
    return label(disposition) or (say(known) if known else named(disposition, say))


def _end(period: Tree, say: Say) -> str:
    """Where it is on another day than the beginning, which is told beside."""
    start, end = (str(period.get(name, ""))[:10] for name in ("start", "end"))
    return say(_("fin : {day}")).format(day=values.day(end)) if end and end != start else ""
