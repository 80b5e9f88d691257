"""`liaison phone`: a lost phone is found and ended at the console."""

import json

import pytest

from liaison.auth.journal.entry import Event
from liaison.auth.people import browsers, phones
from liaison.auth.people.accounts import by_username
from liaison.auth.people.browsers import Device
from liaison.services.house import House
from liaison.services.settings import Settings

from ..conftest import Person
from .conftest import PASSWORD, Console, in_house

pytestmark = pytest.mark.http


def test_a_lost_phone_is_ended_and_who_is_signed_in_on_it_is_out(
    console: Console, people: dict[str, Person], settings: Settings
) -> None:
    assert console.run("user", "add", "mobile", people["gp"].practitioner, stdin=f"{PASSWORD}\n").returncode == 0

    async def begin(house: House) -> tuple[str, str, str]:
        organization = await house.database.reading.fetchval("select organization from held_role limit 1")
        async with house.database.writing.acquire() as connection:
            account = await by_username(connection, "mobile")
            assert account is not None
            secret = await phones.enrol(connection, organization, "Téléphone 3", by=account.number)
            await phones.enrol(connection, organization + 1, "Téléphone d’ailleurs")
            found = await phones.find(connection, secret)
            assert found is not None
            cookie = await browsers.begin(connection, account, device=Device("Chrome", found.number))
        return str(found.number), secret, cookie

    async def alive(house: House) -> tuple[bool, bool]:
        reading = house.database.reading
        return await phones.find(reading, secret) is not None, await browsers.find(reading, cookie) is not None

    async def told(house: House) -> int:
        return int(
            await house.database.reading.fetchval("select count(*) from journal_entry where event = $1", Event.RIGHTS)
        )

    number, secret, cookie = in_house(settings, begin)
    listed = {one["number"]: one for one in json.loads(console.run("phone", "list", "--json").stdout)}
    mine = listed[number]
    assert (mine["label"], mine["active"], mine["by"]) == ("Téléphone 3", True, "mobile")
    assert mine["organization"].startswith("Organization/")
    assert secret not in json.dumps(listed)
    there = json.loads(console.run("phone", "list", "--organization", mine["organization"], "--json").stdout)
    assert [one["label"] for one in there] == ["Téléphone 3"]
    assert "Téléphone 3" in console.run("phone", "list").stdout
    assert in_house(settings, alive) == (True, True)

    before = in_house(settings, told)
    refused = console.run("phone", "end", "1")
    assert (refused.returncode, "liaison phone list" in refused.stderr) == (1, True)
    assert console.run("phone", "list", "--organization", "Organization/nowhere").returncode == 1
    done = console.run("phone", "end", number)
    assert (done.returncode, done.stdout) == (0, "Téléphone 3 has ended.\n")
    assert in_house(settings, alive) == (False, False)
    assert in_house(settings, told) == before + 1
    again = console.run("phone", "end", number)
    assert (again.returncode, "already" in again.stderr) == (1, True)
    assert in_house(settings, told) == before + 1
    listed = {one["number"]: one for one in json.loads(console.run("phone", "list", "--json").stdout)}
    assert sorted(one["active"] for one in listed.values()) == [False, True]
