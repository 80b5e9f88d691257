"""The text of the summary, in French: one line for each resource, as XHTML within the subset that R4 allows.

Words that stand in the record are shown as they are, escaped; what the record does not say is not guessed.
"""

import html
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from liaison.fhir.model import Number
from liaison.fhir.model.narrative import XMLNS
from liaison.fhir.operations.ips.sections import Item
from liaison.fhir.store.contract import Tree

NOTHING: Final = "Aucune information disponible."

Known = Mapping[str, Tree]
"""What the resources refer to, by 'Type/id', as far as the caller may see it."""


def div(*parts: str) -> str:
    return f'<div xmlns="{XMLNS}" xml:lang="fr-FR" lang="fr-FR">{"".join(parts)}</div>'


def paragraph(text: str) -> str:
    return f"<p>{html.escape(text)}</p>"


def listed(items: Iterable[Item], known: Known) -> str:
    """The items of one section."""
    lines = "".join(f"<li>{html.escape(line(item.tree, known))}</li>" for item in items)
    return div(f"<ul>{lines}</ul>")


def line(tree: Tree, known: Known) -> str:
    """One resource in a line."""
    said = [part for part in _LINES[tree["resourceType"]](tree, known) if part]
    return _printable(", ".join(said)) or "Sans libellé"


def person(patient: Tree) -> str:
    """Name and birth date of the patient."""
    names: Sequence[Tree] = patient.get("name") or [{}]
    name = next((one for one in names if one.get("use") == "official"), names[0])
    shown = name.get("text") or " ".join([*(name.get("given") or ()), name.get("family", "")]).strip()
    born = f"né(e) le {day(patient['birthDate'])}" if patient.get("birthDate") else ""
    return _printable(", ".join(part for part in (shown, born) if part)) or "Patient"


def concept(value: Any) -> str:
    """The words of a CodeableConcept: its text, else the first display, else the first code."""
    if not isinstance(value, dict):
        return ""
    codings = value.get("coding") or ()
    displays = [one["display"] for one in codings if one.get("display")]
    written = [one["code"] for one in codings if one.get("code")]
    return str(value.get("text") or next(iter([*displays, *written]), ""))


def day(text: Any) -> str:
    """A date as it is written in French, as precise as it is given; the time of day is left out."""
    parts = str(text or "")[:10].split("-")
    return "/".join(reversed(parts)) if text else ""


def quantity(value: Tree) -> str:
    """Digits as recorded, with a decimal comma."""
    unit = value.get("unit") or value.get("code") or ""
    if unit == "1":  # UCUM's unit of what has none
        unit = ""
    shown = f"{value.get('comparator', '')}{number(value['value'])}" if "value" in value else ""
    return f"{shown} {unit}".strip()


def number(value: Any) -> str:
    return (value.text if isinstance(value, Number) else str(value)).replace(".", ",")


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)[:1000]


def _when(tree: Tree, *names: str) -> str:
    """The first of these elements that is there: a date, or a period."""
    for name in names:
        value = tree.get(name)
        if isinstance(value, str):
            return day(value)
        if isinstance(value, dict) and (value.get("start") or value.get("end")):
            begun, over = day(value.get("start")), day(value.get("end"))
            if begun and over:
                return begun if begun == over else f"du {begun} au {over}"
            return f"depuis le {begun}" if begun else f"jusqu’au {over}"
    return ""


def _allergy(tree: Tree, known: Known) -> Iterable[str]:
    yield concept(tree.get("code"))
    yield "; ".join(concept(one) for reaction in tree.get("reaction") or () for one in reaction["manifestation"])
    yield "criticité élevée" if tree.get("criticality") == "high" else ""


def _condition(tree: Tree, known: Known) -> Iterable[str]:
    yield concept(tree.get("code"))
    begun, over = tree.get("onsetDateTime") or tree.get("recordedDate"), tree.get("abatementDateTime")
    yield _when(tree, "onsetPeriod") or _when({"period": {"start": begun, "end": over}}, "period")


def _medication(tree: Tree, known: Known) -> Iterable[str]:
    named = (tree.get("medicationReference") or {}).get("reference", "").partition("/_history/")[0]
    referred = (tree.get("medicationReference") or {}).get("display", "")
    yield concept(tree.get("medicationCodeableConcept")) or concept((known.get(named) or {}).get("code")) or referred
    dosages = tree.get("dosageInstruction") or tree.get("dosage") or ()
    yield "; ".join(one["text"] for one in dosages if one.get("text"))
    yield _when(tree, "effectiveDateTime", "effectivePeriod", "authoredOn")


def _immunization(tree: Tree, known: Known) -> Iterable[str]:
    yield concept(tree.get("vaccineCode"))
    yield _when(tree, "occurrenceDateTime") or tree.get("occurrenceString", "")


def _procedure(tree: Tree, known: Known) -> Iterable[str]:
    yield concept(tree.get("code"))
    yield _when(tree, "performedDateTime", "performedPeriod") or tree.get("performedString", "")


def _report(tree: Tree, known: Known) -> Iterable[str]:
    yield concept(tree.get("code"))
    yield tree.get("conclusion") or "; ".join(concept(one) for one in tree.get("conclusionCode") or ())
    yield _when(tree, "effectiveDateTime", "effectivePeriod", "issued")


def _observation(tree: Tree, known: Known) -> Iterable[str]:
    parts = [f"{concept(one.get('code'))} : {_value(one)}" for one in tree.get("component") or ()]
    own = _value(tree)
    yield concept(tree.get("code")) + (f" : {own}" if own else "")
    yield "; ".join(parts)
    yield _when(tree, "effectiveDateTime", "effectivePeriod", "effectiveInstant", "issued")


def _value(tree: Tree) -> str:
    for name, shown in _VALUES.items():
        if name in tree:
            return shown(tree[name])
    return "non renseigné" if "dataAbsentReason" in tree else ""


def _between(value: Tree) -> str:
    return " – ".join(quantity(value[part]) for part in ("low", "high") if part in value)


_VALUES: Final[Mapping[str, Callable[[Any], str]]] = {
    "valueQuantity": quantity,
    "valueCodeableConcept": concept,
    "valueString": str,
    "valueBoolean": lambda value: "oui" if value else "non",
    "valueInteger": str,
    "valueRange": _between,
    "valueRatio": lambda value: " / ".join(quantity(value[p]) for p in ("numerator", "denominator") if p in value),
    "valueDateTime": day,
    "valuePeriod": lambda value: _when({"value": value}, "value"),
    "valueTime": str,
}


def _device(tree: Tree, known: Known) -> Iterable[str]:
    device = known.get(tree["device"].get("reference", "").partition("/_history/")[0]) or {}
    names = [one["name"] for one in device.get("deviceName") or ()]
    yield concept(device.get("type")) or next(iter(names), "") or tree["device"].get("display", "")
    yield _when(tree, "timingDateTime", "timingPeriod", "recordedOn")


def _flag(tree: Tree, known: Known) -> Iterable[str]:
    yield concept(tree.get("code"))
    yield _when(tree, "period")


def _plan(tree: Tree, known: Known) -> Iterable[str]:
    yield tree.get("title") or "; ".join(concept(one) for one in tree.get("category") or ())
    yield tree.get("description", "")
    yield _when(tree, "period", "created")


def _directive(tree: Tree, known: Known) -> Iterable[str]:
    yield "; ".join(concept(one) for one in tree.get("category") or ())
    yield _when(tree, "dateTime")


_LINES: Final[Mapping[str, Callable[[Tree, Known], Iterable[str]]]] = {
    "AllergyIntolerance": _allergy,
    "CarePlan": _plan,
    "Condition": _condition,
    "Consent": _directive,
    "DeviceUseStatement": _device,
    "DiagnosticReport": _report,
    "Flag": _flag,
    "Immunization": _immunization,
    "MedicationRequest": _medication,
    "MedicationStatement": _medication,
    "Observation": _observation,
    "Procedure": _procedure,
}
