"""One step: done on its true date (even long past), moved with a reason, set aside with a reason, or given to somebody to do."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from liaison.fhir.errors import NotFound
from liaison.protocols.calendar import assign, complete, entry, excuse, reschedule
from liaison.protocols.carry_out import step_code
from liaison.services.pages import clock
from liaison.services.pages.clinician.dossier import patient_or_404
from liaison.services.pages.coordination.assigning import choices
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.layout import render
from liaison.services.pages.marking import _
from liaison.services.pages.reading.identity import identity
from liaison.services.pages.record import Record, Refused
from liaison.services.pages.role_names import COORDINATORS
from liaison.services.pages.signed_in import Me, address_of, signed_in

Tree = dict[str, Any]


_CHANGED: Final = _(
    "Quelqu'un a modifié cette étape entre-temps : voici ce qu'il en est. Vérifiez, puis enregistrez de nouveau."
)


async def step(request: Request) -> Response:
    caller, me = await signed_in(request)
    record = Record(request.app.state.house.engine, caller, address_of(request))
    task = await record.read(f"Task/{request.path_params['task']}")
    if task is None or not step_code(task):
        raise NotFound
    if request.method == "POST":
        form = {name: str(value) for name, value in (await request.form()).items()}
        gettext = translations(language_of(request)).gettext
        if form.get("version") != task["meta"]["versionId"]:
            return await _show(request, record, task, gettext(_CHANGED), 409, form)
        try:
            people = await choices(record, task) if form.get("action") == "assign" else []
            owner = next((one for one in people if one["reference"] == form.get("owner")), None)
            await record.update(changed(task, form, me, record.now(), owner))
        except ValueError as error:
            return await _show(request, record, task, gettext(str(error)), 400, form)
        except Refused as refused:
            if refused.answered != 412:
                raise
            task = await record.read(f"Task/{task['id']}") or task
            return await _show(request, record, task, gettext(_CHANGED), 409, form)
        whose = str(task["for"]["reference"]).partition("/")[2]
        from_plan = form.get("retour") == "plan" or me.role_code not in COORDINATORS
        return RedirectResponse(f"/dossiers/{whose}/plan" if from_plan else "/cohorte", status_code=303)
    return await _show(request, record, task)


def changed(task: Tree, form: dict[str, str], me: Me, now: datetime, owner: Tree | None = None) -> Tree:
    """The Task as the form asks; `owner` is to do it from now on. Raises ValueError, in words for the page, where something is
    missing."""
    by = {"reference": me.role_reference or me.person, "display": me.name}
    if form.get("action") == "assign":
        if owner is None:
            raise ValueError(_("Choisissez qui s'en charge."))
        return assign(task, owner, by, now)
    reason = form.get("reason", "").strip()
    try:
        day = date.fromisoformat(form.get("day", "")) if form.get("action") != "excuse" else now.date()
    except ValueError as error:
        raise ValueError(_("La date manque.")) from error
    match form.get("action"):
        case "done":
            if day > now.date():
                raise ValueError(_("La date est dans le futur."))
            return complete(task, day, by, now, reason)
        case "move":
            if not reason:
                raise ValueError(_("Un motif est nécessaire."))
            return reschedule(task, day, reason, by, now)
        case "excuse":
            if not reason:
                raise ValueError(_("Un motif est nécessaire."))
            return excuse(task, reason, by, now)
    raise ValueError(_("Choisissez ce qui s'est passé."))


async def _show(
    request: Request,
    record: Record,
    task: Tree,
    error: str = "",
    status: int = 200,
    given: Mapping[str, str] | None = None,
) -> Response:
    today = clock.now(request).date()
    people = await choices(record, task)
    patient = await patient_or_404(record, str(task["for"]["reference"]).partition("/")[2])
    return render(
        request,
        "coordination/step.html",
        status=status,
        task=task,
        step=entry(task, today),
        patient=patient,
        who=identity(patient),
        today=today,
        people=[(str(one["reference"]), str(one.get("display", ""))) for one in people],
        error=error,
        given=given or {},
        back=str((given or request.query_params).get("retour", "")),
    )
