"""Emergency access, and what the person objected in another of their records: it counts, whichever record is opened."""

from typing import Any

import pytest

from liaison.auth.access import vocabulary

from . import arrivals
from .pieces import Tree, moment
from .test_emergency_several import opening, people, references, traits, without_place

pytestmark = pytest.mark.alone  # nobody else lives there who could have the same traits

INS_ALONE: Tree = {"resourceType": "Patient", "identifier": arrivals.traits()["identifier"]}
STATED = {"INS and traits": arrivals.traits(), "INS alone": INS_ALONE}
WHO = ["emergency access", "the doctor", "the service"]


async def objects(territory: Any, where: str, doctor: Any, what: str = "emergency access", **more: Any) -> None:
    record = type("Record", (), {"reference": where})
    kind, deny = "opposition", {"type": "deny", **more}
    if what == "emergency access":
        kind, deny["purpose"] = "emergency-objection", [{"system": vocabulary.ACT_REASON, "code": "ETREAT"}]
    else:
        deny["actor"] = [territory.actor(doctor.practitioner if what == "the doctor" else doctor.organization)]
    await territory.create(territory.system, territory.consent(record, kind, deny))


@pytest.mark.parametrize("what", WHO)
@pytest.mark.parametrize("stated", STATED.values(), ids=STATED)
async def test_what_was_objected_in_a_double_is_heard_when_the_ins_is_stated(
    territory: Any, stated: Tree, what: str
) -> None:
    gp, other, _ = await people(territory)
    doctor = await territory.person("hospital-doctor", await territory.organization())
    patient = await arrivals.registered(territory, gp)
    double = await territory.create(other.caller, traits())
    opened = await opening(territory, doctor, stated)
    assert (references(opened, "patient"), references(opened, "also")) == ([patient], [])
    [task] = references(opened, "task")

    await objects(territory, double, doctor, what)

    assert (await opening(territory, doctor, stated)).status == 404
    assert (await territory.ask(doctor.caller, "POST", f"{task}/$emergency-token")).status == 404


async def test_a_double_that_lacks_the_birthplace_is_heard_too(territory: Any) -> None:
    gp, other, doctor = await people(territory)
    await arrivals.registered(territory, gp)
    double = await territory.create(other.caller, without_place(traits()))
    await objects(territory, double, doctor)

    for stated in STATED.values():
        assert (await opening(territory, doctor, stated)).status == 404


@pytest.mark.parametrize("stated", STATED.values(), ids=STATED)
async def test_what_somebody_else_objected_is_not_heard(territory: Any, stated: Tree) -> None:
    """Of another birthplace, of another first name, or whom somebody has told apart."""
    gp, other, doctor = await people(territory)
    patient = await arrivals.registered(territory, gp)
    for tree in (traits(place="75056"), traits(given="Marie")):
        await objects(territory, await territory.create(other.caller, tree), doctor)
    opened = await opening(territory, doctor, stated)
    assert references(opened, "patient") == [patient]
    [task] = references(opened, "task")
    double = await territory.create(gp.caller, traits())
    await objects(territory, double, doctor)
    assert (await opening(territory, doctor, stated)).status == 404

    pair = {"resourceType": "Parameters", "parameter": [
        {"name": name, "valueReference": {"reference": one}}
        for name, one in (("patient", patient), ("other-patient", double))]}  # fmt: skip
    assert (await territory.ask(gp.caller, "POST", "Patient/$tell-apart", pair)).status == 200

    again = await opening(territory, doctor, stated)
    assert references(again, "patient") == [patient]
    [renewed] = references(again, "task")
    assert (await territory.ask(doctor.caller, "POST", f"{renewed}/$emergency-token")).status == 200
    # The first ended with the objection, which could be theirs then.
    assert (await territory.ask(doctor.caller, "POST", f"{task}/$emergency-token")).status == 404


async def test_what_was_objected_and_has_ended_is_not_heard(territory: Any) -> None:
    gp, other, doctor = await people(territory)
    patient = await arrivals.registered(territory, gp)
    double = await territory.create(other.caller, traits())
    await objects(territory, double, doctor, period={"start": moment(days=9), "end": moment(days=1)})

    assert references(await opening(territory, doctor, arrivals.traits()), "patient") == [patient]
