"""The calendar of a plan: each step is due, late, done or excused, told from its Task alone and a day.

Late steps can always be completed, with their true date; a completion never moves the date it was due.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from typing import Any, Final

from liaison.protocols.carry_out import step_code
from liaison.protocols.days import named_day

Tree = dict[str, Any]

_SIGNERS: Final = ("Practitioner/", "Patient/", "RelatedPerson/", "Organization/")
_CLOSED: Final = frozenset({"completed", "cancelled", "rejected", "failed", "entered-in-error"})


class State(Enum):
    """DUE: still to come, or today. LATE: its day has passed. EXCUSED: will not be done, and why is known."""

    DUE = "à faire"
    LATE = "en retard"
    DONE = "fait"
    EXCUSED = "excusé"


@dataclass(frozen=True, slots=True)
class Entry:
    """One step on the calendar. `days` counts from the due day: negative is still to come, 0 when it is done."""

    task: Tree
    state: State
    due: date | None
    done: date | None
    days: int
    reason: str = ""

    @property
    def code(self) -> str:
        return step_code(self.task)

    @property
    def title(self) -> str:
        return str(self.task.get("description") or self.task.get("code", {}).get("text", ""))


def entry(task: Tree, on: date) -> Entry:
    """Where one Task stands on that day. Pure: the same in a page, a cohort and a test."""
    due = named_day(task.get("restriction", {}).get("period", {}).get("end"))
    status = task.get("status")
    if status == "completed":
        done = named_day(task.get("executionPeriod", {}).get("end")) or named_day(task.get("lastModified"))
        return Entry(task, State.DONE, due, done, 0)
    if status in _CLOSED:
        reason = task.get("statusReason", {})
        return Entry(task, State.EXCUSED, due, None, 0, str(reason.get("text", "")))
    if status == "on-hold":  # nobody is late with a plan that is suspended
        return Entry(task, State.EXCUSED, due, None, 0, str(task.get("statusReason", {}).get("text", "")))
    days = (on - due).days if due else 0
    return Entry(task, State.LATE if days > 0 else State.DUE, due, None, days)


def calendar(tasks: Iterable[Tree], on: date) -> list[Entry]:
    """The steps of a plan: late ones first, the longest late first, then those to come by date, then what is over."""
    order = {State.LATE: 0, State.DUE: 1, State.DONE: 2, State.EXCUSED: 3}
    return sorted(
        (entry(task, on) for task in tasks),
        key=lambda found: (order[found.state], found.due or date.max, found.title),
    )


def next_step(tasks: Iterable[Tree], on: date) -> Entry | None:
    """What to do next: the first late or due step, None when nothing is left."""
    return next((found for found in calendar(tasks, on) if found.state in (State.LATE, State.DUE)), None)


def complete(task: Tree, done: date, by: Tree, at: datetime, note: str = "") -> Tree:
    """The Task, done on its true day by that person; `at` is when it was recorded."""
    changed = {
        **task,
        "status": "completed",
        "executionPeriod": {"start": done.isoformat(), "end": done.isoformat()},
        "lastModified": at.isoformat(timespec="seconds"),
        "owner": by,
    }
    changed.pop("statusReason", None)
    return _noted(changed, note, by, at)


def excuse(task: Tree, reason: str, by: Tree, at: datetime) -> Tree:
    """The Task will not be done, for a reason in words. ValueError without a reason."""
    if not reason.strip():
        raise ValueError("a step is excused only with a reason")
    changed = {
        **task,
        "status": "cancelled",
        "statusReason": {"text": reason.strip()},
        "lastModified": at.isoformat(timespec="seconds"),
    }
    return _noted(changed, "", by, at)


def reschedule(task: Tree, due: date, reason: str, by: Tree, at: datetime) -> Tree:
    """The Task with another due day; the note keeps the day it was and why it moved."""
    before = task.get("restriction", {}).get("period", {})
    restriction = {**task.get("restriction", {}), "period": {**before, "end": due.isoformat()}}
    changed = {**task, "restriction": restriction, "lastModified": at.isoformat(timespec="seconds")}
    was = before.get("end", "sans date")
    return _noted(changed, f"Reporté du {was} au {due.isoformat()}. {reason}".strip(), by, at)


def assign(task: Tree, owner: Tree, by: Tree, at: datetime) -> Tree:
    """The Task, to be done by `owner`; the note keeps who was to do it before."""
    was = str((task.get("owner") or {}).get("display") or "sans nom")
    changed = {**task, "owner": owner, "lastModified": at.isoformat(timespec="seconds")}
    return _noted(changed, f"Confié à {owner.get('display', 'un membre de l’équipe')}. Avant : {was}.", by, at)


def _noted(task: Tree, text: str, by: Tree, at: datetime) -> Tree:
    if not text:
        return task
    return {**task, "note": [*task.get("note", ()), annotation(text, by, at)]}


def annotation(text: str, by: Tree, at: datetime) -> Tree:
    """An Annotation. R4 lets a Practitioner sign one but not a PractitionerRole: that one signs by name."""
    note: Tree = {"time": at.isoformat(timespec="seconds"), "text": text}
    if str(by.get("reference", "")).startswith(_SIGNERS):
        note["authorReference"] = by
    elif "display" in by:
        note["authorString"] = by["display"]
    return note
