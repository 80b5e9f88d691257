"""An objective in a line: whether it is reached, by when, how much. http://hl7.org/fhir/R4/goal.html"""

from typing import Any, Final

from liaison.services.pages.marking import _
from liaison.services.pages.reading import timings, values
from liaison.services.pages.reading.concepts import Say, codes, label

Tree = dict[str, Any]


# http://terminology.hl7.org/CodeSystem/goal-achievement
_REACHED: Final = {
    "in-progress": _("en cours"),
    "improving": _("en progrès"),
    "worsening": _("en recul"),
    "no-change": _("sans changement"),
    "achieved": _("atteint"),
    "sustaining": _("atteint et maintenu"),
    "not-achieved": _("non atteint"),
    "no-progress": _("sans progrès"),
    "not-attainable": _("hors d'atteinte"),
}


def told(goal: Tree, say: Say = str) -> str:
    """'Marcher, en progrès, 500 m, échéance : 03/2027'; '' where nothing has words."""
    targets = [words for one in goal.get("target", []) for words in _target(one, say)]
    return ", ".join(
        filter(None, (label(goal.get("description")), _reached(goal.get("achievementStatus"), say), *targets))
    )


def _reached(status: Any, say: Say) -> str:
    known = next((_REACHED[code] for code in sorted(codes(status)) if code in _REACHED), "")
    own = str(status.get("text") or "") if isinstance(status, dict) else ""
    return own or (say(known) if known else label(status).lower())


def _target(target: Tree, say: Say) -> list[str]:
    """How much, and by when."""
    detail = values.told({name.replace("detail", "value", 1): one for name, one in target.items()}, say)
    due = values.day(str(target.get("dueDate", ""))) or timings.whole(target.get("dueDuration"), say)
    return [detail, say(_("échéance : {day}")).format(day=due) if due else ""]
