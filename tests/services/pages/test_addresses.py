"""Addresses that name a record: one that is hidden is like one that never was, and what is no id names nothing."""

import re
import secrets

import httpx
import pytest
from starlette.routing import Route

from liaison.services.pages.audit import who_saw
from liaison.services.pages.routes import routes

from ..oauth.conftest import Place

WITH_IDS = [one.path for one in routes() if isinstance(one, Route) and "{" in one.path and "/static/" not in one.path]


async def shown(browser: httpx.AsyncClient, id_: str) -> tuple[int, str]:
    answer = await browser.get(f"/journal/dossiers/{id_}")
    return answer.status_code, re.sub(r'name="csrf" value="[^"]*"', "", answer.text).replace(id_, "ID")


async def test_a_patient_asks_who_saw_their_own_record_and_learns_of_no_other(place: Place) -> None:
    async with place.signed_in("patient") as browser:
        assert (await shown(browser, place.patient))[0] == 200
        hidden, nobody = await shown(browser, place.other_patient), await shown(browser, secrets.token_hex(16))
    assert hidden == nobody
    assert hidden[0] == 404


async def test_without_the_question_the_answer_would_tell(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(who_saw, "PERSONS", frozenset())
    async with place.signed_in("patient") as browser:
        assert await shown(browser, place.other_patient) != await shown(browser, secrets.token_hex(16))


@pytest.mark.parametrize("username", ["nurse", "patient"])
async def test_what_is_no_id_names_nothing(place: Place, username: str) -> None:
    assert WITH_IDS
    async with place.signed_in(username) as browser:
        for one in WITH_IDS:
            for odd in ("_history", "_search", "$meta", "%3F", "1 or 1", "x" * 65):
                path = re.sub(r"\{\w+\}", odd, one)
                assert (await browser.get(path)).status_code in (404, 405), path
        for odd in ("_history", "x/_history", "../Patient", "?"):
            assert (await browser.get("/aujourdhui", params={"visite": odd})).status_code != 500
