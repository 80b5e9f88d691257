"""Sends what waits of alerts and convocations, and reads what comes back (liaison.services.messages). One worker at a time; the others stand by."""

import asyncio
import imaplib
from collections.abc import Sequence
from datetime import timedelta
from typing import Final, NoReturn

import asyncpg
import structlog

from liaison.auth.access import internal
from liaison.fhir.errors import FhirError, Unavailable
from liaison.fhir.store.database import Connect
from liaison.fhir.store.turns import take_turns
from liaison.services.engine import Engine
from liaison.services.messages import convoking, mailbox, outbox, sending, told
from liaison.services.messages.carriers import Carriers
from liaison.services.messages.mailbox import Outcome, Place
from liaison.services.messages.operator import Operator
from liaison.services.pages.record import Record

EVERY_SECONDS: Final = 1.0
READ_EVERY: Final = timedelta(minutes=1)
STAND_BY_SECONDS: Final = 5.0
_LOCK: Final = 0x11A176  # one worker a database

log = structlog.get_logger()


async def keep_messaging(connect: Connect, engine: Engine, on: Carriers, every: float = EVERY_SECONDS) -> NoReturn:
    """Until cancelled, in one process at a time."""

    async def work(one: asyncpg.Connection) -> NoReturn:
        read_at = engine.store.database.clock.now() - READ_EVERY
        while True:
            await send(one, engine, on)
            now = engine.store.database.clock.now()
            if on.operator is not None and on.operator.imap and now - read_at >= READ_EVERY:
                read_at = now
                await read_back(one, engine, on.operator)
            await asyncio.sleep(every)

    await take_turns(connect, _LOCK, work, name="messages", stand_by=STAND_BY_SECONDS, again=(FhirError,))


async def send(one: asyncpg.Connection, engine: Engine, on: Carriers) -> int:
    """One pass: how many messages were tried. One that cannot be does not keep the others from it."""
    waiting = await outbox.ready(one) if on.channels else []
    if not waiting:
        return 0
    caller = await internal.open_session(engine.store.database.writing, "messages", timedelta(minutes=30))
    try:
        record = Record(engine, caller)
        for message in waiting:
            try:
                to_person = message.recipient == outbox.THEMSELVES
                await (convoking if to_person else sending).send(one, engine, record, on, message)
            except Unavailable:
                raise
            except FhirError as error:
                await outbox.put_off(one, message)
                log.warning("a message was not sent", kind=type(error).__name__)
    finally:
        await internal.close_session(engine.store.database.writing, caller)
    return len(waiting)


async def read_back(one: asyncpg.Connection, engine: Engine, operator: Operator) -> int:
    """What came back since the last time: how many mails told something of a message of ours."""
    name = f"{operator.user}@{operator.imap}"
    row = await one.fetchrow("select validity, uid from mailbox_place where mailbox = $1", name)
    try:
        place, outcomes = await asyncio.to_thread(mailbox.read, operator, Place(*row) if row else Place(0, 0))
    except (imaplib.IMAP4.error, OSError) as error:
        log.warning("the mailbox was not read", kind=type(error).__name__)
        return 0
    if outcomes:
        await _noted(one, engine, outcomes)
    await one.execute(
        "insert into mailbox_place (mailbox, validity, uid) values ($1, $2, $3)"
        " on conflict (mailbox) do update set validity = excluded.validity, uid = excluded.uid",
        name,
        *place,
    )
    return len(outcomes)


async def _noted(one: asyncpg.Connection, engine: Engine, outcomes: Sequence[Outcome]) -> None:
    caller = await internal.open_session(engine.store.database.writing, "messages", timedelta(minutes=30))
    try:
        record = Record(engine, caller)
        for name, kind in outcomes:
            message = await outbox.named(one, name)
            task = await record.read(engine.store.reference(message.task)) if message is not None else None
            if message is None or task is None:
                continue
            now = record.now()
            if kind in ("failed", "unread"):
                await told.came_to_nothing(record, task, name, now)
                await outbox.settle(one, message, "undelivered", kind)
            elif kind == "read" and await outbox.noted(one, message, "read"):
                await told.was_read(record, task, name, now)
            elif kind == "replied" and await outbox.noted(one, message, "replied"):
                await told.was_answered(record, task, name, now)
    finally:
        await internal.close_session(engine.store.database.writing, caller)
