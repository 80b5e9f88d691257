"""The plan of one person: its objectives, and each dated step with its owner and its delay."""

import asyncio
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from liaison.auth.access.classes import Class
from liaison.protocols import codes
from liaison.protocols.calendar import calendar
from liaison.protocols.carry_out import step_code
from liaison.protocols.ending import ended_for
from liaison.protocols.library import Library
from liaison.protocols.sources import Cited, sources
from liaison.services.applying import library
from liaison.services.following import of_another_class, protocol_of
from liaison.services.pages.clinician.dossier import found, open_to, patient_or_404
from liaison.services.pages.clinician.place import Place
from liaison.services.pages.layout import render
from liaison.services.pages.reading.identity import identity
from liaison.services.pages.reading.states import in_error
from liaison.services.pages.role_names import PLANNERS


async def show(request: Request, place: Place) -> Response:
    record = place.record
    patient = await patient_or_404(record, place.id)
    mine = {"patient": f"Patient/{place.id}", "_count": "100"}
    plans, goals, tasks = await asyncio.gather(
        found(record, "CarePlan", {**mine, "status": "active,on-hold,completed,revoked"}, 200),
        found(record, "Goal", mine, 500),
        found(record, "Task", {**mine, "code": f"{codes.STEP}|"}, 2000),
    )
    current = [plan for plan in plans if plan["status"] in ("active", "on-hold")]
    known, today = await library(record), record.now().date()
    follows = (
        [plan for plan in current if protocol_of(plan)[0]] if place.me.role_code in PLANNERS and place.writes else []
    )
    other = await asyncio.gather(*(of_another_class(record, plan, today) for plan in follows))
    return render(
        request,
        "clinician/plan.html",
        place=place,
        patient=patient,
        who=identity(patient),
        today=today,
        coordinated=bool(await open_to(request, place) & Class.COORD),
        plans=current,
        regroup={plan["id"] for plan, changed in zip(follows, other, strict=True) if changed},
        sources={plan["id"]: _cited(known, plan) for plan in current},
        ended=[plan for plan in plans if ended_for(plan)],
        goals=[goal for goal in goals if not in_error(goal)],
        steps=calendar([task for task in tasks if step_code(task) and not in_error(task)], today),
    )


def _cited(known: Library, plan: dict[str, Any]) -> list[Cited]:
    """What the protocol of a plan rests on, in the version that the plan follows; [] of one that is not in the library."""
    url, version = protocol_of(plan)
    found = known.find(f"{url}|{version}") if url else None
    return sources(found.tree) if found is not None else []
