"""The numbers of a service by the hour: the telephone, which has no network, chooses as the service does."""

import json
import shutil
import subprocess
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from liaison.auth.people.service_numbers import ServiceNumber, at
from liaison.services import pages
from liaison.services.pages.clock import PARIS
from liaison.services.pages.home_service.readers import days_said
from liaison.services.pages.languages import translations

SCRIPT = Path(pages.__file__).parent / "telephone_app" / "numbers.js"
DESK = ServiceNumber(1, "Accueil", "0296000001", "12345", 8 * 60, 18 * 60)
NIGHT = ServiceNumber(2, "Astreinte", "0600000002", "12345", 18 * 60, 8 * 60)
WEEKEND = ServiceNumber(3, "Astreinte du week-end", "0600000003", "67", 0, 24 * 60)
ALL = (DESK, NIGHT, WEEKEND)


@pytest.mark.parametrize(
    ("when", "who"),
    [
        ("2026-11-30T08:00", DESK),  # a Monday
        ("2026-11-30T07:59", None),  # Sunday's night is nobody's
        ("2026-11-30T18:00", NIGHT),
        ("2026-12-01T07:59", NIGHT),
        ("2026-12-05T03:00", NIGHT),  # Friday's, which goes on
        ("2026-12-05T08:00", WEEKEND),
        ("2026-12-06T23:59", WEEKEND),
    ],
)
def test_the_one_of_the_hour(when: str, who: ServiceNumber | None) -> None:
    assert at(ALL, datetime.fromisoformat(when).replace(tzinfo=PARIS)) == who


def test_days_are_said_as_each_language_writes_them() -> None:
    assert days_said("17", translations("fr").gettext) == "lundi, dimanche"
    assert days_said("17", translations("en").gettext) == "Monday, Sunday"


@pytest.mark.skipif(shutil.which("node") is None, reason="needs Node.js: deploy/setup.sh test installs it")
def test_the_telephone_chooses_the_same_at_every_hour_of_a_week() -> None:
    begins = datetime(2026, 10, 22, tzinfo=PARIS)  # with the Sunday of 25 hours in it
    moments = [begins + timedelta(minutes=minutes) for minutes in range(0, 8 * 24 * 60, 29)]
    service = {"phone": "", "numbers": [one._asdict() for one in ALL]}
    asked = json.dumps([one.isoformat() for one in moments])
    program = (
        f"import {{ numberAt }} from {json.dumps(SCRIPT.as_uri())};"
        f"const service = {json.dumps(service)};"
        f"console.log(JSON.stringify({asked}.map((one) => numberAt(service, new Date(one)).name)));"
    )
    told = subprocess.run(["node", "--input-type=module", "-e", program], capture_output=True, text=True, check=True)
    ours = [one.name if (one := at(ALL, moment)) else "" for moment in moments]
    assert json.loads(told.stdout) == ours
    assert set(ours) == {"", "Accueil", "Astreinte", "Astreinte du week-end"}
