"""What a CarePlan says is to be done, and what it says is not. http://hl7.org/fhir/R4/careplan.html"""

from typing import Any

from liaison.services.pages.marking import _
from liaison.services.pages.reading import orders, rows, timings, values
from liaison.services.pages.reading.concepts import Say, named
from liaison.services.pages.reading.punctuation import colon
from liaison.services.pages.reading.states import in_error

Tree = dict[str, Any]


def told(plan: Tree, say: Say = str) -> list[str]:
    """Each activity in a line, with its state where that is not the ordinary one; what must not be done is said first.
    What was entered in error is left out, and what has no words."""
    return [line for detail in _details(plan) if (line := _line(detail, say))]


def _details(plan: Tree) -> list[Tree]:
    found = [one.get("detail") for one in plan.get("activity", []) if isinstance(one, dict)]
    kept = [one for one in found if isinstance(one, dict) and not in_error(one)]
    return sorted(kept, key=lambda one: one.get("doNotPerform") is not True)


def _line(detail: Tree, say: Say) -> str:
    words = str(detail.get("description") or "") or named(detail.get("code"), say)
    if not words:
        return ""
    if detail.get("doNotPerform") is True:
        words = colon(say, say(orders.NEVER), words)
    return rows.framed(detail, ", ".join([words, *_amounts(detail, say)]), say)


def _amounts(detail: Tree, say: Say) -> list[str]:
    """What of, how much and when, where it is said apart from the words."""
    daily = values.quantity(detail.get("dailyAmount"))
    found = [
        named(detail.get("productCodeableConcept"), say),
        values.quantity(detail.get("quantity")),
        say(_("{dose} par jour")).format(dose=daily) if daily else "",
        str(detail.get("scheduledString") or ""),
        values.period(detail.get("scheduledPeriod"), say),
        *timings.told(detail.get("scheduledTiming"), say),
    ]
    return [one for one in found if one]
