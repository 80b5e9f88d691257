"""The desk opened by a clinician's own software, on the patient whom it shows (SMART EHR launch): `Patient/[id]/$launch` with the
client `liaison` gives the address, once, for ten minutes, for the person of the token.

The handle gives no right: it leads to the record page, which shows what this person sees today. Whoever is not signed in does that
first, and then goes on; for anyone else, a second time or too late there is nothing here.

https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html#launch-app-ehr-launch
"""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from liaison.auth.smart import launch
from liaison.fhir.errors import NotFound
from liaison.services.launching import DESK
from liaison.services.pages.layout import confine
from liaison.services.pages.signed_in import signed_in

_ENDS = {"plan": "/plan", "measures": "/mesures", "documents": "/documents"}
"""What an `intent` asks for beside the page of the record."""


async def opening(request: Request) -> Response:
    caller, _me = await signed_in(request)
    house = request.app.state.house
    handle = request.query_params.get("launch", "")
    if request.query_params.get("iss") != house.engine.base_url or not handle:
        raise NotFound
    about = await launch.find(house.database.reading, handle, DESK.number, caller.account)
    if about is None or not await launch.use(house.database.writing, handle, DESK.number, caller.account):
        raise NotFound
    where = f"/dossiers/{about.patient}{_ENDS.get(about.intent, '')}"
    return confine(request, RedirectResponse(where, status_code=303))
