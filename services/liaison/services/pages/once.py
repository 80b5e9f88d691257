"""A form is taken once. Two touches of one button, « Précédent » and the button again, the same page open on two workers:
the second sending leads where the first did, and does nothing.

Each page that is shown has a number, which its forms carry behind their token. What is sent is known by who sends what,
where, from which page: a form that was corrected in between is another one, and so is the same page fetched anew.
"""

import contextlib
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from liaison.auth.people import sent_forms
from liaison.auth.people.browsers import Browser
from liaison.fhir.errors import Unavailable
from liaison.fhir.store import faults
from liaison.services.house import House
from liaison.services.pages.form_tokens import BETWEEN
from liaison.services.pages.layout import confine

DONE: Final = 303
"""What a page answers once it has done what a form asks; anything else did nothing, and may be sent again."""


async def once(request: Request, browser: Browser | None, act: Callable[[], Awaitable[Response]]) -> Response:
    """What `act` answers, or where it led the first time that this form was sent."""
    given = str((await request.form()).get("csrf", "")) if browser is not None else ""
    if browser is None or BETWEEN not in given:
        return await act()
    house = request.app.state.house
    pool, key = house.database.writing, house.vault.territory
    form = await _known_by(request, browser)
    with faults.reported():
        before = await sent_forms.claim(pool, key, form)
    if before is not None:
        return confine(request, RedirectResponse(before, status_code=DONE))
    location = ""
    try:
        response = await act()
        location = response.headers.get("location", "") if response.status_code == DONE else ""
    finally:
        # What was done is done, and is said: that it could not be remembered costs a second sending its answer only.
        with contextlib.suppress(Unavailable), faults.reported():
            await (sent_forms.led_to(pool, key, form, location) if location else sent_forms.give_back(pool, form))
    return response


@contextlib.asynccontextmanager
async def alone(house: House, what: str) -> AsyncIterator[None]:
    """One at a time for what is named so, on all the workers; the others wait. After a minute it is held no longer, since
    its worker may have died: whoever relies on it for more than order checks what the record holds."""
    name = hashlib.sha256(f"alone {what}".encode()).digest()
    with faults.reported():
        await sent_forms.claim(house.database.writing, house.vault.territory, name)
    try:
        yield
    finally:
        with contextlib.suppress(Unavailable), faults.reported():
            await sent_forms.give_back(house.database.writing, name)


async def _known_by(request: Request, browser: Browser) -> bytes:
    parts = (str(browser.account.number).encode(), str(request.url.path).encode(), await request.body())
    return hashlib.sha256(b"".join(len(part).to_bytes(4, "big") + part for part in parts)).digest()
