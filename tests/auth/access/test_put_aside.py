"""Whom or what the directory has put aside gives nobody a right: rights come from the directory, and it says `active` false."""

from typing import Any

import pytest

from liaison.auth.access import directory
from liaison.auth.access.rebuild import rebuild
from liaison.auth.people.roles import held_by
from liaison.auth.sessions import NoLongerHeld


async def held(territory: Any, person: Any) -> list[str]:
    found = await held_by(territory.database.reading, territory.key(person.practitioner).res)
    return [one.role_code for one in found]


@pytest.mark.parametrize("what", ["the person", "the structure"])
@pytest.mark.parametrize("how", ["inactive", "deleted"])
async def test_their_roles_wait_until_they_are_back(territory: Any, what: str, how: str) -> None:
    practice = await territory.organization("Cabinet")
    gp, other = await territory.person("gp", practice), await territory.person("nurse")
    patient = await territory.patient(gp, other)
    aside = gp.practitioner if what == "the person" else practice
    assert await territory.sees(gp.caller, patient.reference)

    if how == "inactive":
        assert (await territory.change(territory.system, aside, active=False)).status == 200
    else:
        assert (await territory.ask(territory.system, "DELETE", aside)).status == 204

    assert (
        await territory.ask(gp.caller, "GET", patient.reference)
    ).status == 401  # what was open in the role has ended
    assert await held(territory, gp) == []
    assert await territory.sees(other.caller, patient.reference)
    before = await rows(territory)
    await rebuild(territory.database.writing, territory.store.vault)
    assert await rows(territory) == before
    if how == "inactive":
        assert (await territory.change(territory.system, aside, active=True)).status == 200
        assert await held(territory, gp) == ["gp"]
        assert await territory.sees(await territory.sign_in(gp), patient.reference)


async def rows(territory: Any) -> list[str]:
    pool = territory.database.reading
    found = []
    for table in ("held_role", "awaiting_role", "put_aside", "access_grant"):
        found += sorted(map(str, await pool.fetch(f"select * from {table}")))
    return found


async def test_a_role_that_is_given_meanwhile_waits_too(territory: Any) -> None:
    gp = await territory.person("gp")
    assert (await territory.change(territory.system, gp.practitioner, active=False)).status == 200

    with pytest.raises(NoLongerHeld):
        await territory.role_of(gp.practitioner, "nurse")

    assert await held(territory, gp) == []
    assert (await territory.change(territory.system, gp.practitioner, active=True)).status == 200
    assert sorted(await held(territory, gp)) == ["gp", "nurse"]


async def test_a_role_that_was_ended_does_not_come_back(territory: Any) -> None:
    gp = await territory.person("gp")
    assert (await territory.change(territory.system, gp.role, active=False)).status == 200
    for active in (False, True):
        assert (await territory.change(territory.system, gp.practitioner, active=active)).status == 200

    assert await held(territory, gp) == []


async def test_whoever_stands_in_for_them_has_nothing_either(territory: Any) -> None:
    practice = await territory.organization("Cabinet")
    gp = await territory.person("gp", practice)
    secretary = await territory.person("secretary", practice, acts_for=gp.role)
    patient = await territory.patient(gp)
    assert await territory.sees(secretary.caller, patient.reference)

    assert (await territory.change(territory.system, gp.practitioner, active=False)).status == 200

    assert not await territory.sees(secretary.caller, patient.reference)


async def test_without_the_rule_they_would_go_on(territory: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fault planted."""
    monkeypatch.setattr(directory, "_is_aside", lambda tree: False)
    gp = await territory.person("gp")
    patient = await territory.patient(gp)

    assert (await territory.change(territory.system, gp.practitioner, active=False)).status == 200

    assert await territory.sees(gp.caller, patient.reference)
