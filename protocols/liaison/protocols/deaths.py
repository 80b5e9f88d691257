"""That a person has died, as their Patient says it, and the last day of a plan of theirs. Pure."""

from datetime import date
from typing import Any

from liaison.protocols.days import named_day

Tree = dict[str, Any]


def died(patient: Tree) -> bool:
    """R4 writes a moment that is not known as the element without its value."""
    return patient.get("deceasedBoolean") is True or bool({"deceasedDateTime", "_deceasedDateTime"} & set(patient))


def last_day(patient: Tree, plan: Tree, today: date) -> date:
    """The day of the death where the record names one, else today; never before the plan began, nor to come."""
    start = named_day((plan.get("period") or {}).get("start")) or date.min
    return min(max(named_day(patient.get("deceasedDateTime")) or today, start), today)
