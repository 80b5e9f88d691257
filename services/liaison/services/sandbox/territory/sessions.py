"""A session of the education programme to come, with a patient educator named for it, and places on its list."""

from datetime import datetime, time
from typing import Final
from uuid import NAMESPACE_URL, uuid5

from liaison.protocols import codes, library
from liaison.protocols.workdays import next_working
from liaison.protocols.workshops import booked, planned, read, with_educator, with_noted, workshops
from liaison.services.sandbox.territory import professionals
from liaison.services.sandbox.territory.clock import PARIS, Clock
from liaison.services.sandbox.territory.draft import Draft
from liaison.services.sandbox.territory.professionals import BY_KEY
from liaison.services.sandbox.territory.record.record import Record
from liaison.services.sandbox.territory.shapes import ref

KEY: Final = "session"
_EDUCATOR: Final = "patient_educator"
_ACTION: Final = "#session-4"


def add_session(directory: Draft, clock: Clock) -> None:
    """On the Tuesday of next week, or the first working day after it; kept by the maison de santé."""
    on = next_working(clock.day(8 - clock.today.weekday()))
    workshop = next(one for one in workshops(library.shipped()) if one.canonical.endswith(_ACTION))
    holder = professionals.member(directory, "coordinator")
    site = directory.tree("site_etp")["name"]
    made = planned(
        workshop,
        datetime.combine(on, time(14), PARIS),
        datetime.combine(on, time(15, 30), PARIS),
        8,
        held_by=[(holder["reference"], holder["display"])],
        place=(directory["site_etp"], site),
        keeper=directory["msp"],
        seed=uuid5(NAMESPACE_URL, f"{directory.name}/{KEY}"),
    )
    schedule, slot = (entry["resource"] for entry in made["entry"])
    directory.add(with_educator(schedule, directory[_EDUCATOR], BY_KEY[_EDUCATOR].name), f"{KEY}/schedule")
    directory.add({**slot, "schedule": ref(directory[f"{KEY}/schedule"])}, KEY)


def on_the_list(record: Record, *, first_name: bool) -> None:
    """They have a place, and say whether the patient educator may be told their first name."""
    directory = record.directory
    slot, schedule = ({**directory.tree(key), "id": key} for key in (KEY, f"{KEY}/schedule"))
    held = read(slot, schedule)
    assert held is not None  # it was planned above
    place = booked(held, schedule, record.patient, None, record.clock.at(-2, 11))
    record.add({**with_noted(place, codes.FIRST_NAME, valueBoolean=first_name), "slot": [ref(directory[KEY])]})
