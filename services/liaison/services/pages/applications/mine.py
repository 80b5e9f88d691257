"""Mes applications: what I have let each app do, until when, and taking it back."""

from datetime import datetime
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from liaison.auth.journal.acts import Act
from liaison.auth.journal.entry import Event, entry
from liaison.auth.oauth2 import authorizations
from liaison.auth.oauth2.authorizations import Authorization
from liaison.fhir.store import faults
from liaison.fhir.store.contract import Request as FhirRequest
from liaison.services.oauth import consent, patients
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.layout import confine, render
from liaison.services.pages.signed_in import address_of, signed_in


class Given(NamedTuple):
    """One consent as it is read: whom it is about ('' for nobody in particular), what, since when, until when."""

    patient: str
    lines: list[consent.Line]
    outlasting: bool
    since: datetime
    until: datetime


class App(NamedTuple):
    number: int
    name: str
    given: list[Given]


async def my_applications(request: Request) -> Response:
    """GET shows; POST takes back everything from one app."""
    caller, me = await signed_in(request)
    house = request.app.state.house
    if request.method == "POST":
        number = str((await request.form()).get("app", ""))
        if number.isascii() and number.isdigit() and len(number) < 20:
            with faults.reported():
                async with house.database.writing.acquire() as connection:
                    await authorizations.withdraw(connection, me.account.number, int(number))
            told = FhirRequest(request.method, "mes-applications", address=address_of(request))
            withdrawn = {"act": Act.APPLICATION_WITHDRAWN, "withdrawn": number}
            await house.journal.record((entry(caller, Event.RIGHTS, request=told, detail=withdrawn),))
        return confine(request, RedirectResponse("/mes-applications", status_code=303))
    with faults.reported():
        held = await authorizations.held_by(house.database.reading, me.account.number)
    found: dict[int, App] = {}
    for one in held:
        app, given = found.setdefault(one.client, App(one.client, one.name, [])), await _given(request, one)
        # The newest comes first: the same allowed again, for the same person, is read once.
        if not any((given.patient, given.lines) == (other.patient, other.lines) for other in app.given):
            app.given.append(given)
    return render(request, "applications/mine.html", apps=list(found.values()))


async def _given(request: Request, one: Authorization) -> Given:
    gettext = translations(language_of(request)).gettext
    caller = (await signed_in(request)).caller
    about = await patients.named(request, caller, one.patient) if one.patient else None
    lines = consent.lines(one.scopes, gettext, language_of(request))
    return Given(about.text if about else "", lines, consent.outlasting(one.scopes), one.since, one.until)
