"""A plan that is suspended, resumed, or ended with a reason; its steps follow. Pure: trees in, (before, after) out.

Steps of a suspended plan are on hold: nobody is late with them. Resumed, they are due as much later as it was suspended. Of a plan
that has ended, what was done stays; what was not is set aside, for the same reason. Deviations are recorded, never blocked.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final

from liaison.protocols import codes
from liaison.protocols.calendar import annotation, entry, excuse
from liaison.protocols.days import named_day
from liaison.protocols.workdays import next_working

Tree = dict[str, Any]
Changes = list[tuple[Tree, Tree]]

REASONS: Final = {
    "reached": "Objectifs atteints",
    "wish": "Souhait de la personne",
    "moved": "Déménagement",
    "died": "Décès",
    "other": "Autre motif",
}
"""Of codes.PLAN_END. French: it is what the record says."""
_OPEN: Final = frozenset({"draft", "requested", "received", "accepted", "ready", "in-progress"})
_HELD: Final = "on-hold"


class NotNow(ValueError):
    """The plan is not in a state in which this can be done. The text says which."""


def suspend(plan: Tree, tasks: Sequence[Tree], why: str, by: Tree, at: datetime) -> Changes:
    """From today. Raises NotNow, ValueError without a reason."""
    _be(plan, "active")
    reason = _said(why)
    told = f"Suspendu : {reason}"
    held = {"url": codes.SUSPENDED, "valueDate": at.date().isoformat()}
    after = {**_noted(plan, told, by, at), "status": _HELD, "extension": [*plan.get("extension", ()), held]}
    return [
        (plan, after),
        *((one, {**_touched(one, at), "status": _HELD, "statusReason": {"text": told}}) for one in _open(tasks)),
    ]


def resume(plan: Tree, tasks: Sequence[Tree], by: Tree, at: datetime) -> Changes:
    """From today; what was to come is later by as many days as it was suspended. Raises NotNow."""
    _be(plan, _HELD)
    since = next((one.get("valueDate") for one in plan.get("extension", ()) if one.get("url") == codes.SUSPENDED), None)
    later = at.date() - (named_day(since) or at.date())
    after = {**_noted(plan, f"Repris après {later.days} jours.", by, at), "status": "active"}
    after["extension"] = [one for one in plan.get("extension", ()) if one.get("url") != codes.SUSPENDED]
    if not after["extension"]:
        del after["extension"]
    return [(plan, after), *((one, _later(one, later, at)) for one in tasks if one.get("status") == _HELD)]


def end(plan: Tree, tasks: Sequence[Tree], code: str, why: str, on: date, by: Tree, at: datetime) -> Changes:
    """On that day, which may be long past. Raises NotNow; ValueError for an unknown code, a day to come, or 'other' without
    words."""
    _be(plan, "active", _HELD)
    if code not in REASONS:
        raise ValueError(f"the reason is one of {', '.join(REASONS)}")
    if on > at.date():
        raise ValueError("a plan does not end on a day to come")
    words = _said(why) if code == "other" else why.strip()
    told = f"{REASONS[code]} : {words}" if words else REASONS[code]
    ended = {**plan.get("period", {}), "end": on.isoformat()}
    status = "completed" if code == "reached" else "revoked"
    after = {**_noted(plan, f"Terminé : {told}", by, at), "status": status, "period": ended}
    reason = {"coding": [{"system": codes.PLAN_END, "code": code, "display": REASONS[code]}], "text": told}
    return [
        (plan, after),
        *(
            (one, {**excuse(one, told, by, at), "statusReason": reason})
            for one in tasks
            if one.get("status") in _OPEN | {_HELD}
        ),
    ]


def _be(plan: Tree, *statuses: str) -> None:
    if plan.get("status") not in statuses:
        raise NotNow(f"the plan is {plan.get('status')}, not {' or '.join(statuses)}")


def _said(why: str) -> str:
    if not why.strip():
        raise ValueError("a reason is needed, in words")
    return why.strip()


def _open(tasks: Sequence[Tree]) -> list[Tree]:
    return [one for one in tasks if one.get("status") in _OPEN]


def _touched(tree: Tree, at: datetime) -> Tree:
    return {**tree, "lastModified": at.isoformat(timespec="seconds")}


def _noted(plan: Tree, text: str, by: Tree, at: datetime) -> Tree:
    return {**plan, "note": [*plan.get("note", ()), annotation(text, by, at)]}


def _later(task: Tree, later: timedelta, at: datetime) -> Tree:
    after = {**_touched(task, at), "status": "requested"}
    after.pop("statusReason", None)
    if (due := entry(task, at.date()).due) is not None:
        restriction = task.get("restriction", {})
        period = {**restriction.get("period", {}), "end": next_working(due + later).isoformat()}
        after["restriction"] = {**restriction, "period": period}
    return after
