"""An alert and its Flag: open together, closed together, whoever changes the alert, and nothing of what is protected."""

from typing import Any

import asyncpg
import orjson
import pytest

from liaison.auth.access import internal
from liaison.fhir.store.contract import Request
from liaison.protocols import codes
from liaison.protocols.alerts import acknowledge, close
from liaison.services.jobs.following import follow
from liaison.services.messages import flags

from ..oauth.conftest import Place, place, settings

__all__ = ["place", "settings"]


async def ask(place: Place, method: str, path: str, tree: Any = None, query: str = "") -> Any:
    """As the territory's maker."""
    maker = await internal.open_session(place.house.database.writing, "sandbox")
    body = orjson.dumps(tree) if tree else b""
    asked = Request(method, path, query, body, {"prefer": "return=representation"})
    answer = await place.house.engine.handle(maker, asked)
    assert answer.status in (200, 201, 204), answer.body
    return orjson.loads(answer.body) if answer.body else {}


def alert(place: Place, **more: Any) -> dict[str, Any]:
    now = place.house.database.clock.now().isoformat(timespec="seconds")
    coding = {"system": codes.HOME_CARE, "code": "fall-unhurt", "display": "Oui, sans blessure"}
    return {
        "resourceType": "Task",
        "status": "requested",
        "intent": "order",
        "priority": "urgent",
        "code": {"coding": [{"system": codes.ALERT_LEVEL, "code": "ORANGE"}], "text": "Alerte orange"},
        "description": "Chute : oui, sans blessure",
        "for": {"reference": f"Patient/{place.patient}"},
        "authoredOn": now,
        "lastModified": now,
        "requester": {"display": "Une aide"},
        "owner": {"display": "À attribuer"},
        "restriction": {"period": {"start": now, "end": now}},
        "input": [
            {"type": {"text": "Signe"}, "valueCodeableConcept": {"coding": [coding], "text": "Chute sans blessure"}}
        ],
        **more,
    }


async def flags_of(place: Place, patient: str = "") -> list[dict[str, Any]]:
    """By plain search, as anybody's software asks."""
    found = await ask(
        place, "GET", "Flag", query=f"patient=Patient/{patient or place.patient}&_tag={codes.HOME_CARE}|alert"
    )
    return [one["resource"] for one in found.get("entry", [])]


@pytest.fixture
async def one(place: Place) -> Any:
    async with place.house.database.writing.acquire() as connection:
        await follow(connection, place.house.engine)
        yield connection


async def test_a_flag_is_active_while_the_alert_is_open_and_says_until_when(
    place: Place, one: asyncpg.Connection
) -> None:
    visit = {
        "resourceType": "Encounter",
        "status": "finished",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "HH"},
        "subject": {"reference": f"Patient/{place.patient}"},
    }
    encounter = await ask(place, "POST", "Encounter", visit)
    aides = await ask(place, "GET", "PractitionerRole", query="practitioner.family=NURSE")
    by = {"reference": f"PractitionerRole/{aides['entry'][0]['resource']['id']}", "display": "Une aide"}
    raised = alert(place, encounter={"reference": f"Encounter/{encounter['id']}"}, requester=by)
    task = await ask(place, "POST", "Task", raised)
    assert await follow(one, place.house.engine) == 1

    (flag,) = await flags_of(place)
    assert (flag["status"], flag["code"]["text"]) == ("active", "Chute sans blessure")
    assert (flag["code"]["coding"][0]["code"], flag["author"]) == ("ORANGE", by)
    assert flag["period"] == {"start": task["authoredOn"]}
    assert flag["extension"][0]["valueReference"] == {"reference": f"Task/{task['id']}"}

    now = place.house.database.clock.now()
    seen, _ = acknowledge(task, f"Task/{task['id']}", {"display": "Camille"}, now)
    seen = await ask(place, "PUT", f"Task/{task['id']}", seen)
    await follow(one, place.house.engine)
    assert [one["meta"]["versionId"] for one in await flags_of(place)] == ["1"]  # seen, and still open: nothing to say

    await ask(place, "PUT", f"Task/{task['id']}", close(seen, "handled", "Traitée", {"display": "Camille"}, now))
    await follow(one, place.house.engine)
    (flag,) = await flags_of(place)
    assert (flag["status"], flag["period"]["end"]) == ("inactive", now.isoformat(timespec="seconds"))
    assert await follow(one, place.house.engine) == 0


async def test_a_pass_that_was_cut_short_makes_no_second_flag(place: Place, one: asyncpg.Connection) -> None:
    task = await ask(place, "POST", "Task", alert(place))
    key = place.house.store.key("Task", task["id"])
    assert key is not None
    noted = await one.fetchrow("select patient, res, changed_at from alert_change")
    await follow(one, place.house.engine)
    await one.execute("insert into alert_change values ($1, $2, $3)", *noted)  # as if killed before it was kept

    assert await follow(one, place.house.engine) == 1
    assert len(await flags_of(place)) == 1


@pytest.mark.parametrize(
    "odd",
    [
        {"authoredOn": "2026"},
        {"authoredOn": ""},
        {"restriction": {}},
        {"restriction": {"period": {"end": "2099-01-01"}}},
        {"authoredOn": "", "restriction": {}},
    ],
    ids=str,
)
async def test_an_alert_as_other_software_dates_it_is_followed(
    place: Place, one: asyncpg.Connection, odd: dict[str, Any]
) -> None:
    told = {name: value for name, value in alert(place, **odd).items() if value not in ("", {})}
    await ask(place, "POST", "Task", told)

    assert await follow(one, place.house.engine, frozenset({"email"})) == 1
    assert [flag["status"] for flag in await flags_of(place)] == ["active"]
    assert await one.fetchval("select count(*) from alert_change") == 0


async def test_one_that_nobody_foresaw_keeps_no_other_from_being_told(
    place: Place, one: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd = await ask(place, "POST", "Task", alert(place))
    await ask(place, "POST", "Task", alert(place))
    kept = flags.keep

    async def fails(record: Any, reference: str, *more: Any) -> None:
        if reference == f"Task/{odd['id']}":
            raise TypeError
        await kept(record, reference, *more)

    monkeypatch.setattr(flags, "keep", fails)
    assert await follow(one, place.house.engine) == 2
    assert len(await flags_of(place)) == 1
    assert await one.fetchval("select count(*) from alert_change") == 1


async def test_a_deleted_alert_leaves_no_flag_that_stands(place: Place, one: asyncpg.Connection) -> None:
    task = await ask(place, "POST", "Task", alert(place))
    await follow(one, place.house.engine)
    await ask(place, "DELETE", f"Task/{task['id']}")
    await follow(one, place.house.engine)
    assert [one["status"] for one in await flags_of(place)] == ["entered-in-error"]


PROTECTED = {
    "coding": [{"system": codes.ALERT_LEVEL, "code": "ORANGE"}, {"system": codes.HOME_CARE, "code": "suspected-abuse"}]
}
LABELLED = {"security": [{"system": codes.DATA_CLASS, "code": "PROT"}]}


@pytest.mark.parametrize("more", [{"code": PROTECTED}, {"meta": LABELLED}], ids=["by its code", "by a label"])
async def test_what_is_protected_has_no_flag(place: Place, one: asyncpg.Connection, more: dict[str, Any]) -> None:
    await ask(place, "POST", "Task", alert(place, **more))
    assert await follow(one, place.house.engine) == 1
    assert await flags_of(place) == []


async def test_without_the_look_at_its_classes_it_would_have_one(
    place: Place, one: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flags, "shows", lambda _classes: True)
    await ask(place, "POST", "Task", alert(place, code=PROTECTED))
    await follow(one, place.house.engine)
    assert len(await flags_of(place)) == 1


async def test_one_that_becomes_protected_loses_its_flag(place: Place, one: asyncpg.Connection) -> None:
    task = await ask(place, "POST", "Task", alert(place))
    await follow(one, place.house.engine)
    await ask(place, "PUT", f"Task/{task['id']}", {**task, "meta": {**task["meta"], **LABELLED}})
    await follow(one, place.house.engine)
    assert [one["status"] for one in await flags_of(place)] == ["entered-in-error"]
