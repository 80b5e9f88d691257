"""The review of an emergency access: four outcomes, never by the one who acted, written by nobody else."""

import asyncio
import json
from datetime import datetime
from typing import Any

import pytest

from liaison.auth.access import vocabulary
from liaison.auth.journal.audit_reader import AuditReader
from liaison.auth.journal.keys import JournalKeys
from liaison.auth.people import notices

from . import reviewing
from .territory import BASE

pytestmark = pytest.mark.alone  # nobody else lives there who could have the same traits

Tree = dict[str, Any]


WHY = "Appel du SAMU à 22 h 35"


async def second(territory: Any, auditor: Any) -> Any:
    """An officer of the same hospital."""
    return await territory.person("dpo", auditor.organization)


@pytest.mark.parametrize("code", ["justified", "unjustified", "reported"])
async def test_an_outcome_settles_the_access(territory: Any, code: str) -> None:
    auditor, _, task = await reviewing.waiting(territory)
    if code != "justified":  # said by two
        officer = await second(territory, auditor)
        await territory.ask(officer.caller, "POST", f"{task}/$review", reviewing.outcome(code, WHY))
    before = await territory.tree(task, auditor.caller)

    answer = await territory.ask(auditor.caller, "POST", f"{task}/$review", reviewing.outcome(code, WHY))

    assert answer.status == 200, answer.body
    after = await territory.tree(task, auditor.caller)
    assert json.loads(answer.body) == after
    assert (after["status"], after["owner"]["reference"]) == ("completed", auditor.role)
    assert after["businessStatus"]["coding"][0]["code"] == code
    assert [note["text"] for note in after["note"]] == [WHY] * (1 if code == "justified" else 2)
    changed = ("status", "owner", "businessStatus", "lastModified", "note", "meta")
    assert {name: value for name, value in after.items() if name not in changed} == {
        name: value for name, value in before.items() if name not in changed
    }
    again = await territory.ask(auditor.caller, "POST", f"{task}/$review", reviewing.outcome("justified", WHY))
    assert again.status == 409
    assert await territory.tree(task, auditor.caller) == after


async def test_the_officers_whose_access_it_is_are_told_of_it_until_it_is_settled(territory: Any) -> None:
    auditor, doctor, task = await reviewing.waiting(territory)
    reading, res = territory.database.reading, territory.store.key(*task.split("/")).res
    elsewhere = await territory.create(territory.system, {"resourceType": "Organization", "name": "Union"})
    other = await territory.person("dpo", elsewhere)
    [number] = [row[0] for row in await reading.fetch("select notice from notice where about = $1", res)]

    async def told(who: Any) -> tuple[bool, int]:
        session = who.caller.session
        listed = await notices.latest(reading, session)
        assert await notices.unread(reading, session) == sum(one.read_at is None for one in listed)
        return number in {one.number for one in listed}, await notices.unread(reading, session)

    assert await told(auditor) == (True, (await told(other))[1] + 1)
    assert (await told(other))[0] is False
    async with territory.database.writing.acquire() as connection:
        assert await notices.read_one(connection, other.caller.session, number) is False
    by = "update notice set person = $1 where notice = $2 and person = $3"
    acted, reads = doctor.caller.practitioner, auditor.caller.practitioner
    await territory.database.writing.execute(by, reads, number, acted)
    assert (await told(auditor))[0] is False  # of their own
    await territory.database.writing.execute(by, acted, number, reads)

    mine = "select kind, read_at is null from notice where about = $1"
    assert [tuple(one) for one in await reading.fetch(mine, res)] == [("emergency", True)]

    await territory.ask(auditor.caller, "POST", f"{task}/$review", reviewing.outcome("to-clarify", "Qui a appelé ?"))
    assert (await told(auditor))[0] is True
    await territory.ask(auditor.caller, "POST", f"{task}/$review", reviewing.outcome("justified", WHY))
    assert [tuple(one) for one in await reading.fetch(mine, res)] == [("emergency", False)]


async def test_what_is_to_be_clarified_stays_open(territory: Any) -> None:
    auditor, _, task = await reviewing.waiting(territory)
    officer = await second(territory, auditor)
    asked = await territory.ask(
        auditor.caller, "POST", f"{task}/$review", reviewing.outcome("to-clarify", "Qui a appelé ?")
    )
    assert asked.status == 200
    assert (await territory.tree(task, auditor.caller))["status"] == "on-hold"

    settled = await territory.ask(officer.caller, "POST", f"{task}/$review", reviewing.outcome("justified", WHY))
    assert settled.status == 200
    assert [note["text"] for note in json.loads(settled.body)["note"]] == ["Qui a appelé ?", WHY]


async def test_nobody_reviews_their_own_access(territory: Any) -> None:
    _, doctor, task = await reviewing.waiting(territory)
    as_auditor = await territory.role_of(doctor.practitioner, "auditor", doctor.organization)
    other = await second(territory, as_auditor)
    answer = await territory.ask(as_auditor.caller, "POST", f"{task}/$review", reviewing.outcome("justified", WHY))

    assert answer.status == 404
    lists = [
        "code=emergency-access",
        "status:not=completed",
        f"_id={task.split('/')[1]}",
        "code=emergency-access&_total=accurate",
    ]
    for asked in lists:
        assert task not in await territory.search(as_auditor.caller, f"Task?{asked}")
        assert task in await territory.search(other.caller, f"Task?{asked}")
    for path in (task, f"{task}/_history", f"{task}/_history/1"):
        assert (await territory.ask(as_auditor.caller, "GET", path)).status == 404
        assert (await territory.ask(other.caller, "GET", path)).status == 200
    totals = [
        json.loads((await territory.ask(who.caller, "GET", "Task?code=emergency-access&_summary=count")).body)["total"]
        for who in (as_auditor, other)
    ]
    assert totals == [0, 1]
    assert (await territory.tree(task, other.caller))["status"] == "requested"


async def test_the_journal_says_nothing_of_it_to_whoever_acted(territory: Any) -> None:
    _, doctor, task = await reviewing.waiting(territory)
    as_auditor = await territory.role_of(doctor.practitioner, "auditor", doctor.organization)
    other = await second(territory, as_auditor)
    for path in (task, "Task?code=emergency-access"):
        assert (await territory.ask(other.caller, "GET", path)).status == 200
    store, key = territory.store, territory.store.key(*task.split("/"))
    async with territory.database.writing.acquire() as connection:
        keys = await JournalKeys.load(connection, store.vault)
    reader = AuditReader(territory.database, store.vault, keys, store.filter, BASE)

    async def told(who: Any) -> list[str]:
        """By whom others were shown the task."""
        seen = await reader.entries(who.caller, "", refusals=False)
        about = [one.entry for one in seen if (key.kind, key.res) in {item[:2] for item in one.entry.items}]
        return [one.path for one in about if one.person == other.caller.practitioner]

    assert len(await told(other)) == 2
    assert await told(as_auditor) == []


async def test_only_auditors_review(territory: Any) -> None:
    auditor, doctor, task = await reviewing.waiting(territory)
    gp, admin = await territory.person("gp"), await territory.person("admin")
    for person in (doctor, gp, admin):
        assert (
            await territory.ask(person.caller, "POST", f"{task}/$review", reviewing.outcome("justified", WHY))
        ).status == 403
    forged = await territory.tree(task, auditor.caller)
    assert (await territory.ask(auditor.caller, "PUT", task, {**forged, "status": "completed"})).status in (403, 422)
    assert await territory.tree(task, auditor.caller) == forged


async def test_what_must_be_said_is_said(territory: Any) -> None:
    auditor, _, task = await reviewing.waiting(territory)
    for body in (
        reviewing.outcome("fine"),
        reviewing.outcome("justified"),
        reviewing.outcome("unjustified"),
        reviewing.outcome("to-clarify", " "),
        reviewing.outcome("reported", "x" * 3000),
    ):
        assert (await territory.ask(auditor.caller, "POST", f"{task}/$review", body)).status == 400
    assert (await territory.ask(auditor.caller, "GET", f"{task}/$review")).status == 405


async def test_a_review_of_an_older_version_is_refused(territory: Any) -> None:
    auditor, _, task = await reviewing.waiting(territory)
    await territory.ask(auditor.caller, "POST", f"{task}/$review", reviewing.outcome("to-clarify", "Qui a appelé ?"))
    late = await territory.ask(
        auditor.caller, "POST", f"{task}/$review", reviewing.outcome("justified", WHY), **{"if-match": 'W/"1"'}
    )

    assert late.status == 412


async def test_other_tasks_are_not_there_to_be_reviewed(territory: Any) -> None:
    auditor, gp = await territory.person("auditor"), await territory.person("gp")
    patient = await territory.patient(gp)
    plain = await territory.create(
        gp.caller,
        {"resourceType": "Task", "status": "requested", "intent": "order", "for": {"reference": patient.reference}},
    )
    duplicate = await territory.create(
        territory.system,
        {"resourceType": "Task", "status": "requested", "intent": "order", "for": {"reference": patient.reference},
         "code": {"coding": [{"system": vocabulary.REVIEW, "code": "duplicate"}]}},
    )  # fmt: skip
    for task in (plain, duplicate, f"Task/{'0' * 32}"):
        assert (
            await territory.ask(auditor.caller, "POST", f"{task}/$review", reviewing.outcome("justified", WHY))
        ).status == 404


async def test_whoever_reviews_nothing_does_not_learn_that_a_task_exists(territory: Any) -> None:
    _, _, task = await reviewing.waiting(territory)
    stranger = await territory.person("gp")

    answers = [
        await territory.ask(stranger.caller, "POST", f"{named}/$review", reviewing.outcome("justified", WHY))
        for named in (task, "Task/0123456789abcdef0123456789abcdef")
    ]

    assert answers[0].status == answers[1].status == 403
    assert answers[0].body == answers[1].body


@pytest.mark.parametrize("code", ["unjustified", "reported"])
async def test_a_fault_is_said_by_two_people_and_opens_a_case(territory: Any, code: str) -> None:
    auditor, doctor, task = await reviewing.waiting(territory)
    officer = await second(territory, auditor)
    cases = "select outcome, person, organization, known_at from review_case"

    said = await territory.ask(auditor.caller, "POST", f"{task}/$review", reviewing.outcome(code, WHY))
    assert (said.status, json.loads(said.body)["status"]) == (200, "in-progress")
    again = await territory.ask(auditor.caller, "POST", f"{task}/$review", reviewing.outcome(code, WHY))
    assert again.status == 403
    assert "second reader" in json.loads(again.body)["issue"][0]["diagnostics"]
    assert await territory.database.reading.fetch(cases) == []
    first = json.loads(said.body)["note"][0]["time"]

    confirmed = await territory.ask(officer.caller, "POST", f"{task}/$review", reviewing.outcome(code, "Je confirme"))

    assert (confirmed.status, json.loads(confirmed.body)["status"]) == (200, "completed")
    [(outcome, person, organization, known)] = await territory.database.reading.fetch(cases)
    assert (outcome, person) == (code, territory.key(doctor.practitioner).res)
    assert organization == territory.key(doctor.organization).res
    assert known == datetime.fromisoformat(first)  # of the first word, whatever came since


async def test_the_72_hours_run_from_the_first_who_doubted_not_from_the_last_word_before(territory: Any) -> None:
    auditor, _, task = await reviewing.waiting(territory)
    officer = await second(territory, auditor)
    times = []
    for who, code in ((auditor, "reported"), (auditor, "to-clarify"), (auditor, "reported"), (officer, "unjustified"),
                      (auditor, "unjustified")):  # fmt: skip
        said = await territory.ask(who.caller, "POST", f"{task}/$review", reviewing.outcome(code, WHY))
        assert said.status == 200, said.body
        times.append(json.loads(said.body)["note"][-1]["time"])
        await asyncio.sleep(1.1)  # seconds are what a note knows

    [(known,)] = await territory.database.reading.fetch("select known_at from review_case")
    assert known == datetime.fromisoformat(times[2])


async def test_another_word_of_the_second_reader_is_no_confirmation(territory: Any) -> None:
    auditor, _, task = await reviewing.waiting(territory)
    officer = await second(territory, auditor)
    await territory.ask(auditor.caller, "POST", f"{task}/$review", reviewing.outcome("unjustified", WHY))

    other = await territory.ask(officer.caller, "POST", f"{task}/$review", reviewing.outcome("reported", WHY))
    assert json.loads(other.body)["status"] == "in-progress"
    asked = await territory.ask(auditor.caller, "POST", f"{task}/$review", reviewing.outcome("to-clarify", WHY))
    assert json.loads(asked.body)["status"] == "on-hold"
    back = await territory.ask(officer.caller, "POST", f"{task}/$review", reviewing.outcome("justified", WHY))
    assert json.loads(back.body)["status"] == "completed"
    assert await territory.database.reading.fetchval("select count(*) from review_case") == 0
