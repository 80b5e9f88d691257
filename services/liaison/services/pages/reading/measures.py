"""What an Observation says to a clinician: its kind in French where the code is a common one, and its value, whole.

What the laboratory says of a value (high, low, not final yet) is told with it.
"""

from typing import Any, Final

from liaison.services.pages.marking import _
from liaison.services.pages.reading import marks, ranges, unread, values
from liaison.services.pages.reading.concepts import Say, label
from liaison.services.pages.reading.punctuation import semicolons

Tree = dict[str, Any]
LOINC: Final = "http://loinc.org"
SYSTOLIC: Final = "8480-6"
DIASTOLIC: Final = "8462-4"


UNNAMED: Final = _("Mesure sans nom")

# Common names, as French laboratories and wards write them; the code's own display is shown for all others.
NAMES: Final = {
    "29463-7": _("Poids"),
    "8302-2": _("Taille"),
    "39156-5": _("Indice de masse corporelle"),
    "85354-9": _("Pression artérielle"),
    SYSTOLIC: _("Systolique"),
    DIASTOLIC: _("Diastolique"),
    "8867-4": _("Fréquence cardiaque"),
    "9279-1": _("Fréquence respiratoire"),
    "8310-5": _("Température"),
    "2708-6": _("Saturation en oxygène"),
    "59408-5": _("Saturation en oxygène"),
    "72514-3": _("Douleur, de 0 à 10"),
    "72166-2": _("Tabac"),
    "718-7": _("Hémoglobine"),
    "4544-3": _("Hématocrite"),
    "6690-2": _("Leucocytes"),
    "789-8": _("Hématies"),
    "777-3": _("Plaquettes"),
    "787-2": _("VGM"),
    "751-8": _("Polynucléaires neutrophiles"),
    "711-2": _("Polynucléaires éosinophiles"),
    "731-0": _("Lymphocytes"),
    "2339-0": _("Glycémie"),
    "4548-4": _("Hémoglobine glyquée (HbA1c)"),
    "38483-4": _("Créatinine"),
    "2160-0": _("Créatinine"),
    "33914-3": _("Débit de filtration glomérulaire estimé"),
    "6299-2": _("Urée"),
    "2947-0": _("Sodium"),
    "2951-2": _("Sodium"),
    "6298-4": _("Potassium"),
    "2823-3": _("Potassium"),
    "2069-3": _("Chlore"),
    "49765-1": _("Calcium"),
    "2885-2": _("Protéines"),
    "1751-7": _("Albumine"),
    "1975-2": _("Bilirubine totale"),
    "6768-6": _("Phosphatases alcalines"),
    "1742-6": _("ALAT"),
    "1920-8": _("ASAT"),
    "1988-5": _("Protéine C réactive (CRP)"),
    "2093-3": _("Cholestérol total"),
    "18262-6": _("Cholestérol LDL"),
    "2085-9": _("Cholestérol HDL"),
    "2571-8": _("Triglycérides"),
}


def name(observation: Tree, say: Say = str) -> str:
    """Its kind in words. Never '': a value that is kept out of sight because nobody named it would be lost to who cares
    for the person."""
    concept = observation.get("code") or {}
    known = next((NAMES[c["code"]] for c in _loinc(concept) if c.get("code") in NAMES), "")
    return say(known or label(concept) or UNNAMED)


def code(observation: Tree) -> str:
    """For a kind without words, what to look up: 'LOINC 1234-5', or the bare code of another system."""
    bare: Tree = next((c for c in (observation.get("code") or {}).get("coding", []) if c.get("code")), {})
    return f"{'LOINC ' if bare.get('system') == LOINC else ''}{bare.get('code', '')}"


def value(observation: Tree, say: Say = str) -> str:
    """The value with its unit in French typography, and its parts; why there is none where that is said; else ''. A blood
    pressure is '128/76 mmHg', in whatever order it was written; the parts of another panel have their names."""
    own = values.told(observation, say)
    parts = [part for part in observation.get("component", []) if _part(part, say)]
    if not own and (pressure := _pressure(parts)):
        return pressure
    told = [own, *(f"{name(part, say)} {_part(part, say)}" if part.get("code") else _part(part, say) for part in parts)]
    return ", ".join(filter(None, told)) or values.absent(observation, say)


def usual(observation: Tree, say: Say = str) -> str:
    """The values that are held for usual, those of the parts of a panel with the names of these."""
    parts = [(name(one, say), told) for one in observation.get("component", []) for told in _ranges(one, say)]
    return semicolons([*_ranges(observation, say), *(f"{whose} {told}" for whose, told in parts)], say)


def _ranges(observation: Tree, say: Say) -> list[str]:
    return ranges.told(observation.get("referenceRange"), say)


def called_off(tree: Tree) -> bool:
    """Whether it is an Observation that says nothing of the person: cancelled, or written by mistake."""
    return tree.get("resourceType") == "Observation" and tree.get("status") in ("cancelled", "entered-in-error")


def reckoned(observation: Tree) -> bool:
    """Whether it may be compared or counted as a value of the person: nothing of it is called off, of something else, or
    beyond what Liaison reads."""
    return not (called_off(observation) or marks.elsewhere(observation) or unread.is_in(observation))


def whole(observation: Tree, say: Say = str) -> str:
    """The value with its marks: '6,1 mmol/L (haut, provisoire)'."""
    told, with_it = value(observation, say), ", ".join(marks.told(observation, say))
    return f"{told} ({with_it})" if told and with_it else told or with_it


def _part(component: Tree, say: Say) -> str:
    told = values.told(component, say) or values.absent(component, say)
    with_it = ", ".join(marks.told({"interpretation": component.get("interpretation", [])}, say))
    return f"{told} ({with_it})" if told and with_it else told


def _pressure(parts: list[Tree]) -> str:
    """'128/76 mmHg' where the parts are two that share a unit: those of a blood pressure, or two that nobody named."""
    pressure = [next((part for part in parts if _has(part, code)), None) for code in (SYSTOLIC, DIASTOLIC)]
    chosen = [part for part in (pressure if all(pressure) else parts) if part]
    if len(parts) != 2 or not (all(pressure) or not any(part.get("code") for part in parts)):
        return ""
    if any("interpretation" in part or "valueQuantity" not in part for part in chosen):
        return ""
    first, second = (values.told(part) for part in chosen)
    amount, _space, shared = first.partition(" ")
    return f"{amount}/{second}" if second.endswith(shared) else ""


def _loinc(concept: Tree) -> list[Tree]:
    return [c for c in concept.get("coding", []) if c.get("system") == LOINC]


def _has(component: Tree, code: str) -> bool:
    return any(c.get("code") == code for c in _loinc(component.get("code") or {}))
