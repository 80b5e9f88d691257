"""Entries of every kind against the two profiles, read from their guides and not from the code: ANS TDE 2.0.0 (tde-auditevent,
flux 4 for the search) and IHE BALP 1.1.4 (IHE.BasicAudit.Read, Query, Create, Update, Delete and their Patient variants).

Where the two cannot both be had, TDE holds, which is French: of an act of a person, BALP's third agent, the server, is
source.observer. Two things more than BALP knows: an answer that showed several people is one entry each, without the question
(which would tell them of each other), and what one transaction writes to a record is one entry with several data.
"""

import base64
from itertools import product
from typing import Any, Final

import orjson
import pytest
from fhir.resources.R4B.auditevent import AuditEvent

from liaison.auth.access import mandates
from liaison.auth.access.classes import Class
from liaison.auth.access.purposes import Purpose
from liaison.auth.caller import Caller
from liaison.auth.journal.entry import Entry, Event
from liaison.fhir import model
from liaison.fhir.definitions import kind_of

from .audit_world import DOCTOR, MSP, UNION, World, world

__all__ = ["world"]

DCM: Final = "http://dicom.nema.org/resources/ontology/DCM"
V3: Final = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
CLIENT: Final = 4711
OBSERVERS: Final = {"Device", "PractitionerRole", "Practitioner", "RelatedPerson", "Organization", "Patient"}

# Subtypes, action, type of the client, of the server, types of the user, entity that must be there once.
BALP: Final = {
    "read": ({"read", "vread"}, "R", "110152", "110153", {"IRCP"}, "data"),
    "query": ({"search"}, "E", "110153", "110152", {"IRCP"}, "query"),
    "create": ({"create"}, "C", "110153", "110152", {"AUT", "INF", "CST"}, "data"),
    "update": ({"update", "patch"}, "U", "110153", "110152", {"AUT", "INF", "CST"}, "data"),
    "delete": ({"delete"}, "D", "110150", "custodian", {"AUT", "INF", "CST"}, "data"),
}


@pytest.fixture
async def every(world: World) -> list[dict[str, Any]]:
    """Each event, done by a person in a page, a person through software, software alone, and this service itself; on a record
    and on none; well and refused."""
    await mandates.give(world.raw, world.vault, UNION, "Convention 2026-04")
    await world.raw.execute(
        "insert into client (client, client_id, kind, name, scope, active) values ($1, 'carnet', 'app', 'Carnet', '', true)",
        CLIENT,
    )
    res = await world.resource(1001, Class.VITAL)
    item = (kind_of("Observation"), res, 1, 20, 4)
    entries = []
    for event, (person, client), patient, refused in product(
        Event, ((DOCTOR, 0), (DOCTOR, CLIENT), (CLIENT, CLIENT), (0, 0)), (0, 1001), (False, True)
    ):
        asked = event in (Event.SEARCH, Event.HISTORY, Event.OPERATION)
        entries.append(
            Entry(
                event,
                4 if refused else 0,
                0 if refused else patient,
                person,
                MSP if person else 0,
                404 if refused else 200,
                purpose=int(Purpose.TREAT) if person else 0,
                role_code="gp" if person == DOCTOR else "",
                client=client,
                items=(item,) if patient and not refused else (),
                method="GET",
                path="Observation",
                query="code=8480-6" if asked and not patient else "",
                total=1 if asked and not patient else None,
                returned=1 if asked and not patient else None,
                digest="ab" * 32 if asked and not patient else "",
                request="r-1",
                address="192.0.2.9" if person else "",
                reason="motif" if event == Event.EMERGENCY else "",
                requested=("Observation", "x1") if refused else ("", ""),
                detail={"issue": "not-found"} if refused else None,
            )
        )
    await world.journal.record(entries)
    auditor = await world.auditor(UNION)
    found: list[dict[str, Any]] = []
    query = "_count=200"
    while True:
        bundle = orjson.loads((await world.reader.search(auditor, query)).body)
        found += [one["resource"] for one in bundle["entry"]]
        following = [link["url"] for link in bundle["link"] if link["relation"] == "next"]
        if not following:
            break
        query = following[0].partition("?")[2]
    assert len(found) == len(entries) + 1  # and the start of the chain
    return found


async def test_every_entry_is_of_r4_and_of_the_profile_of_the_ans(every: list[dict[str, Any]]) -> None:
    for event in every:
        AuditEvent.model_validate(event)
        model.validate(model.read(orjson.dumps(event)), "AuditEvent")
        assert event["meta"]["profile"] == [
            "https://interop.esante.gouv.fr/ig/fhir/tde/StructureDefinition/tde-auditevent"
        ]
        assert len(event["subtype"]) <= 1
        assert event["period"]["start"]
        assert 1 <= len(event["agent"]) <= 2
        assert all(agent["who"] for agent in event["agent"])
        assert [agent["requestor"] for agent in event["agent"]].count(True) == 1
        assert event["source"]["observer"].get("type", "Device") in OBSERVERS


def _of(event: dict[str, Any], field: str, code: str) -> list[dict[str, Any]]:
    return [
        one for one in event[field] if code in {coding["code"] for coding in one["type"].get("coding", [one["type"]])}
    ]


@pytest.mark.parametrize("name", BALP)
async def test_every_success_over_rest_is_of_the_profile_of_ihe(every: list[dict[str, Any]], name: str) -> None:
    subtypes, action, client, server, users, wanted = BALP[name]
    found = [
        event
        for event in every
        if event["type"]["code"] == "rest" and event["subtype"][0]["code"] in subtypes and event["outcome"] == "0"
    ]
    assert len(found) >= 8
    whole = 0
    for event in found:
        assert event["type"]["system"] == "http://terminology.hl7.org/CodeSystem/audit-event-type"
        assert event["subtype"][0]["system"] == "http://hl7.org/fhir/restful-interaction"
        assert (event["action"], bool(event["recorded"])) == (action, True)
        people = [agent for agent in event["agent"] if agent["type"]["coding"][0]["system"] == V3]
        for person in people:
            assert person["type"]["coding"][0]["code"] in users
            assert person["requestor"] is True
            assert person["purposeOfUse"] and person["role"]
            assert not {"media"} & person.keys()
        software = _of(event, "agent", client)
        servers = _of(event, "agent", server)
        if "carnet" in str(event["agent"]):
            (one,) = software
            assert one["who"]["identifier"]["value"] == "carnet"
            assert one["network"]["address"] == "192.0.2.9"
            assert all("network" not in person for person in people)
            if not people:
                (one,) = servers
                assert one["who"] and one["requestor"] is False
                assert one["network"] == {"address": "127.0.0.1", "type": "1"}  # the host of the FHIR base
                whole += 1
        entities = event.get("entity", [])
        (request,) = [one for one in entities if one["type"]["code"] == "XrequestId"]
        assert request["type"]["system"] == "https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType"
        assert request["what"]["identifier"]["value"] == "r-1"
        objects = [one for one in entities if one["type"]["code"] == "2"]
        patients = [one for one in entities if one["type"]["code"] == "1"]
        if patients:
            assert [one["role"]["code"] for one in patients] == ["1"]
            assert patients[0]["what"]["reference"].startswith("Patient/")
            assert {one["type"]["code"] for one in entities if one not in patients} <= {
                "2",
                "Observation",
                "XrequestId",
            }
        if wanted == "data" and patients:
            (data,) = objects
            assert data["role"]["code"] in ("4", "3", "20")
            assert data["what"]["reference"]
        if wanted == "query" and not patients:
            (query,) = objects
            assert query["role"]["code"] == "24"
            assert not {"what", "lifecycle", "detail"} & query.keys()
            assert base64.b64decode(query["query"]) == b"GET Observation?code=8480-6"
        if wanted == "query" and patients:
            assert objects == []  # the question is in the entry of the query alone
    assert whole >= 2


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("agent-name=carnet", 2),
        ("agent-name=CAR", 2),
        ("agent-name=arnet", 0),
        ("agent-name:contains=arnet", 2),
        ("agent-name:exact=Carnet", 2),
        ("agent-name:exact=carnet", 0),
        ("altid=carnet", 2),
        ("agent-role=https://liaison.example/fhir/CodeSystem/role|gp", 1),
        ("type=http://terminology.hl7.org/CodeSystem/audit-event-type|rest&subtype=read", 2),
        ("period-start=ge2020", 2),
        ("TDE_AuditEvent_period-start=ge2020", 2),
        ("TDE_AuditEvent_period-start=lt2020", 0),
        ("date=ge2020&date=le2099&type=rest&subtype=read", 2),
    ],
)
async def test_the_criteria_of_the_guide_to_traces_find(world: World, query: str, count: int) -> None:
    await world.raw.execute(
        "insert into client (client, client_id, kind, name, scope, active) values ($1, 'carnet', 'app', 'Carnet', '', true)",
        CLIENT,
    )
    read = world.read(1001, DOCTOR, MSP, await world.resource(1001, Class.VITAL))._replace(client=CLIENT)
    await world.journal.record([read, read._replace(person=CLIENT, role_code="")])
    assert len(await world.events(await world.auditor(MSP), query)) == count


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("", True),
        ("action=R&_count=1", True),
        ("_sort=date", True),
        ("_summary=count", True),
        ("date=ge2020", False),
        ("period-start=ge2020", False),
        ("TDE_AuditEvent_period-start=ge2020", False),
    ],
)
async def test_each_search_is_bounded_in_time_and_says_so(world: World, query: str, told: bool) -> None:
    """IHE ITI-81, which TDE follows: one that says no time is asked up to now."""
    await world.journal.record([world.read(1001, DOCTOR, MSP, await world.resource(1001, Class.VITAL))] * 2)
    auditor: Caller = await world.auditor(MSP)
    bundle = orjson.loads((await world.reader.search(auditor, query)).body)
    own = next(link["url"] for link in bundle["link"] if link["relation"] == "self")
    assert ("date=le" in own) is told
    before = bundle.get("total"), bundle.get("entry")
    again = orjson.loads((await world.reader.search(auditor, own.partition("?")[2])).body)
    assert (again.get("total"), again.get("entry")) == before
