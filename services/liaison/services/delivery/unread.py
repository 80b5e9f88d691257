"""Of whom an alert would be read by nobody: the telephone says so before it is written, and whom to call."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from liaison.auth.access import internal
from liaison.auth.caller import Caller
from liaison.fhir.store import faults
from liaison.protocols import library
from liaison.protocols.alerts import LEVELS, readers
from liaison.services.house import House
from liaison.services.pages.record import Record


async def unread(house: House, caller: Caller, patients: Sequence[str], now: datetime) -> frozenset[str]:
    """Those of these patients, by their ids, of whom an alert of some level has no recipient in the team. An aide does not see
    the team: it is read for her by the principal that raises alerts, which the journal shows."""
    if not patients:
        return frozenset()
    with faults.reported():
        cell = await internal.open_session(house.database.writing, "protocols", timedelta(minutes=1), caller=caller)
    try:
        query = {"patient": ",".join(f"Patient/{one}" for one in patients), "status": "active", "_count": "200"}
        found = await Record(house.engine, cell).search("CareTeam", query)
    finally:
        with faults.reported():
            await internal.close_session(house.database.writing, cell)
    teams = {
        one: [tree for tree in found if tree.get("subject", {}).get("reference") == f"Patient/{one}"]
        for one in patients
    }
    shipped = library.shipped()
    return frozenset(one for one in patients if not all(readers(shipped, level, teams[one], now) for level in LEVELS))
