"""A regulating doctor's own call: the person's pages while it lasts, seen as the session of that call (rule 12).

Each request asks again whether the call is open and the caller's own: 404 otherwise.
"""

from datetime import datetime

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from liaison.auth.access import urgent_sessions
from liaison.auth.access.calls import KIND
from liaison.fhir.errors import NotFound
from liaison.fhir.store.contract import Tree
from liaison.services.pages.clinician.place import Place, Urgent
from liaison.services.pages.record import Record
from liaison.services.pages.signed_in import address_of, signed_in


async def take(request: Request) -> Response:
    """« Prendre cet appel »: from the handler's call to the doctor's own."""
    caller, _ = await signed_in(request)
    record = Record(request.app.state.house.engine, caller, address_of(request))
    answer = await record.operate(f"Task/{request.path_params['task']}/$take-call", {"resourceType": "Parameters"})
    task = next(part for part in answer["parameter"] if part["name"] == "task")["valueReference"]["reference"]
    return RedirectResponse(f"/appels/{task.partition('/')[2]}", status_code=303)


async def own_call(request: Request) -> tuple[Tree, Record]:
    """The task of this address, and the record as its session sees it. Raises NotFound for any other's, or once over."""
    caller, _ = await signed_in(request)
    engine = request.app.state.house.engine
    key = engine.store.key("Task", request.path_params["task"])
    if key is None:
        raise NotFound
    task, urgent = await urgent_sessions.resume(engine.store, caller, key, *KIND)
    return task, Record(engine, urgent, address_of(request))


async def place(request: Request) -> Place:
    _, me = await signed_in(request)
    task, record = await own_call(request)
    until = datetime.fromisoformat(task["restriction"]["period"]["end"])
    patient = str(task["for"]["reference"]).partition("/")[2]
    return Place(patient, f"/appels/{task['id']}/dossier", record.caller, me, record, Urgent(until, call=task["id"]))
