"""A plan that is suspended, resumed, ended with a reason, or taken up again; its steps follow. Pure: trees in, (before, after) out.

Steps of a suspended plan are on hold: nobody is late with them. Resumed, they are due as much later as it was suspended. Of a plan
that has ended, what was done stays; what was not is set aside, for the same reason. Where that reason was a mistake, it is taken up
again: what was set aside with it is to be done once more, on the days it had. Deviations are recorded, never blocked.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final

from liaison.protocols import codes
from liaison.protocols.calendar import annotation, entry, excuse
from liaison.protocols.days import named_day
from liaison.protocols.workdays import next_working
from liaison.protocols.workshops import is_reached

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
_PURSUED: Final = frozenset({"proposed", "planned", "accepted", "active", "on-hold"})
"""The states of a Goal that may still be reached."""
_PLAN_ENDED: Final = "Plan terminé : "


class NotNow(ValueError):
    """The plan is not in a state in which this can be done. The text says which."""


def suspend(plan: Tree, tasks: Sequence[Tree], why: str, by: Tree, at: datetime) -> Changes:
    """From today. Raises NotNow, ValueError without a reason."""
    _be(plan, "active")
    told = f"Suspendu : {_said(why)}"
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
    told = f"Repris après {later.days} jour{'s' * (later.days > 1)}." if later.days else "Repris le jour même."
    after = {**_noted(plan, told, by, at), "status": "active"}
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
    because = reason(code, _said(why) if code == "other" else why.strip())
    ended = {**plan.get("period", {}), "end": on.isoformat()}
    status = "completed" if code == "reached" else "revoked"
    after = {**_noted(plan, f"Terminé : {because['text']}", by, at), "status": status, "period": ended}
    told = {"url": codes.ENDED_FOR, "valueCoding": because["coding"][0]}
    after["extension"] = [*plan.get("extension", ()), told]
    return [
        (plan, after),
        *((one, set_aside(one, because, by, at)) for one in tasks if one.get("status") in _OPEN | {_HELD}),
    ]


def reason(code: str, words: str = "") -> Tree:
    """A CodeableConcept of REASONS."""
    coding = {"system": codes.PLAN_END, "code": code, "display": REASONS[code]}
    return {"coding": [coding], "text": f"{REASONS[code]} : {words}" if words else REASONS[code]}


def set_aside(task: Tree, why: Tree, by: Tree, at: datetime) -> Tree:
    """A Task that will not be done, for this reason."""
    return {**excuse(task, str(why["text"]), by, at), "statusReason": why}


def ended_for(plan: Tree) -> str:
    """The code of REASONS for which the plan has ended, '' for one that has not, or not by `end`."""
    told = (one.get("valueCoding") or {} for one in plan.get("extension", ()) if one.get("url") == codes.ENDED_FOR)
    return next((str(one.get("code", "")) for one in told), "")


def take_up(plan: Tree, tasks: Sequence[Tree], by: Tree, at: datetime) -> Changes:
    """As it was before `end`: in force, or suspended. Each step that was set aside with it keeps its day, however late that is now.
    Raises NotNow."""
    if not (code := ended_for(plan)):
        raise NotNow("the plan has not been ended with a reason")
    left = [one for one in plan["extension"] if one.get("url") != codes.ENDED_FOR]
    held = any(one.get("url") == codes.SUSPENDED for one in left)
    told = f"Repris : ce n'était pas la fin ({REASONS.get(code, code)})."
    period = {name: value for name, value in plan.get("period", {}).items() if name != "end"}
    after = {**_noted(plan, told, by, at), "status": _HELD if held else "active", "extension": left, "period": period}
    changes = [(plan, {name: value for name, value in after.items() if value not in ([], {})})]
    for one in tasks:
        if one.get("status") == "cancelled" and _is_of_the_end(one):
            open_ = {name: value for name, value in _touched(one, at).items() if name != "statusReason"}
            status = {"status": _HELD, "statusReason": {"text": "Suspendu"}} if held else {"status": "requested"}
            changes.append((one, {**open_, **status}))
    return changes


def goals(plan: Tree, stated: Sequence[Tree]) -> Changes:
    """What becomes of the goals of a plan that has been ended, or taken up again. Of one that has ended nobody pursues a goal any
    more: what was reached is completed, all of it where that is why it ended, and the rest cancelled. A goal that was over by then is
    left alone; so each that the end has changed is again what it was."""
    if code := ended_for(plan):
        return [(one, _over(one, code)) for one in stated if one.get("lifecycleStatus") in _PURSUED]
    return [(one, _again(one)) for one in stated if _before_end(one)]


def dropped(stated: Sequence[Tree], why: str) -> Changes:
    """Goals that nothing pursues any more, though no plan has ended: what was reached is completed, the rest cancelled."""
    return [(one, _closed(one, why, all_=False)) for one in stated if one.get("lifecycleStatus") in _PURSUED]


def _over(goal: Tree, code: str) -> Tree:
    was = {"url": codes.BEFORE_END, "valueCode": goal["lifecycleStatus"]}
    after = _closed(goal, f"{_PLAN_ENDED}{REASONS[code]}", all_=code == "reached")
    return {**after, "extension": [*goal.get("extension", ()), was]}


def _closed(goal: Tree, why: str, *, all_: bool) -> Tree:
    status = "completed" if all_ or is_reached(goal) else "cancelled"
    return {**goal, "lifecycleStatus": status, "statusReason": goal.get("statusReason") or why}


def _again(goal: Tree) -> Tree:
    left = [one for one in goal["extension"] if one.get("url") != codes.BEFORE_END]
    after = {**goal, "lifecycleStatus": _before_end(goal), "extension": left}
    if str(after.get("statusReason", "")).startswith(_PLAN_ENDED):
        del after["statusReason"]
    return {name: value for name, value in after.items() if value != []}


def _before_end(goal: Tree) -> str:
    told = (one.get("valueCode") for one in goal.get("extension", ()) if one.get("url") == codes.BEFORE_END)
    return next((str(one) for one in told), "")


def _is_of_the_end(task: Tree) -> bool:
    return any(one.get("system") == codes.PLAN_END for one in (task.get("statusReason") or {}).get("coding", ()))


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
