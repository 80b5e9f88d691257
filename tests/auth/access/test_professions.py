"""Whoever acts in a professional's place is of the same profession, and the directory knows it."""

from typing import Any

import pytest

from liaison.auth.access import vocabulary
from liaison.auth.access.rebuild import rebuild
from liaison.auth.people.roles import held_by
from liaison.auth.sessions import NoLongerHeld, is_alive

from .territory import Person, Tree, qualified

PERIOD = {"start": "2020-01-01", "end": "2099-01-01"}
IN_PLACE = pytest.mark.parametrize("code", ["substitute", "trainee"])


def in_place_of(practitioner: str, code: str, acts_for: str, **more: Any) -> Tree:
    return {
        "resourceType": "PractitionerRole",
        "active": True,
        "practitioner": {"reference": practitioner},
        "code": [{"coding": [{"system": vocabulary.ROLE, "code": code}]}],
        "extension": [{"url": vocabulary.ACTS_FOR, "valueReference": {"reference": acts_for}}],
        "period": PERIOD,
        **more,
    }


async def someone(territory: Any, **more: Any) -> str:
    made: str = await territory.create(territory.system, {"resourceType": "Practitioner", "active": True, **more})
    return made


async def stated(territory: Any, practitioner: str, code: str, acts_for: str) -> Person:
    role = await territory.create(territory.system, in_place_of(practitioner, code, acts_for))
    return Person(practitioner, role, code, "")


async def offered(territory: Any, person: Person) -> int:
    """How many roles this person could sign in with."""
    return len(await held_by(territory.database.reading, territory.key(person.practitioner).res))


@IN_PLACE
@pytest.mark.parametrize("known_by", ["a role", "a role that has ended", "a qualification"])
async def test_a_nurse_does_not_act_in_a_doctor_s_place(territory: Any, code: str, known_by: str) -> None:
    gp, nurse = await territory.person("gp"), await territory.person("nurse")
    practitioner = nurse.practitioner
    if known_by == "a role that has ended":
        await territory.change(territory.system, nurse.role, active=False)
    if known_by == "a qualification":
        practitioner = await someone(territory, qualification=[qualified("60")])

    answer = await territory.ask(territory.system, "POST", "PractitionerRole", in_place_of(practitioner, code, gp.role))

    assert answer.status == 422
    assert b"of the same profession (doctor): the directory knows this person as nurse" in answer.body


@IN_PLACE
async def test_somebody_of_no_known_profession_has_no_right_until_it_is_known(territory: Any, code: str) -> None:
    gp = await territory.person("gp")
    patient = await territory.patient(gp)
    unknown = await stated(territory, await someone(territory), code, gp.role)

    assert await offered(territory, unknown) == 0
    with pytest.raises(NoLongerHeld):
        await territory.sign_in(unknown)

    known = {"qualification": [qualified("10")]}
    assert (await territory.change(territory.system, unknown.practitioner, **known)).status == 200
    assert await offered(territory, unknown) == 1
    unknown.session = await territory.sign_in(unknown)
    assert await territory.sees(unknown.caller, patient.reference)

    assert (await territory.change(territory.system, unknown.practitioner, active=False)).status == 200
    assert await offered(territory, unknown) == 0
    assert not await is_alive(territory.database.reading, unknown.caller.session)


@pytest.mark.parametrize(
    ("replaced", "own", "qualification", "count"),
    [
        ("gp", "", qualified("10"), 1),
        ("physio", "", qualified("70"), 1),
        ("nurse", "", qualified("60"), 1),
        ("gp", "specialist", None, 2),
        ("nurse", "nurse", None, 2),
        ("gp", "", qualified("10", period={"end": "2099-01-01"}), 0),
        ("gp", "", {"code": {"coding": [{"system": "urn:other", "code": "10"}]}}, 0),
        ("gp", "", qualified("99"), 0),
        ("gp", "coordinator", None, 1),
    ],
    ids=[
        "a doctor", "a physio", "a nurse", "another doctor's role", "a nurse's role", "a licence that ends",
        "another system", "no profession of ours", "a role that is no profession",
    ],
)  # fmt: skip
async def test_the_profession_is_that_of_the_replaced(
    territory: Any, replaced: str, own: str, qualification: Tree | None, count: int
) -> None:
    colleague = await territory.person(replaced)
    practitioner = await someone(territory, **({"qualification": [qualification]} if qualification else {}))
    if own:
        await territory.role_of(practitioner, own)

    substitute = await stated(territory, practitioner, "substitute", colleague.role)

    assert await offered(territory, substitute) == count


async def test_a_role_that_is_suspended_vouches_for_nothing(territory: Any) -> None:
    gp, colleague = await territory.person("gp"), await territory.person("gp")
    substitute = await stated(territory, colleague.practitioner, "substitute", gp.role)
    assert await offered(territory, substitute) == 2

    await territory.change(territory.system, colleague.role, active=False)

    assert await offered(territory, substitute) == 0


async def test_nobody_has_been_let_in_when_the_replaced_turns_out_to_be_of_another_profession(territory: Any) -> None:
    gp = await territory.person("gp")
    substitute = await territory.person("substitute", acts_for=gp.role, period=PERIOD)
    code = [{"coding": [{"system": vocabulary.ROLE, "code": "physio"}]}]

    assert (await territory.change(territory.system, gp.role, code=code)).status == 200

    assert not await is_alive(territory.database.reading, substitute.caller.session)


@pytest.mark.alone
async def test_rights_read_again_are_the_same(territory: Any) -> None:
    gp = await territory.person("gp")
    await territory.patient(gp)
    await territory.person("substitute", acts_for=gp.role, period=PERIOD)
    await stated(territory, await someone(territory), "trainee", gp.role)
    tables = ("held_role", "awaiting_role", "known_profession", "access_grant")

    async def rows() -> list[list[str]]:
        reading = territory.database.reading
        return [sorted(str(one) for one in await reading.fetch(f"select * from {table}")) for table in tables]

    before = await rows()
    await rebuild(territory.database.writing, territory.store.vault)

    assert await rows() == before
    assert all(before)


def in_one_s_own_name(practitioner: str, code: str) -> Tree:
    return {
        "resourceType": "PractitionerRole",
        "active": True,
        "practitioner": {"reference": practitioner},
        "code": [{"coding": [{"system": vocabulary.ROLE, "code": code}]}],
    }


@pytest.mark.parametrize("known_by", ["a role", "a qualification"])
async def test_a_role_of_another_profession_in_one_s_own_name_is_refused(territory: Any, known_by: str) -> None:
    """It would be taken for the proof that one may stand in a doctor's place."""
    nurse = await territory.person("nurse")
    practitioner = nurse.practitioner
    if known_by == "a qualification":
        practitioner = await someone(territory, qualification=[qualified("60")])

    answer = await territory.ask(territory.system, "POST", "PractitionerRole", in_one_s_own_name(practitioner, "gp"))

    assert answer.status == 422
    assert b"one's own profession (doctor): the directory knows this person as nurse" in answer.body
    for code in ("nurse", "care-assistant", "coordinator"):
        own = in_one_s_own_name(practitioner, code)
        assert (await territory.ask(territory.system, "POST", "PractitionerRole", own)).status == 201


async def test_whoever_is_qualified_in_both_holds_both(territory: Any) -> None:
    practitioner = await someone(territory, qualification=[qualified("60"), qualified("10")])
    for code in ("nurse", "gp"):
        own = in_one_s_own_name(practitioner, code)
        assert (await territory.ask(territory.system, "POST", "PractitionerRole", own)).status == 201


async def test_roles_of_two_professions_prove_neither(territory: Any) -> None:
    """As an import may bring them, in one transaction."""
    gp, practitioner = await territory.person("gp"), await someone(territory)
    entries = [
        {"resource": in_one_s_own_name(practitioner, code), "request": {"method": "POST", "url": "PractitionerRole"}}
        for code in ("nurse", "gp")
    ]
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    assert (await territory.ask(territory.system, "POST", "", bundle)).status == 200

    before = len(await held_by(territory.database.reading, territory.key(practitioner).res))
    substitute = await stated(territory, practitioner, "substitute", gp.role)

    assert await offered(territory, substitute) == before
