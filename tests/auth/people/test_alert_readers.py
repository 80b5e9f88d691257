"""Who reads an alert at a moment: those who have accepted and are there, or their deputy, who has accepted too."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from liaison.auth.people.alert_readers import AlertReader, reading

PARIS = ZoneInfo("Europe/Paris")
NURSE = AlertReader(
    1, "PractitionerRole/nurse", "Infirmière", "12345", 8 * 60, 18 * 60, "PractitionerRole/gp", date(2026, 1, 5)
)
GP = AlertReader(2, "PractitionerRole/gp", "Médecin", "123456", 9 * 60, 20 * 60, "", date(2026, 1, 5))


@pytest.mark.parametrize(
    ("at", "nurse", "gp"),
    [
        (datetime(2026, 11, 30, 8, 0, tzinfo=PARIS), "Infirmière", ""),
        (datetime(2026, 11, 30, 17, 59, tzinfo=PARIS), "Infirmière", "Médecin"),
        (datetime(2026, 11, 30, 18, 0, tzinfo=PARIS), "Médecin", "Médecin"),
        (datetime(2026, 11, 30, 20, 0, tzinfo=PARIS), "", ""),
        (datetime(2026, 12, 5, 10, 0, tzinfo=PARIS), "Médecin", "Médecin"),
        (datetime(2026, 12, 6, 10, 0, tzinfo=PARIS), "", ""),
    ],
    ids=["first minute", "last minute", "her deputy", "nobody in the evening", "saturday", "sunday"],
)
def test_who_reads_now(at: datetime, nurse: str, gp: str) -> None:
    found = reading([NURSE, GP], at)

    names = [found[one.reference].name if one.reference in found else "" for one in (NURSE, GP)]
    assert names == [nurse, gp]


def test_a_deputy_who_has_not_accepted_reads_nothing() -> None:
    assert reading([NURSE], datetime(2026, 11, 30, 19, tzinfo=PARIS)) == {}
