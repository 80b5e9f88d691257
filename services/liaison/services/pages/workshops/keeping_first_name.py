"""The person, or somebody at their word, takes back that their first name may be given to a patient educator (row 20b).

It only ever takes back: to agree is noted on the page of the session, by who keeps it. In force at the educator's next request, for a
first name is read from the Appointment each time. The person writes no Appointment: the principal `first-name-kept` does, of the one
that the reader sees, in a session that reaches nothing else.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from liaison.auth.access import adopted, internal
from liaison.auth.access.classes import Class
from liaison.fhir.errors import Forbidden, NotFound
from liaison.protocols import codes
from liaison.protocols.workshops import LONGEST, Session, educators, noted, patient_of, with_noted
from liaison.services.pages.clinician.dossier import found, patient_or_404
from liaison.services.pages.record import Record
from liaison.services.pages.role_names import writes
from liaison.services.pages.signed_in import address_of, signed_in
from liaison.services.pages.workshops import agenda
from liaison.services.pages.workshops.educating import AFTER, EXPECTED

Tree = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a session whose first names are told still. `given`: the person agreed to it; if not, they said no or took it back.
    `told`: who reads it, where somebody is named."""

    appointment: str
    session: Session
    told: list[str]
    given: bool


async def places(record: Record, id_: str) -> list[Place]:
    """Those of whose first name something was said, the next first."""
    since = record.now() - AFTER - timedelta(minutes=LONGEST)
    query = {
        "patient": f"Patient/{id_}",
        "status": ",".join(sorted(EXPECTED)),
        "date": f"ge{since.isoformat()}",
        "_sort": "date",
    }
    listed = await found(record, "Appointment", {**query, "_count": "100"}, 100)
    told = [await _place(record, one) for one in listed if noted(one, codes.FIRST_NAME) is not None]
    return [one for one in told if one is not None]


async def _place(record: Record, appointment: Tree) -> Place | None:
    slot = next((str(one.get("reference", "")) for one in appointment.get("slot", ())), "")
    try:
        held, schedule = await agenda.one(record, slot.removeprefix("Slot/"))
    except NotFound:
        return None
    if held.cancelled or held.end + AFTER <= record.now():
        return None
    names = [name for _reference, name in educators(schedule)]
    return Place(str(appointment["id"]), held, names, noted(appointment, codes.FIRST_NAME) is True)


async def take_back(request: Request) -> Response:
    """Done twice, it changes nothing the second time."""
    caller, me = await signed_in(request)
    house, id_ = request.app.state.house, request.path_params["id"]
    record = Record(house.engine, caller, address_of(request))
    await patient_or_404(record, id_)
    if not writes(await adopted.in_force(house.database), me.role_code, Class.CONSENT):
        raise Forbidden
    tree = await record.read(f"Appointment/{request.path_params['appointment']}")
    if tree is None or patient_of(tree) != f"Patient/{id_}":
        raise NotFound
    if noted(tree, codes.FIRST_NAME) is True:
        key = house.store.key("Appointment", tree["id"])
        within = {"Appointment": (f"_id={tree['id']}",)}
        pool, of = house.database.writing, key.patient
        cell = await internal.open_session(
            pool, "first-name-kept", timedelta(minutes=1), caller=caller, of=of, within=within
        )
        try:
            whole = Record(house.engine, cell, address_of(request))
            one = await whole.read(f"Appointment/{tree['id']}")
            if one is None:
                raise NotFound
            await whole.update(with_noted(one, codes.FIRST_NAME, valueBoolean=False))
        finally:
            await internal.close_session(pool, cell)
    return RedirectResponse(f"/dossiers/{id_}/accords", status_code=303)
