"""AuditEvent: its shape, by R4 and by the profile."""

import asyncio
import base64

import pytest
from fhir.resources.R4B.auditevent import AuditEvent

from liaison.auth.access import adopting, mandates
from liaison.auth.access.adopting import Decision
from liaison.auth.access.classes import Class
from liaison.auth.access.table import packaged_text
from liaison.auth.caller import Caller
from liaison.auth.journal.audit_event import SHAPES, identifier, place
from liaison.auth.journal.entry import Entry, Event, entry
from liaison.fhir.definitions import kind_of
from liaison.fhir.store.contract import Key

from .audit_world import DOCTOR, MSP, UNION, World, world

__all__ = ["world"]


# ---- shape --------------------------------------------------------------------------------------------------------


async def test_an_event_follows_the_profile_and_r4(world: World, caller: Caller) -> None:
    await mandates.give(world.raw, world.vault, UNION, "Convention 2026-04")
    auditor = await world.auditor(UNION)
    res = await world.resource(1001, Class.VITAL)
    await world.journal.record(
        [
            world.read(1001, DOCTOR, MSP, res),
            Entry(
                Event.SEARCH,
                person=DOCTOR,
                organization=MSP,
                role_code="gp",
                purpose=1,
                method="GET",
                path="Observation",
                query="code=8480-6",
                total=3,
                returned=0,
            ),
            entry(caller, Event.EMERGENCY, patient=1001, reason="Inconsciente"),
            replace_outcome(world.read(0, DOCTOR, MSP, res)),
            *(Entry(event, person=DOCTOR, organization=MSP) for event in Event),
        ]
    )
    events = await world.events(auditor, "_count=200")
    assert len(events) == 5 + len(Event)
    for event in events:
        AuditEvent.model_validate(event)
        assert len(event["subtype"]) == 1
        assert event["period"]["start"]
        assert 1 <= len(event["agent"]) <= 2
        assert all(agent["who"] for agent in event["agent"])
        assert [agent["requestor"] for agent in event["agent"]].count(True) == 1
    read = next(
        event
        for event in events
        if event["subtype"][0]["code"] == "read" and event["outcome"] == "0" and "entity" in event
    )
    assert (
        read["agent"][0]["who"]["reference"]
        == f"Practitioner/{world.ids.encode(Key(0, kind_of('Practitioner'), DOCTOR))}"
    )
    assert read["agent"][0]["policy"] == ["https://liaison.example/fhir/rule/2"]
    assert read["agent"][1]["network"]["address"] == "192.0.2.9"  # BALP: of the software, a person is no device
    assert read["purposeOfEvent"][0]["coding"][0]["code"] == "TREAT"
    observation = world.ids.encode(Key(1001, kind_of("Observation"), res))
    assert read["entity"][1]["what"]["reference"] == f"Observation/{observation}/_history/1"
    assert read["entity"][1]["detail"][0]["valueString"] == "2"
    search = next(event for event in events if "query" in str(event.get("entity")))
    query = next(one for one in search["entity"] if "query" in one)
    assert base64.b64decode(query["query"]) == b"GET Observation?code=8480-6"
    emergency = next(event for event in events if "motif" in str(event.get("entity")))
    assert emergency["subtype"][0]["code"] == "110127"
    assert emergency["entity"][2]["detail"] == [{"type": "reason", "valueString": "Inconsciente"}]


def replace_outcome(one: Entry) -> Entry:
    return one._replace(
        outcome=4, status=404, items=(), requested=("Observation", "abc"), detail={"issue": "not-found"}
    )


def test_every_event_has_a_shape() -> None:
    assert SHAPES.keys() == set(Event)
    assert {shape.action for shape in SHAPES.values()} <= set("CRUDE")


@pytest.mark.parametrize(("worker", "sequence"), [(1, 1), (2**63 - 1, 10**12), (77, -3)])
def test_an_id_names_its_entry_and_nothing_else_does(worker: int, sequence: int) -> None:
    id_ = identifier(worker, sequence)
    assert len(id_) <= 64
    assert place(id_) == (worker, sequence)
    for other in ("", "x", id_ + "x", id_.upper() + "-", id_[:-1], "0" * 16 + "-0", id_.replace("-", "+"), f" {id_}"):
        assert other == id_ or place(other) in (None, (worker, sequence // 10))


@pytest.mark.parametrize(
    "id_",
    ["f" * 16 + "-1", "8" + "0" * 15 + ".1", "0" * 15 + "1-" + "9" * 26, "0" * 15 + "1." + "9" * 26, "0" * 15 + "1-" + "9" * 5000],
    ids=["worker", "worker of a write", "sequence", "sequence of a write", "digits"],
)  # fmt: skip
def test_a_number_that_no_column_holds_is_no_place(id_: str) -> None:
    assert place(id_) is None


async def test_a_rule_of_an_adopted_table_names_the_table_of_its_time(world: World) -> None:
    await mandates.give(world.raw, world.vault, UNION, "Convention 2026-04")
    auditor = await world.auditor(UNION)
    res = await world.resource(1001, Class.VITAL)

    async def policies(query: str = "action=R") -> list[list[str]]:
        return [event["agent"][0]["policy"] for event in await world.events(auditor, f"{query}&_sort=date")]

    rule, table = "https://liaison.example/fhir/rule/2", "https://liaison.example/fhir/rules/1"
    await world.journal.record([world.read(1001, DOCTOR, MSP, res)])
    await asyncio.sleep(0.05)  # the journal's clock is the database's to some milliseconds
    text = packaged_text().replace('version: "2026.1"', 'version: "2026.2"')
    async with world.raw.transaction():
        await adopting.adopt(world.raw, world.vault, text, Decision("DPO", "essai"), 0)
    await asyncio.sleep(0.05)  # the same
    await world.journal.record([world.read(1001, DOCTOR, MSP, res)])

    assert await policies() == [[rule], [rule, table]]
    assert await policies(f"policy={table}") == [[rule, table]]


async def test_a_count_of_any_length_gives_the_largest_page(world: World) -> None:
    auditor = await world.auditor(MSP)

    assert await world.events(auditor, f"_count={'9' * 5000}") == await world.events(auditor, "_count=200")
