"""When an alert would be read by nobody, of each person of a tour: the telephone says so before it is written, and whom to call."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from liaison.auth.access import internal
from liaison.auth.caller import Caller
from liaison.auth.people import alert_readers
from liaison.auth.people.alert_readers import AlertReader
from liaison.fhir.store import faults
from liaison.protocols import library
from liaison.protocols.alerts import LEVELS, readers
from liaison.services.alerting import read_at
from liaison.services.house import House
from liaison.services.members import with_functions
from liaison.services.pages.clock import PARIS
from liaison.services.pages.record import Record

Tree = dict[str, Any]
Hours = tuple[tuple[datetime, datetime], ...]
DAY: Final = timedelta(days=1)


async def unread(
    house: House, caller: Caller, patients: Sequence[str], now: datetime, until: datetime
) -> Mapping[str, Hours]:
    """By the ids of these patients. An aide does not see the team: it is read for her by the principal that raises alerts, which the
    journal shows."""
    if not patients:
        return {}
    with faults.reported():
        accepted = await alert_readers.of_service(house.database.reading, caller.organization)
        cell = await internal.open_session(house.database.writing, "protocols", timedelta(minutes=1), caller=caller)
    try:
        query = {"patient": ",".join(f"Patient/{one}" for one in patients), "status": "active", "_count": "200"}
        record = Record(house.engine, cell)
        found = await with_functions(record, await record.search("CareTeam", query))
    finally:
        with faults.reported():
            await internal.close_session(house.database.writing, cell)
    return {
        one: hours(
            [tree for tree in found if tree.get("subject", {}).get("reference") == f"Patient/{one}"],
            accepted,
            now,
            until,
        )
        for one in patients
    }


def hours(teams: Sequence[Tree], accepted: Sequence[AlertReader], now: datetime, until: datetime) -> Hours:
    """The spans between `now` and `until` in which an alert of some level would find nobody."""
    shipped = library.shipped()
    moments = _changes(accepted, now, until)
    found: list[tuple[datetime, datetime]] = []
    for begins, ends in zip(moments, [*moments[1:], until], strict=True):
        reading = read_at(teams, accepted, begins)
        if all(readers(shipped, level, reading, begins) for level in LEVELS):
            continue
        if found and found[-1][1] == begins:
            begins = found.pop()[0]
        found.append((begins, ends))
    return tuple(found)


def _changes(accepted: Sequence[AlertReader], now: datetime, until: datetime) -> list[datetime]:
    """When somebody comes or goes, `now` first."""
    here = now.astimezone(PARIS).replace(hour=0, minute=0, second=0, microsecond=0)
    days = [here + number * DAY for number in range((until - now) // DAY + 2)]
    minutes = {minute for one in accepted for minute in (one.begins, one.ends)} | {0}
    found = {
        day.replace(hour=minute // 60, minute=minute % 60) for day in days for minute in minutes if minute < 24 * 60
    }
    return [now, *sorted(one for one in found if now < one < until)]
