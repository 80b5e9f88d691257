"""The sessions that are planned, and how many are on each list, whoever follows them."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Final

from starlette.requests import Request

from liaison.auth.access import internal
from liaison.auth.caller import Caller
from liaison.fhir.errors import NotFound
from liaison.protocols.workshops import LISTED, Session, read
from liaison.services.pages.record import Record
from liaison.services.pages.signed_in import address_of

Tree = dict[str, Any]
_MOST: Final = 200


async def since(record: Record, moment: datetime, among: Mapping[str, str] = MappingProxyType({})) -> list[Session]:
    """Those that begin from that moment on, the next first. `among`: what else their Slot must meet."""
    query = {
        "start": f"ge{moment.isoformat()}",
        "_sort": "start",
        "_include": "Slot:schedule",
        "_count": str(_MOST),
        **among,
    }
    found = await record.search("Slot", query, most=2 * _MOST)
    schedules = {f"Schedule/{tree['id']}": tree for tree in found if tree["resourceType"] == "Schedule"}
    slots = [tree for tree in found if tree["resourceType"] == "Slot"]
    told = (read(slot, schedules.get(str(slot["schedule"].get("reference")), {})) for slot in slots)
    return [one for one in told if one is not None]


async def one(record: Record, id_: str) -> tuple[Session, Tree]:
    """The session and its Schedule. Raises NotFound for what is none."""
    slot = await record.read(f"Slot/{id_}")
    schedule = await record.read(str(slot["schedule"].get("reference", ""))) if slot else None
    told = read(slot, schedule) if slot and schedule else None
    if told is None or schedule is None:
        raise NotFound
    return told, schedule


async def taken(request: Request, caller: Caller, slots: Iterable[str]) -> Counter[str]:
    """How many places of each Slot are taken. Counted by the principal of protocols, since the reader may not see everybody
    on the list: a number leaves, and no name."""
    wanted = list(slots)
    if not wanted:
        return Counter()
    house = request.app.state.house
    cell = await internal.open_session(house.database.writing, "protocols", timedelta(minutes=1), caller=caller)
    try:
        record = Record(house.engine, cell, address_of(request))
        query = {"slot": ",".join(f"Slot/{id_}" for id_ in wanted), "status": ",".join(sorted(LISTED)), "_count": "500"}
        listed = await record.search("Appointment", query, most=5000)
    finally:
        await internal.close_session(house.database.writing, cell)
    return Counter(str(slot["reference"]).partition("/")[2] for tree in listed for slot in tree.get("slot", ()))
