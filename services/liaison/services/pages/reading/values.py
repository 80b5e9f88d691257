"""value[x] in words: of an Observation, of a component, of an answer. French typography, whole.

A comparator, a missing end of a range or a unit is part of a value: '< 5' told as '5' would be another result.
http://hl7.org/fhir/R4/datatypes.html
"""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any, Final

from liaison.services.pages.marking import _
from liaison.services.pages.reading.concepts import Say, codings, named

Tree = dict[str, Any]


_UNITS: Final = {"mm[Hg]": "mmHg", "Cel": "°C", "{score}": "", "1": ""}
_LONGEST: Final = 40
_SIGNS: Final = {"<=": "≤", ">=": "≥"}
_PLAIN: Final = (
    "valueString", "valueInteger", "valueTime", "valueUri", "valueCode", "valueMarkdown", "valueUrl", "valueId",
    "valueCanonical", "valueOid", "valueUuid", "valueUnsignedInt", "valuePositiveInt",
)  # fmt: skip

# http://terminology.hl7.org/CodeSystem/data-absent-reason
_ABSENT: Final = {
    "unknown": _("inconnu"),
    "asked-unknown": _("demandé, inconnu"),
    "temp-unknown": _("pas encore connu"),
    "not-asked": _("pas demandé"),
    "asked-declined": _("refusé"),
    "masked": _("masqué"),
    "not-applicable": _("sans objet"),
    "unsupported": _("non pris en charge"),
    "as-text": _("en texte seulement"),
    "error": _("erreur de mesure"),
    "not-a-number": _("pas un nombre"),
    "negative-infinity": _("trop bas pour être mesuré"),
    "positive-infinity": _("trop haut pour être mesuré"),
    "not-performed": _("non fait"),
    "not-permitted": _("non permis"),
}


def told(tree: Tree, say: Say = str) -> str:
    """The value that the element carries, '' where it carries none that can be said."""
    for kind, words in _KINDS.items():
        if isinstance(value := tree.get(kind), dict):
            return words(value, say)
    for kind in ("valueDateTime", "valueDate", "valueInstant"):
        if tree.get(kind):
            return day(str(tree[kind]))
    if "valueBoolean" in tree:
        return say(_("oui")) if tree["valueBoolean"] else say(_("non"))
    if "valueDecimal" in tree:
        return number(tree["valueDecimal"])
    return next((str(tree[kind]) for kind in _PLAIN if kind in tree), "")


def absent(tree: Tree, say: Say = str) -> str:
    """Why there is no value, where the element says it."""
    reason = tree.get("dataAbsentReason")
    known = next((_ABSENT[c["code"]] for c in codings(reason) if c.get("code") in _ABSENT), "")
    return str((reason or {}).get("text") or "") or (say(known) if known else named(reason, say))


def quantity(tree: Any, _say: Say = str) -> str:
    """Comparator, number and unit: '< 0,5 mg/L'. A quantity without a number says nothing."""
    if not isinstance(tree, dict) or tree.get("value") is None:
        return ""
    compared = str(tree.get("comparator", ""))
    return f"{_SIGNS.get(compared, compared)} {number(tree['value'])} {unit(tree)}".strip()


def number(value: Any) -> str:
    """With its comma, and never as 1e-07; one that would fill the line stays as it was written."""
    written = format(Decimal(str(value)), "f")
    return (written if len(written) <= _LONGEST else str(value)).replace(".", ",")


def unit(tree: Tree) -> str:
    written = str(tree.get("unit") or tree.get("code") or "")
    return _UNITS.get(written, written)


def span(tree: Any, _say: Say = str) -> str:
    """A Range, or whatever has low and high: '2 g – 3 g', and with one end alone '≥ 2 g' or '≤ 3 g'."""
    if not isinstance(tree, dict):
        return ""
    low, high = quantity(tree.get("low")), quantity(tree.get("high"))
    if low and high:
        return f"{low} – {high}"
    return f"≥ {low}" if low else f"≤ {high}" if high else ""


def ratio(tree: Any, _say: Say = str) -> str:
    if not isinstance(tree, dict):
        return ""
    return "/".join(part for name in ("numerator", "denominator") if (part := quantity(tree.get(name))))


def period(tree: Any, say: Say = str) -> str:
    """'01/03/2026 – 04/03/2026', and with one end alone 'début : …' or 'fin : …'."""
    if not isinstance(tree, dict):
        return ""
    start, end = (day(str(tree.get(name, ""))) for name in ("start", "end"))
    if start and end:
        return f"{start} – {end}"
    return say(_("début : {day}")).format(day=start) if start else say(_("fin : {day}")).format(day=end) if end else ""


def day(text: str) -> str:
    """A FHIR date as it is written in French, to the precision it has; an hour is left out."""
    parts = text[:10].split("-")
    return date.fromisoformat(text[:10]).strftime("%d/%m/%Y") if len(parts) == 3 else "/".join(reversed(parts))


def _sampled(tree: Tree, say: Say) -> str:
    """A curve is not told in a line: how many points, and that they are read elsewhere."""
    return say(_("tracé de {n} points, à lire dans un logiciel")).format(n=len(str(tree.get("data", "")).split()))


def _attachment(tree: Tree, say: Say) -> str:
    return str(tree.get("title") or say(_("pièce jointe")))


def _reference(tree: Tree, _say: Say) -> str:
    return str(tree.get("display") or "")


_KINDS: Final[dict[str, Callable[[Tree, Say], str]]] = {
    "valueQuantity": quantity,
    "valueRange": span,
    "valueRatio": ratio,
    "valuePeriod": period,
    "valueSampledData": _sampled,
    "valueCodeableConcept": named,
    "valueCoding": named,
    "valueAttachment": _attachment,
    "valueReference": _reference,
}
