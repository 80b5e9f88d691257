"""Sessions of a programme: what is planned is read back, a place is taken in the person's own record, a step is done that day."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from liaison.protocols import codes
from liaison.protocols.library import shipped
from liaison.protocols.workshops import (
    Session,
    attended,
    booked,
    done,
    given_up,
    is_reached,
    missed,
    patient_of,
    planned,
    reached,
    read,
    same_workshop,
    step_of,
    workshops,
)

START = datetime(2026, 12, 8, 14, tzinfo=UTC)
ME = {"reference": "PractitionerRole/me", "display": "Gwenola Riou"}
STEP = {"resourceType": "Task", "id": "t", "status": "requested", "for": {"reference": "Patient/p"}}


def made() -> tuple[Session, dict[str, Any]]:
    """A session of the second workshop, and its Schedule."""
    second = workshops(shipped())[1]
    bundle = planned(
        second,
        START,
        START + timedelta(minutes=90),
        8,
        held_by=[("PractitionerRole/me", "Gwenola Riou")],
        place=("Location/room", "Salle"),
        keeper="Organization/house",
        seed=UUID(int=1),
    )
    schedule, slot = (entry["resource"] for entry in bundle["entry"])
    told = read({**slot, "id": "s"}, schedule)
    assert told is not None
    return told, schedule


def test_the_workshops_of_the_library_name_the_objectives_they_work_towards() -> None:
    found = workshops(shipped())

    assert [one.title[:9] for one in found] == [f"Atelier {number}" for number in range(1, 6)]
    assert found[1].goals == ("Reconnaître une exacerbation et suivre son plan d'action",)


def test_what_is_planned_is_read_back() -> None:
    session, schedule = made()

    assert (session.start, session.end - session.start, session.capacity) == (START, timedelta(minutes=90), 8)
    assert (session.place, session.held_by, session.cancelled) == ("Salle", ("Gwenola Riou",), False)
    assert same_workshop(session.workshop, workshops(shipped())[1].canonical)
    assert not any("Patient" in str(tree) for tree in (schedule, session.slot))  # an agenda names nobody's health


def test_a_slot_of_something_else_is_no_session() -> None:
    session, schedule = made()
    other = {**session.slot, "extension": [one for one in session.slot["extension"] if one["url"] != codes.WORKSHOP]}

    assert read(other, schedule) is None


def test_a_place_stands_in_the_record_of_the_person_with_the_step_it_is_for() -> None:
    session, schedule = made()

    one = booked(session, schedule, "Patient/p", STEP, START)

    assert (patient_of(one), step_of(one), one["status"], one["minutesDuration"]) == (
        "Patient/p",
        "Task/t",
        "booked",
        90,
    )
    assert one["slot"] == [{"reference": "Slot/s"}]
    states = [change(one)["status"] for change in (attended, missed, lambda tree: given_up(tree, "Panne"))]
    assert states == ["fulfilled", "noshow", "cancelled"]


def test_a_step_is_done_on_the_day_of_the_session_whenever_it_is_noted() -> None:
    session, _ = made()

    step = done(session, STEP, ME, START + timedelta(days=20))

    assert (step["status"], step["executionPeriod"]["end"]) == ("completed", "2026-12-08")


@pytest.mark.parametrize("status", ["completed", "cancelled", "rejected", "failed", "entered-in-error"])
def test_a_step_that_is_over_stays_as_it_is(status: str) -> None:
    session, _ = made()
    step = {**STEP, "status": status}

    assert done(session, step, ME, START) == step


def test_an_objective_is_reached_on_a_day() -> None:
    goal = {"resourceType": "Goal", "achievementStatus": {"coding": [{"code": "in-progress"}]}}

    assert not is_reached(goal)
    assert is_reached(reached(goal, date(2026, 12, 8)))
    assert reached(goal, date(2026, 12, 8))["statusDate"] == "2026-12-08"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("u|1.0.0#a", "u|2.0.0#a", True),
        ("u#a", "u|2.0.0#a", True),
        ("u|1.0.0#a", "u|1.0.0#b", False),
        ("u|1.0.0#a", "v|1.0.0#a", False),
        ("", "", False),
    ],
    ids=str,
)
def test_a_new_version_of_a_programme_keeps_its_workshops(one: str, other: str, same: bool) -> None:
    assert same_workshop(one, other) is same
