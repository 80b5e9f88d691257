"""An opposition that comes after the access was opened: said in the record or in a double of it, it ends what it would have
refused, at the next request. The order of the two changes nothing."""

from typing import Any

import pytest

from liaison.auth.access import emergency, heeding, one_person, oppositions
from liaison.fhir.errors import Unauthorized

from . import arrivals, calling
from .pieces import Tree
from .test_emergency import caller
from .test_emergency_doubles import objects
from .test_emergency_several import opening, people, references, traits

pytestmark = pytest.mark.alone  # nobody else lives there who could have the same traits

WHERE = ["the record", "a double"]


async def two_records(territory: Any, gp: Any, other: Any, where: str) -> tuple[str, str]:
    """A person's record, and the one in which they say what they oppose."""
    patient = await arrivals.registered(territory, gp)
    double = await territory.create(other.caller, traits())
    return patient, double if where == "a double" else patient


async def opposes(territory: Any, where: str, **stated: Any) -> None:
    said = oppositions.Opposition(**stated)
    store, base = territory.store, territory.engine.base_url
    await oppositions.oppose(store, territory.system, territory.key(where), said, base)


async def apart(territory: Any, who: Any, one: str, other: str) -> None:
    pair = {"resourceType": "Parameters", "parameter": [
        {"name": name, "valueReference": {"reference": reference}}
        for name, reference in (("patient", one), ("other-patient", other))]}  # fmt: skip
    assert (await territory.ask(who.caller, "POST", "Patient/$tell-apart", pair)).status == 200


@pytest.mark.parametrize("what", ["emergency access", "the doctor", "the service"])
@pytest.mark.parametrize("where", WHERE)
async def test_an_objection_ends_an_open_emergency_access(territory: Any, where: str, what: str) -> None:
    gp, other, _ = await people(territory)
    doctor = await territory.person("hospital-doctor", await territory.organization())
    patient, said_in = await two_records(territory, gp, other, where)
    problem = await territory.create(gp.caller, {"resourceType": "Condition", "subject": {"reference": patient}})
    opened = await opening(territory, doctor, arrivals.traits())
    held = await caller(territory, arrivals.said(opened)["access-token"])
    assert await territory.sees(held, problem)
    [task] = references(opened, "task")

    await objects(territory, said_in, doctor, what)

    assert (await territory.ask(held, "GET", problem)).status == 401
    assert (await territory.ask(doctor.caller, "POST", f"{task}/$emergency-token")).status == 404
    ended = await territory.tree(task, territory.system)
    assert ended["statusReason"] == {"text": "La personne s'y oppose."}
    assert ended["restriction"]["period"]["end"] <= ended["meta"]["lastUpdated"]
    assert ended["status"] == "requested"  # it stays to be reviewed


@pytest.mark.parametrize("where", WHERE)
@pytest.mark.parametrize("against", ["all", "platform"])
async def test_an_opposition_ends_the_call_of_a_handler(territory: Any, against: str, where: str) -> None:
    handler, doctor, gp = await calling.people(territory)
    other = await territory.person("gp")
    patient, said_in = await two_records(territory, gp, other, where)
    said = await calling.opened(territory, handler, calling.asked(arrivals.traits(), doctor.role))
    assert await territory.sees(handler.caller, patient)

    await opposes(territory, said_in, against=handler.organization if against == "platform" else "")

    for path in (patient, said["task"]):
        assert not await territory.sees(handler.caller, path)
    call = await territory.tree(said["task"], territory.system)
    assert (call["status"], call["statusReason"]["text"]) == ("cancelled", "La personne s'y oppose.")
    assert (await territory.ask(doctor.caller, "POST", f"{said['task']}/$take-call")).status == 404


@pytest.mark.parametrize("where", WHERE)
async def test_an_objection_ends_the_call_of_a_doctor_and_leaves_that_of_the_handler(
    territory: Any, where: str
) -> None:
    handler, doctor, gp = await calling.people(territory)
    other = await territory.person("gp")
    patient, said_in = await two_records(territory, gp, other, where)
    handed = await calling.opened(territory, handler, calling.asked(arrivals.traits(), doctor.role))
    said = await calling.opened(territory, doctor, calling.asked(arrivals.traits()))
    held = await calling.caller(territory, said["access-token"])
    assert await territory.sees(held, patient)

    await opposes(territory, said_in, emergency=True)

    with pytest.raises(Unauthorized):
        await calling.caller(territory, said["access-token"])
    assert (await territory.ask(held, "GET", patient)).status == 401
    assert (await territory.ask(doctor.caller, "POST", f"{said['task']}/$call-token")).status == 404
    assert (await territory.ask(doctor.caller, "POST", f"{handed['task']}/$take-call")).status == 404
    assert await territory.sees(handler.caller, patient)  # to whom it is not said


async def test_what_ended_does_not_come_back_with_the_end_of_the_opposition(territory: Any) -> None:
    handler, doctor, gp = await calling.people(territory)
    patient = await arrivals.registered(territory, gp)
    await calling.opened(territory, handler, calling.asked(calling.told(), doctor.role))
    await opposes(territory, patient)
    [consent] = await territory.search(territory.system, f"Consent?patient={patient}&category=opposition")

    assert (await territory.change(territory.system, consent, status="inactive")).status == 200

    assert not await territory.sees(handler.caller, patient)


@pytest.mark.parametrize("other", ["told apart", "another birthplace", "another given name"])
async def test_what_another_person_opposes_ends_nothing(territory: Any, other: str) -> None:
    """A false double that identity vigilance has told apart included."""
    gp, _, doctor = await people(territory)
    patient = await arrivals.registered(territory, gp)
    tree: Tree = {
        "told apart": traits(),
        "another birthplace": traits(place="75056"),
        "another given name": traits(given="Marie"),
    }[other]
    false = await territory.create(gp.caller, tree)
    if other == "told apart":
        await apart(territory, gp, patient, false)
    opened = await opening(territory, doctor, arrivals.traits())
    held = await caller(territory, arrivals.said(opened)["access-token"])

    await objects(territory, false, doctor)

    assert await territory.sees(held, patient)


async def test_without_the_look_at_doubles_the_access_would_stay(
    territory: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    gp, other, doctor = await people(territory)
    patient, double = await two_records(territory, gp, other, "a double")
    held = await caller(territory, arrivals.said(await opening(territory, doctor, arrivals.traits()))["access-token"])

    async def none(*_: object) -> list[Any]:
        return []

    monkeypatch.setattr(heeding, "end_opposed", none)
    await objects(territory, double, doctor)

    assert await territory.sees(held, patient)


@pytest.mark.parametrize("where", WHERE)
async def test_what_is_said_while_the_access_is_being_opened_refuses_it(
    territory: Any, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    gp, other, doctor = await people(territory)
    patient, said_in = await two_records(territory, gp, other, where)
    honest = one_person.opposed_in_any

    async def and_then_said(*given: Any, **more: Any) -> bool:
        answer = await honest(*given, **more)
        await objects(territory, said_in, doctor)
        return answer

    monkeypatch.setattr(emergency, "opposed_in_any", and_then_said)

    assert (await opening(territory, doctor, arrivals.traits())).status == 404
    assert await territory.search(territory.system, f"Task?patient={patient}&code=emergency-access") == []


# ---- calls opened and continued after it was said -----------------------------------------------------------------


@pytest.mark.parametrize("what", ["all", "emergency"])
async def test_a_call_hears_what_was_said_in_a_double_when_the_ins_is_stated(territory: Any, what: str) -> None:
    handler, doctor, gp = await calling.people(territory)
    other = await territory.person("gp")
    _, double = await two_records(territory, gp, other, "a double")
    await opposes(territory, double, emergency=what == "emergency")
    stated = arrivals.traits()

    statuses = [
        (await territory.ask(one.caller, "POST", "Patient/$open-call", calling.asked(stated, doctor.role))).status
        for one in (handler, doctor)
    ]

    assert statuses == {"all": [404, 200], "emergency": [200, 404]}[what]


async def test_a_call_does_not_hear_who_was_told_apart(territory: Any) -> None:
    handler, doctor, gp = await calling.people(territory)
    patient = await arrivals.registered(territory, gp)
    false = await territory.create(gp.caller, traits())
    await apart(territory, gp, patient, false)
    body = calling.asked(arrivals.traits(), doctor.role)

    await opposes(territory, false)

    assert (await calling.opened(territory, handler, body))["patient"] == patient


async def test_the_next_token_of_a_call_asks_again(territory: Any) -> None:
    """Also about what was said in a record that became the person's double afterwards."""
    _, doctor, gp = await calling.people(territory)
    other = await territory.person("gp")
    await arrivals.registered(territory, gp)
    double = await territory.create(other.caller, traits(given="Jehanne"))
    await opposes(territory, double, emergency=True)
    said = await calling.opened(territory, doctor, calling.asked(arrivals.traits()))
    assert (await territory.ask(doctor.caller, "POST", f"{said['task']}/$call-token")).status == 200

    corrected = await territory.change(other.caller, double, name=traits()["name"])
    assert corrected.status == 200, corrected.body

    assert (await territory.ask(doctor.caller, "POST", f"{said['task']}/$call-token")).status == 404
