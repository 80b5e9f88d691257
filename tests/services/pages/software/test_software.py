"""The software desk: two people approve, an administrator switches, the vendor follows."""

import re
from datetime import date

import httpx
import orjson
from tests.auth.vendors.reports import report
from tests.auth.vendors.test_request_file import good
from tests.services.oauth.conftest import Place, asking, field, place, query_of, settings, sign_in

from liaison.auth.oauth2 import clients
from liaison.auth.safe_fetch import Fetcher
from liaison.auth.vendors import conformance, life, requests
from liaison.services.pages.calendar_words import day_said

from ..browsing import text, today

__all__ = ["place", "settings"]


async def act(browser: httpx.AsyncClient, name: str, **form: str) -> httpx.Response:
    page = await browser.get("/logiciels")
    assert page.status_code == 200, page.text
    return await browser.post("/logiciels", data={"csrf": field(page.text, "csrf"), "act": name, **form})


async def handed_in(place: Place) -> tuple[str, str]:
    async with place.house.database.writing.acquire() as connection:
        found, secret = await requests.receive(connection, orjson.dumps(good()), Fetcher())
    return str(found.number), secret


async def test_from_the_request_to_the_end(place: Place) -> None:
    number, secret = await handed_in(place)
    reading = place.house.database.reading
    async with place.browser() as vendor, place.signed_in("admin") as admin, place.signed_in("dpo") as dpo:
        follow = f"/editeurs/{secret}"
        assert "Deux accords sont nécessaires" in (await vendor.get(follow)).text

        for page_ in (await vendor.get(follow), await admin.get("/logiciels")):
            assert "pas encore été contrôlé" in page_.text
        assert "Donner mon accord" not in (await admin.get("/logiciels")).text
        assert (await act(admin, "approve", request=number)).status_code == 422
        async with place.house.database.writing.acquire() as connection:
            await conformance.receive(connection, report())
        assert "passés 1, échoués 0, pas vus 0" in (await admin.get("/logiciels")).text
        assert "<code>pkce</code>" in (await vendor.get(follow)).text
        page = (await admin.get("/logiciels")).text
        assert "Afficher les constantes dans le dossier du cabinet." in page
        assert "securite@cabinet.example" in page
        assert "<code>https://cabinet.example/cb</code>" in page  # where the codes will go
        assert (await act(admin, "approve", request=number)).status_code == 303
        assert (await act(admin, "approve", request=number)).status_code == 422
        assert await clients.find(reading, "cabinet-plus") is None
        assert (await act(dpo, "suspend", client_id="app")).status_code == 403
        assert (await act(dpo, "approve", request=number)).status_code == 303
        assert await clients.find(reading, "cabinet-plus") is not None

        where = re.search(r'value="(Organization/[^"]+)"', (await admin.get("/logiciels")).text)
        assert where
        assert (await act(admin, "activate", client_id="cabinet-plus", organization=where[1])).status_code == 303
        shown = " ".join((await vendor.get(follow)).text.split())
        assert "Structures pour lesquelles il est activé : 1" in shown
        await life.count_error(place.house.database.writing, "cabinet-plus", "invalid_grant")
        shown = (await vendor.get(follow)).text
        assert "invalid_grant" in shown
        # A line for each on a phone, and the day in words: that of Paris.
        day = day_said(date.fromisoformat(today()), "d MMM y", "fr")
        assert f'role="rowheader" class="govuk-table__header">{day}</th>' in shown
        assert "Maison de santé" not in shown

        for name, words in (
            ("suspend", "Suspendu"),
            ("resume", "Enregistré"),
            ("review", "Prochaine revue"),
            ("end", "Terminé"),
        ):
            assert (await act(admin, name, client_id="cabinet-plus")).status_code == 303
            assert words in (await vendor.get(follow)).text
        assert await clients.find(reading, "cabinet-plus") is None


async def test_the_two_who_decide_read_in_which_role_it_would_act_alone(place: Place) -> None:
    app = orjson.dumps(good())
    alone = {name: part for name, part in good().items() if name not in ("redirect_uris", "launch_url")}
    scopes = [{"scope": "system/Observation.rs", "reason": "Suivre les constantes."}]
    backend = orjson.dumps({**alone, "client_id": "veille", "kind": "backend", "role": "nurse", "scopes": scopes})
    async with place.house.database.writing.acquire() as connection:
        for file in (app, backend):
            await requests.receive(connection, file, Fetcher())
    async with place.signed_in("dpo") as dpo:
        shown = text(await dpo.get("/logiciels"))

    assert "Une structure : il agit seul, dans le rôle « Infirmier »" in shown
    assert "Des personnes, qui se connectent" in shown
    assert "Par ses clés (ES384)" in shown


async def test_one_person_with_both_roles_is_one_person(place: Place) -> None:
    number, _ = await handed_in(place)
    async with place.house.database.writing.acquire() as connection:
        await conformance.receive(connection, report())
    manager_is = await place.house.database.reading.fetchval("select fhir_res from account where username = 'manager'")
    async with place.house.database.writing.acquire() as connection, connection.transaction():
        await requests.approve(connection, int(number), "admin", manager_is)
    async with place.browser() as manager, place.signed_in("dpo") as dpo:
        await sign_in(manager, "manager")
        page = await manager.get("/role")
        tried = 0
        for choice in sorted(set(re.findall(r'name="role"[^>]*value="([^"]+)"', page.text))):
            form = {"csrf": field(page.text, "csrf"), "suite": "", "role": choice}
            assert (await manager.post("/role", data=form)).status_code == 303
            assert (await act(manager, "approve", request=number)).status_code == 422
            page, tried = await manager.get("/role"), tried + 1
        assert tried == 2
        assert (await act(dpo, "approve", request=number)).status_code == 303


async def test_the_desk_is_for_those_who_decide_and_the_vendors_page_for_who_has_its_address(place: Place) -> None:
    async with place.signed_in("nurse") as nurse, place.browser() as nobody:
        assert (await nurse.get("/logiciels")).status_code == 404
        assert (await nobody.get("/logiciels")).status_code == 303
        assert (await nobody.get("/editeurs/invented")).status_code == 404


async def test_software_that_is_not_switched_on_is_refused_before_consent(place: Place) -> None:
    await place.house.database.writing.execute("update client set by_activation = true where client_id = 'app'")
    async with place.signed_in() as browser:
        answer = await browser.get("/oauth/authorize", params=asking())

        assert query_of(answer)["error"] == "access_denied"
