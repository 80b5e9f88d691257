"""The elements of a protocol in words: intervals, what a step follows, who does it, thresholds."""

from typing import Any, Final

from liaison.protocols import codes
from liaison.protocols.library.source import Tree

_UNITS: Final = {
    "min": ("minute", "minutes"),
    "h": ("heure", "heures"),
    "d": ("jour", "jours"),
    "wk": ("semaine", "semaines"),
    "mo": ("mois", "mois"),
    "a": ("an", "ans"),
}
_EACH: Final = {"d": "chaque jour", "wk": "chaque semaine", "mo": "chaque mois", "a": "chaque année"}
_RELATIONS: Final = {"before": "avant", "after": "après", "concurrent": "en même temps que"}


def duration(value: Any, unit: str) -> str:
    """'6 mois'; the unit as it is written where it is none of time."""
    one, several = _UNITS.get(unit, (unit, unit))
    return f"{value} {one if value == 1 else several}"


def interval(action: Tree) -> str:
    """'tous les 6 mois', 'à 30 jours', '14 jours après « programme »'; '' for an action without a date of its own."""
    if related := action.get("relatedAction"):
        return " et ".join(_related(one) for one in related)
    if timing := action.get("timingTiming"):
        return _repeat(timing.get("repeat", {}), action)
    if length := action.get("timingDuration"):
        return f"à {_duration(length)}"
    return str(action.get("timingDateTime") or "")


def people(activity: Tree | None) -> str:
    """Who does it, from the first choice to the last."""
    roles = [one.get("role", {}) for one in (activity or {}).get("participant", ())]
    named = [str(role.get("text") or role.get("coding", [{}])[0].get("code", "")) for role in roles]
    return ", sinon ".join(name for name in named if name)


def conditions(action: Tree) -> str:
    """The expressions by which it applies, starts or stops, as they are written."""
    return " ; ".join(str(one.get("expression", {}).get("expression", "")) for one in action.get("condition", ()))


def targets(goal: Tree) -> str:
    """What a goal aims at: measures, values and delays."""
    return " ; ".join(_target(one) for one in goal.get("target", ()))


def named(concept: Tree) -> str:
    """A CodeableConcept: its words, else those of its first coding, else its code."""
    coding: Tree = next(iter(concept.get("coding", ())), {})
    return str(concept.get("text") or coding.get("display") or coding.get("code", ""))


def _related(related: Tree) -> str:
    relation = _RELATIONS.get(str(related.get("relationship", "")).partition("-")[0], "")
    offset = related.get("offsetDuration")
    words = f"{_duration(offset)} {relation}" if offset else relation
    return f"{words} « {related.get('actionId', '')} »"


def _repeat(repeat: Tree, action: Tree) -> str:
    season = next((one for one in action.get("extension", ()) if one.get("url") == codes.SEASON), None)
    if season:
        return f"chaque année à partir du {season.get('valueString')}"
    period, unit = repeat.get("period", 1), str(repeat.get("periodUnit", "mo"))
    words = _EACH[unit] if period == 1 and unit in _EACH else f"tous les {duration(period, unit)}"
    return f"{words}, {repeat['count']} fois" if "count" in repeat else words


def _duration(length: Tree) -> str:
    return duration(length.get("value", 0), str(length.get("code", "d")))


def _target(target: Tree) -> str:
    aim = target.get("detailQuantity") or target.get("detailRange") or target.get("detailCodeableConcept") or {}
    words = str(aim.get("text") or " ".join(str(aim[name]) for name in ("comparator", "value", "unit") if name in aim))
    if not words and aim:
        words = " à ".join(str(aim[end]["value"]) for end in ("low", "high") if end in aim)
    due = target.get("due")
    told = (named(target.get("measure", {})), words, f"en {_duration(due)}" if due else "")
    return " ".join(one for one in told if one)
