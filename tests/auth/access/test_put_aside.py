"""Whom or what the directory has put aside gives nobody a right: rights come from the directory, and it says `active` false."""

from typing import Any

import pytest

from liaison.auth.access import directory, vocabulary
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


@pytest.mark.parametrize("how", ["the person", "the structure", "the role", "another role", "deleted"])
async def test_an_office_that_is_over_is_so_for_every_record(territory: Any, how: str) -> None:
    """An auditor reads the traces of everyone: whatever ends that ends it in each record, and gives it back in each."""
    office = await territory.organization("Contrôle")
    auditor, patient = await territory.person("auditor", office), await territory.patient()
    assert await granted(territory, auditor, patient)
    coded = [{"coding": [{"system": vocabulary.ROLE, "code": "referent"}]}]
    changes: dict[str, Any] = {
        "the person": (auditor.practitioner, {"active": False}, {"active": True}),
        "the structure": (office, {"active": False}, {"active": True}),
        "the role": (auditor.role, {"active": False}, {"active": True}),
        "another role": (auditor.role, {"code": coded}, None),
        "deleted": (auditor.role, None, None),
    }

    reference, gone, back = changes[how]
    if gone is None:
        assert (await territory.ask(territory.system, "DELETE", reference)).status == 204
    else:
        assert (await territory.change(territory.system, reference, **gone)).status == 200

    assert not await granted(territory, auditor, patient)
    meanwhile = await territory.patient()
    assert not await granted(territory, auditor, meanwhile)
    if back:
        assert (await territory.change(territory.system, reference, **back)).status == 200
        assert await granted(territory, auditor, patient) and await granted(territory, auditor, meanwhile)
    before = await rows(territory)
    await rebuild(territory.database.writing, territory.store.vault)
    assert await rows(territory) == before


async def granted(territory: Any, person: Any, patient: Any) -> bool:
    query = "select exists (select from access_grant where principal = $1 and patient = $2)"
    numbers = territory.key(person.role).res, territory.key(patient.reference).patient
    return bool(await territory.database.reading.fetchval(query, *numbers))


async def test_without_the_rule_they_would_go_on(territory: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fault planted."""
    monkeypatch.setattr(directory, "_is_aside", lambda tree: False)
    gp = await territory.person("gp")
    patient = await territory.patient(gp)

    assert (await territory.change(territory.system, gp.practitioner, active=False)).status == 200

    assert await territory.sees(gp.caller, patient.reference)
