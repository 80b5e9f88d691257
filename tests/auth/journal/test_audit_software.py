"""Which software a trace tells of, and how it is found by it."""

import pytest

from liaison.auth.access.classes import Class
from liaison.auth.access.purposes import Purpose
from liaison.auth.access.relations import Relation
from liaison.auth.caller import Caller
from liaison.auth.journal.visits import who_saw
from liaison.fhir.definitions import kind_of
from liaison.fhir.errors import BadRequest
from liaison.fhir.store.contract import Key

from .audit_world import DOCTOR, MSP, World, world

__all__ = ["world"]

CARNET, BATCH = 8, 9
"""Through the first the doctor reads; the second acts by itself."""


@pytest.fixture
async def through(world: World) -> tuple[World, Caller]:
    """Two reads by the doctor through Carnet, which has ended since, one by the nightly batch, one by no known client."""
    await world.raw.execute(
        "insert into client (client, client_id, kind, name, scope, active, ended_at) values"
        " ($1, 'carnet', 'app', 'Carnet', '', false, now()), ($2, 'batch.3', 'backend', 'Reprise', '', true, null)",
        CARNET,
        BATCH,
    )
    read = world.read(1001, DOCTOR, MSP, await world.resource(1001, Class.VITAL))
    alone = read._replace(person=BATCH, client=BATCH, role_code="")
    await world.journal.record([read, read, alone, read._replace(client=77)])
    return world, await world.auditor(MSP)


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("agent=carnet", 2),
        ("agent=batch.3", 1),
        ("agent=carnet,batch.3", 3),
        ("agent=carnet&agent=Practitioner/{doctor}", 2),
        ("agent=batch.3&agent=Practitioner/{doctor}", 0),
        ("agent:identifier=https://liaison.example/fhir/sid/client-id|carnet", 2),
        ("agent:identifier=carnet", 2),
    ],
)
async def test_software_is_found_by_its_client_id(through: tuple[World, Caller], query: str, count: int) -> None:
    world, auditor = through
    doctor = world.ids.encode(Key(0, kind_of("Practitioner"), DOCTOR))
    assert len(await world.events(auditor, query.format(doctor=doctor))) == count


@pytest.mark.parametrize(
    "query", ["agent=cahier", "agent=carnet,cahier", "agent:identifier=urn:x|carnet", "agent=carnet,Practitioner/1"]
)
async def test_an_agent_that_is_none_is_refused_in_words(through: tuple[World, Caller], query: str) -> None:
    world, auditor = through
    with pytest.raises(BadRequest, match="client_id"):
        await world.reader.search(auditor, query)


async def test_a_trace_names_the_software(through: tuple[World, Caller]) -> None:
    world, auditor = through
    for client_id, name, place in (("carnet", "Carnet", 1), ("batch.3", "Reprise", 0)):
        for event in await world.events(auditor, f"agent={client_id}"):
            agent = event["agent"][place]
            assert (agent["name"], agent["altId"], agent["who"]["display"]) == (name, client_id, name)
            assert agent["who"]["identifier"] == {
                "system": "https://liaison.example/fhir/sid/client-id",
                "value": client_id,
            }
    software = [
        next(agent for agent in one["agent"] if "reference" not in agent["who"]) for one in await world.events(auditor)
    ]
    unknown = [agent for agent in software if "altId" not in agent]
    assert [agent["who"] for agent in unknown] == [{"identifier": {"value": "client 4d"}}]


async def test_a_visit_names_the_software(through: tuple[World, Caller]) -> None:
    world, auditor = through
    found = await who_saw(world.reader, world.journal, auditor, world.patient_id(1001))
    assert {(bool(visit.practitioner), visit.software, visit.read) for visit in found} == {
        (True, "Carnet", 2),
        (False, "Reprise", 1),
        (True, "", 1),
    }


async def test_the_person_sees_which_software_read_their_record(through: tuple[World, Caller]) -> None:
    world, _ = through
    await world.grant(1001, 7, "21", Relation.SELF, Class.AUD | Class.VITAL)
    person = await world.session("patient", Purpose.PATRQT, 0, 7)
    found = await who_saw(world.reader, world.journal, person, world.patient_id(1001))
    assert {visit.software for visit in found} == {"Carnet", "Reprise", ""}
    assert len(await world.events(person, "agent=carnet")) == 2
