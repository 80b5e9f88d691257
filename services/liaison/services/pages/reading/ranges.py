"""The values that are usual, and for whom: a limit for children told to an old person would be another fact.

http://hl7.org/fhir/R4/observation-definitions.html#Observation.referenceRange
"""

import re
from typing import Any, Final

from liaison.services.pages.marking import _
from liaison.services.pages.reading import timings, values
from liaison.services.pages.reading.concepts import Say, codes, labels, named

Tree = dict[str, Any]


# http://terminology.hl7.org/CodeSystem/referencerange-meaning; what is normal needs no word.
_MEANT: Final = {
    "recommended": _("conseillé"),
    "treatment": _("sous traitement"),
    "therapeutic": _("sous traitement"),
    "pre": _("avant traitement"),
    "post": _("après traitement"),
    "endocrine": _("selon les hormones"),
    "pre-puberty": _("avant la puberté"),
    "follicular": _("phase folliculaire"),
    "midcycle": _("milieu de cycle"),
    "luteal": _("phase lutéale"),
    "postmenopausal": _("après la ménopause"),
}
_ORDINARY: Final = frozenset({"normal", "type"})
_WORDS: Final = re.compile(r"[^\W\d_]+")


def told(ranges: Any, say: Say = str) -> list[str]:
    """'3,5 mmol/L – 5 mmol/L, à jeun (femme, ≥ 65 ans)', each in its own line."""
    return [line for one in ranges or [] if (line := _one(one, say))]


def _one(usual: Tree, say: Say) -> str:
    span, text = values.span(usual), str(usual.get("text") or "")
    said = ", ".join(filter(None, (span, text if _adds(text, span) else "")))
    whose = [_meaning(usual.get("type"), say), *labels(usual.get("appliesTo")), timings.between(usual.get("age"), say)]
    whom = ", ".join(filter(None, whose))
    return f"{said} ({whom})" if said and whom else said


def _adds(text: str, span: str) -> bool:
    """Whether the text has a word that the limits have not: laboratories write '3.5-5.0 mmol/L' beside them."""
    return not span or any(word not in span for word in _WORDS.findall(text))


def _meaning(type_: Any, say: Say) -> str:
    known = codes(type_)
    word = next((_MEANT[code] for code in sorted(known) if code in _MEANT), "")
    return say(word) if word else "" if known & _ORDINARY else named(type_, say)
