"""To whom an alert of a home service goes at this moment: those of the team who have accepted, and are there."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from liaison.auth.people import alert_readers
from liaison.auth.people.alert_readers import AlertReader
from liaison.fhir.store import faults
from liaison.protocols.team import read_by
from liaison.services.house import House
from liaison.services.pages.clock import PARIS

Tree = dict[str, Any]


async def reading_now(house: House, organization: int, teams: Sequence[Tree], at: datetime) -> list[Tree]:
    """The teams with those alone who read alerts of this service now; all of them where it has recorded nobody yet."""
    with faults.reported():
        readers = await alert_readers.of_service(house.database.reading, organization)
    return read_at(teams, readers, at)


def read_at(teams: Sequence[Tree], readers: Sequence[AlertReader], at: datetime) -> list[Tree]:
    """The same, of a service that has recorded these."""
    if not readers:
        return list(teams)
    reading = alert_readers.reading(readers, at.astimezone(PARIS))
    return read_by(teams, {who: {"reference": one.reference, "display": one.name} for who, one in reading.items()})
