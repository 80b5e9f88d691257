"""Emergency access by traits, where several records have them: nobody closes it by opening a second record of somebody."""

import json
from typing import Any

import pytest

from liaison.auth.access import vocabulary
from liaison.auth.access.identity import reliability

from . import arrivals
from .pieces import Tree
from .test_emergency import REASON, caller

pytestmark = pytest.mark.alone  # nobody else lives there who could have the same traits


def traits(**more: Any) -> Tree:
    """Without the INS."""
    return {name: value for name, value in arrivals.traits(**more).items() if name != "identifier"}


def without_place(tree: Tree) -> Tree:
    return {name: value for name, value in tree.items() if name != "extension"}


async def opening(territory: Any, who: Any, tree: Tree, operation: str = "$emergency-access") -> Any:
    return await territory.ask(who.caller, "POST", f"Patient/{operation}", arrivals.parameters(tree, reason=REASON))


async def people(territory: Any) -> tuple[Any, Any, Any]:
    gp, other, doctor = [await territory.person(role) for role in ("gp", "gp", "hospital-doctor")]
    return gp, other, doctor


def references(answer: Any, name: str) -> list[str]:
    parts = json.loads(answer.body)["parameter"]
    return [part["valueReference"]["reference"] for part in parts if part["name"] == name]


@pytest.mark.parametrize("stated", [traits(), without_place(traits())], ids=["five traits", "four traits"])
async def test_all_records_of_one_identity_are_opened_the_checked_one_first(territory: Any, stated: Tree) -> None:
    gp, other, doctor = await people(territory)
    doubles = [await territory.create(other.caller, double) for double in (traits(), without_place(traits()))]
    checked = traits()
    checked["extension"].append(reliability("VALI"))
    patient = await territory.create(gp.caller, checked)

    answer = await opening(territory, doctor, stated)

    assert answer.status == 200, answer.body
    assert references(answer, "patient") == [patient]
    assert references(answer, "also") == doubles  # the older before the younger
    held = await caller(territory, arrivals.said(answer)["access-token"])
    for one in (patient, *doubles):
        assert await territory.sees(held, one)
        tasks = await territory.search(
            territory.system, f"Task?patient={one}&code={vocabulary.REVIEW}|emergency-access"
        )
        assert len(tasks) == 1
        notices = await territory.search(territory.system, f"Communication?subject={one}")
        assert len(notices) == 1


async def test_one_end_closes_them_all(territory: Any) -> None:
    gp, other, doctor = await people(territory)
    patient = await arrivals.registered(territory, gp)
    double = await territory.create(other.caller, traits())
    answer = await opening(territory, doctor, traits())
    held = await caller(territory, arrivals.said(answer)["access-token"])
    query = f"Task?patient={double}&code={vocabulary.REVIEW}|emergency-access"
    [task] = await territory.search(territory.system, query)
    [renewed] = [await territory.ask(held, "POST", f"{task}/$emergency-token")]
    assert (references(renewed, "patient"), references(renewed, "also")) == ([double], [patient])

    assert (await territory.ask(doctor.caller, "POST", f"{task}/$end-access")).status == 204

    assert (await territory.ask(held, "GET", patient)).status == 401
    for one in (task, *references(answer, "task")):
        assert (await territory.ask(doctor.caller, "POST", f"{one}/$emergency-token")).status == 404


@pytest.mark.parametrize("where", ["the checked one", "the double"])
async def test_what_was_objected_in_one_holds_in_all(territory: Any, where: str) -> None:
    gp, other, doctor = await people(territory)
    patient = await arrivals.registered(territory, gp)
    double = await territory.create(other.caller, traits())
    deny = {"type": "deny", "purpose": [{"system": vocabulary.ACT_REASON, "code": "ETREAT"}]}
    said = type("Record", (), {"reference": patient if where == "the checked one" else double})
    opened = await opening(territory, doctor, traits())
    assert opened.status == 200
    consent = territory.consent(said, "emergency-objection", deny)
    await territory.create(territory.system, consent)

    assert (await opening(territory, doctor, traits())).status == 404
    for task in references(opened, "task"):
        assert (await territory.ask(doctor.caller, "POST", f"{task}/$emergency-token")).status == 404


async def test_two_people_who_are_known_to_be_two_are_nobody(territory: Any) -> None:
    """One of another birthplace, of another INS, or whom somebody has told apart."""
    gp, other, doctor = await people(territory)
    patient = await arrivals.registered(territory, gp)
    double = await territory.create(gp.caller, traits())
    assert (await opening(territory, doctor, without_place(traits()))).status == 200
    pair = {"resourceType": "Parameters", "parameter": [
        {"name": name, "valueReference": {"reference": one}}
        for name, one in (("patient", patient), ("other-patient", double))]}  # fmt: skip

    assert (await territory.ask(gp.caller, "POST", "Patient/$tell-apart", pair)).status == 200
    assert (await opening(territory, doctor, traits())).status == 404
    assert (await opening(territory, doctor, arrivals.traits())).status == 200

    elsewhere = traits(place="75056")
    await territory.create(other.caller, elsewhere)
    assert (await opening(territory, doctor, without_place(traits()))).status == 404
    assert (await opening(territory, doctor, elsewhere)).status == 200


async def test_the_ins_opens_its_own_record_alone(territory: Any) -> None:
    gp, other, doctor = await people(territory)
    patient = await arrivals.registered(territory, gp)
    await territory.create(other.caller, traits())

    answer = await opening(territory, doctor, arrivals.traits())

    assert (references(answer, "patient"), references(answer, "also")) == ([patient], [])


async def test_a_regulating_doctor_whose_call_finds_two_has_emergency_access(territory: Any) -> None:
    gp, other = await territory.person("gp"), await territory.person("gp")
    regulator = await territory.person("regulating-doctor")
    patient = await arrivals.registered(territory, gp)
    await territory.create(other.caller, traits())

    assert (await opening(territory, regulator, traits(), "$open-call")).status == 404
    answer = await opening(territory, regulator, traits())

    assert answer.status == 200, answer.body
    assert references(answer, "patient") == [patient]


async def test_many_doubles_open_the_surest(territory: Any) -> None:
    gp, other, doctor = await people(territory)
    patient = await arrivals.registered(territory, gp)
    for _ in range(6):
        await territory.create(other.caller, traits())

    answer = await opening(territory, doctor, traits())

    assert references(answer, "patient") == [patient]
    assert len(references(answer, "also")) == 4
