"""The Flag of an alert, made and ended as the alert is (liaison.protocols.flagging)."""

from typing import Any

from liaison.auth.access.classes import HIDING, Class
from liaison.protocols.flagging import IDENTIFIER, flag, followed, identifier
from liaison.services.pages.changing import change
from liaison.services.pages.record import Record

Tree = dict[str, Any]


def shows(classes: Class) -> bool:
    """Whether an alert of these classes has a Flag. One that not everyone of the team may know of has none: a copy of it would be
    of other classes than it is, or masked when it is not."""
    return not classes & HIDING


async def keep(record: Record, reference: str, task: Tree | None, classes: Class) -> None:
    """Brings the Flag in line with the alert `reference`; `task` is None once it is no more. Done again, it changes nothing.
    Raises Refused."""
    named = f"{IDENTIFIER}|{identifier(reference)['value']}"
    within = {} if task is None else {"patient": str(task["for"]["reference"])}
    known = next(iter(await record.search("Flag", {**within, "identifier": named})), None)
    if task is None or not shows(classes):
        entry = None if known is None else _changed(known, {**known, "status": "entered-in-error"})
    elif known is None:
        request = {"method": "POST", "url": "Flag", "ifNoneExist": f"patient={within['patient']}&identifier={named}"}
        entry = {"resource": flag(task), "request": request} if task["status"] != "entered-in-error" else None
    else:
        entry = _changed(known, followed(known, flag(task)))
    if entry is not None:
        await record.transact({"resourceType": "Bundle", "type": "transaction", "entry": [entry]})


def _changed(known: Tree, now: Tree) -> Tree | None:
    return None if now == known else change(known, now)
