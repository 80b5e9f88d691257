"""Two aides who notice the same thing within a day raise one alert: what the second adds goes into the first.

Done after the visit is filed, by the principal that raises alerts: an aide sees neither the other's alert nor changes it. Where
somebody else was faster both stand, which loses nothing.
"""

from datetime import datetime, timedelta
from typing import Any, Final

from liaison.auth.access import internal
from liaison.auth.caller import Caller
from liaison.fhir.store import faults
from liaison.protocols.alerts import LEVELS, answered_already, close, level_of, merge, same
from liaison.protocols.filing import part
from liaison.services.house import House
from liaison.services.pages.changing import change
from liaison.services.pages.record import Record, Refused

Tree = dict[str, Any]
CODE: Final = "https://liaison.example/fhir/CodeSystem/alert-level|"
_OPEN: Final = "requested,received,accepted,in-progress,on-hold"


async def merged(house: House, caller: Caller, patient: str) -> None:
    """Unites the open alerts of this person that repeat each other. `caller`: for whom, as the journal shows."""
    with faults.reported():
        cell = await internal.open_session(house.database.writing, "protocols", timedelta(minutes=1), caller=caller)
    try:
        record = Record(house.engine, cell)
        query = {"patient": patient, "code": CODE, "status": _OPEN, "_count": "50"}
        found = [one for one in await record.search("Task", query, most=50) if raised_by_a_visit(one)]
        for first, second in pairs(found):
            await record.transact(united(first, second, record.now()))
    except Refused as refused:
        if refused.answered not in (409, 412):
            raise
    finally:
        with faults.reported():
            await internal.close_session(house.database.writing, cell)


def raised_by_a_visit(task: Tree) -> bool:
    """Alerts of other software stay as they are."""
    return bool(level_of(task)) and part(task)[1] == "alert"


def raises(bundle: Tree) -> bool:
    """Whether a visit's transaction has an alert in it."""
    return any(raised_by_a_visit(entry["resource"]) for entry in bundle["entry"])


def pairs(alerts: list[Tree]) -> list[tuple[Tree, Tree]]:
    """At most one for each alert, the older first. What one aide raised twice stays hers: she corrects each of her visits."""
    ordered = sorted(alerts, key=_when)
    found: list[tuple[Tree, Tree]] = []
    taken: set[str] = set()
    for place, first in enumerate(ordered):
        for second in ordered[place + 1 :]:
            if {first["id"], second["id"]} & taken or _author(first) == _author(second) or not same(first, second):
                continue
            found.append((first, second))
            taken |= {first["id"], second["id"]}
    return found


def united(first: Tree, second: Tree, at: datetime) -> Tree:
    """The transaction: the older alert with what the other adds, and the other closed as reported already; whoever raised that one is
    told at once what was answered."""
    closed, merged = close(second, "duplicate", "Déjà signalé", {"display": "Liaison"}, at), merge(first, second)
    entries = [change(first, merged), change(second, closed)]
    if (reply := answered_already(merged, f"Task/{first['id']}", second, at)) is not None:
        entries.append({"resource": reply, "request": {"method": "POST", "url": "Communication"}})
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


def _author(alert: Tree) -> str:
    return str((alert.get("requester") or {}).get("reference", ""))


def _when(alert: Tree) -> tuple[str, int]:
    return str(alert["authoredOn"]), -LEVELS.index(level_of(alert))
