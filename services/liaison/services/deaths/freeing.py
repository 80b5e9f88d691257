"""Says of a session that it has a place again, when somebody on its list has died, left the programme or will not come: whoever wrote
that may not be of the structure that keeps its agenda. As the internal principal `places`; done twice, it changes nothing the second
time. An Appointment that was deleted names its Slot no more: its last version does.
"""

from datetime import datetime, timedelta
from typing import Any, Final

from liaison.auth.access import internal
from liaison.fhir.definitions import kind_of
from liaison.fhir.store.contract import Key
from liaison.protocols.workshops import LISTED, read
from liaison.services.engine import Engine
from liaison.services.pages.record import Record

Tree = dict[str, Any]
_GIVEN_UP: Final = "cancelled,entered-in-error"
_APPOINTMENT: Final = kind_of("Appointment")
_DELETED: Final = """
    select v.res, was.version from version v
    join version was on was.patient = v.patient and was.kind = v.kind and was.res = v.res and was.version = v.version - 1
    where v.patient = $1 and v.kind = $2 and v.superseded is null and v.deleted and was.clinical >= $3
"""


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
        left += await _deleted(record, person, now)
        slots = {str(slot.get("reference", "")) for one in left for slot in one.get("slot", ())}
        return sum([await _free(record, one, now) for one in sorted(slots)])
    finally:
        await internal.close_session(pool, cell)


async def _deleted(record: Record, person: Key, now: datetime) -> list[Tree]:
    """As they were, those of today and later."""
    store = record.engine.store
    gone = await store.database.writing.fetch(_DELETED, person.patient, _APPOINTMENT, now - timedelta(days=1))
    named = [
        ({"resourceType": "Appointment", "id": store.id(Key(person.patient, _APPOINTMENT, res))}, was)
        for res, was in gone
    ]
    read = [await record.version(tree, was) for tree, was in named]
    return [one for one in read if one is not None]


async def _free(record: Record, reference: str, now: datetime) -> bool:
    slot = await record.read(reference)
    held = read(slot, {}) if slot is not None else None
    if slot is None or held is None or slot.get("status") != "busy" or held.start <= now:
        return False
    if await record.count("Appointment", {"slot": reference, "status": ",".join(sorted(LISTED))}) >= held.capacity:
        return False
    await record.update({**slot, "status": "free"})
    return True
