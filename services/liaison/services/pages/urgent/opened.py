"""The pages of one person while an emergency access is open: those of any record, seen as the session of that access.

Each request asks again whether the access is open and the caller's own: 404 otherwise, like a record that is not there.
"""

from datetime import datetime

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from liaison.auth.access import urgent_sessions
from liaison.auth.access.emergency import KIND
from liaison.fhir.errors import NotFound
from liaison.services.pages.clinician.place import Place, Urgent
from liaison.services.pages.record import Record, Refused
from liaison.services.pages.signed_in import address_of, signed_in


async def end(request: Request) -> Response:
    """« Terminer l'accès »: closed from the next request on, here and everywhere."""
    caller, _ = await signed_in(request)
    record = Record(request.app.state.house.engine, caller, address_of(request))
    answer = await record.ask("POST", f"Task/{request.path_params['task']}/$end-access")
    if answer.status != 204:
        raise Refused(answer)
    return RedirectResponse("/urgence?fin=1", status_code=303)


async def place(request: Request) -> Place:
    caller, me = await signed_in(request)
    house, id_ = request.app.state.house, request.path_params["task"]
    key = house.engine.store.key("Task", id_)
    if key is None:
        raise NotFound
    task, urgent = await urgent_sessions.resume(house.engine.store, caller, key, *KIND)
    until = datetime.fromisoformat(task["restriction"]["period"]["end"])
    record = Record(house.engine, urgent, address_of(request))
    patient = str(task["for"]["reference"]).partition("/")[2]
    return Place(patient, f"/urgence/{id_}", urgent, me, record, Urgent(until, task=id_))
