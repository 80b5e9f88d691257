"""To whom an alert of a home service goes at this moment: those of the team who have accepted, and are there."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from liaison.auth.people import alert_readers
from liaison.auth.people.alert_readers import AlertReader
from liaison.fhir.store import faults
from liaison.protocols.team import read_by
from liaison.services.house import House
from liaison.services.members import with_functions
from liaison.services.pages.clock import PARIS
from liaison.services.pages.record import Record

Tree = dict[str, Any]


async def reading_now(house: House, record: Record, organization: int, patient: str, at: datetime) -> list[Tree]:
    """The teams of Patient/id with those alone who read alerts of this service now; with everybody where it has recorded nobody
    yet. `record` reads the teams, and the directory where they do not say what their members do."""
    teams = await record.search("CareTeam", {"patient": patient, "status": "active"}, most=10)
    with faults.reported():
        readers = await alert_readers.of_service(house.database.reading, organization)
    return read_at(await with_functions(record, teams), readers, at)


def read_at(teams: Sequence[Tree], readers: Sequence[AlertReader], at: datetime) -> list[Tree]:
    """The same, of a service that has recorded these."""
    if not readers:
        return list(teams)
    reading = alert_readers.reading(readers, at.astimezone(PARIS))
    return read_by(teams, {who: {"reference": one.reference, "display": one.name} for who, one in reading.items()})
