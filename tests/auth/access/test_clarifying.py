"""« À éclaircir »: asked of whoever acted, answered by them alone, read by the reviewer, and in the journal."""

import json
from typing import Any

import pytest

from liaison.auth.access import clarifying
from liaison.auth.journal.entry import Event

from . import reviewing

pytestmark = pytest.mark.alone  # nobody else lives there who could have the same traits

Tree = dict[str, Any]
QUESTION = "Qui a appelé les pompiers ?"
ANSWER = "La voisine, à 22 h 30 ; le SAMU a noté son appel."


def answer(text: str = ANSWER) -> Tree:
    return {"resourceType": "Parameters", "parameter": [{"name": "answer", "valueString": text}]}


async def asked(territory: Any) -> tuple[Any, Any, str]:
    """An auditor who asked, the doctor who opened the access, and its task."""
    auditor, doctor, task = await reviewing.waiting(territory)
    sent = await territory.ask(auditor.caller, "POST", f"{task}/$review", reviewing.outcome("to-clarify", QUESTION))
    assert sent.status == 200, sent.body
    return auditor, doctor, task


async def questions(territory: Any, who: Any) -> list[Tree]:
    """What this person is asked: the parts of each question by name, notes as texts."""
    found = await territory.ask(who.caller, "POST", "Task/$asked-of-me")
    assert found.status == 200, found.body
    said = []
    for question in json.loads(found.body).get("parameter", []):
        parts = question["part"]
        said.append(
            {
                "task": next(one["valueReference"]["reference"] for one in parts if one["name"] == "task"),
                "notes": [one["valueAnnotation"]["text"] for one in parts if one["name"] == "note"],
                "all": json.dumps(question),
            }
        )
    return said


async def test_a_question_reaches_who_acted_and_the_answer_the_reviewer(territory: Any) -> None:
    auditor, doctor, task = await asked(territory)
    [question] = await questions(territory, doctor)
    assert (question["task"], question["notes"]) == (task, [QUESTION])
    tree = await territory.tree(task, auditor.caller)
    assert tree["for"]["reference"].partition("/")[2] not in question["all"]  # the access is over: no way back
    assert not await clarifying.is_answered(territory.store, tree)

    sent = await territory.ask(doctor.caller, "POST", f"{task}/$clarify", answer())

    assert sent.status == 200, sent.body
    tree = await territory.tree(task, auditor.caller)
    assert [note["text"] for note in tree["note"]] == [QUESTION, ANSWER]
    assert tree["note"][1]["authorReference"]["reference"] == doctor.practitioner
    assert (tree["status"], tree["owner"]["reference"]) == ("on-hold", auditor.role)
    assert await clarifying.is_answered(territory.store, tree)
    assert not await territory.sees(doctor.caller, task)
    settled = await territory.ask(
        auditor.caller, "POST", f"{task}/$review", reviewing.outcome("justified", "La voisine")
    )
    assert settled.status == 200
    assert await questions(territory, doctor) == []
    assert (await territory.ask(doctor.caller, "POST", f"{task}/$clarify", answer())).status == 404


async def test_in_another_role_it_is_still_who_acted(territory: Any) -> None:
    _, doctor, task = await asked(territory)
    elsewhere = await territory.role_of(doctor.practitioner, "specialist")

    assert [one["task"] for one in await questions(territory, elsewhere)] == [task]
    assert (await territory.ask(elsewhere.caller, "POST", f"{task}/$clarify", answer())).status == 200


async def test_nobody_else_is_asked_or_answers(territory: Any) -> None:
    auditor, _, task = await asked(territory)
    before = await territory.tree(task, auditor.caller)
    nobody = await territory.ask(auditor.caller, "POST", f"Task/{'0' * 32}/$clarify", answer())
    for code in ("hospital-doctor", "gp", "nurse", "admin", "auditor"):
        person = await territory.person(code)
        assert await questions(territory, person) == []
        refused = await territory.ask(person.caller, "POST", f"{task}/$clarify", answer())
        assert (refused.status, refused.body) == (404, nobody.body)
    assert (await territory.ask(auditor.caller, "POST", f"{task}/$clarify", answer())).status == 404
    assert await territory.tree(task, auditor.caller) == before


async def test_without_the_check_a_colleague_would_answer(territory: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fault planted: whoever knows the task would write into the review."""

    async def anyone(*_: Any) -> bool:
        return True

    monkeypatch.setattr(clarifying, "_acted", anyone)
    _, _, task = await asked(territory)
    colleague = await territory.person("hospital-doctor")

    assert (await territory.ask(colleague.caller, "POST", f"{task}/$clarify", answer())).status == 200


async def test_what_is_not_asked_is_not_answered(territory: Any) -> None:
    auditor, doctor, task = await reviewing.waiting(territory)
    assert await questions(territory, doctor) == []
    assert (await territory.ask(doctor.caller, "POST", f"{task}/$clarify", answer())).status == 404
    await territory.ask(auditor.caller, "POST", f"{task}/$review", reviewing.outcome("to-clarify", QUESTION))
    for text in (" ", "x" * 3000):
        assert (await territory.ask(doctor.caller, "POST", f"{task}/$clarify", answer(text))).status == 400
    assert (await territory.ask(doctor.caller, "GET", "Task/$asked-of-me")).status == 405


async def test_question_and_answer_are_in_the_journal_without_their_words(
    territory: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, doctor, task = await asked(territory)
    kept: list[Any] = []
    honest = territory.journal.record

    async def record(entries: Any) -> None:
        kept.extend(entries)
        await honest(entries)

    monkeypatch.setattr(territory.journal, "record", record)
    await questions(territory, doctor)
    await territory.ask(doctor.caller, "POST", f"{task}/$clarify", answer())

    person = territory.key(doctor.practitioner).res
    acts = [(one.person, one.reason) for one in kept if one.event == Event.OPERATION and one.reason]
    assert acts == [(person, "review: question"), (person, "review: answer")]
    assert all(one.patient for one in kept if one.event == Event.OPERATION and one.reason)
    assert ANSWER not in str(kept)
    assert QUESTION not in str(kept)
