"""`liaison user sessions`: what somebody has open, and its end."""

import json

import pytest

from liaison.auth.people import browsers
from liaison.auth.people.accounts import by_username
from liaison.auth.people.browsers import Device
from liaison.services.house import House
from liaison.services.settings import Settings

from ..conftest import Person
from .conftest import PASSWORD, Console, in_house

pytestmark = pytest.mark.http


def test_one_is_ended_then_all(console: Console, people: dict[str, Person], settings: Settings) -> None:
    who = people["gp"].practitioner
    assert console.run("user", "add", "seance", who, stdin=f"{PASSWORD}\n").returncode == 0

    async def twice(house: House) -> list[str]:
        async with house.database.writing.acquire() as connection:
            account = await by_username(connection, "seance")
            assert account is not None
            return [
                await browsers.begin(connection, account, device=Device(words)) for words in ("Chrome, Mac", "Edge")
            ]

    async def alive(house: House) -> list[bool]:
        return [await browsers.find(house.database.reading, cookie) is not None for cookie in cookies]

    cookies = in_house(settings, twice)
    listed = json.loads(console.run("user", "sessions", "seance", "--json").stdout)
    assert {one["device"] for one in listed} == {"Chrome, Mac", "Edge"}
    edge = next(one["id"] for one in listed if one["device"] == "Edge")
    assert console.run("user", "sessions", "seance", "--end", "browser.1").returncode == 1
    assert console.run("user", "sessions", "nobody-here").returncode == 1
    assert console.run("user", "sessions", "seance", "--end", edge, "--end-all").returncode == 2

    assert console.run("user", "sessions", "seance", "--end", edge).returncode == 0
    assert in_house(settings, alive) == [True, False]
    assert console.run("user", "sessions", "seance", "--end-all").returncode == 0
    assert in_house(settings, alive) == [False, False]
