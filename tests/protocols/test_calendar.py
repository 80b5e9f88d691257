"""Where a step stands on a day, and what completing, excusing and moving it change."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from liaison.protocols.calendar import State, calendar, complete, entry, excuse, next_step, reschedule

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
TODAY = NOW.date()
NURSE = {"reference": "PractitionerRole/n"}


def _task(due: str, status: str = "requested", **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Task",
        "status": status,
        "restriction": {"period": {"end": due}},
        "description": due,
        **more,
    }


@pytest.mark.parametrize(
    ("task", "state", "days"),
    [
        (_task("2026-11-24"), State.DUE, -1),
        (_task("2026-11-23"), State.DUE, 0),
        (_task("2026-11-22"), State.LATE, 1),
        (_task("2026-11-01", "in-progress"), State.LATE, 22),
        (_task("2026-11-01", "completed", executionPeriod={"end": "2026-11-20"}), State.DONE, 0),
        (_task("2026-11-01", "cancelled", statusReason={"text": "Refus"}), State.EXCUSED, 0),
        (_task("2026-11-01", "entered-in-error"), State.EXCUSED, 0),
    ],
)
def test_a_step_is_due_late_done_or_excused(task: dict[str, Any], state: State, days: int) -> None:
    found = entry(task, TODAY)

    assert (found.state, found.days) == (state, days)


def test_late_steps_come_first_the_longest_late_before_the_others() -> None:
    tasks = [_task("2026-12-01"), _task("2026-11-20"), _task("2026-10-01"), _task("2026-09-01", "completed")]

    assert [found.title for found in calendar(tasks, TODAY)] == ["2026-10-01", "2026-11-20", "2026-12-01", "2026-09-01"]
    following = next_step(tasks, TODAY)
    assert following is not None
    assert following.title == "2026-10-01"


def test_nothing_left_has_no_next_step() -> None:
    assert next_step([_task("2026-09-01", "completed")], TODAY) is None


def test_a_late_step_is_completed_with_its_true_date_and_keeps_the_day_it_was_due() -> None:
    done = entry(complete(_task("2026-10-01"), date(2026, 10, 20), NURSE, NOW, "Fait au cabinet"), TODAY)

    assert (done.state, done.done, done.due) == (State.DONE, date(2026, 10, 20), date(2026, 10, 1))
    assert done.task["note"][0]["text"] == "Fait au cabinet"


def test_an_excuse_needs_a_reason() -> None:
    assert (
        entry(excuse(_task("2026-10-01"), "La personne a refusé", NURSE, NOW), TODAY).reason == "La personne a refusé"
    )
    with pytest.raises(ValueError, match="reason"):
        excuse(_task("2026-10-01"), "  ", NURSE, NOW)


def test_a_moved_step_says_when_it_was_due() -> None:
    moved = reschedule(_task("2026-10-01"), date(2026, 12, 1), "Absente", NURSE, NOW)

    assert entry(moved, TODAY).due == date(2026, 12, 1)
    assert moved["note"][0]["text"] == "Reporté du 2026-10-01 au 2026-12-01. Absente"


def test_the_given_task_is_left_as_it_was() -> None:
    task = _task("2026-10-01")
    complete(task, TODAY, NURSE, NOW, "x")
    excuse(task, "x", NURSE, NOW)
    reschedule(task, TODAY, "x", NURSE, NOW)

    assert task == _task("2026-10-01")


@pytest.mark.parametrize(
    ("by", "signed"),
    [
        (
            {"reference": "Practitioner/a", "display": "Anne"},
            {"authorReference": {"reference": "Practitioner/a", "display": "Anne"}},
        ),
        ({"reference": "PractitionerRole/a", "display": "Anne"}, {"authorString": "Anne"}),
        ({"reference": "PractitionerRole/a"}, {}),
    ],
)
def test_a_note_is_signed_as_r4_allows(by: dict[str, Any], signed: dict[str, Any]) -> None:
    (note,) = complete(_task("2026-10-01"), TODAY, by, NOW, "x")["note"]

    assert {name: value for name, value in note.items() if name.startswith("author")} == signed
