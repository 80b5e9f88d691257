"""A form is taken once, however often and from wherever it is sent; what did nothing may be sent again."""

import asyncio

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from liaison.auth.people import sent_forms
from liaison.fhir.errors import Unprocessable
from liaison.fhir.vault import NotAuthentic
from liaison.services.pages.form_tokens import token_of
from liaison.services.pages.page import page
from liaison.services.pages.signed_in import signed_in

from ..oauth.conftest import Place, field
from .test_page import at

filed: list[str] = []


@pytest.fixture(autouse=True)
def _nothing_filed() -> None:
    filed.clear()


async def file(request: Request) -> Response:
    await signed_in(request)
    note = str((await request.form()).get("note", ""))
    if not note:
        return PlainTextResponse("write something", status_code=400)
    if note == "impossible":
        raise Unprocessable("no")
    await asyncio.sleep(0.05)
    filed.append(note)
    return RedirectResponse(f"/filed/{len(filed)}", status_code=303)


FILE = page("/file", file, methods=("POST",))
CARELESS = page("/careless-file", file, methods=("POST",), changes_nothing=True)


async def fresh(place: Place, browser: httpx.AsyncClient) -> str:
    """The token of a page that this browser has just been shown."""
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(place.app), base_url=browser.base_url, cookies=browser.cookies
    ) as here:
        return field((await here.get("/mes-connexions")).text, "csrf")


async def test_two_touches_and_the_back_button_file_once(place: Place) -> None:
    async with at(place, FILE) as browser:
        form = {"csrf": await fresh(place, browser), "note": "bonjour"}
        answers = await asyncio.gather(*(browser.post("/file", data=form) for _ in range(3)))
        answers.append(await browser.post("/file", data=form))

    assert filed == ["bonjour"]
    assert {(one.status_code, one.headers["location"]) for one in answers} == {(303, "/filed/1")}


async def test_without_it_each_touch_would_file(place: Place) -> None:
    """The planted fault: the same endpoint, whose forms nobody takes once."""
    async with at(place, CARELESS) as browser:
        form = {"csrf": await fresh(place, browser), "note": "bonjour"}
        await asyncio.gather(*(browser.post("/careless-file", data=form) for _ in range(2)))

    assert filed == ["bonjour", "bonjour"]


async def test_a_corrected_form_and_a_page_shown_anew_are_others(place: Place) -> None:
    async with at(place, FILE) as browser:
        csrf = await fresh(place, browser)
        await browser.post("/file", data={"csrf": csrf, "note": "72"})
        await browser.post("/file", data={"csrf": csrf, "note": "73"})
        again = await fresh(place, browser)
        await browser.post("/file", data={"csrf": again, "note": "73"})

    assert filed == ["72", "73", "73"]
    assert token_of(again) == token_of(csrf)


@pytest.mark.parametrize(("note", "status"), [("", 400), ("impossible", 422)])
async def test_what_did_nothing_is_not_remembered(place: Place, note: str, status: int) -> None:
    async with at(place, FILE) as browser:
        form = {"csrf": await fresh(place, browser), "note": note}
        answers = [(await browser.post("/file", data=form)).status_code for _ in range(2)]
        left = await place.house.database.reading.fetchval("select count(*) from sent_form")

    assert (answers, left) == ([status, status], 0)


async def test_where_a_form_led_is_not_to_be_read_in_the_base(place: Place) -> None:
    """It may hold an authorization code, or the handle of a launch."""
    pool, key = place.house.database.writing, place.house.vault.territory
    await sent_forms.claim(pool, key, b"form")
    await sent_forms.led_to(pool, key, b"form", "https://app.example/?code=SECRET-CODE")

    kept = await pool.fetchval("select sealed from sent_form")
    assert b"SECRET-CODE" not in kept
    await pool.execute("update sent_form set form = $1", b"other")
    with pytest.raises(NotAuthentic):
        await sent_forms.claim(pool, key, b"other")


async def test_the_claim_of_a_worker_that_died_lasts_a_minute(place: Place) -> None:
    pool, key = place.house.database.writing, place.house.vault.territory
    assert await sent_forms.claim(pool, key, b"form") is None
    await pool.execute("update sent_form set taken_at = now() - interval '61 seconds'")

    assert await sent_forms.claim(pool, key, b"form") is None
    await sent_forms.led_to(pool, key, b"form", "/there")
    assert await sent_forms.claim(pool, key, b"form") == "/there"
    await sent_forms.give_back(pool, b"form")
    assert await sent_forms.claim(pool, key, b"form") == "/there"

    await pool.execute("update sent_form set taken_at = now() - interval '13 hours'")
    await sent_forms.sweep(pool)
    assert await pool.fetchval("select count(*) from sent_form") == 0
