"""A dosage in plain words: its own where it has some, else how much, how often, when, by which way, and never more than.

http://hl7.org/fhir/R4/dosage.html and http://hl7.org/fhir/R4/datatypes.html#Timing
"""

from typing import Any, Final

from liaison.services.pages.marking import _
from liaison.services.pages.reading import timings, values
from liaison.services.pages.reading.concepts import Say, named

Tree = dict[str, Any]


_LIMITS: Final = {
    "maxDosePerAdministration": _("au plus {dose} par prise"),
    "maxDosePerLifetime": _("au plus {dose} dans toute la vie"),
}


def of(tree: Tree) -> list[Tree]:
    """The dosages of a MedicationRequest or a MedicationStatement, in their order."""
    found = tree.get("dosageInstruction") or tree.get("dosage") or []
    return sorted((one for one in found if isinstance(one, dict)), key=lambda one: int(one.get("sequence") or 0))


def told(dosage: Tree, say: Say = str) -> str:
    """All that it says. Words of its own are kept as they are; what they may leave out is said after them: until when,
    'si besoin', the greatest dose, what the patient was told."""
    own, timing = str(dosage.get("text") or ""), dosage.get("timing")
    said = [own] if own else [_dose(dosage, say), *timings.told(timing, say), _way(dosage, say)]
    left_out = [one for one in timings.bounds(timing, say) if one.casefold() not in own.casefold()] if own else []
    instructed = [named(one, say) for one in dosage.get("additionalInstruction", [])]
    more = [*left_out, _needed(dosage, say, own), *_limits(dosage, say), *instructed]
    patient = str(dosage.get("patientInstruction") or "")
    return ", ".join(dict.fromkeys(filter(None, [*said, *more, patient])))


def periods(tree: Tree) -> list[Tree]:
    """From when until when each dosage holds, {} for one that does not say."""
    repeats = ((one.get("timing") or {}).get("repeat") or {} for one in of(tree))
    return [repeat.get("boundsPeriod") or {} for repeat in repeats]


def _dose(dosage: Tree, say: Say) -> str:
    found = []
    for one in dosage.get("doseAndRate", []):
        dose = values.quantity(one.get("doseQuantity")) or values.span(one.get("doseRange"))
        rate = values.quantity(one.get("rateQuantity")) or values.span(one.get("rateRange"))
        rate = rate or values.ratio(one.get("rateRatio"))
        found += [dose, say(_("débit {rate}")).format(rate=rate) if rate else ""]
    return ", ".join(filter(None, found))


def _way(dosage: Tree, say: Say) -> str:
    return ", ".join(filter(None, (named(dosage.get(name), say) for name in ("route", "site", "method"))))


def _needed(dosage: Tree, say: Say, own: str) -> str:
    why = named(dosage.get("asNeededCodeableConcept"), say)
    if why:
        return say(_("si besoin : {why}")).format(why=why)
    # `asNeededCodeableConcept` alone, without words or a code, says it too.
    asked = dosage.get("asNeededBoolean") is True or "asNeededCodeableConcept" in dosage
    return say(_("si besoin")) if asked and "besoin" not in own.casefold() else ""


def _limits(dosage: Tree, say: Say) -> list[str]:
    found = [
        say(words).format(dose=dose) for name, words in _LIMITS.items() if (dose := values.quantity(dosage.get(name)))
    ]
    most = dosage.get("maxDosePerPeriod")
    dose, length = (values.quantity((most or {}).get(part)) for part in ("numerator", "denominator"))
    if dose:
        every = timings.length((most or {}).get("denominator") or {}, say) or length
        found.insert(0, say(_("au plus {dose} par {time}")).format(dose=dose, time=every or "…"))
    return found
