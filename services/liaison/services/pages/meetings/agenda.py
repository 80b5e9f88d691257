"""A team meeting as it is kept: a Slot of the structure's agenda with those present, and an Appointment in the record of each person
discussed. The meeting names no patient; who was discussed stands with each of them, for those who may see them.

What was decided is a Task of that person, about their Appointment.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import uuid4

from liaison.fhir.errors import NotFound
from liaison.protocols import codes
from liaison.protocols.carry_out import created
from liaison.services.pages.record import Record
from liaison.services.pages.signed_in import Me

Tree = dict[str, Any]
MEETING: Final = "team-meeting"
DECISION: Final = "meeting-decision"
TYPE: Final = f"{codes.COORDINATION}|{MEETING}"
_CONCEPT: Final = {
    "coding": [{"system": codes.COORDINATION, "code": MEETING, "display": "Réunion d'équipe"}],
    "text": "Réunion d'équipe",
}


@dataclass(frozen=True, slots=True)
class Meeting:
    """`kept_by` is the Organization whose agenda it is in; `present` are names."""

    id: str
    start: datetime
    end: datetime
    present: tuple[str, ...]
    kept_by: str


def held(start: datetime, end: datetime, present: Sequence[tuple[str, str]], keeper: str) -> Tree:
    """The transaction that notes it. `present` are PractitionerRoles, each by its name."""
    schedule_urn, slot_urn = f"urn:uuid:{uuid4()}", f"urn:uuid:{uuid4()}"
    shared: Tree = {
        "extension": [{"url": codes.KEPT_BY, "valueReference": {"reference": keeper}}],
        "serviceType": [_CONCEPT],
    }
    schedule: Tree = {"resourceType": "Schedule", **shared, "active": True}
    schedule["actor"] = [{"reference": reference, "display": name} for reference, name in present]
    schedule["planningHorizon"] = {"start": start.isoformat(), "end": end.isoformat()}
    slot: Tree = {"resourceType": "Slot", **shared, "schedule": {"reference": schedule_urn}, "status": "busy"}
    slot |= {"start": start.isoformat(), "end": end.isoformat()}
    return created(((schedule_urn, schedule), (slot_urn, slot)))


async def since(record: Record, moment: datetime) -> list[Meeting]:
    """The newest first."""
    query = {"service-type": TYPE, "start": f"ge{moment.isoformat()}", "_sort": "-start", "_include": "Slot:schedule", "_count": "200"}  # fmt: skip
    found = await record.search("Slot", query, most=400)
    schedules = {f"Schedule/{one['id']}": one for one in found if one["resourceType"] == "Schedule"}
    return [_read(one, schedules.get(str(one["schedule"].get("reference")), {})) for one in found if one["resourceType"] == "Slot"]  # fmt: skip


async def one(record: Record, id_: str) -> Meeting:
    """Raises NotFound for what is none."""
    slot = await record.read(f"Slot/{id_}")
    coded = (coding for concept in (slot or {}).get("serviceType", ()) for coding in concept.get("coding", ()))
    if slot is None or all(coding.get("code") != MEETING for coding in coded):
        raise NotFound
    return _read(slot, await record.read(str(slot["schedule"].get("reference", ""))) or {})


def _read(slot: Tree, schedule: Tree) -> Meeting:
    kept = (one["valueReference"]["reference"] for one in slot.get("extension", ()) if one.get("url") == codes.KEPT_BY)
    present = tuple(str(actor.get("display", "")) for actor in schedule.get("actor", ()))
    start, end = datetime.fromisoformat(slot["start"]), datetime.fromisoformat(slot["end"])
    return Meeting(str(slot["id"]), start, end, present, next(kept, ""))


def discussed(meeting: Meeting, patient: str, at: datetime) -> Tree:
    """In the record of someone discussed. It names nobody who was present: to have been there gives no right to a record."""
    return {
        "resourceType": "Appointment",
        "status": "fulfilled",
        "serviceType": [_CONCEPT],
        "description": "Situation discutée en réunion d'équipe",
        "start": meeting.start.isoformat(),
        "end": meeting.end.isoformat(),
        "slot": [{"reference": f"Slot/{meeting.id}"}],
        "created": at.isoformat(timespec="seconds"),
        "participant": [{"actor": {"reference": patient}, "required": "information-only", "status": "accepted"}],
    }


def decided(appointment: Tree, words: str, owner: tuple[str, str], due: str, me: Me, at: datetime) -> Tree:
    """`owner` is (reference, name) of a member of the person's team; `due` a day, '' for none."""
    moment = at.isoformat(timespec="seconds")
    patient = next(
        one["actor"] for one in appointment["participant"] if one["actor"]["reference"].startswith("Patient/")
    )
    coding = {"system": codes.COORDINATION, "code": DECISION, "display": "Décision de réunion d'équipe"}
    task: Tree = {
        "resourceType": "Task",
        "status": "requested",
        "intent": "order",
        "code": {"coding": [coding], "text": "Décision de réunion d'équipe"},
        "description": words,
        "focus": {"reference": f"Appointment/{appointment['id']}"},
        "for": {"reference": patient["reference"]},
        "authoredOn": moment,
        "lastModified": moment,
        "requester": {"reference": me.role_reference or me.person, "display": me.name},
        "owner": {"reference": owner[0], "display": owner[1]},
    }
    return {**task, "restriction": {"period": {"end": due}}} if due else task
