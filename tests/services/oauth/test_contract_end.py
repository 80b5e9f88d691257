"""A contract that ends takes everything with it that was open by the account, at its moment, whatever way it was said."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from liaison.auth.people import accounts
from liaison.fhir.errors import FhirError
from liaison.fhir.store.contract import Request

from .conftest import Place, agree, place, query_of, redeem, settings
from .test_beside_tokens import introspected, register

__all__ = ["place", "settings"]


async def granted(place: Place, browser: httpx.AsyncClient) -> dict[str, Any]:
    content: dict[str, Any] = (
        await redeem(browser, query_of(await agree(browser, scope="openid offline_access user/Patient.rs"))["code"])
    ).json()
    return content


async def reads(place: Place, token: str) -> int:
    try:
        caller = await place.house.authenticator.caller(f"Bearer {token}")
        return (await place.house.engine.handle(caller, Request("GET", f"Patient/{place.patient}", "", b""))).status
    except FhirError:
        return 401


async def nothing_left(place: Place, browser: httpx.AsyncClient, content: dict[str, Any]) -> None:
    access, refresh = content["access_token"], content["refresh_token"]
    assert await reads(place, access) == 401
    for token in (access, refresh):
        assert await introspected(browser, "watcher", token) == {"active": False}
    bearer = {"authorization": f"Bearer {access}"}
    assert (await browser.get("/oauth/userinfo", headers=bearer)).status_code == 401
    form = {"grant_type": "refresh_token", "refresh_token": refresh, "client_id": "app"}
    assert (await browser.post("/oauth/token", data=form)).json()["error"] == "invalid_grant"
    assert (await browser.get("/mes-connexions")).status_code == 303


async def number_of(place: Place) -> int:
    return int(await place.house.database.reading.fetchval("select account from account where username = 'nurse'"))


@pytest.mark.parametrize("how", ["a moment read within the transaction", "a day to come that has come"])
async def test_everything_ends_with_the_contract(place: Place, how: str) -> None:
    await register(place, "watcher", introspects=True)
    async with place.signed_in() as browser:
        content = await granted(place, browser)
        account = await number_of(place)
        assert await reads(place, content["access_token"]) == 200

        async with place.house.database.writing.acquire() as connection, connection.transaction():
            now = await place.house.database.now()
            if how.startswith("a moment"):
                await accounts.end_at(connection, account, now)
            else:
                await accounts.end_at(connection, account, now + timedelta(minutes=3))
        if how.startswith("a day"):
            left = "select max(expires_at) <= now() + interval '3 minutes' from access_session where account = $1 and ended_at is null"
            assert await place.house.database.reading.fetchval(left, account)
            assert await reads(place, content["access_token"]) == 200
            later = "update access_session set expires_at = expires_at - interval '4 minutes' where account = $1"
            await place.house.database.writing.execute(later, account)
            past = "update account set ends_at = ends_at - interval '4 minutes' where account = $1"
            await place.house.database.writing.execute(past, account)

        await nothing_left(place, browser, content)


async def test_a_session_opened_before_the_end_lasts_no_longer(place: Place) -> None:
    account = await number_of(place)
    await place.house.database.writing.execute(
        "update account set ends_at = now() + interval '2 minutes' where account = $1", account
    )
    async with place.signed_in() as browser:
        await granted(place, browser)

    last = "select max(expires_at) <= (select ends_at from account where account = $1) from access_session where account = $1"
    assert await place.house.database.reading.fetchval(last, account)
