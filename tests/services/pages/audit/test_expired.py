"""A month whose key was destroyed: its accesses are said to be unreadable, never said not to have been."""

import html
import re

import httpx

from liaison.auth.journal import expiry
from liaison.auth.journal.entry import Event
from liaison.services.pages.clock import PARIS
from liaison.services.sandbox.past import acting_at

from ...oauth.conftest import Place
from .conftest import by_nurse

SAID = "ne se lisent plus : leur durée de conservation est passée"


async def shown(officer: httpx.AsyncClient, address: str) -> str:
    return re.sub(r"\s+", " ", html.unescape((await officer.get(address)).text))


async def test_what_can_no_longer_be_read_is_said_wherever_it_would_be_missed(
    place: Place, officer: httpx.AsyncClient
) -> None:
    now = (await place.house.database.now()).astimezone(PARIS)
    then = now.replace(year=now.year - 12, day=15)
    async with acting_at(place.house, then) as engine:
        await engine.journal.record((await by_nurse(place, Event.SEARCH),))
    period = f"du={then.date()}&au={then.date()}"
    record, reply = f"/journal/recherche?dossier={place.patient}", f"/journal/reponses/{place.patient}"
    rule = await officer.get("/journal/signaux/night")
    trial = {
        "csrf": re.findall(r'name="csrf" value="([^"]+)"', rule.text)[0], "acte": "essayer",
        "du": str(then.date()), "au": str(then.date()),
    }  # fmt: skip

    for address in (record, f"{record}&{period}", reply):  # kept for longer than ten years, it is shown
        page = await shown(officer, address)
        assert f"{then.year}," in page
        assert SAID not in page
    assert SAID not in html.unescape((await officer.post("/journal/signaux/night", data=trial)).text)

    async with place.house.database.writing.acquire() as connection, connection.transaction():
        await expiry.destroy(connection, await expiry.due(connection, now, 10))

    for address in (record, f"{record}&{period}", f"/journal/recherche?{period}", reply):
        page = await shown(officer, address)
        assert SAID in page
        assert f"{then.year}," not in page
        assert "Personne n'a ouvert ce dossier" not in page
    assert SAID in html.unescape((await officer.post("/journal/signaux/night", data=trial)).text)
    today = await shown(officer, f"{record}&du={now.date()}")
    assert SAID not in today
    exported = (await officer.get(f"/journal/export.csv?dossier={place.patient}")).text
    assert re.search(r"complet depuis le \d{4}-\d\d-01,SHA-256", exported.splitlines()[-1])
