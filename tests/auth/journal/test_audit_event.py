"""AuditEvent: its shape, who may read which, search, paging, and that what is hidden is not shown to have happened."""

import base64
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import asyncpg
import orjson
import pytest
from fhir.resources.R4B.auditevent import AuditEvent

from liaison.auth.access import table
from liaison.auth.access.classes import Class
from liaison.auth.access.filter import Filter
from liaison.auth.access.purposes import Purpose
from liaison.auth.access.relations import Relation
from liaison.auth.caller import Caller
from liaison.auth.journal import audit_rights
from liaison.auth.journal.audit_event import SHAPES, identifier, place
from liaison.auth.journal.audit_reader import AuditReader
from liaison.auth.journal.commit import Journal
from liaison.auth.journal.entry import Entry, Event, entry
from liaison.auth.journal.keys import JournalKeys
from liaison.auth.journal.visits import who_saw
from liaison.auth.smart.scopes import read_scopes
from liaison.fhir.definitions import kind_of
from liaison.fhir.errors import BadRequest, Gone, NotFound
from liaison.fhir.store.contract import Key
from liaison.fhir.store.database import Database
from liaison.fhir.store.ids import Ids
from liaison.fhir.vault import Vault

BASE = "http://127.0.0.1/fhir"
MSP, HOSPITAL, WARD, UNION = 100, 200, 201, 300
DOCTOR, NURSE = 11, 12


@dataclass
class World:
    """Two patients: one followed at the maison de santé, one in a ward of the hospital."""

    raw: asyncpg.Connection
    journal: Journal
    reader: AuditReader
    vault: Vault
    ids: Ids
    patients: dict[int, int]

    async def session(self, role_code: str, purpose: Purpose, organization: int = 0, *principals: int) -> Caller:
        number = secrets.randbits(62)
        await self.raw.execute(
            "insert into access_session (session, principals, purpose, organization, role_code, expires_at)"
            " values ($1, $2, $3, nullif($4::bigint, 0), $5, now() + interval '1 hour')",
            number,
            list(principals),
            int(purpose),
            organization,
            role_code,
        )
        return Caller(number, read_scopes("user/AuditEvent.rs"), int(purpose), role_code, organization=organization)

    async def auditor(self, organization: int) -> Caller:
        return await self.session("auditor", Purpose.HOPERAT, organization, 90)

    async def grant(self, patient: int, principal: int, rule: str, relation: Relation, read: Class) -> None:
        key = (await self.vault.patient_keys(self.raw, [patient]))[patient]
        await self.raw.execute(
            "insert into access_grant (patient, principal, purpose, mask, write_mask, rule, relation, valid_from, valid_to)"
            " values ($1, $2, $3, $4, 0, $5, $6, now() - interval '1 day', now() + interval '1 day')",
            patient,
            principal,
            int(Purpose.PATRQT),
            key.permute(int(read)),
            table.number_of(rule),
            int(relation),
        )

    async def resource(self, patient: int, classes: Class, kind: str = "Observation") -> int:
        key = (await self.vault.patient_keys(self.raw, [patient]))[patient]
        res = secrets.randbits(60)
        await self.raw.execute(
            "insert into version (patient, kind, res, version, at, classes, sealed) values ($1, $2, $3, 1, now(), $4, '')",
            patient,
            kind_of(kind),
            res,
            key.permute(int(classes)),
        )
        return res

    def patient_id(self, patient: int) -> str:
        return self.ids.encode(Key(patient, kind_of("Patient"), self.patients[patient]))

    def read(self, patient: int, person: int, organization: int, res: int, rule: int = 20) -> Entry:
        return Entry(
            Event.READ,
            patient=patient,
            person=person,
            organization=organization,
            purpose=int(Purpose.TREAT),
            role_code="gp",
            client=8,
            items=((kind_of("Observation"), res, 1, rule, int(Relation.TEAM)),),
            method="GET",
            path="Observation/x",
            request="r1",
            address="192.0.2.9",
        )

    async def events(self, caller: Caller, query: str = "") -> list[dict[str, Any]]:
        answer = await self.reader.search(caller, query)
        return [one["resource"] for one in orjson.loads(answer.body).get("entry", [])]

    async def about(self, caller: Caller, query: str = "") -> set[str]:
        """The patients that the events found are about, '' for none."""
        found = set()
        for event in await self.events(caller, query):
            people = [one for one in event.get("entity", []) if one.get("role", {}).get("code") == "1"]
            found.add(people[0]["what"]["reference"].removeprefix("Patient/") if people else "")
        return found


@pytest.fixture
async def world(
    database: Database, journal: Journal, keys: JournalKeys, vault: Vault, raw: asyncpg.Connection
) -> AsyncIterator[World]:
    patients = {}
    for number in (1001, 1002):
        wrapped = vault.new_patient(number)
        await raw.execute("insert into patient (patient, shelf, wrapped) values ($1, $2, $3)", *wrapped)
        res = secrets.randbits(60)
        await raw.execute(
            "insert into version (patient, kind, res, version, at, classes, sealed) values ($1, $2, $3, 1, now(), 1, '')",
            number,
            kind_of("Patient"),
            res,
        )
        patients[number] = res
    await raw.execute("insert into organization_part (organization, part_of) values ($1, $2)", WARD, HOSPITAL)
    for number, organization in ((1001, MSP), (1002, WARD)):
        await raw.execute(
            "insert into relation (patient, principal, relation, source_kind, source_res, ordinal, organization,"
            " valid_from, valid_to) values ($1, 5, 4, 1, 1, 0, $2, now() - interval '1 day', now() + interval '1 day')",
            number,
            organization,
        )
    reader = AuditReader(database, vault, keys, Filter(), table.in_force(), BASE)
    yield World(raw, journal, reader, vault, Ids(vault.id_key), patients)


# ---- shape --------------------------------------------------------------------------------------------------------


async def test_an_event_follows_the_profile_and_r4(world: World, caller: Caller) -> None:
    await audit_rights.give_mandate(world.raw, UNION, "Convention 2026-04")
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
    assert read["agent"][0]["network"]["address"] == "192.0.2.9"
    assert read["purposeOfEvent"][0]["coding"][0]["code"] == "TREAT"
    observation = world.ids.encode(Key(1001, kind_of("Observation"), res))
    assert read["entity"][1]["what"]["reference"] == f"Observation/{observation}/_history/1"
    assert read["entity"][1]["detail"][0]["valueString"] == "2"
    search = next(event for event in events if "query" in str(event.get("entity")))
    query = next(one for one in search["entity"] if "query" in one)
    assert base64.b64decode(query["query"]) == b"GET Observation?code=8480-6"
    emergency = next(event for event in events if event["subtype"][0]["code"] == "110127" and "entity" in event)
    assert emergency["entity"][1]["detail"] == [{"type": "reason", "valueString": "Inconsciente"}]


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


# ---- rights -------------------------------------------------------------------------------------------------------


@pytest.fixture
async def read_by_both(world: World) -> World:
    """The maison de santé reads its patient, the ward its own; and the ward once reads the other's."""
    mine, theirs = await world.resource(1001, Class.VITAL), await world.resource(1002, Class.VITAL)
    await world.journal.record([world.read(1001, DOCTOR, MSP, mine)])
    await world.journal.record([world.read(1002, NURSE, WARD, theirs)])
    return world


async def test_an_auditor_sees_what_their_organisation_or_its_parts_did_and_their_records(read_by_both: World) -> None:
    world = read_by_both
    mine, theirs = world.patient_id(1001), world.patient_id(1002)
    assert await world.about(await world.auditor(MSP)) == {mine}
    assert await world.about(await world.auditor(WARD)) == {theirs}
    assert await world.about(await world.auditor(HOSPITAL)) == {theirs}
    assert await world.about(await world.auditor(UNION)) == set()
    res = await world.resource(1001, Class.VITAL)
    await world.journal.record([world.read(1001, NURSE, WARD, res)])
    assert await world.about(await world.auditor(HOSPITAL)) == {mine, theirs}


async def test_a_mandate_over_the_territory_must_cite_its_convention_and_can_end(read_by_both: World) -> None:
    world = read_by_both
    auditor = await world.auditor(UNION)
    with pytest.raises(ValueError, match="convention"):
        await audit_rights.give_mandate(world.raw, UNION, " ")
    await audit_rights.give_mandate(world.raw, UNION, "Convention 2026-04")
    assert {world.patient_id(1001), world.patient_id(1002)} <= await world.about(auditor)
    await audit_rights.end_mandate(world.raw, UNION)
    assert await world.about(auditor) == set()


@pytest.mark.parametrize(
    ("role_code", "purpose"),
    [("gp", Purpose.TREAT), ("nurse", Purpose.TREAT), ("admin", Purpose.HOPERAT), ("auditor", Purpose.TREAT)],
)
async def test_nobody_else_sees_any(read_by_both: World, role_code: str, purpose: Purpose) -> None:
    caller = await read_by_both.session(role_code, purpose, MSP, 90)
    assert await read_by_both.events(caller) == []


@pytest.mark.parametrize("end", ["ended_at = now()", "expires_at = now()"])
async def test_an_ended_session_sees_none_at_the_next_request(read_by_both: World, end: str) -> None:
    auditor = await read_by_both.auditor(MSP)
    assert await read_by_both.events(auditor)
    await read_by_both.raw.execute(f"update access_session set {end} where session = $1", auditor.session)
    assert await read_by_both.events(auditor) == []


PATIENT = 501


async def test_a_person_sees_the_traces_of_their_own_record_only(read_by_both: World) -> None:
    world = read_by_both
    await world.grant(1001, PATIENT, "21", Relation.SELF, Class.VITAL | Class.AUD)
    person = await world.session("patient", Purpose.PATRQT, 0, PATIENT)
    (event,) = await world.events(person)
    assert await world.about(person) == {world.patient_id(1001)}
    assert "network" not in event["agent"][0]  # where a professional sat is not the patient's business
    answer = await world.reader.read(person, event["id"])
    assert orjson.loads(answer.body) == event
    others = (await world.events(await world.auditor(WARD)))[0]["id"]
    with pytest.raises(NotFound):
        await world.reader.read(person, others)


async def test_what_the_person_may_not_see_is_not_shown_to_have_been_read(read_by_both: World) -> None:
    world = read_by_both
    await world.grant(1001, PATIENT, "21", Relation.SELF, Class.VITAL | Class.AUD)
    person = await world.session("patient", Purpose.PATRQT, 0, PATIENT)
    before = await world.events(person)
    hidden, seen = await world.resource(1001, Class.PROT), await world.resource(1001, Class.VITAL)
    await world.journal.record([world.read(1001, NURSE, MSP, hidden)])
    assert await world.events(person) == before
    both = world.read(1001, NURSE, MSP, seen)
    await world.journal.record([both._replace(items=(*both.items, (kind_of("Observation"), hidden, 1, 20, 4)))])
    newest = (await world.events(person))[0]
    assert len(newest["entity"]) == 3  # patient, the one item, the request: nothing of the other
    auditor = await world.auditor(MSP)
    assert len((await world.events(auditor))[0]["entity"]) == 4


async def test_a_grant_without_the_traces_gives_none(read_by_both: World) -> None:
    world = read_by_both
    await world.grant(1001, PATIENT, "23", Relation.CONSENT, Class.COORD)
    relative = await world.session("caregiver", Purpose.PATRQT, 0, PATIENT)
    assert await world.events(relative) == []


# ---- search -------------------------------------------------------------------------------------------------------


@pytest.fixture
async def busy(world: World) -> tuple[World, Caller]:
    """Of the maison de santé: 30 reads of one record by the doctor, 3 by the nurse, a search, a refusal, a sign-in."""
    await audit_rights.give_mandate(world.raw, UNION, "Convention 2026-04")
    res = await world.resource(1001, Class.VITAL)
    for _ in range(30):
        await world.journal.record([world.read(1001, DOCTOR, MSP, res)])
    await world.journal.record([world.read(1001, NURSE, MSP, res)._replace(role_code="nurse")] * 3)
    await world.journal.record(
        [
            Entry(Event.SEARCH, person=DOCTOR, organization=MSP, returned=0),
            Entry(Event.READ, 4, person=DOCTOR, organization=MSP, requested=("Observation", "x")),
            Entry(Event.SIGN_IN, person=NURSE, organization=MSP),
        ]
    )
    return world, await world.auditor(MSP)


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("", 36),
        ("patient={patient}", 33),
        ("patient=Patient/{patient}", 33),
        ("entity=Patient/{patient}", 33),
        ("entity:Patient={patient}", 33),
        ("entity={base}/Patient/{patient}", 33),
        ("agent=Practitioner/{doctor}", 32),
        ("agent:Practitioner={nurse}", 4),
        ("agent=Practitioner/{doctor},Practitioner/{nurse}", 36),
        ("agent=Practitioner/{doctor}&agent=Practitioner/{nurse}", 0),
        ("patient={patient}&agent=Practitioner/{nurse}", 3),
        ("action=R", 34),
        ("action=E", 2),
        ("outcome=4", 1),
        ("outcome=0,4", 36),
        ("type=rest", 35),
        ("type=http://terminology.hl7.org/CodeSystem/audit-event-type|rest", 35),
        ("type=wrong|rest", 0),
        ("type=110114", 1),
        ("subtype=search", 1),
        ("subtype=http://hl7.org/fhir/restful-interaction|read", 34),
        ("policy=https://liaison.example/fhir/rule/2", 33),
        ("agent-role=nurse", 3),
        ("date=ge2020", 36),
        ("date=lt2020", 0),
        ("period-start=ge2020", 36),
        ("date=ge2020&date=lt2021", 0),
        ("patient=00000000000000000000000000000000", 0),
        ("entity=Observation/{observation}", 33),
    ],
)
async def test_search(busy: tuple[World, Caller], query: str, count: int) -> None:
    world, auditor = busy
    res = await world.raw.fetchval("select res from version where kind = $1", kind_of("Observation"))
    names = {
        "base": BASE,
        "patient": world.patient_id(1001),
        "doctor": world.ids.encode(Key(0, kind_of("Practitioner"), DOCTOR)),
        "nurse": world.ids.encode(Key(0, kind_of("Practitioner"), NURSE)),
        "observation": world.ids.encode(Key(1001, kind_of("Observation"), res)),
    }
    asked = query.format(**names)
    found = await world.events(auditor, f"{asked}&_count=200" if asked else "_count=200")
    assert len(found) == count


@pytest.mark.parametrize(
    "query",
    [
        "nonsense=1",
        "agent:missing=true",
        "action=X",
        "outcome=7",
        "date=yesterday",
        "_sort=agent",
        "_count=many",
        "patient=Nonsense/1",
        "entity=abc",
        "patient=",
        "_has:Patient:link:_id=1",
    ],
)
async def test_what_is_not_known_is_refused_by_name(world: World, query: str) -> None:
    with pytest.raises(BadRequest):
        await world.reader.search(await world.auditor(MSP), query)


async def test_pages_neither_repeat_nor_lose_while_entries_are_added(busy: tuple[World, Caller]) -> None:
    world, auditor = busy
    everything = [event["id"] for event in await world.events(auditor, "_count=200")]
    found: list[str] = []
    query = "_count=7"
    while True:
        bundle = orjson.loads((await world.reader.search(auditor, query)).body)
        found += [one["resource"]["id"] for one in bundle["entry"]]
        links = {link["relation"]: link["url"] for link in bundle["link"]}
        if "next" not in links:
            break
        assert links["next"].startswith(f"{BASE}/AuditEvent?_count=7&_cursor=")
        query = links["next"].partition("?")[2]
        await world.journal.record([Entry(Event.SIGN_IN, person=NURSE, organization=MSP)])
    assert found == everything
    ascending = [event["id"] for event in await world.events(auditor, "_count=200&_sort=date")]
    assert ascending[:36] == everything[::-1]


async def test_a_cursor_is_of_no_use_to_another_caller(busy: tuple[World, Caller]) -> None:
    world, auditor = busy
    bundle = orjson.loads((await world.reader.search(auditor, "_count=7")).body)
    query = bundle["link"][1]["url"].partition("?")[2]
    other = replace(await world.auditor(MSP), practitioner=12345)
    with pytest.raises(Gone):
        await world.reader.search(other, query)
    with pytest.raises(Gone):
        await world.reader.search(auditor, "_cursor=AAAA")


async def test_what_was_read_of_the_journal_is_told_to_the_engine(busy: tuple[World, Caller]) -> None:
    world, auditor = busy
    answer = await world.reader.search(
        auditor, "_count=10&agent=Practitioner/" + world.ids.encode(Key(0, kind_of("Practitioner"), NURSE))
    )
    assert {one.key.patient for one in answer.disclosed} == {0, 1001}
    assert len(answer.disclosed) == 4


async def test_a_destroyed_month_is_no_longer_readable(busy: tuple[World, Caller], keys: JournalKeys) -> None:
    world, auditor = busy
    await world.raw.execute("delete from journal_key where purpose = 'seal'")
    await keys.refresh(world.raw)
    assert await world.events(auditor) == []


# ---- visits -------------------------------------------------------------------------------------------------------


async def test_entries_are_told_as_visits_and_the_telling_is_an_entry(
    busy: tuple[World, Caller], keys: JournalKeys
) -> None:
    world, auditor = busy
    found = await who_saw(world.reader, world.journal, auditor, world.patient_id(1001))
    assert [(visit.role_code, visit.read, len(visit.events)) for visit in found] == [("nurse", 3, 3), ("gp", 30, 30)]
    gp = found[1]
    assert gp.practitioner == f"Practitioner/{world.ids.encode(Key(0, kind_of('Practitioner'), DOCTOR))}"
    assert (gp.types, gp.rules, gp.relations, gp.purposes) == ({"Observation"}, {"2"}, {Relation.TEAM}, {Purpose.TREAT})
    assert gp.until - gp.since < timedelta(minutes=1)
    newest = (await world.events(auditor))[0]
    assert newest["type"]["code"] == "110101"


async def test_a_pause_of_half_an_hour_ends_a_visit(
    busy: tuple[World, Caller], monkeypatch: pytest.MonkeyPatch
) -> None:
    world, auditor = busy
    monkeypatch.setattr("liaison.auth.journal.visits.PAUSE", timedelta(microseconds=-1))
    found = await who_saw(world.reader, world.journal, auditor, world.patient_id(1001))
    assert len(found) == 33


async def test_nobody_learns_of_visits_they_may_not_read(busy: tuple[World, Caller]) -> None:
    world, _ = busy
    assert await who_saw(world.reader, world.journal, await world.auditor(WARD), world.patient_id(1001)) == []
    with pytest.raises(NotFound):
        await who_saw(world.reader, world.journal, await world.auditor(MSP), "nonsense")
