"""« Je ne comprends pas cet accès »: what a person asks about one access to their record, and what they are answered.

The question and its answer are sealed under the patient's key: they are theirs, and are forgotten with the record. Whoever
calls journals each act in the same transaction, and has checked that the asker reads the entry asked about.
"""

import secrets
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

import asyncpg
import orjson

from liaison.auth.access.table import Table
from liaison.auth.journal import audit_rights
from liaison.auth.journal.audit_event import identifier
from liaison.fhir.vault import Vault, context

LONGEST: Final = 2_000
"""Letters of a question, and of an answer."""
MOST: Final = 500

_COLUMNS: Final = "q.question, q.patient, q.worker, q.sequence, q.sealed, q.asked_at, q.answer, q.answered_at"


class Question(NamedTuple):
    """`entry` is the id of the AuditEvent; `asker` the Patient or RelatedPerson who asked, `by` their name. `by` and `answered_by` are names as they were then; `answer` is '' until there
    is one."""

    number: int
    patient: int
    entry: str
    asker: int
    by: str
    text: str
    asked_at: datetime
    answered_by: str = ""
    answer: str = ""
    answered_at: datetime | None = None


class AlreadyAnswered(Exception):
    """An answer is kept as it was given."""


async def ask(
    connection: asyncpg.Connection,
    vault: Vault,
    patient: int,
    place: tuple[int, int],
    asker: int,
    *,
    by: str,
    text: str,
    visit: Collection[str],
) -> int | None:
    """In the caller's transaction: the number of the new question; None where this asker has asked about the same visit, of
    these entries. `place` is the worker and sequence of the entry."""
    await connection.execute("select from patient where patient = $1 for no key update", patient)  # one after the other
    if any(one.entry in visit for one in await of_person(connection, vault, patient, asker)):
        return None
    number = secrets.randbits(53) or 1
    key = (await vault.patient_keys(connection, [patient]))[patient]
    await connection.execute(
        "insert into access_question (question, patient, worker, sequence, sealed) values ($1, $2, $3, $4, $5)",
        number,
        patient,
        *place,
        key.seal(context("access question", number), orjson.dumps({"asker": asker, "by": by, "text": text})),
    )
    return number


async def answer(connection: asyncpg.Connection, vault: Vault, question: Question, *, by: str, text: str) -> None:
    """In the caller's transaction. Raises AlreadyAnswered."""
    key = (await vault.patient_keys(connection, [question.patient]))[question.patient]
    given = await connection.fetchval(
        "update access_question set answer = $2, answered_at = now() where question = $1 and answer is null"
        " returning question",
        question.number,
        key.seal(context("access answer", question.number), orjson.dumps({"by": by, "text": text})),
    )
    if given is None:
        raise AlreadyAnswered


async def of_person(connection: asyncpg.Connection, vault: Vault, patient: int, asker: int) -> list[Question]:
    """Their own on this record, latest first: a person and their representative do not read each other's, as either may
    see an access that the other does not."""
    rows = await connection.fetch(
        f"select {_COLUMNS} from access_question q where q.patient = $1 order by q.asked_at desc limit {MOST}", patient
    )
    return [one for one in await _opened(connection, vault, rows) if one.asker == asker]


async def of_officer(connection: asyncpg.Connection, vault: Vault, session: int, table: Table) -> list[Question]:
    """Those on records that this officer answers for: unanswered first, the oldest first; then the latest answered."""
    rows = await connection.fetch(
        f"select {_COLUMNS} from access_question q"
        " cross join lateral (select q.patient as patient, 0::bigint as organization) as e"
        f" where {audit_rights.visible(table)} order by q.answered_at desc nulls first, q.asked_at limit {MOST}",
        session,
    )
    return await _opened(connection, vault, rows)


async def waiting(connection: asyncpg.Connection, session: int, table: Table) -> int:
    """How many of them have no answer yet."""
    found: int = await connection.fetchval(
        "select count(*) from access_question q"
        " cross join lateral (select q.patient as patient, 0::bigint as organization) as e"
        f" where q.answer is null and {audit_rights.visible(table)}",
        session,
    )
    return found


async def _opened(connection: asyncpg.Connection, vault: Vault, rows: Sequence[Any]) -> list[Question]:
    keys = await vault.patient_keys(connection, {row["patient"] for row in rows})
    found = []
    for row in rows:
        number, key = row["question"], keys[row["patient"]]
        asked = orjson.loads(key.open(context("access question", number), row["sealed"]))
        given = {}
        if row["answer"] is not None:
            given = orjson.loads(key.open(context("access answer", number), row["answer"]))
        found.append(
            Question(
                number,
                row["patient"],
                identifier(row["worker"], row["sequence"]),
                asked["asker"],
                asked["by"],
                asked["text"],
                row["asked_at"],
                given.get("by", ""),
                given.get("text", ""),
                row["answered_at"],
            )
        )
    return found
