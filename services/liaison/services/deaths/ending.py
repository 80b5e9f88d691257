"""Ends the plans of one person who has died, each in one transaction: the plan, its goals, its steps, what they asked for, places in sessions to
come, calls back. As the internal principal `deaths`, which sees of that record its plans and what they name; each look and each
change is in the journal. Done twice, it changes nothing the second time.
"""

import contextlib
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

from liaison.auth.access import internal
from liaison.fhir.store.contract import Key
from liaison.protocols import codes, ending
from liaison.protocols.deaths import died, last_day
from liaison.protocols.following import closed
from liaison.protocols.workshops import STEP
from liaison.services import following
from liaison.services.deaths.noting import OPEN
from liaison.services.engine import Engine
from liaison.services.pages.record import Record

Tree = dict[str, Any]
Within = dict[str, tuple[str, ...]]
BY: Final = {"display": "Suivi automatique du protocole"}
_CALL_BACK: Final = {"code": f"{codes.COORDINATION}|call-back", "status": "requested,received,accepted,in-progress"}
_PLACE: Final = {"service-type": f"{codes.STEP}|{STEP}", "status": "proposed,pending,booked"}


async def end(engine: Engine, person: Key) -> int:
    """How many plans were ended; none of somebody who is not said to have died. Raises what the engine refuses."""
    whom = {"patient": engine.store.reference(person), "_count": "200"}
    async with _record(engine, person) as record:
        patient = await record.read(whom["patient"])
        if patient is None or not died(patient):
            return 0
        plans = await record.search("CarePlan", {**whom, "status": ",".join(OPEN)})
    ended = 0
    for plan in plans:
        if following.protocol_of(plan)[0]:
            await _end(engine, person, patient, plan, whom)
            ended += 1
    return ended


async def _end(engine: Engine, person: Key, patient: Tree, plan: Tree, whom: Mapping[str, str]) -> None:
    async with _record(engine, person, named_by(plan)) as record:
        steps = await following.steps_of(record, plan)
    async with _record(engine, person, named_by(plan, *steps)) as record:
        now, reason = record.now(), ending.reason("died")
        changes = ending.end(plan, steps, "died", "", last_day(patient, plan, now.date()), BY, now)
        calls = await record.search("Task", {**whom, **_CALL_BACK})
        places = await record.search("Appointment", {**whom, **_PLACE, "date": f"ge{now.date()}"})
        more = [(one, ending.set_aside(one, reason, BY, now)) for one in calls]
        more += [(one, after) for one in places if (after := closed(one, reason, BY, now))]
        await following.write(record, changes, BY, now, more)


@contextlib.asynccontextmanager
async def _record(engine: Engine, person: Key, within: Within | None = None) -> AsyncIterator[Record]:
    pool = engine.store.database.writing
    caller = await internal.open_session(pool, "deaths", of=person.patient, within=within or {})
    try:
        yield Record(engine, caller)
    finally:
        await internal.close_session(pool, caller)


def named_by(plan: Tree, *steps: Tree) -> Within:
    """What may be reached of a record to end this plan: its goals, the steps that it names or that name it, calls back, what the steps ask for,
    and, once the steps are known, places in sessions of an education programme."""
    by_type: dict[str, list[str]] = defaultdict(list)
    for reference in [
        *following.activities(plan),
        *(str(one.get("reference", "")) for one in plan.get("goal", ())),
        *(str((one.get("focus") or {}).get("reference", "")) for one in steps),
    ]:
        type_, _slash, id_ = reference.partition("/")
        by_type[type_].append(id_)
    within: Within = {type_: (f"_id={','.join(ids)}",) for type_, ids in by_type.items() if type_}
    within["Task"] = (*within.get("Task", ()), f"based-on=CarePlan/{plan['id']}", f"code={_CALL_BACK['code']}")
    if steps:
        named = ",".join(f"Task/{one['id']}" for one in steps)
        places = (f"service-type={_PLACE['service-type']}", f"supporting-info={named}")
        within["Appointment"] = (*within.get("Appointment", ()), *places)
    return within
