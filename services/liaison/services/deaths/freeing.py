"""Says of a session that it has a place again, when somebody on its list has died, left the programme or will not come: whoever wrote
that may not be of the structure that keeps its agenda. As the internal principal `places`; done twice, it changes nothing the second
time. Not seen: an Appointment that was deleted, which names its Slot no more.
"""

from datetime import datetime
from typing import Final

from liaison.auth.access import internal
from liaison.fhir.store.contract import Key
from liaison.protocols.workshops import LISTED, read
from liaison.services.engine import Engine
from liaison.services.pages.record import Record

_GIVEN_UP: Final = "cancelled,entered-in-error"


async def free(engine: Engine, person: Key) -> int:
    """How many sessions to come have a place again that they were said not to have. Raises what the engine refuses: somebody took the
    place meanwhile (412), and then it is looked at again."""
    pool = engine.store.database.writing
    cell = await internal.open_session(pool, "places")
    try:
        record = Record(engine, cell)
        now = record.now()
        mine = {
            "patient": engine.store.reference(person),
            "status": _GIVEN_UP,
            "date": f"ge{now.date()}",
            "_count": "200",
        }
        left = await record.search("Appointment", mine)
        slots = {str(slot.get("reference", "")) for one in left for slot in one.get("slot", ())}
        return sum([await _free(record, one, now) for one in sorted(slots)])
    finally:
        await internal.close_session(pool, cell)


async def _free(record: Record, reference: str, now: datetime) -> bool:
    slot = await record.read(reference)
    held = read(slot, {}) if slot is not None else None
    if slot is None or held is None or slot.get("status") != "busy" or held.start <= now:
        return False
    if await record.count("Appointment", {"slot": reference, "status": ",".join(sorted(LISTED))}) >= held.capacity:
        return False
    await record.update({**slot, "status": "free"})
    return True
