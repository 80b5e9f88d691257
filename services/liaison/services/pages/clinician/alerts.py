"""Alerts on the clinicians' desk: who waits, how long, and what was answered (`seeing` is « J'ai vu »)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from liaison.protocols import codes
from liaison.protocols.alerts import LEVELS, Standing, is_undelivered, level_of, standing
from liaison.services.pages.marking import _
from liaison.services.pages.reading import moments, unread, visit_words
from liaison.services.pages.reading.concepts import Say, label
from liaison.services.pages.record import Record, Refused

Tree = dict[str, Any]


_LEVEL_WORDS: Final = {"RED": _("Urgent"), "ORANGE": _("Aujourd'hui"), "YELLOW": _("Sous trois jours")}
CODE: Final = ",".join(f"{codes.ALERT_LEVEL}|{level}" for level in LEVELS)
OPEN: Final = "requested,received,accepted,in-progress,on-hold"


@dataclass(frozen=True, slots=True)
class Told:
    """An alert as the page tells it."""

    id: str
    level: str
    level_label: str
    text: str
    notes: list[str]
    at: datetime | None
    by: str
    overdue: bool
    seen_by: str
    instruction: str
    undelivered: bool = False


async def open_alerts(record: Record) -> list[Tree]:
    """The alerts that nobody has seen yet, over every patient the caller sees."""
    return await _alerts(record, {"status": "requested,received"})


async def alerts_of(record: Record, patient: str) -> list[Tree]:
    """The alerts of one person that are not closed, newest first."""
    found = await _alerts(record, {"patient": patient, "status": OPEN})
    return sorted(found, key=lambda task: moments.happened(task) or moments.written(task), reverse=True)


async def _alerts(record: Record, query: dict[str, str]) -> list[Tree]:
    try:
        found = await record.search("Task", {"code": CODE, **query, "_count": "100"}, most=200)
    except Refused as refused:
        if refused.answered == 403:
            return []
        raise
    return [task for task in found if level_of(task)]


def patient_of(task: Tree) -> str:
    return str(task.get("for", {}).get("reference", ""))


def told(task: Tree, now: datetime, say: Say = str) -> Told:
    lines = [visit_words.alert(line, say) for line in str(task.get("description", "")).split("\n")]
    level = level_of(task)
    found = standing(task, now)
    outputs = [str(o["valueString"]) for o in task.get("output", []) if "valueString" in o]
    return Told(
        id=str(task["id"]),
        level=level.lower(),
        level_label=_LEVEL_WORDS.get(level, ""),
        text=unread.marked(task, lines[0] or label(task.get("code")), say),
        notes=lines[1:],
        at=moments.happened(task),
        by=str(task.get("requester", {}).get("display", "")),
        overdue=found is Standing.OVERDUE,
        seen_by=str(task.get("owner", {}).get("display", "")) if found is Standing.SEEN else "",
        instruction=outputs[-1] if outputs else "",
        undelivered=found is Standing.OVERDUE and is_undelivered(task),
    )


async def seen_before(record: Record, patient: str, task_id: str, say: Say = str) -> Told | None:
    """The alert to which an answer has just been given that was not the first; None for anything else."""
    task = await record.read(f"Task/{task_id}") if task_id else None
    if task is None or not level_of(task) or patient_of(task) != patient:
        return None
    found = standing(task, record.now())
    return told(task, record.now(), say) if found in (Standing.SEEN, Standing.CLOSED) else None
