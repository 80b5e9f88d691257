"""Sends one message, or says why it is not sent.

In this order: whether the alert still waits, whether this reader may read it now and has accepted the channel, where it goes; then
the Communication and the journal, durably; then the message leaves. Killed after that, it is sent again under the same name.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import asyncpg

from liaison.auth.journal.acts import Act
from liaison.auth.journal.entry import Event, entry
from liaison.auth.people import alert_readers
from liaison.protocols.alerts import Standing, standing
from liaison.services.engine import Engine
from liaison.services.messages import addresses, outbox, recipients, told, wording
from liaison.services.messages.carriers import Carriers, Later, Undeliverable
from liaison.services.messages.outbox import Message
from liaison.services.messages.recipients import Shown
from liaison.services.pages.record import Record

Tree = dict[str, Any]
_WAITS: Final = frozenset({Standing.WAITING, Standing.OVERDUE})


async def send(one: asyncpg.Connection, engine: Engine, record: Record, on: Carriers, message: Message) -> None:
    """One try. Raises Refused, and Unavailable; it is then tried again."""
    now, store = record.now(), engine.store
    task = await record.read(store.reference(message.task))
    if task is None or standing(task, now) not in _WAITS:
        await outbox.settle(one, message, "dropped", "seen")
        return
    reference = recipients.reference_of(store, message.recipient)
    to = next((who for who in recipients.addressed(task) if who["reference"] == reference), {"reference": reference})
    if message.channel not in on.channels or not await _accepted(one, reference, message.channel):
        await outbox.settle(one, message, "dropped", "not accepted")
        return
    if await recipients.never(one, message.recipient):
        await outbox.settle(one, message, "dropped", "role")
        return
    shown = await recipients.shown(store, message.recipient, message.task)
    communication = await told.begun(record, task, str(task["for"]["reference"]), message.name, message.channel, to)
    try:
        if shown is None:
            raise Undeliverable("rights")
        await _leave(one, engine, record, on, message, shown, reference)
    except Later as error:
        if isinstance(error, Undeliverable) or not await outbox.put_off(one, message):
            await told.came_to_nothing(record, task, message.name, now)
            await outbox.settle(one, message, "undelivered", error.why)
        return
    await outbox.settle(one, message, "sent")
    await told.sent(record, communication, record.now())


async def _accepted(one: asyncpg.Connection, reference: str, channel: str) -> bool:
    return any(channel in who.channels for who in await alert_readers.of_person(one, reference))


async def _leave(
    one: asyncpg.Connection,
    engine: Engine,
    record: Record,
    on: Carriers,
    message: Message,
    shown: Shown,
    reference: str,
) -> None:
    """Raises Later. Only the first of the channels is given anything of `shown`."""
    at = record.now()
    if message.channel == "mssante":
        assert on.secure is not None, "its channel is on"
        box = await addresses.mailbox(record, reference, on.domains, at)
        if box is None:
            raise Undeliverable("address")
        letter = (on.secure.sender, box.address, message.name, at)
        mail = (
            wording.clinical(shown.task, shown.patient, _record_at(engine, shown.patient), *letter)
            if box.own
            else wording.plain(_home(engine), *letter)
        )
        await _journaled(engine, record, message, reference, at, clinical=box.own)
        await on.secure.carry(mail)
        return
    to = await _own_address(one, engine, reference, message.channel)
    if not to:
        raise Undeliverable("address")
    await _journaled(engine, record, message, reference, at, clinical=False)
    await on.notices[message.channel].notify(to, message.name, wording.notice(_home(engine)), wording.SUBJECT)


async def _own_address(one: asyncpg.Connection, engine: Engine, reference: str, channel: str) -> str:
    """What this person gave for the channel, the latest first."""
    for who in await alert_readers.of_person(one, reference):
        given = alert_readers.addresses_of(engine.store.vault.territory, who)
        found: Mapping[str, str] = {"email": given.email, "sms": given.mobile}
        if channel in who.channels and found[channel]:
            return found[channel]
    return ""


async def _journaled(
    engine: Engine, record: Record, message: Message, reference: str, at: datetime, *, clinical: bool
) -> None:
    """Durable when it returns, or it raises: no journal, no data."""
    type_, _slash, id_ = reference.partition("/")
    detail = {
        "act": Act.MESSAGE,
        "channel": message.channel,
        "content": clinical,
        "at": at.isoformat(timespec="seconds"),
    }
    event = Event.EXPORT if clinical else Event.JOB
    await engine.journal.record(
        (entry(record.caller, event, patient=message.patient, requested=(type_, id_), detail=detail),)
    )


def _home(engine: Engine) -> str:
    return engine.base_url.removesuffix("/fhir")


def _record_at(engine: Engine, patient: Tree) -> str:
    return f"{_home(engine)}/dossiers/{patient['id']}"
