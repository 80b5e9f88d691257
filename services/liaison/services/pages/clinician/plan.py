"""The plan of one person: its objectives, and each dated step with its owner and its delay."""

import asyncio
from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response

from liaison.protocols.calendar import calendar
from liaison.protocols.carry_out import step_code
from liaison.services.pages.clinician.dossier import found, patient_or_404
from liaison.services.pages.layout import render
from liaison.services.pages.reading import moments
from liaison.services.pages.reading.identity import identity
from liaison.services.pages.record import Record
from liaison.services.pages.signed_in import address_of, signed_in


async def plan(request: Request) -> Response:
    caller, _ = await signed_in(request)
    record = Record(request.app.state.house.engine, caller, address_of(request))
    id_ = request.path_params["id"]
    patient = await patient_or_404(record, id_)
    mine = {"patient": f"Patient/{id_}", "_count": "100"}
    plans, goals, tasks = await asyncio.gather(
        found(record, "CarePlan", {**mine, "status": "active"}),
        found(record, "Goal", mine),
        found(record, "Task", mine, 300),
    )
    today = datetime.now(moments.PARIS).date()
    return render(
        request,
        "clinician/plan.html",
        patient=patient,
        who=identity(patient),
        today=today,
        plans=plans,
        goals=goals,
        steps=calendar([task for task in tasks if step_code(task)], today),
    )
