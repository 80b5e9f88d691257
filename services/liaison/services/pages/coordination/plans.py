"""One plan: moved to the version of its protocol that is in force, brought to the class that its person is of now, suspended, resumed,
ended with a reason."""

from datetime import date
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from liaison.fhir.errors import NotFound
from liaison.protocols import ending
from liaison.protocols.days import named_day
from liaison.protocols.moving import Move
from liaison.protocols.regrouping import known
from liaison.services import following
from liaison.services.pages.clinician.dossier import patient_or_404
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.layout import render
from liaison.services.pages.marking import _
from liaison.services.pages.reading.identity import identity
from liaison.services.pages.reading.punctuation import colon
from liaison.services.pages.record import Record, Refused
from liaison.services.pages.signed_in import Me, address_of, signed_in

Tree = dict[str, Any]

REASONS: Final = {
    "reached": _("Objectifs atteints"),
    "wish": _("Souhait de la personne"),
    "moved": _("Déménagement"),
    "died": _("Décès"),
    "other": _("Autre motif"),
}
_CHANGED: Final = _("Le plan a changé entre-temps : voici ce qu'il en est. Vérifiez, puis confirmez de nouveau.")
_NOT_NOW: Final = _("Ce n'est pas possible dans l'état où est ce plan.")
_LACKS: Final = _("Un motif est nécessaire, et une date qui n'est pas dans le futur.")


async def plan(request: Request) -> Response:
    caller, me = await signed_in(request)
    record = Record(request.app.state.house.engine, caller, address_of(request))
    tree = await record.read(f"CarePlan/{request.path_params['plan']}")
    if tree is None or not following.protocol_of(tree)[0]:
        raise NotFound
    if request.method == "POST":
        form = {name: str(value) for name, value in (await request.form()).items()}
        problem, status = await _act(record, tree, form, me)
        if not problem:
            id_ = str(tree["subject"]["reference"]).partition("/")[2]
            return RedirectResponse(f"/dossiers/{id_}/plan", status_code=303)
        tree = await record.read(f"CarePlan/{tree['id']}") or tree
        gettext = translations(language_of(request)).gettext
        return await _show(request, record, tree, gettext(problem), status, form)
    return await _show(request, record, tree)


async def _act(record: Record, tree: Tree, form: dict[str, str], me: Me) -> tuple[str, int]:
    """What keeps it from being done, in words, and the status; ('', 0) when it is done."""
    by = {"reference": me.role_reference or me.person, "display": me.name}
    now, why = record.now(), form.get("reason", "")
    try:
        if form.get("act") == "move":
            made = await following.proposed(record, tree, "", now.date())
            await following.carry_through(record, made, form.get("confirm", ""), by, now)
            return "", 0
        if form.get("version") != tree["meta"]["versionId"]:
            return _CHANGED, 409
        tasks = await following.steps_of(record, tree)
        match form.get("act"):
            case "suspend":
                changes = ending.suspend(tree, tasks, why, by, now)
            case "resume":
                changes = await following.resumed(record, tree, tasks, by, now)
            case _:
                on = date.fromisoformat(form.get("day", ""))
                changes = ending.end(tree, tasks, form.get("code", ""), why, on, by, now)
        await following.write(record, changes, by, now)
    except following.Changed:
        return _CHANGED, 409
    except (ending.NotNow, following.NoSuchVersion):
        return _NOT_NOW, 409
    except ValueError:
        return _LACKS, 400
    except Refused as refused:
        if refused.answered != 412:
            raise
        return _CHANGED, 409
    return "", 0


async def _show(
    request: Request,
    record: Record,
    tree: Tree,
    error: str = "",
    status: int = 200,
    given: dict[str, str] | None = None,
) -> Response:
    today, gettext = record.now().date(), translations(language_of(request)).gettext
    patient = await patient_or_404(record, str(tree["subject"]["reference"]).partition("/")[2])
    made = await _to_come(record, tree, today)
    follows = following.protocol_of(tree)[1]
    to = str(made.proposal.plan["version"]) if made is not None else follows
    return render(
        request,
        "coordination/plan.html",
        status=status,
        plan=tree,
        follows=follows,
        version=to if to != follows else "",
        move=made,
        classes=[
            colon(gettext, words, str(made.proposal.variables[name])) for name, words in known(made.proposal).items()
        ]
        if made
        else [],
        reasons=REASONS,
        ended_on=named_day((tree.get("period") or {}).get("end")),
        ended_for=gettext(REASONS.get(ending.ended_for(tree), "")),
        patient=patient,
        who=identity(patient),
        today=today,
        error=error,
        given=given or {},
    )


async def _to_come(record: Record, tree: Tree, today: date) -> Move | None:
    """What becomes of the plan in the version in force, or in its own for somebody whose class has changed; None where it is as it is to be."""
    try:
        return await following.proposed(record, tree, "", today)
    except following.NoSuchVersion:
        return None
