"""The pages beside a provider that behaves as Pro Santé Connect; the nurse and « both » are in our directory."""

import json
from collections.abc import AsyncIterator

import httpx
import pytest

from liaison.auth.access import internal
from liaison.auth.people import accounts
from liaison.auth.people.pro_sante_connect.provider import Provider, Registration
from liaison.fhir.store.contract import Request
from liaison.services.installation import Kind

from ...oauth.conftest import URL, Place, declared_as, field
from .provider import CLIENT, SECRET, Psc, running

NUMBERS = {"nurse": "99700000017", "both": "99700000025"}


@pytest.fixture
async def psc(place: Place) -> AsyncIterator[Psc]:
    async with running() as provider:
        house = place.house
        house.pro_sante_connect = Provider(
            Registration(
                issuer=provider.issuer,
                client_id=CLIENT,
                secret=SECRET,
                accepted=("eidas1", "eidas2"),
                redirect_uri=f"{URL}/psc/retour",
                after_logout=f"{URL}/connexion",
            )
        )
        await declared_as(place, Kind.PRODUCTION)
        for username, number in NUMBERS.items():
            await inscribe(place, username, number)
        yield provider


async def inscribe(place: Place, username: str, number: str, **more: object) -> str:
    """Gives someone of the directory their RPPS number. Returns the reference."""
    house = place.house
    account = await accounts.by_username(house.database.reading, username)
    assert account is not None
    reference = house.store.reference(account.person)
    assert isinstance(reference, str)
    maker = await internal.open_session(house.database.writing, "sandbox")
    read = await house.engine.handle(maker, Request("GET", reference))
    tree = {**json.loads(read.body), **more}
    tree["identifier"] = [{"system": "https://rpps.esante.gouv.fr", "value": number}]
    written = await house.engine.handle(maker, Request("PUT", reference, "", json.dumps(tree).encode()))
    assert written.status == 200, written.body
    return reference


async def there(browser: httpx.AsyncClient, follow: str = "/mes-connexions", **more: str) -> str:
    """Presses the button, and is recognised there. Returns the address to come back to."""
    page = await browser.get(f"/connexion?suite={follow}")
    if page.status_code != 200:
        page = await browser.get("/confirmer?suite=" + follow)
    form = {name: field(page.text, name) for name in ("csrf", "suite")}
    left = await browser.post("/psc/connexion", data={**form, **more})
    assert left.status_code == 303, left.text
    async with httpx.AsyncClient() as outside:
        return (await outside.get(left.headers["location"])).headers["location"]


async def through(browser: httpx.AsyncClient, follow: str = "/mes-connexions", **more: str) -> httpx.Response:
    return await browser.get(await there(browser, follow, **more))
