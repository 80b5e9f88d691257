"""What is to be sent: of alerts, put down with the note that the alert changed, and of appointments to the person themselves
(convoking); kept until it is sent, given up or no longer due.

At least once: whoever sends dies at any moment, and the same message, of the same name, is sent again. It is tried again after a
time that doubles, and given up when the alert is due, or after ten times.
"""

import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final, NamedTuple

import asyncpg

from liaison.fhir.definitions import kind_of
from liaison.fhir.store.contract import Key

STATES: Final = ("waiting", "sent", "undelivered", "dropped")
GIVEN_UP: Final = ("undelivered", "dropped")
"""The states of what did not leave, and is not tried again by itself."""
FIRST: Final = timedelta(seconds=30)
LONGEST: Final = timedelta(minutes=30)
MOST: Final = 10
LEAST: Final = 3
THEMSELVES: Final = 0
"""The recipient of what goes to the person whose record it is, about an Appointment: they hold no role."""
_TASK: Final = kind_of("Task")
_AT_ONCE: Final = 20


class Message(NamedTuple):
    """To one reader of one alert, or to THEMSELVES, by one channel. `name` is its Message-ID, without the domain."""

    patient: int
    res: int
    recipient: int
    channel: str
    due: datetime
    name: str
    state: str
    attempts: int

    @property
    def task(self) -> Key:
        return Key(self.patient, _TASK, self.res)


_COLUMNS: Final = "patient, res, recipient, channel, due, message, state, attempts"
_THIS: Final = "patient = $1 and res = $2 and recipient = $3 and channel = $4 and due = $5"


async def put_down(
    connection: asyncpg.Connection, about: Key, recipients: Iterable[tuple[int, str]], due: datetime
) -> None:
    """What is put down already stays as it is: one message a reader, a channel and a time by which it must be seen."""
    await connection.executemany(
        "insert into alert_message (patient, res, recipient, channel, due, message) values ($1, $2, $3, $4, $5, $6)"
        " on conflict do nothing",
        [(about.patient, about.res, who, channel, due, secrets.token_hex(16)) for who, channel in recipients],
    )


async def ready(connection: asyncpg.Connection) -> list[Message]:
    """Those that wait no longer, the longest waiting first."""
    rows = await connection.fetch(
        f"select {_COLUMNS} from alert_message where state = 'waiting' and next_at <= now() order by next_at limit $1",
        _AT_ONCE,
    )
    return [Message(*row) for row in rows]


async def drop(connection: asyncpg.Connection, task: Key) -> None:
    """The alert was seen, or is closed: nothing more is sent of it."""
    await connection.execute(
        "update alert_message set state = 'dropped', why = 'seen' where patient = $1 and res = $2 and state = 'waiting'",
        task.patient,
        task.res,
    )


async def settle(connection: asyncpg.Connection, one: Message, state: str, why: str = "") -> None:
    """`why`: a word of ours."""
    await connection.execute(
        f"update alert_message set state = $6, why = $7, attempts = attempts + 1,"
        f" sent_at = case when $6 = 'sent' then now() else sent_at end where {_THIS}",
        *one[:5],
        state,
        why,
    )


async def put_off(connection: asyncpg.Connection, one: Message) -> bool:
    """It will be tried again; False where it was tried often enough, or the alert is due by then."""
    wait = min(FIRST * 2**one.attempts, LONGEST)
    again = await connection.fetchval(
        f"update alert_message set attempts = attempts + 1, next_at = now() + $6 where {_THIS}"
        " and attempts + 1 < $7 and (attempts + 1 < $8 or now() + $6 < due) returning true",
        *one[:5],
        wait,
        MOST,
        LEAST,
    )
    return bool(again)


async def named(connection: asyncpg.Connection, name: str) -> Message | None:
    row = await connection.fetchrow(f"select {_COLUMNS} from alert_message where message = $1", name)
    return None if row is None else Message(*row)


async def noted(connection: asyncpg.Connection, one: Message, what: str) -> bool:
    """`read` or `replied`, the first time alone."""
    column = {"read": "read_at", "replied": "replied_at"}[what]
    return bool(
        await connection.fetchval(
            f"update alert_message set {column} = now() where {_THIS} and {column} is null returning true", *one[:5]
        )
    )
