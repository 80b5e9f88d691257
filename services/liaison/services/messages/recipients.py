"""To whom something is sent of an alert: those whom it is addressed to, who have accepted a channel in writing and are there.

Nobody who answers for the public's calls is ever written to by a machine: the duty doctor is reached by regulation (15, 116 117).
What a reader may see is asked at the moment of sending, of the same rights as theirs when they sign in.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

import asyncpg

from liaison.auth.access.roles import ROLES
from liaison.auth.caller import Caller
from liaison.auth.people import alert_readers
from liaison.auth.sessions import BROWSER, Act, NoLongerHeld, caller_of, end_session, open_session
from liaison.fhir.definitions import kind_of
from liaison.fhir.model import dates, reread
from liaison.fhir.store import Store
from liaison.fhir.store.contract import Key
from liaison.services.pages.clock import PARIS

Tree = dict[str, Any]

NEVER: Final = frozenset({"on-call-doctor", "regulating-doctor", "call-handler"})
"""Roles that no machine writes to."""
NEWS: Final = timedelta(days=3)
"""An alert that is older when it comes in, with a record that was loaded, is history."""


class Shown(NamedTuple):
    """What the reader sees of the alert at this moment."""

    task: Tree
    patient: Tree


def addressed(task: Tree) -> list[Tree]:
    """The references to whom it is addressed, whose it is first."""
    named = [task.get("owner") or {}, *(task.get("restriction") or {}).get("recipient", ())]
    return [one for one in named if str(one.get("reference", "")).startswith("PractitionerRole/")]


async def to_tell(
    connection: asyncpg.Connection, store: Store, task: Tree, now: datetime, open_channels: frozenset[str]
) -> list[tuple[int, str]]:
    """Role and channel of each message that this alert is due now."""
    if task.get("status") not in ("requested", "received") or not _is_news(task, now):
        return []
    found: list[tuple[int, str]] = []
    for one in addressed(task):
        type_, _slash, id_ = str(one["reference"]).partition("/")
        key = store.key(type_, id_)
        if key is None or await never(connection, key.res):
            continue
        known = await alert_readers.of_person(connection, one["reference"])
        there = [who for who in known if who.is_there(now.astimezone(PARIS))]
        channels = {channel for who in there for channel in who.channels} & open_channels
        found += [(key.res, channel) for channel in sorted(channels)]
    return found


def _is_news(task: Tree, now: datetime) -> bool:
    """By the first instant of what it says, which may be a day or a year; not where it does not say."""
    authored = dates.span(str(task.get("authoredOn", "")))
    return authored is not None and now - authored[0] <= NEWS


async def never(connection: asyncpg.Connection, role: int) -> bool:
    """Whether no machine writes to whoever holds it."""
    codes = await connection.fetch("select role_code from held_role where role = $1", role)
    return any(code in NEVER for (code,) in codes)


async def shown(store: Store, role: int, task: Key) -> Shown | None:
    """The alert and its person as this reader sees them now; None where they may not."""
    connection = store.database.writing
    rows = await connection.fetch(
        "select practitioner, organization, role_code from held_role"
        " where role = $1 and active and valid_from <= now() and valid_to > now() order by role_code",
        role,
    )
    for practitioner, organization, code in rows:
        if code not in ROLES:
            continue
        act = Act((practitioner, role), ROLES[code].purpose, code, 0, 0, practitioner, role, organization)
        async with _as(store, act) as reader:
            alert = await store.read(reader, task) if reader else None
            if reader is None or alert is None or alert.row.deleted:
                continue
            tree = reread(alert.body)
            id_ = str((tree.get("for") or {}).get("reference", "")).removeprefix("Patient/")
            person = store.key("Patient", id_)
            patient = await store.read(reader, person) if person else None
            if patient is not None and not patient.row.deleted:
                return Shown(tree, reread(patient.body))
    return None


@asynccontextmanager
async def _as(store: Store, act: Act) -> AsyncIterator[Caller | None]:
    async with store.database.writing.acquire() as connection:
        try:
            session = await open_session(connection, act, BROWSER, 60)
        except NoLongerHeld:
            session = 0
        try:
            yield await caller_of(connection, session) if session else None
        finally:
            if session:
                await end_session(connection, session)


def reference_of(store: Store, role: int) -> str:
    return store.reference(Key(0, kind_of("PractitionerRole"), role))
