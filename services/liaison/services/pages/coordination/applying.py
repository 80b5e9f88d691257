"""Aperçu du plan, then Appliquer: what the protocol would do for this person and this team, before anything is written."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from liaison.fhir.errors import NotFound
from liaison.protocols.apply import Question, questions
from liaison.protocols.choosing import choices
from liaison.protocols.proposal import CannotApply
from liaison.protocols.sources import sources
from liaison.services.applying import (
    AlreadyInForce,
    in_force,
    library,
    proposal,
    protocols,
    undecided,
    write,
)
from liaison.services.pages import clock
from liaison.services.pages.clinician.dossier import found, patient_or_404
from liaison.services.pages.layout import render
from liaison.services.pages.reading.identity import identity
from liaison.services.pages.record import Record
from liaison.services.pages.signed_in import Me, address_of, signed_in

DOCTORS: Final = frozenset({"gp", "specialist", "substitute"})


async def apply(request: Request) -> Response:
    caller, me = await signed_in(request)
    record = Record(request.app.state.house.engine, caller, address_of(request))
    id_ = request.path_params["id"]
    patient = await patient_or_404(record, id_)
    now = clock.now(request)
    definitions = {str(tree["url"]): tree for tree in await protocols(record)}
    posted = (await request.form()) if request.method == "POST" else request.query_params
    chosen = str(posted.get("protocole", ""))
    known = await library(record)
    off = await undecided(record, known.tree(chosen)) if chosen in definitions else frozenset()
    asked = questions(known.tree(chosen), off) if off else ()
    if request.method == "POST" and posted.get("act") == "state":
        return await _state(request, record, me, asked, posted, chosen)
    picked, problem, made = [str(one) for one in posted.getlist("choix")], "", None
    if chosen in definitions:
        try:
            made = await proposal(record, f"Patient/{id_}", chosen, now.date(), chosen=picked)
        except CannotApply as error:
            problem = str(error)
    already = await in_force(record, f"Patient/{id_}", chosen) if made is not None else []
    insisted = posted.get("encore") == "1"
    if request.method == "POST" and made is not None and not made.open and (insisted or not already):
        teams = await found(record, "CareTeam", {"patient": f"Patient/{id_}", "status": "active"})
        author = {"reference": me.role_reference or me.person, "display": me.name}
        try:
            await write(record, made, author, now, [f"CareTeam/{team['id']}" for team in teams[:1]], again=insisted)
            return RedirectResponse(f"/dossiers/{id_}/plan", status_code=303)
        except AlreadyInForce as sooner:  # a second touch of the same button, or a colleague
            already = sooner.plans
    return render(
        request,
        "coordination/apply.html",
        status=200 if request.method == "GET" else 409 if already else 400,
        already=already,
        unasked=request.method == "POST" and bool(already),
        patient=patient,
        who=identity(patient),
        today=now.date(),
        definitions=definitions,
        chosen=chosen,
        sources=sources(definitions[chosen]) if chosen in definitions else [],
        proposal=made,
        choices=choices(made.nodes) if made is not None else (),
        picked=picked,
        problem=problem,
        asked=asked,
        may_state=me.role_code in DOCTORS,
        wrong=request.query_params.get("faux") == "1",
    )


async def _state(
    request: Request, record: Record, me: Me, asked: Sequence[Question], posted: Mapping[str, Any], chosen: str
) -> Response:
    """What a doctor says of the person, as an Observation of theirs; then the preview once more."""
    id_ = request.path_params["id"]
    back = f"/cohorte/appliquer/{id_}?{urlencode({'protocole': chosen})}"
    code, value = str(posted.get("code", "")), str(posted.get("value", ""))
    question = next((one for one in asked if one.coding["code"] == code), None)
    if question is None or me.role_code not in DOCTORS:
        raise NotFound
    if not (value.isascii() and value.isdigit() and question.low <= int(value) <= question.high):
        return RedirectResponse(f"{back}&faux=1", status_code=303)
    await record.create(
        {
            "resourceType": "Observation",
            "status": "final",
            "code": {"coding": [question.coding], "text": question.words},
            "subject": {"reference": f"Patient/{id_}"},
            "effectiveDateTime": record.now().isoformat(timespec="seconds"),
            "performer": [{"reference": me.role_reference or me.person, "display": me.name}],
            "valueInteger": int(value),
        }
    )
    return RedirectResponse(back, status_code=303)
