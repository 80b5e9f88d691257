"""Where a vendor follows its own software: an address with a secret in it, given when the request was handed in.

It shows what the vendor itself wrote, what is decided, and codes of errors with their counts; no organisation's name and
nothing of a person.
"""

from starlette.requests import Request
from starlette.responses import Response

from liaison.auth.vendors import life, requests
from liaison.fhir.errors import NotFound
from liaison.fhir.store import faults
from liaison.services.pages.layout import render


async def state(request: Request) -> Response:
    """404 for a secret that is nobody's, as for any page that does not exist."""
    house = request.app.state.house
    with faults.reported():
        found = await requests.by_link(house.database.reading, request.path_params["secret"])
        if found is None:
            raise NotFound
        registered = await house.database.reading.fetchrow(
            "select active, ended_at is not null as ended, review_due,"
            " (select count(*) from client_activation a where a.client = c.client and a.active) as activations"
            " from client c where client_id = $1",
            found.client_id,
        )
        errors = await life.errors_of(house.database.reading, found.client_id)
    return render(request, "software/vendor.html", found=found, registered=registered, errors=errors)
