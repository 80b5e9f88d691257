"""What an Observation says to a clinician: its kind in French where the code is a common one, and its value, whole.

A comparator, a range or an absence is part of a value: '< 5' told as '5' would be another result.
"""

from datetime import date
from typing import Any, Final

from liaison.services.pages.reading.concepts import label

Tree = dict[str, Any]
LOINC: Final = "http://loinc.org"
SYSTOLIC: Final = "8480-6"
DIASTOLIC: Final = "8462-4"


def _(text: str) -> str:
    """Marks a string for the catalogue; it is translated when it is shown."""
    return text


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


def name(observation: Tree) -> str:
    """Its kind in words. Never '': a value that is kept out of sight because nobody named it would be lost to who cares
    for the person."""
    concept = observation.get("code") or {}
    known = next((NAMES[c["code"]] for c in _loinc(concept) if c.get("code") in NAMES), "")
    return known or label(concept) or UNNAMED


def code(observation: Tree) -> str:
    """For a kind without words, what to look up: 'LOINC 1234-5', or the bare code of another system."""
    bare: Tree = next((c for c in (observation.get("code") or {}).get("coding", []) if c.get("code")), {})
    return f"{'LOINC ' if bare.get('system') == LOINC else ''}{bare.get('code', '')}"


def value(observation: Tree) -> str:
    """The value with its unit in French typography; '' where nothing was observed. A blood pressure is '128/76 mmHg', in
    whatever order it was written; the parts of another panel have their names."""
    if said := _single(observation):
        return said
    parts = [part for part in observation.get("component", []) if _single(part)]
    pressure = [next((p for p in parts if _has(p, code)), None) for code in (SYSTOLIC, DIASTOLIC)]
    if len(parts) == 2 and (all(pressure) or not any(p.get("code") for p in parts)):
        first, second = (_single(part) for part in (pressure if all(pressure) else parts) if part)
        amount, _space, shared = first.partition(" ")
        if second.endswith(shared):
            return f"{amount}/{second}"
    if not parts:
        return label(observation.get("dataAbsentReason"))
    return ", ".join(f"{name(part)} {_single(part)}" if part.get("code") else _single(part) for part in parts)


def unit(quantity: Tree) -> str:
    written = str(quantity.get("unit") or quantity.get("code") or "")
    return {"mm[Hg]": "mmHg", "Cel": "°C", "{score}": "", "1": ""}.get(written, written)


def _single(observation: Tree) -> str:
    if quantity := observation.get("valueQuantity"):
        return _quantity(quantity)
    if span := observation.get("valueRange"):
        return " – ".join(_quantity(span[end]) for end in ("low", "high") if end in span)
    if ratio := observation.get("valueRatio"):
        return "/".join(_quantity(ratio[part]) for part in ("numerator", "denominator") if part in ratio)
    if period := observation.get("valuePeriod"):
        return " – ".join(_day(str(period[end])) for end in ("start", "end") if end in period)
    if "valueDateTime" in observation:
        return _day(str(observation["valueDateTime"]))
    for kind in ("valueString", "valueInteger", "valueTime"):
        if kind in observation:
            return str(observation[kind])
    if "valueBoolean" in observation:
        return "oui" if observation["valueBoolean"] else "non"
    return label(observation.get("valueCodeableConcept"))


def _quantity(quantity: Tree) -> str:
    """Comparator, number and unit: '< 0,5 mg/L'. A quantity without a number says nothing."""
    if "value" not in quantity:
        return ""
    sign = {"<=": "≤", ">=": "≥"}.get(compared := str(quantity.get("comparator", "")), compared)
    number = str(quantity["value"]).replace(".", ",")
    return f"{sign} {number} {unit(quantity)}".strip()


def _day(text: str) -> str:
    """A FHIR date as it is written in French, to the precision it has; an hour is left out."""
    parts = text[:10].split("-")
    return date.fromisoformat(text[:10]).strftime("%d/%m/%Y") if len(parts) == 3 else "/".join(reversed(parts))


def _loinc(concept: Tree) -> list[Tree]:
    return [c for c in concept.get("coding", []) if c.get("system") == LOINC]


def _has(component: Tree, code: str) -> bool:
    return any(c.get("code") == code for c in _loinc(component.get("code") or {}))
