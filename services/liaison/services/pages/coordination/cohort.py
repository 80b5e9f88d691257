"""Cohorte: one line a person of the BPCO programme, what comes next, how late it is, who owns it, and the last CAT."""

import asyncio
from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from liaison.protocols import codes
from liaison.protocols.calendar import Entry, State, calendar, next_step
from liaison.protocols.carry_out import step_code
from liaison.services.pages import clock
from liaison.services.pages.clarifying.waiting import waiting
from liaison.services.pages.clinician.dossier import found
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.layout import render
from liaison.services.pages.marking import Gettext, _
from liaison.services.pages.reading.identity import Identity, identity
from liaison.services.pages.reading.measures import reckoned
from liaison.services.pages.record import Record
from liaison.services.pages.signed_in import address_of, signed_in

Tree = dict[str, Any]
PROGRAMME: Final = f"{codes.LOCAL}/PlanDefinition/bpco"
CAT: Final = f"{codes.LOCAL}/CodeSystem/cat|total"
NOTABLE: Final = 2
"""A change of the CAT of at least two points is told."""


@dataclass(frozen=True, slots=True)
class Line:
    id: str
    who: Identity
    next: Entry | None
    late: int
    owner: str
    cat: int | None
    trend: int


def trend_said(trend: int, gettext: Gettext) -> str:
    """'' for a change that is not notable."""
    if abs(trend) < NOTABLE:
        return ""
    words = _("en baisse de %(points)s") if trend < 0 else _("en hausse de %(points)s")
    return gettext(words) % {"points": abs(trend)}


async def cohort(request: Request) -> Response:
    caller, _ = await signed_in(request)
    record = Record(request.app.state.house.engine, caller, address_of(request))
    lines = await programme(record, clock.now(request).date())
    gettext = translations(language_of(request)).gettext
    only_late = request.query_params.get("retard") == "1"
    shown = [line for line in lines if line.late] if only_late else lines
    return render(
        request, "coordination/cohort.html", lines=shown, all=len(lines), late=sum(bool(x.late) for x in lines),
        only_late=only_late, questions=await waiting(request), trend_said=lambda trend: trend_said(trend, gettext),
    )  # fmt: skip


async def programme(record: Record, today: date) -> list[Line]:
    """Everyone whose active plan follows the programme, the latest first, then by date of what comes next."""
    active = {"status": "active", "_include": "CarePlan:patient", "_count": "200"}
    followed, tasks, scores = await asyncio.gather(
        found(record, "CarePlan", active, 2000),
        found(record, "Task", {"code": f"{codes.STEP}|", "_count": "500"}, 5000),
        found(record, "Observation", {"code": CAT, "_sort": "-date", "_count": "200"}, 2000),
    )
    people = {
        str(plan["subject"]["reference"])
        for plan in followed
        if plan["resourceType"] == "CarePlan"
        and any(str(c).startswith(PROGRAMME) for c in plan.get("instantiatesCanonical", []))
    }
    steps: dict[str, list[Tree]] = defaultdict(list)
    for task in tasks:
        if step_code(task):
            steps[str(task.get("for", {}).get("reference", ""))].append(task)
    cats: dict[str, list[int]] = defaultdict(list)
    for score in scores:
        total = score.get("valueInteger", score.get("valueQuantity", {}).get("value"))
        if total is not None and reckoned(score):
            cats[str(score["subject"]["reference"])].append(round(total))
    patients = [tree for tree in followed if tree["resourceType"] == "Patient" and f"Patient/{tree['id']}" in people]
    lines = [_line(p, steps[f"Patient/{p['id']}"], cats[f"Patient/{p['id']}"], today) for p in patients]
    return sorted(lines, key=lambda line: (-line.late, (line.next.due if line.next else None) or date.max))


def _line(patient: Tree, tasks: list[Tree], cats: list[int], today: date) -> Line:
    coming = next_step(tasks, today)
    late = max((entry.days for entry in calendar(tasks, today) if entry.state is State.LATE), default=0)
    owner = str((coming.task.get("owner") or {}).get("display", "")) if coming else ""
    trend = cats[0] - cats[1] if len(cats) > 1 else 0
    return Line(str(patient["id"]), identity(patient), coming, late, owner, cats[0] if cats else None, trend)
