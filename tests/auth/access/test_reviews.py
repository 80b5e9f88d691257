"""The review of an emergency access: four outcomes, never by the one who acted, written by nobody else."""

import json
from typing import Any

import pytest

from liaison.auth.access import vocabulary
from liaison.auth.people import notices

from . import reviewing

pytestmark = pytest.mark.alone  # nobody else lives there who could have the same traits

Tree = dict[str, Any]


@pytest.mark.parametrize("code", ["justified", "unjustified", "reported"])
async def test_an_outcome_settles_the_access(territory: Any, code: str) -> None:
    auditor, _, task = await reviewing.waiting(territory)
    before = await territory.tree(task, auditor.caller)

    answer = await territory.ask(
        auditor.caller, "POST", f"{task}/$review", reviewing.outcome(code, "Appel du SAMU à 22 h 35")
    )

    assert answer.status == 200, answer.body
    after = await territory.tree(task, auditor.caller)
    assert json.loads(answer.body) == after
    assert (after["status"], after["owner"]["reference"]) == ("completed", auditor.role)
    assert after["businessStatus"]["coding"][0]["code"] == code
    assert [note["text"] for note in after["note"]] == ["Appel du SAMU à 22 h 35"]
    changed = ("status", "owner", "businessStatus", "lastModified", "note", "meta")
    assert {name: value for name, value in after.items() if name not in changed} == {
        name: value for name, value in before.items() if name not in changed
    }
    again = await territory.ask(auditor.caller, "POST", f"{task}/$review", reviewing.outcome("justified"))
    assert again.status == 409
    assert await territory.tree(task, auditor.caller) == after


async def test_the_officer_is_told_of_an_access_until_it_is_settled(territory: Any) -> None:
    auditor, _, task = await reviewing.waiting(territory)
    reading, res = territory.database.reading, territory.store.key(*task.split("/")).res
    mine = "select kind, read_at is null from notice where about = $1"
    assert [tuple(one) for one in await reading.fetch(mine, res)] == [("emergency", True)]

    await territory.ask(auditor.caller, "POST", f"{task}/$review", reviewing.outcome("to-clarify", "Qui a appelé ?"))
    assert await notices.unread(reading) > 0
    await territory.ask(auditor.caller, "POST", f"{task}/$review", reviewing.outcome("justified"))
    assert [tuple(one) for one in await reading.fetch(mine, res)] == [("emergency", False)]


async def test_what_is_to_be_clarified_stays_open(territory: Any) -> None:
    auditor, _, task = await reviewing.waiting(territory)
    second = await territory.person("dpo")
    asked = await territory.ask(
        auditor.caller, "POST", f"{task}/$review", reviewing.outcome("to-clarify", "Qui a appelé ?")
    )
    assert asked.status == 200
    assert (await territory.tree(task, auditor.caller))["status"] == "on-hold"

    settled = await territory.ask(second.caller, "POST", f"{task}/$review", reviewing.outcome("justified"))
    assert settled.status == 200
    assert [note["text"] for note in json.loads(settled.body)["note"]] == ["Qui a appelé ?"]


async def test_nobody_reviews_their_own_access(territory: Any) -> None:
    _, doctor, task = await reviewing.waiting(territory)
    as_auditor = await territory.role_of(doctor.practitioner, "auditor")
    answer = await territory.ask(as_auditor.caller, "POST", f"{task}/$review", reviewing.outcome("justified"))

    assert answer.status == 403
    assert "their own" in json.loads(answer.body)["issue"][0]["diagnostics"]
    assert (await territory.tree(task, as_auditor.caller))["status"] == "requested"


async def test_only_auditors_review(territory: Any) -> None:
    auditor, doctor, task = await reviewing.waiting(territory)
    gp, admin = await territory.person("gp"), await territory.person("admin")
    for person in (doctor, gp, admin):
        assert (
            await territory.ask(person.caller, "POST", f"{task}/$review", reviewing.outcome("justified"))
        ).status == 403
    forged = await territory.tree(task, auditor.caller)
    assert (await territory.ask(auditor.caller, "PUT", task, {**forged, "status": "completed"})).status in (403, 422)
    assert await territory.tree(task, auditor.caller) == forged


async def test_what_must_be_said_is_said(territory: Any) -> None:
    auditor, _, task = await reviewing.waiting(territory)
    for body in (
        reviewing.outcome("fine"),
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
        auditor.caller, "POST", f"{task}/$review", reviewing.outcome("justified"), **{"if-match": 'W/"1"'}
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
            await territory.ask(auditor.caller, "POST", f"{task}/$review", reviewing.outcome("justified"))
        ).status == 404


async def test_whoever_reviews_nothing_does_not_learn_that_a_task_exists(territory: Any) -> None:
    _, _, task = await reviewing.waiting(territory)
    stranger = await territory.person("gp")

    answers = [
        await territory.ask(stranger.caller, "POST", f"{named}/$review", reviewing.outcome("justified"))
        for named in (task, "Task/0123456789abcdef0123456789abcdef")
    ]

    assert answers[0].status == answers[1].status == 403
    assert answers[0].body == answers[1].body
