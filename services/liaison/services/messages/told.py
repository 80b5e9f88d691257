"""A message as the record tells it: one Communication each, from before it leaves until what became of it is known."""

from datetime import datetime
from typing import Any, Final

from liaison.protocols import codes
from liaison.protocols.alerts import is_open, undelivered
from liaison.services.pages.changing import change
from liaison.services.pages.record import Record

Tree = dict[str, Any]

IDENTIFIER: Final = f"{codes.LOCAL}/sid/message"
CATEGORY: Final = {"system": codes.HOME_CARE, "code": "message", "display": "Message"}
REPLIED: Final = "Réponse reçue dans la messagerie"
NOT_ARRIVED: Final = "Non remis"
BY: Final = {"display": "Liaison"}
_MODE: Final = "http://terminology.hl7.org/CodeSystem/v3-ParticipationMode"
_MEDIA: Final = {
    "mssante": ("EMAILWRIT", "email", "Messagerie sécurisée de santé (MSSanté)"),
    "email": ("EMAILWRIT", "email", "Messagerie ordinaire, sans contenu"),
    "sms": ("SMSWRIT", "SMS message", "SMS, sans contenu"),
}


async def begun(record: Record, about: Tree, patient: str, name: str, channel: str, to: Tree) -> Tree:
    """The Communication of this message about an alert or an appointment, made where there is none of its name. Raises Refused."""
    known = await _named(record, patient, name)
    if known is not None:
        return known
    code, display, text = _MEDIA[channel]
    labels = (about.get("meta") or {}).get("security")
    tree: Tree = {
        "resourceType": "Communication",
        **({"meta": {"security": labels}} if labels else {}),
        "identifier": [{"system": IDENTIFIER, "value": name}],
        "status": "in-progress",
        "category": [{"coding": [CATEGORY], "text": "Message"}],
        "priority": about.get("priority", "routine") if about["resourceType"] == "Task" else "routine",
        "medium": [{"coding": [{"system": _MODE, "code": code, "display": display}], "text": text}],
        "subject": {"reference": patient},
        "about": [{"reference": f"{about['resourceType']}/{about['id']}"}],
        "sender": BY,
        "recipient": [to],
        "payload": [{"contentString": " : ".join(filter(None, (text, str(to.get("display", "")))))}],
    }
    query = f"patient={patient}&identifier={IDENTIFIER}|{name}"
    request = {"method": "POST", "url": "Communication", "ifNoneExist": query}
    [made] = await record.transact(_bundle({"resource": tree, "request": request}))
    return await record.read(made) or tree


async def sent(record: Record, communication: Tree, at: datetime) -> None:
    await _write(record, communication, {"status": "completed", "sent": at.isoformat(timespec="seconds")})


async def came_to_nothing(record: Record, task: Tree, name: str, at: datetime) -> None:
    """It did not arrive: the message says so, and an alert that is open escalates to somebody who phones. Raises Refused."""
    communication = await _named(record, str(task["for"]["reference"]), name)
    if communication is None or communication["status"] == "stopped":
        return
    entries = [change(communication, _stopped(communication))]
    if is_open(task):
        whom = communication["recipient"][0].get("display", "")
        entries.append(change(task, undelivered(task, whom, BY, at)))
    await record.transact(_bundle(*entries))


async def stopped(record: Record, communication: Tree) -> None:
    """One that did not arrive, and that nobody waits for."""
    await record.transact(_bundle(change(communication, _stopped(communication))))


async def was_read(record: Record, task: Tree, name: str, at: datetime) -> None:
    communication = await _named(record, str(task["for"]["reference"]), name)
    if communication is not None:
        await _write(record, communication, {"received": at.isoformat(timespec="seconds")})


async def was_answered(record: Record, task: Tree, name: str, at: datetime) -> None:
    """Not what the reply says, which a person reads in the mailbox: that there is one."""
    communication = await _named(record, str(task["for"]["reference"]), name)
    if communication is not None:
        note = {"text": REPLIED, "time": at.isoformat(timespec="seconds")}
        await _write(record, communication, {"note": [*communication.get("note", ()), note]})


async def messages_of(record: Record, task: Tree) -> list[Tree]:
    """The messages about this alert that the caller sees, the first first."""
    query = {
        "patient": str(task["for"]["reference"]),
        "category": f"{codes.HOME_CARE}|message",
        "_sort": "-_lastUpdated",
        "_count": "100",
    }
    about = {"reference": f"Task/{task['id']}"}
    return [one for one in await record.search("Communication", query, most=200) if about in one.get("about", ())][::-1]


async def _named(record: Record, patient: str, name: str) -> Tree | None:
    query = {"patient": patient, "identifier": f"{IDENTIFIER}|{name}"}
    return next(iter(await record.search("Communication", query)), None)


async def _write(record: Record, communication: Tree, more: Tree) -> None:
    await record.transact(_bundle(change(communication, {**communication, **more})))


def _bundle(*entries: Tree) -> Tree:
    return {"resourceType": "Bundle", "type": "transaction", "entry": list(entries)}


def _stopped(communication: Tree) -> Tree:
    return {**communication, "status": "stopped", "statusReason": {"text": NOT_ARRIVED}}
