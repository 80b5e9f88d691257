"""The pages in an installation for real people, where one factor opens nobody's record."""

import re
import time
from collections.abc import AsyncIterator

import httpx
import pytest

from liaison.auth.people import second_factor, totp
from liaison.auth.people.accounts import by_username
from liaison.services.installation import Kind

from ...oauth.conftest import Place, declared_as, field


@pytest.fixture
async def real(place: Place) -> AsyncIterator[Place]:
    await declared_as(place, Kind.PRODUCTION)
    yield place


def secret_in(page: str) -> bytes:
    """The secret that the page of the authenticator app shows."""
    from base64 import b32decode

    shown = re.search(r"<strong>([A-Z2-7 ]{39})</strong>", page)
    assert shown, page
    return b32decode(shown[1].replace(" ", ""))


def code(secret: bytes, steps: int = 0) -> str:
    """What the app shows now, or some half minutes from now."""
    return totp.code_of(secret, totp.step_of(time.time()) + steps)


async def used_code(place: Place, secret: bytes) -> str:
    """The code that was taken last, whatever the time since."""
    return totp.code_of(secret, await place.house.database.reading.fetchval("select last_step from totp"))


async def with_app(place: Place, username: str = "nurse") -> bytes:
    """Sets up the authenticator app of an account; its code of the step before was used for that."""
    house = place.house
    async with house.database.writing.acquire() as connection:
        account = await by_username(connection, username)
        assert account is not None
        await second_factor.propose(connection, house.vault, account.number)
        secret = await second_factor.proposed(connection, house.vault, account.number)
        assert secret is not None
        assert await second_factor.confirm(connection, house.vault, account.number, code(secret, -1))
    return secret


async def second_step(browser: httpx.AsyncClient, first: httpx.Response, given: str) -> httpx.Response:
    """Follows a right password to the second factor and gives the code."""
    page = await browser.get(first.headers["location"])
    form = {name: field(page.text, name) for name in ("csrf", "suite")}
    return await browser.post("/connexion/code", data={**form, "code": given})
