"""The rules of unusual access over real entries of the journal: each fires for its reason, and is silent where work explains it."""
# ruff: noqa: F811  # the fixtures below come from another folder's conftest, and tests name them as parameters

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from importlib import resources
from typing import Any

import pytest

from liaison.auth.access import vocabulary
from liaison.auth.caller import Caller
from liaison.auth.journal.entry import Event
from liaison.auth.journal.integrator import Integrator
from liaison.auth.unusual import accesses, choices, watching
from liaison.auth.unusual.choices import NotChosen
from liaison.auth.unusual.table import NAMES, BadRule, parse, rules
from liaison.fhir.store import erasure
from liaison.fhir.store.database import connection

from ..oauth.conftest import Place, place, settings  # noqa: F401  # fixtures
from .ward import NIGHT, NOON, SINCE, Ward

Tree = dict[str, Any]


@pytest.fixture
async def ward(place: Place) -> AsyncIterator[Ward]:
    own = await connection(place.house.database.url)
    integrator = Integrator(place.house.journal_keys)
    await integrator.take(own)
    yield Ward(place, integrator, own)
    await own.close()


async def test_nothing_is_looked_at_before_a_rule_is_on(ward: Ward) -> None:
    doctor = await ward.professional()
    await ward.opens(doctor, await ward.record(), at=NIGHT)

    assert await ward.found() == []


async def test_an_attempt_at_night_without_a_link_is_found_and_the_team_is_not(ward: Ward) -> None:
    doctor, nurse = await ward.professional(), await ward.professional("nurse")
    theirs, others = await ward.record(nurse), await ward.record()
    await ward.on("no-relation")
    await ward.on("night")

    assert await ward.opens(nurse, theirs, at=NIGHT) == [200]
    assert await ward.opens(doctor, others, at=NIGHT) == [404]
    assert await ward.opens(nurse, theirs, others) == [200, 404]

    assert sorted(await ward.found(), key=str) == [
        ("night", {"hour": "23:00"}),
        ("no-relation", {"opened": 0, "refused": 1}),
        ("no-relation", {"opened": 0, "refused": 1}),
    ]
    rows = await ward.own.fetch("select person, day from unusual_access order by at")
    assert {row["person"] for row in rows} == {doctor.practitioner, nurse.practitioner}


async def test_a_question_that_is_badly_asked_is_no_attempt(ward: Ward) -> None:
    doctor = await ward.professional()
    others = await ward.record()
    await ward.on("no-relation")

    assert await ward.opens(doctor, f"{others}?_summary=all") == [400]

    assert await ward.found() == []


async def test_what_was_found_is_not_found_again_and_every_entry_is_looked_at_once(ward: Ward) -> None:
    doctor = await ward.professional()
    record = await ward.record()
    await ward.on("no-relation")
    await ward.opens(doctor, record)
    await ward.passes()
    await ward.opens(doctor, record, record)

    assert len(await ward.found()) == 1
    place_now = await ward.own.fetchval("select position from unusual_progress")
    assert place_now == await ward.own.fetchval("select max(position) + 1 from journal_position")
    told = "select count(*) from journal_entry where event = $1 and patient = 0"
    before = await ward.own.fetchval(told, int(Event.JOB))
    await ward.passes()
    assert await ward.own.fetchval(told, int(Event.JOB)) == before


async def test_work_of_a_protocol_explains(ward: Ward) -> None:
    nurse = await ward.professional("nurse")
    record = await ward.record()
    task = {"resourceType": "Task", "status": "requested", "intent": "order", "for": {"reference": record},
            "owner": {"reference": ward.of(nurse, "PractitionerRole")}}  # fmt: skip
    await ward.make(task)
    await ward.on("no-relation")
    await ward.opens(nurse, record)

    assert await ward.found() == []


async def test_a_burst_is_counted_by_records_opened_one_by_one_within_an_hour(ward: Ward) -> None:
    quick, slow = await ward.professional(), await ward.professional()
    records = [await ward.record(quick, slow) for _ in range(3)]
    await ward.on("burst", records=3)
    for number, record in enumerate(records):
        await ward.opens(slow, record, at=NOON + timedelta(minutes=40 * number))
    await ward.passes()  # the hour goes across two passes
    await ward.opens(quick, *records[:2], at=NOON)
    await ward.passes()
    await ward.opens(quick, records[0], records[2], at=NOON + timedelta(minutes=20))

    assert await ward.found() == [("burst", {"records": 3})]
    assert await ward.own.fetchval("select person from unusual_access") == quick.practitioner
    await ward.opens(quick, *records, at=NOON + timedelta(minutes=30))
    assert len(await ward.found()) == 1  # of that day


async def test_an_export_is_counted_by_what_lists_gave(ward: Ward) -> None:
    doctor = await ward.professional()
    for _ in range(3):
        await ward.record(doctor)
    await ward.on("burst", records=3)
    await ward.on("bulk-export", records=3)
    await ward.opens(doctor, "Patient")

    assert await ward.found() == [("bulk-export", {"records": 3})]


async def test_names_and_addresses_wait_for_the_notice_and_look_at_nothing_before_it(ward: Ward) -> None:
    home = {"use": "home", "line": ["3, rue du Puits"], "postalCode": "56300", "city": "Pontivy"}
    doctor = await ward.professional(name=[{"family": "Le Bihan", "given": ["Anne"]}], address=[home])
    family = await ward.record(doctor, name=[{"family": "LE BIHAN", "given": ["Luc"]}])
    neighbour = await ward.record(doctor, address=[{**home, "line": ["3 RUE DU PUITS"]}])
    for name in ("same-family", "same-address", "far"):
        with pytest.raises(NotChosen, match="notice"):
            await ward.on(name)

    await ward.informed(SINCE)
    for name in ("same-family", "same-address"):
        await ward.on(name)
    await ward.informed(NOON.date())  # it was a day later
    with pytest.raises(NotChosen, match="early"):
        await ward.on("far")
    await ward.opens(doctor, family, neighbour, at=NOON - timedelta(hours=13))  # the day before
    assert await ward.found() == []
    await ward.opens(doctor, family, neighbour)

    assert sorted(name for name, _ in await ward.found()) == ["same-address", "same-family"]
    held = await ward.own.fetch("select * from unusual_finding")
    assert b"BIHAN" not in b"".join(row["facts"] for row in held)


async def test_oneself_and_a_colleague_are_found_by_their_names(ward: Ward) -> None:
    doctor = await ward.professional(name=[{"family": "Le Bihan", "given": ["Anne"]}])
    place_of = ward.of(doctor, "Organization")
    await ward.professional("nurse", name=[{"family": "Riou", "given": ["Paul"]}], at=place_of)
    await ward.professional("nurse", name=[{"family": "Morvan", "given": ["Jean"]}])
    mine = await ward.record(doctor, name=[{"family": "LE BIHAN", "given": ["ANNE"]}])
    colleague = await ward.record(doctor, name=[{"family": "RIOU", "given": ["PAUL"]}])
    elsewhere = await ward.record(doctor, name=[{"family": "MORVAN", "given": ["JEAN"]}])
    await ward.on("oneself")
    await ward.on("colleague")
    await ward.opens(doctor, mine, colleague, elsewhere)

    assert await ward.found() == [("oneself", {}), ("colleague", {})]


async def test_a_record_opened_long_after_a_death(ward: Ward) -> None:
    doctor = await ward.professional()
    long_ago = await ward.record(doctor, deceasedDateTime=(NOON - timedelta(days=40)).date().isoformat())
    lately = await ward.record(doctor, deceasedDateTime=(NOON - timedelta(days=4)).date().isoformat())
    await ward.on("deceased")
    await ward.opens(doctor, long_ago, lately)

    assert await ward.found() == [("deceased", {"days": 40})]


async def test_after_the_end_of_a_replacement(ward: Ward) -> None:
    qualified: Tree = {"qualification": [{"code": {"coding": [{"system": vocabulary.PROFESSION, "code": "10"}]}}]}
    replaced = await ward.professional(**qualified)
    theirs, strangers = await ward.record(replaced), await ward.record()
    ended = (datetime.now(UTC) - timedelta(days=10)).date().isoformat()
    gone = await ward.professional(**qualified)
    acts = {
        "resourceType": "PractitionerRole",
        "active": True,
        "practitioner": {"reference": ward.of(gone, "Practitioner")},
        "code": [{"coding": [{"system": vocabulary.ROLE, "code": "substitute"}]}],
        "period": {"start": "2026-01-01", "end": ended},
        "extension": [
            {"url": vocabulary.ACTS_FOR, "valueReference": {"reference": ward.of(replaced, "PractitionerRole")}}
        ],
    }
    secretary = [{"coding": [{"system": vocabulary.ROLE, "code": "secretary"}]}]
    await ward.make(acts, {**acts, "code": secretary, "period": {"start": "2026-01-01"}})  # which has no end
    await ward.on("after-replacement")
    assert await ward.opens(gone, theirs, strangers) == [404, 404]

    [(name, facts)] = await ward.found()
    assert name == "after-replacement"
    assert facts["days"] in (8, 9, 10)


async def test_a_first_access_that_nothing_explains(ward: Ward) -> None:
    explained, curious, author = [await ward.professional() for _ in range(3)]
    record = await ward.record(explained)
    entered = await ward.record(by=author)  # what they entered stays theirs to read, and no care links them
    again = await ward.record(by=author)
    await ward.on("first-access")
    await ward.on("no-relation")
    assert await ward.opens(explained, record) == [200]
    assert await ward.opens(curious, record) == [404]  # was shown nothing
    assert await ward.opens(author, entered, again) == [200, 200]

    assert sorted(await ward.found(), key=str) == [
        ("first-access", {}),
        ("no-relation", {"opened": 0, "refused": 1}),
        ("no-relation", {"opened": 1, "refused": 0}),
        ("no-relation", {"opened": 1, "refused": 0}),
    ]


async def test_far_from_where_the_person_lives(ward: Ward) -> None:
    brest = {"address": [{"line": ["1, quai"], "postalCode": "29200", "city": "Brest"}]}
    doctor, near = await ward.professional(structure=brest), await ward.professional()
    record = await ward.record(address=[{"line": ["2, rue"], "postalCode": "56300", "city": "Pontivy"}])
    await ward.informed(SINCE)
    await ward.on("far")
    await ward.opens(doctor, record)
    await ward.opens(near, record)  # of whose place nothing is known

    assert await ward.found() == [("far", {})]
    assert await ward.own.fetchval("select person from unusual_access") == doctor.practitioner


async def test_a_rule_is_tried_on_the_past_and_nothing_is_kept(ward: Ward) -> None:
    doctor = await ward.professional()
    await ward.opens(doctor, await ward.record(), at=NIGHT)
    await ward.opens(doctor, await ward.record())
    house, rule = ward.place.house, rules()["night"]

    async def trying(begins: int) -> int:
        watched = choices.Watched(rule, 0, rule.values({"begins": begins}), SINCE)
        tried = await watching.tried(
            ward.own, house.store, house.journal_keys, house.settings.fhir_base, watched, NOON.date()
        )
        return len(tried)

    assert (await trying(22), await trying(23)) == (1, 1)
    assert await trying(18) == 1
    assert await ward.own.fetchval("select count(*) from unusual_access") == 0


async def test_a_record_that_was_destroyed_is_not_looked_at(ward: Ward) -> None:
    nurse = await ward.professional("nurse")
    record = await ward.record(nurse)
    await ward.on("no-relation")
    await ward.on("burst", records=2)
    await ward.opens(nurse, record, await ward.record(nurse))
    house = ward.place.house
    for row in await ward.own.fetch("select patient from patient where patient <> 0"):
        async with ward.own.transaction():
            await erasure.erase(ward.own, house.vault, row["patient"])

    assert await ward.found() == []  # its team went with it


async def test_the_person_an_officer_and_background_work_are_not_looked_at(ward: Ward) -> None:
    auditor = await ward.professional("auditor")
    record = await ward.record()
    await ward.on("no-relation")
    await ward.opens(auditor, record)

    assert await ward.found() == []


async def test_what_was_found_justified_is_not_asked_again_for_a_while(ward: Ward) -> None:
    doctor, auditor = await ward.professional(), await ward.professional("auditor")
    record = await ward.record()
    await ward.on("no-relation")
    await ward.opens(doctor, record, at=NOON - timedelta(days=1))
    await ward.passes()
    async with ward.own.transaction():
        await audit_all(ward, auditor)
        [one] = await accesses.seen(ward.own, auditor)
        await accesses.review(ward.own, ward.place.house.vault, auditor, one.access, "justified", "Erreur de saisie", 1)
    await ward.opens(doctor, record)

    assert len(await ward.found()) == 1


async def audit_all(ward: Ward, auditor: Caller) -> None:
    await ward.own.execute(
        "insert into audit_mandate (organization, convention) values ($1, 'Convention')", auditor.organization
    )


async def test_auditors_see_those_of_their_organisation_or_all_by_mandate(ward: Ward) -> None:
    doctor, auditor = await ward.professional(), await ward.professional("auditor")
    own = await ward.professional("auditor", at=ward.of(doctor, "Organization"))
    await ward.on("no-relation")
    await ward.opens(doctor, await ward.record())
    await ward.passes()

    assert [one.person for one in await accesses.seen(ward.own, own)] == [doctor.practitioner]
    assert await accesses.seen(ward.own, auditor) == []
    assert await accesses.seen(ward.own, doctor) == []
    await audit_all(ward, auditor)
    assert len(await accesses.seen(ward.own, auditor)) == 1


@pytest.mark.parametrize("name", NAMES)
def test_a_rule_says_what_explains_and_within_which_bounds(name: str) -> None:
    rule = rules()[name]

    assert rule.sentence.endswith(".")
    assert rule.notice == (name in ("same-family", "same-address", "far"))
    assert rule.values({}) == {key: one.value for key, one in rule.parameters.items()}


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (("explained_by: [", "explained_by: [luck, "), "luck"),
        (("notice: ", "noticed: "), "fields"),
        (("value: 22", "value: 99"), "begins"),
        (("least: 18, ", ""), "least"),
    ],
)
def test_a_rule_that_is_not_understood_stops(changed: tuple[str, str], words: str) -> None:
    text = (resources.files("liaison.auth.unusual") / "rules" / "night.yaml").read_text("utf-8")

    with pytest.raises(BadRule, match=words):
        parse(text.replace(*changed), "night")


@pytest.mark.parametrize(
    ("name", "values", "why"),
    [("night", {"begins": 12}, "begins"), ("night", {"noon": 1}, "unknown"), ("nothing", {}, "unknown")],
)
async def test_a_choice_out_of_bounds_is_refused(ward: Ward, name: str, values: dict[str, int], why: str) -> None:
    with pytest.raises(NotChosen, match=why):
        await ward.on(name, **values)
