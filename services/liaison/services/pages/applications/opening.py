"""Opening an app on the record that is shown (SMART EHR launch)."""

from typing import NamedTuple
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from liaison.auth.oauth2 import clients
from liaison.auth.smart.launch import LaunchContext
from liaison.fhir.store import faults
from liaison.fhir.store.contract import Request as FhirRequest
from liaison.services.launching import opened
from liaison.services.pages.clinician.place import own_place
from liaison.services.pages.layout import confine
from liaison.services.pages.record import Record
from liaison.services.pages.signed_in import address_of

INTENT = "open-record"
"""What our record page tells an app: the person is looking at this record now."""
MOST_PLANS = 5


class App(NamedTuple):
    """An app that may be opened on a record, and the origin that the browser is then sent to."""

    client_id: str
    name: str
    origin: str


async def apps(request: Request) -> list[App]:
    """The apps in force that are registered for it, by name."""
    with faults.reported():
        found = await clients.launched(request.app.state.house.database.reading)
    return [App(one.client_id, one.name, _origin(one.launch_url)) for one in found]


def _origin(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"


async def open_app(request: Request) -> Response:
    """Sends the browser to the app with a handle for this person, this app and this record, and the plans in force."""
    place, form = await own_place(request), await request.form()
    context = LaunchContext(patient=place.id, intent=INTENT, references=await _plans(place.record, place.id))
    told = FhirRequest("POST", f"Patient/{place.id}/$launch", address=address_of(request))
    engine = request.app.state.house.engine
    with faults.reported():
        made = await opened(engine, place.caller, str(form.get("client", "")), context, told)
    return confine(request, RedirectResponse(made.address, status_code=303))


async def _plans(record: Record, patient: str) -> tuple[str, ...]:
    found = await record.search(
        "CarePlan", {"patient": f"Patient/{patient}", "status": "active", "_count": str(MOST_PLANS)}, most=MOST_PLANS
    )
    return tuple(f"CarePlan/{plan['id']}" for plan in found)
