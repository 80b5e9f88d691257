"""Aperçu du plan, then Appliquer: what the protocol would do for this person and this team, before anything is written."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from liaison.services.applying import AlreadyInForce, in_force, proposal, protocols, write
from liaison.services.pages import clock
from liaison.services.pages.clinician.dossier import found, patient_or_404
from liaison.services.pages.layout import render
from liaison.services.pages.reading.identity import identity
from liaison.services.pages.record import Record
from liaison.services.pages.signed_in import address_of, signed_in


async def apply(request: Request) -> Response:
    caller, me = await signed_in(request)
    record = Record(request.app.state.house.engine, caller, address_of(request))
    id_ = request.path_params["id"]
    patient = await patient_or_404(record, id_)
    now = clock.now(request)
    definitions = {str(tree["url"]): tree for tree in await protocols(record)}
    posted = (await request.form()) if request.method == "POST" else request.query_params
    chosen = str(posted.get("protocole", ""))
    made = await proposal(record, f"Patient/{id_}", chosen, now.date()) if chosen in definitions else None
    already = await in_force(record, f"Patient/{id_}", chosen) if made is not None else []
    insisted = posted.get("encore") == "1"
    if request.method == "POST" and made is not None and (insisted or not already):
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
        proposal=made,
    )
