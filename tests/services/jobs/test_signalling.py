"""Signals at work: a weight that comes in raises one alert, also when a pass is cut short; none without a decision."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import orjson
import pytest

from liaison.auth.access import internal
from liaison.fhir.store.contract import Request
from liaison.fhir.store.horizon import TAKE
from liaison.fhir.store.snapshot import snapshot
from liaison.protocols.alerts import close, level_of
from liaison.protocols.library import shipped
from liaison.protocols.library.library import load
from liaison.services import applying
from liaison.services.installation import Kind
from liaison.services.jobs.signalling import Rest, signal
from liaison.services.library.publishing import publish
from liaison.services.pages.clock import PARIS
from liaison.services.pages.record import Record
from liaison.services.signals import adoption, telling
from liaison.services.signals.adoption import NoSuchSignal

from ..library.walking import write
from ..oauth.conftest import Place, declared_as, place, settings
from ..pages.browsing import text

__all__ = ["place", "settings"]

PROTOCOL = "https://liaison.example/fhir/PlanDefinition/heart-failure"
GAIN = "heart-failure-signals#weight-gain"


async def ask(place: Place, method: str, path: str, tree: Any = None, query: str = "") -> Any:
    """As the territory's maker."""
    maker = await internal.open_session(place.house.database.writing, "sandbox")
    body = orjson.dumps(tree) if tree else b""
    asked = Request(method, path, query, body, {"prefer": "return=representation"})
    answer = await place.house.engine.handle(maker, asked)
    assert answer.status in (200, 201), answer.body
    return orjson.loads(answer.body)


async def alerts(place: Place) -> list[dict[str, Any]]:
    found = (await ask(place, "GET", "Task", query="_count=50")).get("entry", [])
    return [one["resource"] for one in found if level_of(one["resource"])]


async def weigh(place: Place, kilos: float, hours: float) -> dict[str, Any]:
    """So many hours ago."""
    at = place.house.database.clock.now() - timedelta(hours=hours)
    tree = {
        "resourceType": "Observation",
        "status": "final",
        "category": [
            {
                "coding": [
                    {"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "vital-signs"}
                ]
            }
        ],
        "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]},
        "subject": {"reference": f"Patient/{place.patient}"},
        "effectiveDateTime": at.isoformat(timespec="seconds"),
        "valueQuantity": {"value": kilos, "unit": "kg", "system": "http://unitsofmeasure.org", "code": "kg"},
    }
    made: dict[str, Any] = await ask(place, "POST", "Observation", tree)
    return made


async def follow(place: Place, days: int = 10, **more: Any) -> dict[str, Any]:
    start = place.house.database.clock.now() - timedelta(days=days)
    tree = {
        "resourceType": "CarePlan",
        "status": "active",
        "intent": "plan",
        "instantiatesCanonical": [f"{PROTOCOL}|1.0.0"],
        "subject": {"reference": f"Patient/{place.patient}"},
        "period": {"start": start.date().isoformat()},
        **more,
    }
    made: dict[str, Any] = await ask(place, "POST", "CarePlan", tree)
    return made


@pytest.fixture
async def one(place: Place) -> Any:
    """A connection of the job, which has gone over all there was; the doctor has adopted the signal."""
    async with place.house.database.writing.acquire() as connection:
        await adoption.adopt(
            connection, place.house.vault, GAIN, "Dr Anne Morel, 10100000001", "Décision du 1er décembre"
        )
        await signal(connection, place.house.engine)
        yield connection


async def test_a_weight_that_comes_in_raises_one_alert_with_its_rule_and_its_measures(
    place: Place, one: asyncpg.Connection
) -> None:
    await follow(place)
    first, last = await weigh(place, 70, 30), await weigh(place, 72.4, 1)

    assert await signal(one, place.house.engine) == 1

    (alert,) = await alerts(place)
    assert (level_of(alert), alert["description"]) == ("ORANGE", "Prise de poids de 2 kg ou plus en 3 jours")
    assert alert["focus"]["reference"] == f"Observation/{last['id']}"
    told = [part.get("valueString") or part.get("valueReference", {}).get("reference") for part in alert["input"][1:]]
    assert told == [
        "https://liaison.example/fhir/PlanDefinition/heart-failure-signals|1.0.0#weight-gain",
        f"Observation/{first['id']}",
        f"Observation/{last['id']}",
    ]
    assert await signal(one, place.house.engine) == 0  # nothing new but the alert itself


async def test_the_threshold_of_an_adopted_signal_is_drawn_for_clinicians_with_its_source(
    place: Place, one: asyncpg.Connection
) -> None:
    await weigh(place, 70, 30)
    await weigh(place, 71, 1)
    path, says = f"/dossiers/{place.patient}/mesures", "à partir de 72 kg pour une mesure d'aujourd'hui"
    async with place.signed_in() as nurse, place.signed_in("patient") as patient:
        await declared_as(place, Kind.PRODUCTION)
        assert says not in text(await nurse.get(path))  # no plan is followed
        plan = await follow(place)
        page = await nurse.get(path)
        assert f"Prise de poids de 2 kg ou plus en 3 jours : {says}" in text(page)
        assert "Seuil d'usage de Liaison, deux kilos en trois jours (source non relue)" in text(page)
        assert page.text.count('stroke-dasharray="2 4"') == 1
        assert says not in text(await patient.get(path))
        await adoption.withdraw(one, GAIN)
        assert says not in text(await nurse.get(path))
        await adoption.adopt(one, place.house.vault, GAIN, "Dr Anne Morel, 10100000001", "Décision")
        await ask(place, "PUT", f"CarePlan/{plan['id']}", {**plan, "status": "completed"})
        assert says not in text(await nurse.get(path))


async def test_nothing_is_told_of_who_has_died(place: Place, one: asyncpg.Connection) -> None:
    """From the moment on which the record says so, before their plans have ended."""
    await follow(place)
    await weigh(place, 70, 30)
    await weigh(place, 72.4, 1)
    person = await ask(place, "GET", f"Patient/{place.patient}")
    await ask(place, "PUT", f"Patient/{place.patient}", {**person, "deceasedBoolean": True})
    assert await signal(one, place.house.engine) == 1
    assert await alerts(place) == []


async def test_a_pass_that_was_cut_short_is_repeated_and_tells_nothing_twice(
    place: Place, one: asyncpg.Connection
) -> None:
    before = await one.fetchrow("select until, asked_at from signal_pass")
    await follow(place)
    await weigh(place, 70, 30)
    await weigh(place, 72.4, 1)
    await signal(one, place.house.engine)
    await one.execute("update signal_pass set until = $1, asked_at = $2", *before)  # as if killed before it was kept

    assert await signal(one, place.house.engine) == 1
    assert len(await alerts(place)) == 1

    # Nor once somebody has closed it: the same gain is the same signal.
    (alert,) = await alerts(place)
    closed = close(alert, "handled", "Traitée", {"display": "Camille"}, place.house.database.clock.now())
    await ask(place, "PUT", f"Task/{alert['id']}", closed)
    await one.execute("update signal_pass set until = $1, asked_at = $2", *before)
    await signal(one, place.house.engine)
    assert len(await alerts(place)) == 1


async def test_at_rest_nothing_is_written_and_nothing_that_comes_is_passed_over(
    place: Place, one: asyncpg.Connection
) -> None:
    """Also what was there already when its turn came, behind another transaction that had begun before it and wrote nothing."""
    engine, rest = place.house.engine, Rest()

    async def settled() -> int:
        """How many records were looked at until there was nothing more."""
        count = await signal(one, engine, rest)
        while not rest.snapshot:
            count += await signal(one, engine, rest)
        return count

    await follow(place)
    await weigh(place, 70, 30)
    assert await settled() >= 1
    async with one.transaction():
        assert await settled() == 0
        assert await one.fetchval("select pg_current_xact_id_if_assigned()") is None

    async with place.house.database.writing.acquire() as slow:
        async with slow.transaction():
            await slow.fetch(TAKE)
            await weigh(place, 72.4, 1)
            assert await signal(one, engine, rest) == 0
            assert rest.snapshot == ""
        assert await settled() == 1
    assert len(await alerts(place)) == 1

    # What stays away is asked each hour, whatever came: here the hour ends with nothing new in the base.
    await one.execute("update signal_pass set asked_at = asked_at - interval '1 hour'")
    rest.snapshot, rest.ends_at = await snapshot(one), place.house.database.clock.now()
    assert await signal(one, engine, rest) == 1


async def test_without_the_name_of_what_fired_it_would_be_told_twice(
    place: Place, one: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = await one.fetchrow("select until, asked_at from signal_pass")
    await follow(place)
    await weigh(place, 70, 30)
    await weigh(place, 72.4, 1)
    numbers = iter(range(9))
    monkeypatch.setattr(telling, "uuid5", lambda *_: next(numbers))
    monkeypatch.setattr(telling, "same", lambda *_: False)
    await signal(one, place.house.engine)
    await one.execute("update signal_pass set until = $1, asked_at = $2", *before)
    await signal(one, place.house.engine)

    assert len(await alerts(place)) == 2


async def test_a_second_gain_while_the_first_is_open_is_added_to_it(place: Place, one: asyncpg.Connection) -> None:
    await follow(place)
    for kilos, hours in ((70, 60), (72.4, 40), (70.2, 20), (72.6, 2)):
        await weigh(place, kilos, hours)
    await signal(one, place.house.engine)

    (alert,) = await alerts(place)
    assert len(alert["identifier"]) == 2
    assert "Signalé de nouveau" in [note["text"] for note in alert["note"]]


async def test_who_follows_no_such_protocol_now_raises_none(place: Place, one: asyncpg.Connection) -> None:
    other = ["https://liaison.example/fhir/PlanDefinition/bpco|1.0.0"]
    for plan in ({"status": "completed"}, {"instantiatesCanonical": other}, {"period": {"start": "2099-01-01"}}):
        await follow(place, **plan)
    await weigh(place, 70, 30)
    await weigh(place, 72.4, 1)
    await signal(one, place.house.engine)

    assert await alerts(place) == []


async def test_what_is_history_calls_nobody(place: Place, one: asyncpg.Connection) -> None:
    await follow(place, days=60)
    await weigh(place, 70, 24 * 21)
    await weigh(place, 74, 24 * 20)
    await signal(one, place.house.engine)

    assert await alerts(place) == []


async def test_a_judgement_waits_for_a_named_doctor_and_ends_with_the_decision(
    place: Place, one: asyncpg.Connection
) -> None:
    await one.execute("delete from installation")  # in a sandbox all are on
    await adoption.withdraw(one, GAIN)
    await follow(place)
    await weigh(place, 70, 30)
    await weigh(place, 72.4, 1)
    await signal(one, place.house.engine)
    assert await alerts(place) == []

    vault = place.house.vault
    for name in (GAIN, "heart-failure-signals#no-weight", "invented"):
        with pytest.raises(NoSuchSignal):
            await (adoption.withdraw(one, name) if name == GAIN else adoption.adopt(one, vault, name, "Dr M", "x"))
    await adoption.adopt(one, vault, GAIN, "Dr Anne Morel, 10100000001", "Décision du 1er décembre")
    await weigh(place, 72.5, 0.5)
    await signal(one, place.house.engine)
    assert len(await alerts(place)) == 1


async def test_weights_that_stay_away_are_told_by_day_only(place: Place, one: asyncpg.Connection) -> None:
    await follow(place)
    known = adoption.known(shipped())
    patient = f"Patient/{place.patient}"
    caller = await internal.open_session(place.house.database.writing, "protocols")
    record = Record(place.house.engine, caller)
    now = place.house.database.clock.now().astimezone(PARIS)
    for hour, count in ((3, 0), (21, 0), (10, 1), (11, 1)):
        at = now.replace(hour=hour)
        assert await telling.look(record, [patient], known, known, at, away=True) == {patient}
        assert len(await alerts(place)) == count, hour
    (alert,) = await alerts(place)
    assert (level_of(alert), alert["description"]) == ("YELLOW", "Aucun poids depuis 3 jours")


async def test_who_has_no_signal_any_more_is_not_looked_at_again(place: Place, one: asyncpg.Connection) -> None:
    plan = await follow(place)
    await signal(one, place.house.engine)
    assert await one.fetchval("select count(*) from signal_watch") == 1
    await ask(place, "PUT", f"CarePlan/{plan['id']}", {**plan, "status": "revoked"})
    await weigh(place, 70, 1)
    await signal(one, place.house.engine)
    await weigh(place, 71, 1)
    await signal(one, place.house.engine)
    assert await one.fetchval("select count(*) from signal_watch") == 0

    await ask(place, "PUT", f"CarePlan/{plan['id']}", plan)
    assert await one.fetchval("select count(*) from signal_watch") == 1


async def test_a_plan_that_was_there_before_its_protocol_had_signals_is_watched(
    place: Place, one: asyncpg.Connection, tmp_path: Path
) -> None:
    walking: dict[str, Any] = {"instantiatesCanonical": ["https://walk.example/PlanDefinition/walking|1.0.0"]}
    await follow(place, **walking)
    assert await one.fetchval("select count(*) from signal_watch") == 0
    await publish(place.house, load(write(tmp_path / "walking")), "Essai")
    await signal(one, place.house.engine)
    assert await one.fetchval("select count(*) from signal_watch") == 1

    await weigh(place, 101, 1)
    await signal(one, place.house.engine)

    assert [one["description"] for one in await alerts(place)] == ["Poids au-dessus de 100 kg"]
    await one.execute("update signal_pass set asked_at = now() - interval '1 minute'")
    await ask(place, "PUT", *(await _ended(place)))
    await signal(one, place.house.engine)
    assert await one.fetchval("select count(*) from signal_watch") == 0  # put on the list again, and taken off it


async def _ended(place: Place) -> tuple[str, Any]:
    (plan,) = [found["resource"] for found in (await ask(place, "GET", "CarePlan"))["entry"]]
    return f"CarePlan/{plan['id']}", {**plan, "status": "revoked"}


async def test_a_grade_is_computed_only_where_a_named_doctor_has_adopted_it(
    place: Place, one: asyncpg.Connection
) -> None:
    """Off in production: the doctor is asked, what was said decides, and a decision puts it on."""
    await one.execute("delete from installation")  # in a sandbox all are on
    grade, url = "bpco#computed", "https://liaison.example/fhir/PlanDefinition/bpco"
    loinc = {"coding": [{"system": "http://loinc.org", "code": "20152-5"}]}
    observed = {"resourceType": "Observation", "status": "final", "subject": {"reference": f"Patient/{place.patient}"}}
    day = {"effectiveDateTime": "2026-11-02"}
    measured = {"value": 25, "unit": "%", "system": "http://unitsofmeasure.org", "code": "%"}
    await ask(place, "POST", "Observation", {**observed, **day, "code": loinc, "valueQuantity": measured})

    async def proposed() -> tuple[Any, set[str]]:
        record = Record(place.house.engine, await internal.open_session(place.house.database.writing, "sandbox"))
        made = await applying.proposal(record, f"Patient/{place.patient}", url, date(2026, 11, 30))
        return made.variables["grade"], {step.action for step in made.steps}

    value, steps = await proposed()
    assert (value, "state-grade" in steps, "gp-grade-4" in steps) == (None, True, False)
    await adoption.adopt(one, place.house.vault, grade, "Dr Anne Morel, 10100000001", "Position du 1er décembre")
    value, steps = await proposed()
    assert (value, "state-grade" in steps, "gp-grade-4" in steps) == (4, False, True)
    await adoption.withdraw(one, grade)

    said = {"coding": [{"system": "https://liaison.example/fhir/CodeSystem/copd-grade", "code": "stated"}]}
    await ask(place, "POST", "Observation", {**observed, **day, "code": said, "valueInteger": 2})
    value, steps = await proposed()
    assert (value, "state-grade" in steps, "gp-grade-2" in steps) == (2, False, True)
