"""Alerts on the clinicians' desk: who waits, « J'ai vu », and the one line that goes back to the aide."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from liaison.fhir.errors import BadRequest, NotFound
from liaison.protocols import codes
from liaison.protocols.alerts import LEVELS, Standing, acknowledge, level_of, standing
from liaison.services.pages.reading import moments, unread, visit_words
from liaison.services.pages.reading.concepts import Say, label
from liaison.services.pages.record import Record, Refused
from liaison.services.pages.signed_in import Me, address_of, signed_in

Tree = dict[str, Any]


def _(text: str) -> str:
    """Marks a string for the catalogue; it is translated when it is shown."""
    return text


MOST_LETTERS: Final = 160
_LEVEL_WORDS: Final = {"RED": _("Urgent"), "ORANGE": _("Aujourd'hui"), "YELLOW": _("Sous trois jours")}
_CODE: Final = ",".join(f"{codes.ALERT_LEVEL}|{level}" for level in LEVELS)
_OPEN: Final = "requested,received,accepted,in-progress,on-hold"


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


async def open_alerts(record: Record) -> list[Tree]:
    """The alerts that nobody has seen yet, over every patient the caller sees."""
    return await _alerts(record, {"status": "requested,received"})


async def alerts_of(record: Record, patient: str) -> list[Tree]:
    """The alerts of one person that are not closed, newest first."""
    found = await _alerts(record, {"patient": patient, "status": _OPEN})
    return sorted(found, key=lambda task: moments.happened(task) or moments.written(task), reverse=True)


async def _alerts(record: Record, query: dict[str, str]) -> list[Tree]:
    try:
        found = await record.search("Task", {"code": _CODE, **query, "_count": "100"}, most=200)
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
    )


async def answer(request: Request) -> Response:
    """« J'ai vu »: the Task and the message to whoever raised it, in one transaction."""
    caller, me = await signed_in(request)
    record = Record(request.app.state.house.engine, caller, address_of(request))
    id_, task_id = request.path_params["id"], request.path_params["task"]
    task = await record.read(f"Task/{task_id}")
    if task is None or not level_of(task) or patient_of(task) != f"Patient/{id_}":
        raise NotFound
    instruction = str((await request.form()).get("instruction", ""))
    if len(instruction) > MOST_LETTERS:
        raise BadRequest(f"The instruction is longer than {MOST_LETTERS} characters.")
    try:
        await _see(record, task, me, instruction)
    except Refused as refused:
        if refused.answered != 412:
            raise
        # Somebody was faster by a moment; what they said stands, and this is said beside it.
        await _see(record, await record.read(f"Task/{task_id}") or task, me, instruction)
    return RedirectResponse(f"/dossiers/{id_}", status_code=303)


async def _see(record: Record, task: Tree, me: Me, instruction: str) -> None:
    """An alert that was seen stays seen by whom and when it was; a further instruction is sent all the same."""
    before = standing(task, record.now())
    if before in (Standing.SEEN, Standing.CLOSED) and not instruction.strip():
        return
    bundle = seen(task, me, record.now(), instruction)
    if before in (Standing.SEEN, Standing.CLOSED):
        kept = ("status", "businessStatus", "owner", "executionPeriod")
        changed = bundle["entry"][0]["resource"]
        bundle["entry"][0]["resource"] = {**changed, **{name: task[name] for name in kept if name in task}}
    await record.transact(bundle)


def seen(task: Tree, me: Me, at: datetime, instruction: str) -> Tree:
    """The transaction of an acknowledgement; the Task's version is checked, so that two answers do not overwrite."""
    by = {"reference": me.role_reference or me.person, "display": me.name}
    changed, message = acknowledge(task, f"Task/{task['id']}", by, at, instruction)
    version = f'W/"{task["meta"]["versionId"]}"'
    entries: list[Tree] = [
        {"resource": changed, "request": {"method": "PUT", "url": f"Task/{task['id']}", "ifMatch": version}}
    ]
    if message is not None:
        entries.append({"resource": message, "request": {"method": "POST", "url": "Communication"}})
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}
