"""Mes connexions: each session with its device and app, ended one by one, at the next request of every worker."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from playwright.async_api import Browser, expect

from liaison.auth.people import devices, phones
from liaison.services.house import House

from ..oauth.conftest import URL, Place, _app, agree, field, query_of, redeem, sign_in
from .conftest import Site, check_page

PHONE = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36"
DESK = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:127.0) Gecko/20100101 Firefox/127.0"


@asynccontextmanager
async def on_device(place: Place, agent: str) -> AsyncIterator[httpx.AsyncClient]:
    async with place.browser() as browser:
        browser.headers["user-agent"] = agent
        assert (await sign_in(browser, "nurse")).status_code == 303
        yield browser


@asynccontextmanager
async def another_worker(place: Place) -> AsyncIterator[Place]:
    async with House.opened(place.house.settings) as house:
        yield Place(house, _app(house), place.app_client, place.patient, place.other_patient)


def cards(page: httpx.Response) -> dict[str, str]:
    """The id that each button names, by the words of its card's heading."""
    found = re.findall(
        r'<h2 class="govuk-heading-s">(.*?)</h2>.*?name="fermer" value="([^"]+)"', page.text, flags=re.DOTALL
    )
    return {heading.strip(): id_ for heading, id_ in found}


async def end(browser: httpx.AsyncClient, which: str) -> httpx.Response:
    page = await browser.get("/mes-connexions")
    return await browser.post("/mes-connexions", data={"csrf": field(page.text, "csrf"), "fermer": which})


async def opens(browser: httpx.AsyncClient) -> bool:
    return (await browser.get("/mes-connexions")).status_code == 200


async def test_each_session_is_shown_with_its_device_and_app(place: Place) -> None:
    async with on_device(place, PHONE) as phone, on_device(place, DESK) as desk:
        await redeem(phone, query_of(await agree(phone, scope="offline_access user/Patient.rs"))["code"])

        shown = cards(await desk.get("/mes-connexions"))

    assert shown.keys() == {"Ce navigateur (Firefox, Windows)", "Un autre navigateur (Chrome, Android)", "Cabinet+"}


async def test_a_session_that_is_ended_is_refused_at_the_next_request_of_another_worker(place: Place) -> None:
    async with another_worker(place) as there, on_device(place, PHONE) as phone, on_device(place, DESK) as desk:
        content = (await redeem(phone, query_of(await agree(phone, scope="user/Patient.rs"))["code"])).json()
        elsewhere = httpx.AsyncClient(transport=httpx.ASGITransport(there.app), base_url=URL, cookies=phone.cookies)
        bearer = {"authorization": f"Bearer {content['access_token']}"}
        async with elsewhere:
            assert await opens(elsewhere)
            assert (await elsewhere.get("/oauth/userinfo", headers=bearer)).status_code != 401
            shown = cards(await desk.get("/mes-connexions"))

            await end(desk, shown["Un autre navigateur (Chrome, Android)"])

            assert not await opens(elsewhere)
            # What its software was given for the time of that sign-in ends with it.
            assert (await elsewhere.get("/oauth/userinfo", headers=bearer)).status_code == 401
        assert await opens(desk)


async def test_an_app_is_ended_alone(place: Place) -> None:
    async with on_device(place, DESK) as desk:
        content = (
            await redeem(desk, query_of(await agree(desk, scope="offline_access user/Patient.rs"))["code"])
        ).json()
        await end(desk, cards(await desk.get("/mes-connexions"))["Cabinet+"])

        form = {"grant_type": "refresh_token", "client_id": "app", "refresh_token": content["refresh_token"]}
        assert (await desk.post("/oauth/token", data=form)).json()["error"] == "invalid_grant"
        assert await opens(desk)


async def test_all_the_others_are_ended_and_this_one_stays(place: Place) -> None:
    async with on_device(place, PHONE) as phone, on_device(place, DESK) as desk:
        await redeem(phone, query_of(await agree(phone, scope="offline_access user/Patient.rs"))["code"])
        await end(desk, "others")

        assert not await opens(phone)
        assert cards(await desk.get("/mes-connexions")).keys() == {"Ce navigateur (Firefox, Windows)"}


async def test_this_one_and_all(place: Place) -> None:
    async with on_device(place, PHONE) as phone, on_device(place, DESK) as desk:
        mine = cards(await desk.get("/mes-connexions"))["Ce navigateur (Firefox, Windows)"]
        assert (await end(desk, mine)).headers["location"] == "/connexion"
        assert not await opens(desk)
        assert (await end(phone, "all")).headers["location"] == "/connexion"
        assert not await opens(phone)


async def test_another_persons_session_is_not_found(place: Place) -> None:
    async with on_device(place, DESK) as nurse, place.signed_in("dpo") as dpo:
        theirs = cards(await nurse.get("/mes-connexions"))["Ce navigateur (Firefox, Windows)"]
        for forged in (theirs, "browser.0", "software.1", "urgent.1", "browser.x", "nothing", ""):
            assert (await end(dpo, forged)).headers["location"] == "/mes-connexions", forged

        assert await opens(nurse)
        assert await opens(dpo)


async def test_a_phone_says_who_enrolled_it(place: Place) -> None:
    async with on_device(place, PHONE) as phone:
        organization = await place.house.database.reading.fetchval("select organization from held_role limit 1")
        by = await place.house.database.reading.fetchval("select account from account where username = 'manager'")
        async with place.house.database.writing.acquire() as connection:
            secret = await phones.enrol(connection, organization, "Téléphone 3", by=by)
        phone.cookies.set("__Host-liaison-phone", secret)
        page = (await phone.get("/mes-connexions")).text
        assert "Téléphone 3" in page
        assert "Ajouté par Camille MANAGER" in page
        assert "C’est ce téléphone." in page
        async with place.browser() as again:
            again.cookies.set("__Host-liaison-phone", secret)
            await sign_in(again, "nurse")
            assert "Un autre navigateur (Téléphone 3)" in cards(await phone.get("/mes-connexions"))


@pytest.mark.parametrize(
    ("agent", "words"), [(PHONE, "Chrome, Android"), (DESK, "Firefox, Windows"), ("curl/8", ""), ("", "")]
)
def test_a_device_in_words(agent: str, words: str) -> None:
    assert devices.in_words(agent) == words


@pytest.mark.browser
async def test_the_page_in_a_browser(site: Site, chromium: Browser) -> None:
    async with on_device(site.place, DESK):
        pass  # it stays signed in
    page = await site.page(chromium, 360, 640)
    await site.sign_in(page, "nurse")
    await page.goto("/mes-connexions")
    await check_page(page)
    await page.get_by_role("button", name="Fermer Un autre navigateur").click()
    await expect(page.get_by_role("heading", name="Un autre navigateur")).to_have_count(0)
    await expect(page.get_by_role("heading", name="Ce navigateur")).to_be_visible()
    assert site.heard == []
