"""When the telephone says that nobody will read an alert: by who has accepted, at their hours of Paris, and is of the team."""

from datetime import date, datetime, timedelta
from typing import Any

from liaison.auth.people.alert_readers import AlertReader
from liaison.protocols import codes, library
from liaison.protocols.alerts import LEVELS
from liaison.services.delivery.unread import hours
from liaison.services.pages.clock import PARIS

NURSE = "PractitionerRole/nurse"
MONDAY = datetime(2026, 11, 30, 7, tzinfo=PARIS)
TUESDAY_EVENING = MONDAY + timedelta(hours=36)


def team() -> list[dict[str, Any]]:
    """One person in every role to which a level of alert is addressed."""
    shipped = library.shipped()
    levels = (shipped.tree(f"{codes.LOCAL}/ActivityDefinition/alert-{level.lower()}") for level in LEVELS)
    roles = [one["role"] for level in levels for one in level["participant"]]
    return [
        {
            "resourceType": "CareTeam",
            "status": "active",
            "participant": [{"member": {"reference": NURSE}, "role": roles}],
        }
    ]


def accepted(begins: int, ends: int, days: str = "1234567") -> AlertReader:
    return AlertReader(1, NURSE, "Une infirmière", days, begins * 60, ends * 60, "", date(2026, 1, 1))


def test_a_service_that_has_recorded_nobody_counts_the_whole_team() -> None:
    assert hours(team(), [], MONDAY, TUESDAY_EVENING) == ()
    assert hours([], [], MONDAY, TUESDAY_EVENING) == ((MONDAY, TUESDAY_EVENING),)


def test_outside_the_hours_of_who_has_accepted_nobody_reads() -> None:
    at = MONDAY.replace
    assert hours(team(), [accepted(8, 18)], MONDAY, TUESDAY_EVENING) == (
        (MONDAY, at(hour=8)),
        (at(hour=18), at(day=1, month=12, hour=8)),
        (at(day=1, month=12, hour=18), TUESDAY_EVENING),
    )


def test_on_another_day_nobody_reads() -> None:
    assert hours(team(), [accepted(0, 24, "2")], MONDAY, TUESDAY_EVENING) == (
        (MONDAY, MONDAY.replace(day=1, month=12, hour=0)),
    )


def test_who_is_not_of_the_team_reads_nothing_of_the_person() -> None:
    assert hours([], [accepted(0, 24)], MONDAY, TUESDAY_EVENING) == ((MONDAY, TUESDAY_EVENING),)
