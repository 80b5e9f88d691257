"""A death ends the plans of who died, with what those plans asked for and nothing else; taken back, somebody takes them up again."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from liaison.auth.access import internal
from liaison.fhir.store.contract import Request
from liaison.protocols import codes
from liaison.protocols.library.library import load
from liaison.services.deaths import ending, noting
from liaison.services.jobs.ending import end_plans
from liaison.services.library.publishing import publish
from liaison.services.pages.record import Record

from ..library.walking import OWNED
from ..messages.test_following import alert
from ..oauth.conftest import Place, field, place, settings
from ..pages.browsing import text
from ..test_following import ask, found

__all__ = ["place", "settings"]

Tree = dict[str, Any]
URL = "https://walk.example/PlanDefinition/everything"
KINDS = {
    "Appointment": "",
    "CommunicationRequest": "",
    "DeviceRequest": "productCodeableConcept: {text: Concentrateur}",
    "MedicationRequest": "productCodeableConcept: {text: Un bronchodilatateur}",
    "ServiceRequest": "code: {text: Activité physique adaptée}",
    "SupplyRequest": "productCodeableConcept: {text: Chaussures}\nquantity: {value: 2}",
    "Task": "",
}
"""Of ActivityDefinition.kind, each with what it needs."""


def protocol() -> str:
    """A protocol that asks for something of each kind."""
    actions = "".join(
        f"  - {{id: {kind.lower()}, title: {kind}, documentation: [{{type: citation, label: livre}}],"
        f' definitionCanonical: "https://walk.example/ActivityDefinition/{kind.lower()}"}}\n'
        for kind in KINDS
    )
    plan = (
        f"resourceType: PlanDefinition\nurl: {URL}\nversion: 1.0.0\nname: Tout\ntitle: Tout\n{OWNED}"
        f"goal: [{{id: aim, description: {{text: Marcher}}}}]\naction:\n{actions}"
    )
    activities = [
        f"resourceType: ActivityDefinition\nurl: https://walk.example/ActivityDefinition/{kind.lower()}\nversion: 1.0.0\n"
        f"name: {kind}\ntitle: {kind}\n{OWNED}kind: {kind}\nintent: order\n{more}\n"
        "participant: [{type: patient}]\n"
        'timingDuration: {value: 7, unit: jours, system: "http://unitsofmeasure.org", code: d}\n'
        for kind, more in KINDS.items()
    ]
    return "---\n".join([plan, *activities])


@pytest.fixture
async def one(place: Place, tmp_path: Path) -> Any:
    (tmp_path / "all.yaml").write_text(protocol())
    await publish(place.house, load(tmp_path), "Essai")
    async with place.house.database.writing.acquire() as connection:
        yield connection


async def apply(place: Place) -> Tree:
    """On the coordinators' page."""
    path, form = f"/cohorte/appliquer/{place.patient}", {"protocole": URL}
    async with place.signed_in() as nurse:
        page = (await nurse.get(path, params=form)).text
        assert (await nurse.post(path, data={"csrf": field(page, "csrf"), **form})).status_code == 303
    return next(one for one in await found(place, "CarePlan") if one["status"] == "active")


async def say(place: Place, **said: Any) -> None:
    """Of the person, over FHIR."""
    _status, tree = await ask(place, "GET", f"Patient/{place.patient}")
    kept = {name: value for name, value in tree.items() if not name.startswith("deceased")}
    assert (await ask(place, "PUT", f"Patient/{place.patient}", {**kept, **said}))[0] == 200


async def make(place: Place, tree: Tree) -> str:
    status, made = await ask(place, "POST", tree["resourceType"], tree)
    assert status == 201, made
    return f"{tree['resourceType']}/{made['id']}"


def appointment(place: Place, days: int, **more: Any) -> Tree:
    start = place.house.database.clock.now() + timedelta(days=days)
    return {
        "resourceType": "Appointment",
        "status": "booked",
        "start": start.isoformat(timespec="seconds"),
        "end": (start + timedelta(hours=1)).isoformat(timespec="seconds"),
        "participant": [{"actor": {"reference": f"Patient/{place.patient}"}, "status": "accepted"}],
        **more,
    }


SESSION = {"coding": [{"system": codes.STEP, "code": "etp-session"}]}


async def around(place: Place, step: str) -> tuple[list[str], list[str]]:
    """(what goes with the plan and is not among its activities, what of the same record is none of its business)."""
    call = {"coding": [{"system": codes.COORDINATION, "code": "call-back"}]}
    now = {"status": "requested", "intent": "order", "for": {"reference": f"Patient/{place.patient}"}}
    subject = {"subject": {"reference": f"Patient/{place.patient}"}, "status": "active", "intent": "order"}
    return (
        [
            await make(place, appointment(place, 3, supportingInformation=[{"reference": f"Task/{step}"}])),
            await make(place, appointment(place, 4, serviceType=[SESSION])),
            await make(place, {"resourceType": "Task", **now, "code": call}),
        ],
        [
            await make(place, appointment(place, 3)),
            await make(place, appointment(place, -3, serviceType=[SESSION])),
            await make(place, alert(place)),
            await make(place, {"resourceType": "Task", **now}),
            await make(place, {"resourceType": "ServiceRequest", **subject, "code": {"text": "Radiographie"}}),
            await make(place, {"resourceType": "CarePlan", **subject, "title": "Un plan d'ailleurs"}),
        ],
    )


async def states(place: Place, references: list[str]) -> list[str]:
    return [str((await ask(place, "GET", one))[1]["status"]) for one in references]


async def test_it_ends_the_plan_what_it_asked_for_and_nothing_else(place: Place, one: asyncpg.Connection) -> None:
    plan = await apply(place)
    assert await end_plans(one, place.house.engine) == 0
    named = [each["reference"]["reference"] for each in plan["activity"]]
    tasks = [(await ask(place, "GET", each))[1] for each in named if each.startswith("Task/")]
    asked = sorted(each["focus"]["reference"] for each in tasks if "focus" in each)
    assert [each.partition("/")[0] for each in asked] == sorted(KINDS.keys() - {"Task"})
    ours, others = await around(place, tasks[0]["id"])
    before = await states(place, others)
    day = place.house.database.clock.now().date().isoformat()

    await say(place, deceasedDateTime=day)
    assert await end_plans(one, place.house.engine) == 1

    [ended] = await found(place, "CarePlan", "status=revoked")
    assert (ended["id"], ended["period"]["end"], ended["note"][-1]["text"]) == (plan["id"], day, "Terminé : Décès")
    goals = await found(place, "Goal")
    assert [(each["lifecycleStatus"], each["statusReason"]) for each in goals] == [
        ("cancelled", "Plan terminé : Décès")
    ]
    for each in tasks:
        _status, task = await ask(place, "GET", f"Task/{each['id']}")
        assert task["status"] == "cancelled"
        assert task["statusReason"]["coding"][0]["code"] == "died"
    assert await states(place, asked) == [
        {"Appointment": "cancelled", "MedicationRequest": "cancelled", "SupplyRequest": "cancelled"}.get(
            kind, "revoked"
        )
        for kind in (each.partition("/")[0] for each in asked)
    ]
    assert await states(place, ours) == ["cancelled"] * 3
    for each in (*asked, *ours):
        if not each.startswith("SupplyRequest/"):  # R4 has no place for a reason there
            assert "Décès" in str((await ask(place, "GET", each))[1]), each
    assert await states(place, others) == before
    async with place.signed_in() as nurse:
        page = text(await nurse.get(f"/cohorte/plans/{plan['id']}"))
        assert "Le dossier dit que cette personne est décédée" in page
        assert "Reprendre le plan" not in page
        assert (await ask(place, "POST", f"CarePlan/{plan['id']}/$resume", {"resourceType": "Parameters"}))[0] == 409
        cohort = "/cohorte?protocole=everything"
        assert "0 personne suivie" in text(await nurse.get(cohort)), text(await nurse.get(cohort))
        page = (await nurse.get(f"{cohort}&sortis=1")).text
        assert "1 personne suivie" in page
        call = {"csrf": field(page, "csrf"), "act": "call", "person": place.patient}
        assert (await nurse.post(f"{cohort}&sortis=1", data=call)).status_code == 422  # nobody to call back

    # A mistake: somebody says so, and takes the plan up again.
    await say(place)
    assert await end_plans(one, place.house.engine) == 0
    async with place.signed_in() as nurse:
        path = f"/cohorte/plans/{plan['id']}"
        page = (await nurse.get(path)).text
        assert "Reprendre le plan" in page
        form = {"csrf": field(page, "csrf"), "version": field(page, "version"), "act": "resume"}
        assert (await nurse.post(path, data=form)).status_code == 303
    [again] = await found(place, "CarePlan", f"_id={plan['id']}")
    assert (again["status"], again.get("extension"), again["period"]) == ("active", None, plan["period"])
    assert [each["lifecycleStatus"] for each in await found(place, "Goal")] == ["active"]
    for each in tasks:
        _status, task = await ask(place, "GET", f"Task/{each['id']}")
        assert (task["status"], task.get("statusReason"), task["restriction"]) == (
            "requested",
            None,
            each["restriction"],
        )
    assert await states(place, asked) == [
        {"Appointment": "proposed", "MedicationRequest": "draft"}.get(each.partition("/")[0], "active")
        for each in asked
    ]
    assert await states(place, ours) == ["cancelled"] * 3


@pytest.mark.parametrize("deleted", [False, True], ids=["cancelled", "deleted"])
async def test_a_place_that_was_given_up_is_free_again(place: Place, one: asyncpg.Connection, deleted: bool) -> None:
    """Of a session that was full, and of no other Slot."""
    schedule = await make(place, {"resourceType": "Schedule", "actor": [{"display": "Salle"}]})
    workshop = {"url": codes.WORKSHOP, "valueCanonical": f"{URL}|1.0.0#one"}
    slots = []
    for capacity, extension in ((1, [workshop]), (2, [workshop]), (1, [])):
        told = [*extension, {"url": codes.CAPACITY, "valuePositiveInt": capacity}]
        start = place.house.database.clock.now() + timedelta(days=3)
        tree = {
            "resourceType": "Slot",
            "status": "busy",
            "schedule": {"reference": schedule},
            "start": start.isoformat(timespec="seconds"),
            "end": (start + timedelta(hours=1)).isoformat(timespec="seconds"),
            "extension": told,
        }
        slots.append(await make(place, tree))
    mine = [await make(place, appointment(place, 3, slot=[{"reference": one}])) for one in slots]
    # Of two places of the second session two others hold both: it stays full without this one.
    for _ in range(2):
        await make(place, appointment(place, 3, slot=[{"reference": slots[1]}]))
    for each in mine:
        tree = {**(await ask(place, "GET", each))[1], "status": "cancelled"}
        assert (await (_delete(place, each) if deleted else ask(place, "PUT", each, tree)))[0] in (200, 204)
    assert await one.fetchval("select count(*) from plan_to_end") == 1

    await end_plans(one, place.house.engine)

    assert await states(place, slots) == ["free", "busy", "busy"]
    assert await one.fetchval("select count(*) from plan_to_end") == 0


async def _delete(place: Place, reference: str) -> tuple[int, None]:
    maker = await internal.open_session(place.house.database.writing, "sandbox")
    return (await place.house.engine.handle(maker, Request("DELETE", reference))).status, None


async def test_it_is_said_and_taken_back_on_the_page_of_the_identity(place: Place, one: asyncpg.Connection) -> None:
    """By a health professional with its day; the job ends what there is, and the plan's page is where it is taken up again."""
    plan = await apply(place)
    path = f"/dossiers/{place.patient}/identite"
    today = place.house.database.clock.now().date()

    async def send(nurse: Any, **form: str) -> int:
        page = (await nurse.get(path)).text
        answer = await nurse.post(f"{path}/deces", data={"csrf": field(page, "csrf"), **form})
        return int(answer.status_code)

    async with place.signed_in() as nurse:
        for day in ((today + timedelta(days=1)).isoformat(), "hier"):
            assert await send(nurse, act="died", died=day) == 422
        assert await send(nurse, act="died", died=today.isoformat()) == 303
        for late in ("died", "", "x"):  # somebody else had the page open; what is said stands
            assert await send(nurse, act=late) == 303
        assert await end_plans(one, place.house.engine) == 1
        for address in (path, f"/dossiers/{place.patient}/plan"):
            assert "Décédé(e) le" in text(await nurse.get(address))
        page = text(await nurse.get(f"/dossiers/{place.patient}/plan"))
        assert "Plans terminés" in page
        assert "Terminé : Décès" in page
        assert "décédée" in text(await nurse.get(f"/cohorte/plans/{plan['id']}"))
        assert await send(nurse, act="mistake") == 303
        assert "Reprendre le plan" in text(await nurse.get(f"/cohorte/plans/{plan['id']}"))
    _status, person = await ask(place, "GET", f"Patient/{place.patient}")
    assert not [name for name in person if "deceased" in name]


async def test_a_plan_that_is_begun_after_the_death_ends_too(place: Place, one: asyncpg.Connection) -> None:
    await say(place, deceasedBoolean=True)
    assert await end_plans(one, place.house.engine) == 0
    plan = await apply(place)

    assert await end_plans(one, place.house.engine) == 1

    assert [each["status"] for each in await found(place, "CarePlan", f"_id={plan['id']}")] == ["revoked"]
    assert await one.fetchval("select count(*) from plan_to_end") == 0


async def test_a_pass_that_was_cut_short_is_repeated(
    place: Place, one: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    await apply(place)
    await end_plans(one, place.house.engine)
    await say(place, deceasedBoolean=True)

    async def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    for where, name, left in ((ending, "_end", "active"), (noting, "settled", "revoked")):  # before it wrote, and after
        with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
            patched.setattr(where, name, killed)
            await end_plans(one, place.house.engine)
        assert [each["status"] for each in await found(place, "CarePlan")] == [left]
        assert await one.fetchval("select count(*) from plan_to_end") == 1

    assert await end_plans(one, place.house.engine) == 0
    [plan] = await found(place, "CarePlan")
    assert len(plan["note"]) == 1
    assert await one.fetchval("select count(*) from plan_to_end") == 0


@pytest.fixture
def unbounded(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The fault: what is named is not asked for."""
    monkeypatch.setattr(internal._Types, "criteria", lambda *_: ())
    yield


async def seen(place: Place, references: list[str]) -> list[bool]:
    """By the principal, in a session for the plan of the person."""
    [plan] = await found(place, "CarePlan", "instantiates-canonical:missing=false")
    key = place.house.store.key("Patient", place.patient)
    assert key is not None
    tasks = [(await ask(place, "GET", each["reference"]["reference"]))[1] for each in plan["activity"]]
    steps = [each for each in tasks if each["resourceType"] == "Task"]
    async with ending._record(place.house.engine, key, ending.named_by(plan, *steps)) as record:
        return [await _shown(record, each) for each in references]


async def _shown(record: Record, reference: str) -> bool:
    answer = await record.ask("GET", reference)
    assert answer.status in (200, 403, 404), answer.body
    return answer.status == 200


async def everything(place: Place) -> tuple[list[str], list[str]]:
    """(what the plan names, what it does not)."""
    plan = await apply(place)
    named = [each["reference"]["reference"] for each in plan["activity"]]
    ours, others = await around(place, named[0].partition("/")[2])
    observation = {"resourceType": "Observation", "status": "final", "code": {"text": "Poids"}}
    measured = await make(place, {**observation, "subject": {"reference": f"Patient/{place.patient}"}})
    elsewhere = {"status": "requested", "intent": "order", "for": {"reference": f"Patient/{place.other_patient}"}}
    call = {"coding": [{"system": codes.COORDINATION, "code": "call-back"}]}
    of_another = await make(place, {"resourceType": "Task", **elsewhere, "code": call})
    unrelated = [each for each in others if not each.startswith(("CarePlan/", "Appointment/"))]
    return [*named, *ours], [*unrelated, others[0], measured, of_another, f"Patient/{place.other_patient}"]


async def test_its_principal_reaches_what_the_plan_names_and_nothing_beyond(
    place: Place, one: asyncpg.Connection
) -> None:
    named, others = await everything(place)
    assert all(await seen(place, named))
    assert not any(await seen(place, others))
    with pytest.raises(ValueError, match="one record"):
        await internal.open_session(one, "deaths")


async def test_without_its_bound_it_would_reach_the_rest_of_the_record(
    place: Place, one: asyncpg.Connection, unbounded: None
) -> None:
    _named, others = await everything(place)
    assert any(await seen(place, others))
