"""Looks at records by their signals, and raises an alert for each that began: once, whatever is done again.

As the internal principal `protocols`; each look is in the journal. An alert carries the name of what fired as its identifier,
and is created only where there is none of that name: so a pass that was cut short is simply repeated. One that an open alert
says already is added to that one.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

from liaison.protocols import codes
from liaison.protocols.alerts import Sign, merge, raise_alert, same
from liaison.protocols.days import named_day
from liaison.protocols.deaths import died
from liaison.protocols.library import shipped
from liaison.protocols.signals import Fired, Signal, fired, watching
from liaison.services.members import with_functions
from liaison.services.pages.changing import change
from liaison.services.pages.clock import PARIS
from liaison.services.pages.record import Record

Tree = dict[str, Any]

IDENTIFIER: Final = f"{codes.LOCAL}/sid/signal"
_RECENT: Final = timedelta(days=7)
"""A measure that is older when it comes in is history: nobody is called for it."""
_REPLAYED: Final = timedelta(days=60)
"""How far back measures are read, so that a signal that began long ago is known to have begun."""
_AWAKE: Final = range(8, 20)
"""The hours of Paris in which it is said that measures stay away."""
_PLANS: Final = 100
_MEASURES: Final = 2000
"""Of each person, at most."""
_OPEN: Final = "requested,received,accepted,in-progress,on-hold"


async def look(
    record: Record, patients: Sequence[str], known: Sequence[Signal], on: Sequence[Signal], now: datetime, *, away: bool
) -> set[str]:
    """Those among them of whom a plan in force has any of the signals that are `known`. Alerts are raised by those that are `on`;
    with `away`, also by measures that stay away. Two searches for all of them, whatever their number. Raises Refused."""
    query = {"patient": ",".join(patients), "status": "active", "_count": "500"}
    plans = _by_patient(await record.search("CarePlan", query, most=_PLANS * len(patients)))
    watched = {one for one in patients if watching(known, plans[one])}
    here = now.astimezone(PARIS)
    asked = {
        patient: [one for one in watching(on, plans[patient]) if not one.absent or (away and here.hour in _AWAKE)]
        for patient in watched
    }
    measures = await _measures(record, {patient: some for patient, some in asked.items() if some}, now)
    for patient, some in asked.items():
        for signal in some:
            since = _since(signal, plans[patient])
            for one in fired(signal, measures[patient], now):
                if _is_news(one, since, here):
                    await _tell(record, patient, one, now)
    return watched


def _by_patient(trees: Sequence[Tree]) -> dict[str, list[Tree]]:
    found: dict[str, list[Tree]] = defaultdict(list)
    for tree in trees:
        found[str((tree.get("subject") or {}).get("reference", ""))].append(tree)
    return found


def _since(signal: Signal, plans: Sequence[Tree]) -> date:
    """The first day of the plans that have it."""
    days = [
        named_day((plan.get("period") or {}).get("start")) or date.min for plan in plans if watching([signal], [plan])
    ]
    return min(days, default=date.max)


def _is_news(one: Fired, since: date, here: datetime) -> bool:
    if one.signal.absent:
        return since + one.signal.window <= here.date()
    return one.by is not None and one.by.at.astimezone(PARIS).date() >= since and here - one.by.at <= _RECENT


async def _measures(record: Record, asked: Mapping[str, Sequence[Signal]], now: datetime) -> dict[str, list[Tree]]:
    """By patient, what the signals asked of any of them look at."""
    if not asked:
        return defaultdict(list)
    named = sorted({f"{system}|{code}" for some in asked.values() for one in some for system, code in one.measures})
    since = (now - _REPLAYED).astimezone(PARIS).date()
    query = {
        "patient": ",".join(asked),
        "code": ",".join(named),
        "date": f"ge{since}",
        "_sort": "-date",
        "_count": "500",
    }
    return _by_patient(await record.search("Observation", query, most=_MEASURES * len(asked)))


async def _tell(record: Record, patient: str, one: Fired, now: datetime) -> None:
    identifier = {"system": IDENTIFIER, "value": str(uuid5(NAMESPACE_URL, f"{one.name} {patient}"))}
    named = f"{IDENTIFIER}|{identifier['value']}"
    if await record.search("Task", {"patient": patient, "identifier": named}):
        return
    person = await record.read(patient)
    if person is None or died(person):
        return
    alert = {**await _alert(record, patient, one, now), "identifier": [identifier]}
    query = {"patient": patient, "code": f"{codes.ALERT_LEVEL}|", "status": _OPEN, "_count": "100"}
    already = next((task for task in await record.search("Task", query) if same(task, alert)), None)
    if already is None:
        request = {"method": "POST", "url": "Task", "ifNoneExist": f"patient={patient}&identifier={named}"}
        entry = {"resource": alert, "request": request}
    else:
        added = merge(already, alert)
        entry = change(already, {**added, "identifier": [*already.get("identifier", ()), identifier]})
    await record.transact({"resourceType": "Bundle", "type": "transaction", "entry": [entry]})


async def _alert(record: Record, patient: str, one: Fired, now: datetime) -> Tree:
    """With the rule that it fired by, and the measures."""
    teams = await record.search("CareTeam", {"patient": patient, "status": "active", "_count": "50"})
    sign = Sign(one.signal.level, one.signal.coding, one.signal.title, own_words=False)
    alert = raise_alert(
        shipped(),
        [sign],
        patient=patient,
        teams=await with_functions(record, teams),
        by={"display": "Suivi automatique du protocole"},
        at=now,
        focus=one.by.reference if one.by else "",
    )
    rule = {"type": {"text": "Règle"}, "valueString": one.signal.canonical}
    # Not the values in words: whoever may not read a measure, or not any more, reads the alert without it.
    seen = [{"type": {"text": "Valeur"}, "valueReference": {"reference": measure.reference}} for measure in one.seen]
    return {**alert, "input": [*alert["input"], rule, *seen]}
