"""Which of the appointments are the next ones."""

from datetime import datetime

import pytest

from liaison.fhir.model.dates import ZONE
from liaison.services.pages.clinician.dossier import coming

NOON = datetime(2026, 11, 30, 12, tzinfo=ZONE)


@pytest.mark.parametrize(
    ("start", "end", "status", "shown"),
    [
        ("08:00", "08:30", "booked", False),
        ("11:45", "12:15", "booked", True),
        ("12:30", "13:00", "booked", True),
        ("12:30", "13:00", "pending", True),
        ("12:30", "13:00", "cancelled", False),
        ("12:30", "13:00", "fulfilled", False),
    ],
    ids=["this morning", "under way", "to come", "asked for", "cancelled", "come early"],
)
def test_a_visit_is_coming_until_its_end(start: str, end: str, status: str, shown: bool) -> None:
    visit = {"status": status, "start": f"2026-11-30T{start}:00+01:00", "end": f"2026-11-30T{end}:00+01:00"}

    assert (coming([visit], NOON) == [visit]) is shown


def test_what_has_no_end_is_coming() -> None:
    assert coming([{"status": "proposed"}], NOON)
