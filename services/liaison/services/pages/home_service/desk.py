"""Le service: the alerts that are open with their age, the visits of today, those that have not come after a day, and what waits
under « À vérifier ». The hours are what aides declare, and are shown of nobody as a measure."""

import asyncio
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from liaison.protocols.alerts import LEVELS, level_of
from liaison.services.delivery import waiting as delivered
from liaison.services.house import House
from liaison.services.pages.clinician import alerts
from liaison.services.pages.home_service import arrivals, stays
from liaison.services.pages.home_service.ages import age
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.layout import render
from liaison.services.pages.reading import moments
from liaison.services.pages.reading.identity import Identity, identity
from liaison.services.pages.record import Record
from liaison.services.pages.signed_in import address_of, signed_in

Tree = dict[str, Any]
PATH: Final = "/service"
_ID: Final = re.compile(r"[A-Za-z0-9\-.]{1,64}")
OPEN: Final = "requested,received,accepted,in-progress,on-hold"


@dataclass(frozen=True, slots=True)
class Open:
    """An alert that nobody has closed: whose, and since when, in words."""

    told: alerts.Told
    who: Identity
    age: str


async def desk(request: Request) -> Response:
    signed = await signed_in(request)
    house: House = request.app.state.house
    record = Record(house.engine, signed.caller, address_of(request))
    said = translations(language_of(request))
    now = record.now()
    here = now.replace(hour=0, minute=0, second=0, microsecond=0)
    open_alerts, lines, waiting, (stated, in_hospital) = await asyncio.gather(
        _open(request, record),
        arrivals.planned(record, here - timedelta(days=arrivals.BACK), here + timedelta(days=1), said.gettext),
        delivered.waiting(house, signed.caller.organization),
        stays.known(record),
    )
    today = [one for one in lines if one.at >= here and not one.paused]
    return render(
        request,
        "home_service/desk.html",
        alerts=open_alerts,
        today=today,
        arrived=[one for one in today if one.done],
        missing=[one for one in lines if one.missing(now)],
        waiting=len(waiting),
        stated=stated,
        in_hospital=in_hospital,
        typed_in=typed if _ID.fullmatch(typed := request.query_params.get("saisie", "")) else "",
    )


async def _open(request: Request, record: Record) -> list[Open]:
    """The most urgent first, and of those the ones that wait longest."""
    said, now = translations(language_of(request)), record.now()
    query = {"code": alerts.CODE, "status": OPEN, "_include": "Task:patient", "_count": "100"}
    found = await record.search("Task", query, most=400)
    people = {f"Patient/{tree['id']}": identity(tree) for tree in found if tree["resourceType"] == "Patient"}
    tasks = [one for one in found if level_of(one) and alerts.patient_of(one) in people]
    tasks.sort(key=lambda one: (-LEVELS.index(level_of(one)), moments.happened(one) or moments.written(one)))
    return [
        Open(
            alerts.told(one, now, said.gettext),
            people[alerts.patient_of(one)],
            age(moments.happened(one) or moments.written(one), now, said.ngettext),
        )
        for one in tasks
    ]
