"""A problem of health in a line: where, how grave, at which stage, since when and until when.

http://hl7.org/fhir/R4/condition.html
"""

from typing import Any, Final

from liaison.services.pages.marking import _
from liaison.services.pages.reading import none_known, timings, values
from liaison.services.pages.reading.concepts import Say, codes, label, labels, named

Tree = dict[str, Any]


KIND: Final = _("Problème de santé")
# http://hl7.org/fhir/R4/valueset-condition-severity.html
_GRAVE: Final = {"24484000": _("sévère"), "6736007": _("modérée"), "255604002": _("légère")}


def told(condition: Tree, say: Say = str) -> str:
    """'Arthrose, genou gauche, gravité : sévère, stade III, début : 03/2019'; '' where nothing has words."""
    code = condition.get("code")
    more = [*labels(condition.get("bodySite")), _severity(condition, say), *_stages(condition, say)]
    more += [
        _moment(condition, "onset", say(_("début : {day}")), say),
        _moment(condition, "abatement", say(_("fin : {day}")), say),
    ]
    more = list(filter(None, more))
    name = none_known.told(code, say) or label(code) or (say(KIND) if more else "")
    return ", ".join(filter(None, (name, *more)))


def _severity(condition: Tree, say: Say) -> str:
    severity = condition.get("severity")
    known = next((say(_GRAVE[code]) for code in sorted(codes(severity)) if code in _GRAVE), "")
    words = known or named(severity, say)
    if isinstance(severity, dict) and severity.get("text"):
        words = str(severity["text"])
    return say(_("gravité : {how}")).format(how=words) if words else ""


def _stages(condition: Tree, say: Say) -> list[str]:
    found = [words for one in condition.get("stage", []) if (words := named(one.get("summary"), say))]
    stage = say(_("stade"))
    return [words if stage in words.casefold() else f"{stage} {words}" for words in found]


def _moment(condition: Tree, name: str, said: str, say: Say) -> str:
    """onset[x] or abatement[x], whatever it is told by."""
    moment = values.day(str(condition.get(f"{name}DateTime", ""))) or str(condition.get(f"{name}String", ""))
    moment = moment or timings.whole(condition.get(f"{name}Age"), say)
    moment = (
        moment
        or timings.between(condition.get(f"{name}Range"), say)
        or values.period(condition.get(f"{name}Period"), say)
    )
    return said.format(day=moment) if moment else ""
