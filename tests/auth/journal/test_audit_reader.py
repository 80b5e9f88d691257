"""Search, pages and visits."""

from dataclasses import replace
from datetime import timedelta

import orjson
import pytest

from liaison.auth.access import mandates
from liaison.auth.access.classes import Class
from liaison.auth.access.purposes import Purpose
from liaison.auth.access.relations import Relation
from liaison.auth.caller import Caller
from liaison.auth.journal.entry import Entry, Event
from liaison.auth.journal.keys import JournalKeys
from liaison.auth.journal.visits import who_saw
from liaison.fhir.definitions import kind_of
from liaison.fhir.errors import BadRequest, Gone, NotFound, TooCostly
from liaison.fhir.store.contract import Key

from .audit_world import BASE, DOCTOR, MSP, NURSE, UNION, WARD, World, world

__all__ = ["world"]


# ---- search -------------------------------------------------------------------------------------------------------


@pytest.fixture
async def busy(world: World) -> tuple[World, Caller]:
    """Of the maison de santé: 30 reads of one record by the doctor, 3 by the nurse, a search, a refusal, a sign-in."""
    await mandates.give(world.raw, world.vault, UNION, "Convention 2026-04")
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


FOUND = (
    ("", 36),
    ("patient={patient}", 33),
    ("purpose=TREAT", 33),
    ("purpose=ETREAT", 0),
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
)


async def test_search(busy: tuple[World, Caller]) -> None:
    world, auditor = busy
    res = await world.raw.fetchval("select res from version where kind = $1", kind_of("Observation"))
    names = {
        "base": BASE,
        "patient": world.patient_id(1001),
        "doctor": world.ids.encode(Key(0, kind_of("Practitioner"), DOCTOR)),
        "nurse": world.ids.encode(Key(0, kind_of("Practitioner"), NURSE)),
        "observation": world.ids.encode(Key(1001, kind_of("Observation"), res)),
    }
    found = {
        query: await world.events(auditor, f"{query.format(**names)}&_count=200".lstrip("&")) for query, _ in FOUND
    }
    assert {query: len(events) for query, events in found.items()} == dict(FOUND)


UNKNOWN = (
    "nonsense=1",
    "agent:missing=true",
    "action=X",
    "outcome=7",
    "date=yesterday",
    "_sort=agent",
    "_count=many",
    "_count=\N{ARABIC-INDIC DIGIT THREE}",
    "patient=Nonsense/1",
    "entity=abc",
    "entity=AuditEvent/1-2",
    "patient=",
    "_has:Patient:link:_id=1",
)


async def test_what_is_not_known_is_refused_by_name(world: World) -> None:
    auditor = await world.auditor(MSP)
    for query in UNKNOWN:
        with pytest.raises(BadRequest):
            await world.reader.search(auditor, query)
            pytest.fail(f"{query} was answered")


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


@pytest.mark.parametrize("query", ["_count=0", "_summary=count", "_summary=count&_count=3"])
async def test_a_count_of_none_is_the_total_alone(busy: tuple[World, Caller], query: str) -> None:
    """R4 search.html#count: _count=0 is treated as _summary=count."""
    world, auditor = busy
    for more in ("", "&action=R", "&subtype=read"):
        expected = len(await world.events(auditor, f"_count=200{more}"))

        answer = await world.reader.search(auditor, f"{query}{more}")

        bundle = orjson.loads(answer.body)
        assert bundle["total"] == expected > 0
        assert "entry" not in bundle
        assert {link["relation"] for link in bundle["link"]} == {"self"}
        assert answer.disclosed == ()


async def test_no_other_summary_of_the_journal_is_made(busy: tuple[World, Caller]) -> None:
    world, auditor = busy
    with pytest.raises(BadRequest, match="is 'count'"):
        await world.reader.search(auditor, "_summary=text")


@pytest.mark.parametrize("order", ["asc", "desc"])
async def test_a_page_by_time_alone_is_read_from_an_index_in_order(busy: tuple[World, Caller], order: str) -> None:
    """Whatever else the planner finds cheaper on a table of 40 rows: on a million, sorting is what takes seconds."""
    world, _ = busy
    async with world.raw.transaction():
        await world.raw.execute("set local enable_seqscan = off; set local enable_sort = off")
        plan = await world.raw.fetch(
            "explain select * from journal_entry e where e.at > '2026-01-01'"
            f" order by e.at {order}, e.worker {order}, e.sequence {order} limit 50"
        )
    lines = "\n".join(row[0] for row in plan)
    assert "journal_entry_by_time" in lines
    assert "Sort" not in lines


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


async def test_a_search_over_months_without_a_key_says_from_which_day_on_it_reads(busy: tuple[World, Caller]) -> None:
    world, auditor = busy
    kept = await world.raw.fetchval("select min(generation) from journal_key where purpose = 'seal'")
    day = f"{kept // 100}-{kept % 100:02}-01"

    async def told(asked: str) -> list[str]:
        bundle = orjson.loads((await world.reader.search(auditor, asked)).body)
        outcomes = [one["resource"] for one in bundle.get("entry", []) if one["search"]["mode"] == "outcome"]
        return [issue["diagnostics"] for outcome in outcomes for issue in outcome["issue"]]

    assert await told("_count=10") == []
    await world.raw.execute(
        "insert into journal_entry select generation - 200, worker + 1, sequence, previous, event, outcome,"
        " at - interval '2 years', patient, person, organization, sealed from journal_entry where sequence > 0"
    )
    [said] = await told("_count=10")
    assert said.startswith(f"Entries before {day} can no longer be read")
    assert len(await told("date=lt2020")) == 1  # nothing is found there, which does not mean that there was nothing
    assert await told(f"date=ge{day}T00:00:00Z") == []


# ---- refusals -----------------------------------------------------------------------------------------------------


@pytest.fixture
async def refused(world: World) -> tuple[World, Caller, str]:
    """The nurse asked in vain for the Patient and an Observation of 1001, for the Patient of 1002, and for nothing."""
    await mandates.give(world.raw, world.vault, UNION, "Convention 2026-04")
    observation = world.ids.encode(Key(1001, kind_of("Observation"), await world.resource(1001, Class.VITAL)))
    asked = [
        ("Patient", world.patient_id(1001)),
        ("Observation", observation),
        ("Patient", world.patient_id(1002)),
        ("Organization", world.ids.encode(Key(0, kind_of("Organization"), MSP))),
        ("Patient", "not-an-id"),
        ("", ""),
    ]
    await world.journal.record(
        [Entry(Event.READ, 4, person=NURSE, organization=WARD, role_code="nurse", requested=one) for one in asked]
    )
    await world.journal.record([world.read(1001, DOCTOR, MSP, await world.resource(1001, Class.VITAL))])
    return world, await world.auditor(UNION), observation


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("patient=Patient/{patient}", 3),
        ("patient=Patient/{patient}&outcome=4", 2),
        ("entity=Patient/{patient}&outcome=4", 2),
        ("entity:Patient={patient}&outcome=4", 2),
        ("patient={patient},{other}&outcome=4", 3),
        ("patient={other}", 1),
        ("patient={patient}&patient={other}", 0),
        ("entity=Observation/{observation}", 1),
        ("entity=Observation/{observation},Patient/{other}", 2),
    ],
)
async def test_a_refusal_is_found_by_the_record_it_was_about(
    refused: tuple[World, Caller, str], query: str, count: int
) -> None:
    world, auditor, observation = refused
    names = {"patient": world.patient_id(1001), "other": world.patient_id(1002), "observation": observation}
    assert len(await world.events(auditor, query.format(**names))) == count


async def test_the_page_tells_of_vain_attempts(refused: tuple[World, Caller, str]) -> None:
    world, auditor, _ = refused
    found = await who_saw(world.reader, world.journal, auditor, world.patient_id(1001))
    assert {(visit.role_code, visit.read, visit.refused) for visit in found} == {("gp", 1, 0), ("nurse", 0, 2)}


async def test_refusals_are_seen_by_officers_alone(refused: tuple[World, Caller, str]) -> None:
    world, _, _ = refused
    await world.grant(1001, 7, "21", Relation.SELF, Class.AUD | Class.VITAL)
    person = await world.session("patient", Purpose.PATRQT, 0, 7)
    found = await world.events(person, f"patient={world.patient_id(1001)}")
    assert [event["outcome"] for event in found] == ["0"]


async def test_too_many_refusals_are_said_and_hide_no_visit(
    refused: tuple[World, Caller, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    world, auditor, _ = refused
    monkeypatch.setattr("liaison.auth.journal.audit_reader.CHUNK", 2)
    monkeypatch.setattr("liaison.auth.journal.audit_reader.BUDGET", 4)
    with pytest.raises(TooCostly):
        await who_saw(world.reader, world.journal, auditor, world.patient_id(1001))
    (visit,) = await who_saw(world.reader, world.journal, auditor, world.patient_id(1001), refusals=False)
    assert (visit.role_code, visit.read) == ("gp", 1)


async def test_a_question_that_showed_nothing_is_told_as_one(world: World) -> None:
    asked = world.read(1001, DOCTOR, MSP, 0)._replace(event=Event.SEARCH, items=())
    await world.journal.record([asked, asked, asked._replace(event=Event.JOURNAL_READ, person=NURSE)])
    await world.grant(1001, 7, "21", Relation.SELF, Class.AUD)
    person = await world.session("patient", Purpose.PATRQT, 0, 7)
    found = await who_saw(world.reader, world.journal, person, world.patient_id(1001))
    assert sorted((visit.read, visit.asked, len(visit.events)) for visit in found) == [(0, 0, 1), (0, 2, 2)]


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
