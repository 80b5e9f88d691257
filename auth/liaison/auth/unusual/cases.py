"""A case: what is done after two readers found that an access is not justified, or is to be reported.

The steps are kept in order, with who and why: the suspension asked of an administrator and done, the employer asked and
answering, whether the person is told (GDPR art. 34), whether the CNIL is notified (art. 33: within 72 hours of knowing, which
began with the first reader's word), and the end. A case is closed once both decisions are taken.
"""

import json
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, NamedTuple

import asyncpg

from liaison.auth.access import vocabulary
from liaison.auth.access.adopted import Asks
from liaison.auth.access.facts.reading import codes
from liaison.auth.access.reviews import actor_of
from liaison.auth.access.second_reading import NEEDS_TWO
from liaison.auth.caller import Caller
from liaison.auth.journal import audit_rights
from liaison.auth.people import notices
from liaison.auth.people.notices import Kind
from liaison.fhir.definitions import kind_of
from liaison.fhir.errors import BadRequest, Conflict, NotFound
from liaison.fhir.store.contract import Change
from liaison.fhir.store.ids import Ids
from liaison.fhir.vault import Vault, context

CLOCK: Final = timedelta(hours=72)
MOST_LETTERS: Final = 2_000
_LOCK: Final = 0x11A173
_TASK: Final = kind_of("Task")


class Step(StrEnum):
    ASK_SUSPENSION = "ask-suspension"
    SUSPENDED = "suspended"
    ASK_EMPLOYER = "ask-employer"
    EMPLOYER_ANSWERED = "employer-answered"
    TELL_PERSON = "tell-person"
    NOT_TELL_PERSON = "not-tell-person"
    PERSON_TOLD = "person-told"
    NOTIFY = "notify"
    NOT_NOTIFY = "not-notify"
    CLOSE = "close"


PERSON: Final = frozenset({Step.TELL_PERSON, Step.NOT_TELL_PERSON})
CNIL: Final = frozenset({Step.NOTIFY, Step.NOT_NOTIFY})
BY_OFFICERS: Final = frozenset(Step) - {Step.SUSPENDED}
_INSTEAD: Final = {Step.TELL_PERSON: Step.NOT_TELL_PERSON, Step.NOTIFY: Step.NOT_NOTIFY}


def may_follow(taken: Collection[Step]) -> frozenset[Step]:
    """The steps that an officer may take after these. Each decision is taken once; only from not telling to telling may it
    change, since nobody can be untold. That the person has been told is noted once, where it was decided. The case is closed once both are
    taken."""
    over = {one for told, untold in _INSTEAD.items() for one in (told, untold) if told in taken or one in taken}
    if PERSON.isdisjoint(taken) or CNIL.isdisjoint(taken):
        over.add(Step.CLOSE)
    if Step.TELL_PERSON not in taken or Step.PERSON_TOLD in taken:
        over.add(Step.PERSON_TOLD)
    return BY_OFFICERS - over


class About(NamedTuple):
    """`about` is the res of the Task of the review list, or the number of an unusual access."""

    patient: int
    kind: str
    about: int
    outcome: str
    person: int
    role: int
    organization: int


class Case(NamedTuple):
    patient: int
    number: int
    kind: str
    about: int
    outcome: str
    person: int
    role: int
    organization: int
    known_at: datetime
    opened_at: datetime
    closed_at: datetime | None

    @property
    def notify_by(self) -> datetime:
        return self.known_at + CLOCK


class Taken(NamedTuple):
    kind: Step
    by: int
    at: datetime
    text: str


_COLUMNS: Final = ", ".join(f"c.{name}" for name in Case._fields)


async def open_case(connection: asyncpg.Connection, about: About, *, known_at: datetime) -> None:
    """In the transaction of the second word. One that is open already stays."""
    await connection.execute("select pg_advisory_xact_lock($1)", _LOCK)
    number = await connection.fetchval(
        "insert into review_case (number, patient, kind, about, outcome, person, role, organization, known_at)"
        " select coalesce(max(number), 0) + 1, $1, $2, $3, $4, $5, $6, $7, $8 from review_case"
        " on conflict (patient, kind, about) do nothing returning number",
        *about,
        known_at,
    )
    if number is not None:
        await notices.tell(connection, Kind.CASE, number)  # the 72 hours are the officer's to keep


async def of_changes(connection: asyncpg.Connection, ids: Ids, changes: Sequence[Change]) -> None:
    """To be called by Hooks.after_write: a task of the review list that two readers settled so opens its case."""
    for change in changes:
        tree = change.tree
        if change.key.kind != _TASK or tree is None or tree.get("status") != "completed":
            continue
        kind = next(iter(codes(tree.get("code"), vocabulary.REVIEW)), "")
        outcome = next(iter(codes(tree.get("businessStatus"), vocabulary.REVIEW)), "")
        known = (tree.get("executionPeriod") or {}).get("start")
        if not kind or outcome not in NEEDS_TWO or not known:
            continue
        person, role, organization = await actor_of(connection, ids.decode, tree)
        about = About(change.key.patient, kind, change.key.res, outcome, person, role, organization)
        await open_case(connection, about, known_at=datetime.fromisoformat(str(known)))


async def seen(base: Asks, caller: Caller) -> list[Case]:
    """Those of the caller's organisation, or all by mandate, but those about the caller: open ones first."""
    rows = await base.fetch(
        f"select {_COLUMNS} from review_case c where {audit_rights.officer_sees('c')} and c.person <> $2"
        " order by c.closed_at is not null, c.number desc",
        caller.session,
        caller.practitioner,
    )
    return [Case(*row) for row in rows]


async def one(base: Asks, caller: Caller, number: int) -> Case:
    """Raises NotFound for what is not there or not the caller's to see: nobody reads or decides their own case."""
    for case in await seen(base, caller):
        if case.number == number:
            return case
    raise NotFound


async def steps(base: Asks, vault: Vault, case: Case) -> list[Taken]:
    rows = await base.fetch(
        "select step, kind, taken_by, at, sealed from case_step where patient = $1 and number = $2 order by step",
        case.patient,
        case.number,
    )
    return [
        Taken(
            Step(kind),
            by,
            at,
            str(json.loads(vault.territory.open(context("case step", case.number, step), sealed))["text"]),
        )
        for step, kind, by, at, sealed in rows
    ]


async def take(
    connection: asyncpg.Connection, vault: Vault, caller: Caller, number: int, step: Step, text: str
) -> Case:
    """An officer's step, in the caller's transaction, which journals it. Raises NotFound, BadRequest without words, Conflict for
    a case that is closed, or a step that may not follow."""
    if step not in BY_OFFICERS:
        raise BadRequest("This step is an administrator's.")
    case = await one(connection, caller, number)
    await _lock(connection, case)
    case = await one(connection, caller, number)
    if case.closed_at is not None:
        raise Conflict("The case is closed.")
    if not text.strip() or len(text) > MOST_LETTERS:
        raise BadRequest(f"Say why in at most {MOST_LETTERS} letters.")
    if step not in may_follow({each.kind for each in await steps(connection, vault, case)}):
        raise Conflict("It is decided already; or a case is to be closed of which nothing is.")
    await _add(connection, vault, case, step, caller.practitioner, text)
    if step == Step.CLOSE:
        await connection.execute(
            "update review_case set closed_at = now() where patient = $1 and number = $2", case.patient, case.number
        )
        await notices.read(connection, Kind.CASE, case.number)
    return await one(connection, caller, number)


# ---- what an administrator does -------------------------------------------------------------------------------------


class Suspension(NamedTuple):
    """Asked and not done: of whom, in which case, by whom, why. Nothing of the record."""

    case: Case
    by: int
    at: datetime
    text: str


async def suspensions(base: Asks, vault: Vault) -> list[Suspension]:
    """Oldest first. What is asked in a case that was closed meanwhile is not asked any more."""
    rows = await base.fetch(f"{_NOT_CLOSED} order by c.number")
    found = [await _suspension(base, vault, Case(*row)) for row in rows]
    return [one for one in found if one is not None]


_NOT_CLOSED: Final = f"select {_COLUMNS} from review_case c where c.closed_at is null"


async def _suspension(base: Asks, vault: Vault, case: Case) -> Suspension | None:
    """What is asked last in this case, as long as it is not done."""
    taken = [each for each in await steps(base, vault, case) if each.kind in (Step.ASK_SUSPENSION, Step.SUSPENDED)]
    if not taken or taken[-1].kind != Step.ASK_SUSPENSION:
        return None
    return Suspension(case, taken[-1].by, taken[-1].at, taken[-1].text)


async def suspended(connection: asyncpg.Connection, vault: Vault, caller: Caller, number: int) -> Case:
    """An administrator has suspended whoever acted, in the same transaction. Raises NotFound where nobody asked."""
    rows = await connection.fetch(f"{_NOT_CLOSED} and c.number = $1 for update", number)
    if not rows or await _suspension(connection, vault, Case(*rows[0])) is None:
        raise NotFound
    case = Case(*rows[0])
    await _add(connection, vault, case, Step.SUSPENDED, caller.practitioner, "")
    return case


async def _lock(connection: asyncpg.Connection, case: Case) -> None:
    await connection.execute(
        "select from review_case where patient = $1 and number = $2 for update", case.patient, case.number
    )


async def _add(connection: asyncpg.Connection, vault: Vault, case: Case, kind: Step, by: int, text: str) -> None:
    step = int(
        await connection.fetchval(
            "select coalesce(max(step), 0) + 1 from case_step where patient = $1 and number = $2",
            case.patient,
            case.number,
        )
    )
    sealed = vault.territory.seal(context("case step", case.number, step), json.dumps({"text": text.strip()}).encode())
    await connection.execute(
        "insert into case_step (patient, number, step, kind, taken_by, sealed) values ($1, $2, $3, $4, $5, $6)",
        case.patient,
        case.number,
        step,
        kind,
        by,
        sealed,
    )
