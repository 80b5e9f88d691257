"""The convocation of a person to a session, by ordinary e-mail: that they have an appointment, on which day and at which hour. Neither
what it is about, nor where, nor with whom: the sheet that they are handed says so.

It goes by the outbox of alerts, as a message to the person themselves: one an appointment and an hour. That it is off is told, by the
same way, to whom it was sent. What the appointment says when the message leaves decides what it says, or that none leaves.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

import asyncpg

from liaison.auth.journal.acts import Act
from liaison.auth.journal.entry import Event, entry
from liaison.fhir.definitions import kind_of
from liaison.fhir.store.contract import Key
from liaison.protocols.deaths import died
from liaison.protocols.workshops import patient_of
from liaison.services.engine import Engine
from liaison.services.messages import outbox, told, wording
from liaison.services.messages.carriers import Carriers, Later, Undeliverable
from liaison.services.messages.outbox import THEMSELVES, Message
from liaison.services.pages.clock import PARIS
from liaison.services.pages.reading.contact import ways
from liaison.services.pages.record import Record

Tree = dict[str, Any]
CHANNEL: Final = "email"


class Convoked(NamedTuple):
    """What became of it: one of outbox.STATES; `why` in a word of ours; `sent` when it left."""

    state: str
    why: str
    sent: datetime | None


async def put_down(connection: asyncpg.Connection, appointments: Sequence[Key], hour: datetime) -> None:
    """Each is sent once for this hour; one that could not be delivered is tried once more."""
    for one in appointments:
        await outbox.put_down(connection, one, [(THEMSELVES, CHANNEL)], hour)
    await connection.execute(
        "update alert_message set state = 'waiting', why = '', attempts = 0, next_at = now() where recipient = $1"
        " and (patient, res) in (select * from unnest($2::bigint[], $3::bigint[])) and due = $4 and state = any($5)",
        THEMSELVES,
        [one.patient for one in appointments],
        [one.res for one in appointments],
        hour,
        outbox.GIVEN_UP,
    )


async def became(
    connection: "asyncpg.Connection | asyncpg.Pool", appointments: Sequence[Key], hour: datetime
) -> Mapping[Key, Convoked]:
    """Of those that were put down for this hour."""
    rows = await connection.fetch(
        "select patient, res, state, why, sent_at from alert_message where recipient = $1"
        " and (patient, res) in (select * from unnest($2::bigint[], $3::bigint[])) and due = $4",
        THEMSELVES,
        [one.patient for one in appointments],
        [one.res for one in appointments],
        hour,
    )
    kind = kind_of("Appointment")
    return {Key(patient, kind, res): Convoked(*rest) for patient, res, *rest in rows}


async def send(one: asyncpg.Connection, engine: Engine, record: Record, on: Carriers, message: Message) -> None:
    """One try. Raises Refused, and Unavailable; it is then tried again."""
    key = Key(message.patient, kind_of("Appointment"), message.res)
    appointment = await record.read(engine.store.reference(key))
    patient = await record.read(patient_of(appointment)) if appointment else None
    text = _text(appointment, message.due) if appointment else ""
    if appointment is None or patient is None or not text or died(patient) or CHANNEL not in on.notices:
        await outbox.settle(one, message, "dropped", "given up")
        return
    to, subject = next(iter(ways(patient, CHANNEL, record.now())), ""), patient_of(appointment)
    begun = await told.begun(record, appointment, subject, message.name, CHANNEL, {"reference": subject})
    try:
        if not to:
            raise Undeliverable("address")
        detail = {"act": Act.CONVOKED, "channel": CHANNEL, "at": record.now().isoformat(timespec="seconds")}
        asked = ("Appointment", str(appointment["id"]))
        done = entry(record.caller, Event.JOB, patient=message.patient, requested=asked, detail=detail)
        await engine.journal.record((done,))
        await on.notices[CHANNEL].notify(to, message.name, text, wording.APPOINTMENT)
    except Later as error:
        if isinstance(error, Undeliverable) or not await outbox.put_off(one, message):
            await told.stopped(record, begun)
            await outbox.settle(one, message, "undelivered", error.why)
        return
    await outbox.settle(one, message, "sent")
    await told.sent(record, begun, record.now())
    since = await record.read(engine.store.reference(key))
    end = _moment(since, "end") if since and since.get("status") == "cancelled" else None
    if end is not None and end != message.due:
        await put_down(one, [key], end)  # whoever called it off meanwhile did not see yet that this one had left


def _text(appointment: Tree, hour: datetime) -> str:
    """'' where nothing is to be said of that hour any more."""
    start, end = (_moment(appointment, name) for name in ("start", "end"))
    if appointment.get("status") in ("booked", "pending", "proposed") and start == hour:
        return wording.convocation(hour.astimezone(PARIS))
    if appointment.get("status") == "cancelled" and start is not None and end == hour:
        return wording.called_off(start.astimezone(PARIS))
    return ""


def _moment(appointment: Tree, name: str) -> datetime | None:
    said = str(appointment.get(name, ""))
    return datetime.fromisoformat(said) if said else None
