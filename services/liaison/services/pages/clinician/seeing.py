"""« J'ai vu »: who has seen an alert, and the one line that goes back to the aide."""

from datetime import datetime
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from liaison.fhir.errors import NotFound
from liaison.protocols.alerts import Standing, acknowledge, level_of, standing
from liaison.services.pages.changing import change
from liaison.services.pages.clinician.alerts import patient_of
from liaison.services.pages.clinician.dossier import Unsent, show
from liaison.services.pages.clinician.place import own_place
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.marking import _
from liaison.services.pages.record import Record, Refused
from liaison.services.pages.signed_in import Me, address_of, signed_in

Tree = dict[str, Any]


MOST_LETTERS: Final = 160
_TOO_LONG: Final = _("La consigne est trop longue : {most} lettres au plus, ici {count}. Rien n'est encore envoyé.")


async def answer(request: Request) -> Response:
    """« J'ai vu »: the Task and the message to whoever raised it, in one transaction."""
    caller, me = await signed_in(request)
    record = Record(request.app.state.house.engine, caller, address_of(request))
    id_, task_id = request.path_params["id"], request.path_params["task"]
    task = await record.read(f"Task/{task_id}")
    if task is None or not level_of(task) or patient_of(task) != f"Patient/{id_}":
        raise NotFound
    instruction = str((await request.form()).get("instruction", "")).strip()
    if len(instruction) > MOST_LETTERS:
        gettext = translations(language_of(request)).gettext
        problem = gettext(_TOO_LONG).format(most=MOST_LETTERS, count=len(instruction))
        return await show(request, await own_place(request), Unsent(task_id, instruction, problem))
    try:
        first = await _see(record, task, me, instruction)
    except Refused as refused:
        if refused.answered != 412:
            raise
        # Somebody was faster by a moment; what they said stands, and this is said beside it.
        first = await _see(record, await record.read(f"Task/{task_id}") or task, me, instruction)
    already = "" if first else f"?deja-vue={task_id}"
    return RedirectResponse(f"/dossiers/{id_}{already}", status_code=303)


_ANSWER: Final = ("status", "businessStatus", "owner", "executionPeriod")


async def _see(record: Record, task: Tree, me: Me, instruction: str) -> bool:
    """Whether this was the first answer. An alert that was seen stays seen by whom and when it was; a further instruction
    is sent all the same."""
    before = standing(task, record.now())
    if before in (Standing.SEEN, Standing.CLOSED) and not instruction:
        return False
    answered = before in (Standing.SEEN, Standing.CLOSED)
    await record.transact(seen(task, me, record.now(), instruction, answered=answered))
    return not answered


def seen(task: Tree, me: Me, at: datetime, instruction: str, *, answered: bool) -> Tree:
    """The transaction of an acknowledgement; the Task's version is checked, so that two answers do not overwrite. What
    somebody has `answered` stands, beside the instruction."""
    by = {"reference": me.role_reference or me.person, "display": me.name}
    changed, messages = acknowledge(task, f"Task/{task['id']}", by, at, instruction)
    if answered:
        changed |= {name: task[name] for name in _ANSWER if name in task}
    entries: list[Tree] = [change(task, changed)]
    entries += [{"resource": one, "request": {"method": "POST", "url": "Communication"}} for one in messages]
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}
