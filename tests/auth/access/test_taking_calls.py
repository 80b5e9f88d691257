"""A handler's call, taken by the regulating doctor it names: by nobody else, not after its end, not against an objection."""

import json
from typing import Any

import pytest

from liaison.auth.access import oppositions, taking_calls
from liaison.auth.access.purposes import Purpose
from liaison.fhir.errors import Unauthorized

from . import arrivals, calling

pytestmark = pytest.mark.alone  # nobody else lives there who could have the same traits

Tree = dict[str, Any]


async def received(territory: Any) -> tuple[Any, Any, Any, dict[str, str]]:
    """A handler's open call under a doctor's responsibility: handler, doctor, the attending doctor, what was said."""
    handler, doctor, gp = await calling.people(territory)
    await arrivals.registered(territory, gp)
    said = await calling.opened(territory, handler, calling.asked(calling.told(), doctor.role))
    return handler, doctor, gp, said


async def handed(territory: Any, who: Any) -> list[str]:
    answer = await territory.ask(who.caller, "POST", "Task/$calls-for-me")
    assert answer.status == 200, answer.body
    parts = [one["part"] for one in json.loads(answer.body).get("parameter", [])]
    return [part["valueReference"]["reference"] for one in parts for part in one if part["name"] == "task"]


async def test_the_doctor_of_a_call_takes_it_and_reads_until_its_end(territory: Any) -> None:
    handler, doctor, gp, said = await received(territory)
    problem = await territory.create(
        gp.caller, {"resourceType": "Condition", "subject": {"reference": said["patient"]}}
    )
    assert await handed(territory, doctor) == [said["task"]]
    assert not await territory.sees(doctor.caller, said["patient"])

    answer = await territory.ask(doctor.caller, "POST", f"{said['task']}/$take-call")

    assert answer.status == 200, answer.body
    taken = arrivals.said(answer)
    urgent = await calling.caller(territory, taken["access-token"])
    assert urgent.purpose == Purpose.ETREAT
    assert await territory.sees(urgent, problem)
    assert not await territory.sees(doctor.caller, problem)
    assert not await territory.sees(handler.caller, problem)
    assert taken["until"][:19] == said["until"][:19]
    own = await territory.tree(taken["task"], gp.caller)
    assert own["partOf"] == [{"reference": said["task"]}]
    assert (own["requester"]["reference"], own["reasonCode"]["text"]) == (doctor.role, calling.REASON)
    assert len(await territory.search(gp.caller, f"Communication?subject={said['patient']}")) == 1

    assert (await territory.ask(doctor.caller, "POST", f"{taken['task']}/$end-call")).status == 204
    with pytest.raises(Unauthorized):
        await calling.caller(territory, taken["access-token"])
    assert await territory.sees(handler.caller, said["patient"])  # theirs is open still
    assert await handed(territory, doctor) == []  # and dealt with


async def strangers(territory: Any) -> list[Any]:
    return [await territory.person(code) for code in ("regulating-doctor", "on-call-doctor", "call-handler", "gp")]


async def test_nobody_else_is_shown_it_or_takes_it(territory: Any) -> None:
    handler, doctor, gp, said = await received(territory)
    nothing = await territory.ask(doctor.caller, "POST", f"Task/{'0' * 32}/$take-call")
    assert nothing.status == 404
    for person in (handler, gp, *(await strangers(territory))):
        assert await handed(territory, person) == []
        refused = await territory.ask(person.caller, "POST", f"{said['task']}/$take-call")
        assert (refused.status, refused.body) == (404, nothing.body)
    assert (await territory.ask(handler.caller, "POST", f"{said['task']}/$end-call")).status == 204
    assert await handed(territory, doctor) == []
    assert (await territory.ask(doctor.caller, "POST", f"{said['task']}/$take-call")).status == 404


async def test_without_the_check_another_doctor_would_take_it(territory: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fault planted: any call would be anybody's of the platform."""
    *_, said = await received(territory)
    monkeypatch.setattr(taking_calls, "_handed", lambda *_: True)
    other = await territory.person("regulating-doctor")

    assert (await territory.ask(other.caller, "POST", f"{said['task']}/$take-call")).status == 200


async def test_an_objection_to_emergency_access_closes_it_to_the_doctor(territory: Any) -> None:
    _, doctor, gp, said = await received(territory)
    stated = oppositions.Opposition("", True)
    await oppositions.oppose(
        territory.store, gp.caller, territory.key(said["patient"]), stated, territory.engine.base_url
    )

    assert (await territory.ask(doctor.caller, "POST", f"{said['task']}/$take-call")).status == 404


async def test_a_doctor_s_own_call_is_nobody_s_to_take(territory: Any) -> None:
    _, doctor, gp = await calling.people(territory)
    await arrivals.registered(territory, gp)
    said = await calling.opened(territory, doctor, calling.asked(calling.told()))

    assert await handed(territory, doctor) == []
    assert (await territory.ask(doctor.caller, "POST", f"{said['task']}/$take-call")).status == 404
