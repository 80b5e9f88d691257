"""Twenty who come to /oauth/token with one code, or one refresh token: exactly one is answered, and the family falls."""

import asyncio
from typing import Any

import httpx
import pytest

from .conftest import REDIRECT, URL, VERIFIER, Place, agree, query_of, redeem

RACERS = 20
ROUNDS = 6
OFFLINE = "launch/patient openid fhirUser offline_access patient/*.rs"


async def code_of(place: Place) -> str:
    async with place.signed_in() as browser:
        answer = await agree(browser, patient=place.patient, scope=OFFLINE)
        return query_of(answer)["code"]


async def race(place: Place, form: dict[str, str]) -> list[httpx.Response]:
    """Each with a connection of its own."""

    async def one() -> httpx.Response:
        async with place.browser() as software:
            return await software.post("/oauth/token", data=form)

    return list(await asyncio.gather(*(one() for _ in range(RACERS))))


def the_winner(answers: list[httpx.Response]) -> dict[str, Any]:
    won = [answer.json() for answer in answers if answer.status_code == 200]
    assert len(won) == 1, [answer.status_code for answer in answers]
    lost = [(answer.status_code, answer.json()["error"]) for answer in answers if answer.status_code != 200]
    assert lost == [(400, "invalid_grant")] * (RACERS - 1)
    winner: dict[str, Any] = won[0]
    return winner


async def assert_fallen(place: Place, content: dict[str, Any]) -> None:
    async with place.browser() as software:
        headers = {"authorization": f"Bearer {content['access_token']}"}
        assert (await software.get(f"{URL}/oauth/userinfo", headers=headers)).status_code == 401
        form = {"grant_type": "refresh_token", "client_id": "app", "refresh_token": content["refresh_token"]}
        assert (await software.post("/oauth/token", data=form)).status_code == 400


@pytest.mark.parametrize("turn", range(ROUNDS))
async def test_of_twenty_with_one_code_one_is_answered_and_has_nothing_of_it(shared: Place, turn: int) -> None:
    form = {
        "grant_type": "authorization_code",
        "client_id": "app",
        "code": await code_of(shared),
        "redirect_uri": REDIRECT,
        "code_verifier": VERIFIER,
    }
    await assert_fallen(shared, the_winner(await race(shared, form)))


@pytest.mark.parametrize("turn", range(ROUNDS))
async def test_of_twenty_with_one_refresh_token_one_is_answered_and_has_nothing_of_it(shared: Place, turn: int) -> None:
    async with shared.browser() as software:
        first = (await redeem(software, await code_of(shared))).json()
    form = {"grant_type": "refresh_token", "client_id": "app", "refresh_token": first["refresh_token"]}
    await assert_fallen(shared, the_winner(await race(shared, form)))
