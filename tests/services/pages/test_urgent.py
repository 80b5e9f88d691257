"""Emergency access asks for a sign-in of less than half an hour: else for the secret again, in the same form."""

import html
import json
import re
from datetime import timedelta

import httpx
import pytest

from liaison.auth.access import internal
from liaison.auth.access.asking_limits import LIMITS, WINDOW, Account
from liaison.auth.oauth2 import rfc9470
from liaison.auth.people import browsers
from liaison.fhir.store.contract import Request

from ...auth.access import arrivals
from ..oauth.conftest import PASSWORD, Place, field

NEUTRAL = "Aucun accès ne peut être ouvert"
FORM = {
    "family": "ROLLAND",
    "given": "ARMELLE",
    "birth": "1948-03-02",
    "sex": "female",
    "reason": "Trouvée inconsciente",
}


async def send(browser: httpx.AsyncClient, **more: str) -> httpx.Response:
    csrf = field((await browser.get("/urgence")).text, "csrf")
    return await browser.post("/urgence", data={"csrf": csrf, **FORM, **more})


async def grow_old(place: Place) -> None:
    await place.house.database.writing.execute("update browser_session set started_at = now() - interval '31 minutes'")


async def test_an_old_sign_in_is_proven_again(place: Place) -> None:
    async with place.signed_in() as browser:
        assert 'name="secret"' not in (await browser.get("/urgence")).text
        await grow_old(place)
        assert 'name="secret"' in (await browser.get("/urgence")).text

        for secret in ("", "wrong"):
            answer = await send(browser, secret=secret)
            assert answer.status_code == 403
            assert NEUTRAL not in answer.text
            assert "ROLLAND" in answer.text  # what was typed is not lost
            assert "wrong" not in answer.text
        before = dict(browser.cookies)
        answer = await send(browser, secret=PASSWORD)
        assert answer.status_code == 404
        assert NEUTRAL in answer.text
        assert dict(browser.cookies) != before
        assert 'name="secret"' not in (await browser.get("/urgence")).text
        assert (await send(browser)).status_code == 404


async def test_without_the_bound_an_old_sign_in_would_do(
    place: Place,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The fault planted: the form goes through without the secret."""
    monkeypatch.setattr(browsers, "RECENT", timedelta(days=1))
    monkeypatch.setattr(rfc9470, "RECENT", timedelta(days=1))  # the wall behind it
    async with place.signed_in() as browser:
        await grow_old(place)

        assert (await send(browser)).status_code == 404


async def test_choosing_a_role_again_is_no_proof(place: Place) -> None:
    async with place.signed_in("both") as browser:
        await grow_old(place)
        page = await browser.get("/role")
        choice = field(page.text, "role")
        answer = await browser.post(
            "/role", data={"csrf": field(page.text, "csrf"), "role": choice, "suite": "/urgence"}
        )
        assert answer.status_code == 303
        cookie = next(iter(browser.cookies.values()))
        found = await browsers.find(place.house.database.reading, cookie)

        assert found is not None
        assert not found.recent


async def test_too_many_questions_say_when_there_is_room_again_to_software_too(place: Place) -> None:
    async with place.signed_in() as browser:
        refused = [await send(browser) for _ in range(LIMITS[Account.URGENT].failures + 1)][-1]

        assert refused.status_code == 429
        assert "appelez le 15" in refused.text
        assert 0 < int(refused.headers["retry-after"]) <= WINDOW.total_seconds()
        assert "retry-after" not in (await browser.get("/urgence")).headers


async def test_several_records_of_one_identity_are_listed_and_each_is_read(place: Place) -> None:
    maker = await internal.open_session(place.house.database.writing, "sandbox")
    person = {
        "resourceType": "Patient",
        "name": [{"use": "official", "family": FORM["family"], "given": [FORM["given"]]}],
        "birthDate": FORM["birth"],
        "gender": FORM["sex"],
    }
    for _ in "ab":
        answer = await place.house.engine.handle(maker, Request("POST", "Patient", "", json.dumps(person).encode()))
        assert answer.status == 201, answer.body
    async with place.signed_in() as browser:
        opened = await send(browser)
        assert (opened.status_code, opened.headers["location"]) == (303, "/urgence?plusieurs=1")
        page = html.unescape((await browser.get("/urgence?plusieurs=1")).text)
        assert "Plusieurs dossiers portent cette identité" in page
        tasks = re.findall(r'href="(/urgence/[0-9a-f]{32})"', page)
        assert len(set(tasks)) == 2
        for task in tasks:
            assert "ROLLAND" in (await browser.get(task)).text
        csrf = field((await browser.get(tasks[0])).text, "csrf")
        assert (await browser.post(f"{tasks[0]}/fin", data={"csrf": csrf})).status_code == 303
        for task in tasks:
            assert (await browser.get(task)).status_code == 404


async def test_who_opened_the_record_in_an_emergency_ends_that_before_they_join(place: Place) -> None:
    """Of somebody who cannot say what they wish, nobody says the same day that they were recognised by them."""
    maker = await internal.open_session(place.house.database.writing, "sandbox")
    person = {**arrivals.traits(FORM["family"], FORM["given"]), "birthDate": FORM["birth"]}
    made = await place.house.engine.handle(maker, Request("POST", "Patient", "", json.dumps(person).encode()))
    assert made.status == 201, made.body
    stated = {
        **{name: FORM[name] for name in ("family", "given", "birth", "sex")},
        "birthplace": "29232", "ins": "260058815400233", "ins_kind": "10", "step": "join", "means": "oral",
    }  # fmt: skip
    place.app.state.sandbox = True  # where the lifespan would say so

    async def join(browser: httpx.AsyncClient) -> httpx.Response:
        csrf = field((await browser.get("/accueillir")).text, "csrf")
        return await browser.post("/accueillir", data={"csrf": csrf, **stated})

    async with place.signed_in() as browser:
        opened = await send(browser)
        assert opened.status_code == 303
        refused = await join(browser)
        assert refused.status_code == 409
        assert "Terminez d'abord cet accès" in html.unescape(refused.text)
        assert FORM["family"] in refused.text  # what was typed is not lost
        ended = await browser.get(opened.headers["location"])
        path = re.search(r'action="(/urgence/[^"]+/fin)"', ended.text)
        assert path, ended.text
        await browser.post(path[1], data={"csrf": field(ended.text, "csrf")})
        await place.house.database.writing.execute("select pg_sleep(1.1)")
        assert (await join(browser)).status_code == 303
