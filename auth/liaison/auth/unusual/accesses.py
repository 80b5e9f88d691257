"""Unusual accesses that wait for a review: one for each person, record and day, with every rule that fired.

Kept apart from the record: a doubt about a professional is neither the patient's nor the teams' to read before somebody has
looked at it. Auditors see those of which the actor or the record belongs to their organisation, or all by mandate. Every
word is kept; the reviewer is never the one who acted.
"""

import json
import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

import asyncpg

from liaison.auth.access.adopted import Asks
from liaison.auth.access.reviews import MOST_LETTERS, OUTCOMES
from liaison.auth.access.second_reading import NEEDS_TWO, UNSETTLED, following
from liaison.auth.caller import Caller
from liaison.auth.journal import audit_rights
from liaison.auth.unusual import cases
from liaison.auth.unusual.firing import COUNTED, Facts
from liaison.auth.unusual.watching import Finding
from liaison.fhir.errors import BadRequest, Conflict, NotFound, PreconditionFailed
from liaison.fhir.vault import Vault, context

KIND: Final = "unusual"
QUIET: Final = timedelta(days=180)
"""For so long nobody is asked again why this person opens that record, by a rule that was found justified."""
MOST: Final = 500


class Access(NamedTuple):
    """A row of unusual_access. `reader` is who gave the last outcome."""

    patient: int
    access: int
    person: int
    role: int
    role_code: str
    organization: int
    day: Any
    at: datetime
    found_at: datetime
    state: str
    outcome: str
    reader: int
    read_at: datetime | None
    version: int


class Fired(NamedTuple):
    """A rule by its name, its version then, and the facts."""

    rule: str
    version: int
    at: datetime
    worker: int
    sequence: int
    facts: Facts


class Word(NamedTuple):
    """`outcome` is '' for an answer of whoever acted."""

    outcome: str
    by: int
    at: datetime
    text: str


_COLUMNS: Final = ", ".join(f"a.{name}" for name in Access._fields)


# ---- what the rules find --------------------------------------------------------------------------------------------


async def keep(connection: asyncpg.Connection, vault: Vault, findings: Iterable[Finding]) -> int:
    """How many were new, in the caller's transaction. What is known already, or was found justified not long ago, is left."""
    new = 0
    for one in findings:
        new += await _keep(connection, vault, one)
    return new


async def _keep(connection: asyncpg.Connection, vault: Vault, found: Finding) -> bool:
    rule, opening = found.watched.rule, found.opening
    if await _is_quiet(connection, found):
        return False
    access = await connection.fetchval(
        "insert into unusual_access (patient, access, person, role, role_code, organization, day, at)"
        " values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (patient, person, day) do update set at ="
        " least(unusual_access.at, excluded.at) returning access",
        opening.patient,
        secrets.randbits(53) or 1,
        opening.person,
        opening.role,
        opening.role_code,
        opening.organization,
        opening.day,
        opening.at,
    )
    added = await connection.fetchval(
        "insert into unusual_finding (patient, access, rule, rule_version, choice, at, worker, sequence, facts)"
        " values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict do nothing returning true",
        opening.patient,
        access,
        rule.name,
        rule.version,
        found.watched.choice,
        opening.at,
        opening.worker,
        opening.sequence,
        vault.territory.seal(context("unusual facts", access, rule.name), json.dumps(found.facts).encode()),
    )
    if added:  # something that the reviewer had not before them: it is looked at again
        await connection.execute(
            "update unusual_access set state = 'requested', version = version + 1"
            " where patient = $1 and access = $2 and state = 'completed' and outcome = 'justified'",
            opening.patient,
            access,
        )
    return bool(added)


async def _is_quiet(connection: asyncpg.Connection, found: Finding) -> bool:
    opening, name = found.opening, found.watched.rule.name
    if name in COUNTED and await connection.fetchval(  # of the day, whichever record came last
        "select exists (select from unusual_access a join unusual_finding f on (f.patient, f.access) = (a.patient, a.access)"
        " where a.person = $1 and a.day = $2 and f.rule = $3)",
        opening.person,
        opening.day,
        name,
    ):
        return True
    return bool(
        await connection.fetchval(
            "select exists (select from unusual_access a join unusual_finding f on (f.patient, f.access) = (a.patient, a.access)"
            " where a.patient = $1 and a.person = $2 and f.rule = $3 and a.state = 'completed' and a.outcome = 'justified'"
            " and a.read_at > now() - $4::interval)",
            opening.patient,
            opening.person,
            name,
            QUIET,
        )
    )


# ---- what reviewers see ---------------------------------------------------------------------------------------------


async def seen(base: Asks, caller: Caller, most: int | None = MOST) -> list[Access]:
    """The caller's to review, what waits first, then the newest; none of their own. `most` None: all there are, to be counted."""
    rows = await base.fetch(
        f"select {_COLUMNS} from unusual_access a where {audit_rights.officer_sees('a')} and a.person <> $2"
        " order by a.state = 'completed', a.at desc, a.access limit $3",
        caller.session,
        caller.practitioner,
        most,
    )
    return [Access(*row) for row in rows]


async def one(base: Asks, caller: Caller, access: int) -> Access:
    """Raises NotFound for what is not there or not the caller's to see: nobody reviews their own access."""
    rows = await base.fetch(
        f"select {_COLUMNS} from unusual_access a where a.access = $2 and a.person <> $3 and {audit_rights.officer_sees('a')}",
        caller.session,
        access,
        caller.practitioner,
    )
    if not rows:
        raise NotFound
    return Access(*rows[0])


async def fired(base: Asks, vault: Vault, accesses: Sequence[Access]) -> dict[int, list[Fired]]:
    """By the number of the access, in the order of time."""
    rows = await base.fetch(
        "select f.access, f.rule, f.rule_version, f.at, f.worker, f.sequence, f.facts from unusual_finding f"
        " join unnest($1::bigint[], $2::bigint[]) as k(patient, access) on (k.patient, k.access) = (f.patient, f.access)"
        " order by f.at, f.rule",
        [each.patient for each in accesses],
        [each.access for each in accesses],
    )
    found: dict[int, list[Fired]] = {}
    for access, rule, version, at, worker, sequence, facts in rows:
        opened = json.loads(vault.territory.open(context("unusual facts", access, rule), facts))
        found.setdefault(access, []).append(Fired(rule, version, at, worker, sequence, opened))
    return found


async def words(base: Asks, vault: Vault, access: Access) -> list[Word]:
    """In the order in which they were said."""
    rows = await base.fetch(
        "select word, outcome, said_by, at, sealed from unusual_word where patient = $1 and access = $2 order by word",
        access.patient,
        access.access,
    )
    return [
        Word(outcome, by, at, vault.territory.open(context("unusual word", access.access, word), sealed).decode())
        for word, outcome, by, at, sealed in rows
    ]


async def review(
    connection: asyncpg.Connection, vault: Vault, caller: Caller, access: int, outcome: str, note: str, version: int
) -> Access:
    """The access as it is afterwards, in the caller's transaction, which journals it. Raises what reviews.review raises. The
    second word of the two that need one opens a case."""
    before = await one(connection, caller, access)
    await connection.execute(
        "select from unusual_access where patient = $1 and access = $2 for update", before.patient, access
    )
    before = await one(connection, caller, access)
    if outcome not in OUTCOMES:
        raise BadRequest(f"outcome is one of {', '.join(OUTCOMES)}.")
    if not note.strip() or len(note) > MOST_LETTERS:
        raise BadRequest(f"Say why in at most {MOST_LETTERS} letters.")
    if before.state == "completed":
        raise Conflict("This access has been reviewed.")
    if before.version != version:
        raise PreconditionFailed("Somebody was faster.")
    state = following(outcome, caller.practitioner, before.outcome, before.reader)
    await _say(connection, vault, before, outcome, caller.practitioner, note)
    await connection.execute(
        "update unusual_access set state = $3, outcome = $4, reader = $5, read_at = now(), version = version + 1"
        " where patient = $1 and access = $2",
        before.patient,
        access,
        state,
        outcome,
        caller.practitioner,
    )
    if state == "completed" and outcome in NEEDS_TWO:
        about = cases.About(before.patient, KIND, access, outcome, before.person, before.role, before.organization)
        await cases.open_case(connection, about, known_at=await _known_at(connection, before))
    return await one(connection, caller, access)


async def _known_at(connection: asyncpg.Connection, access: Access) -> datetime:
    """The first of the words, without another between them, that need a second reader: from it the 72 hours run."""
    at: datetime = await connection.fetchval(
        """
        select min(at) from unusual_word where patient = $1 and access = $2 and outcome = any($3) and word > coalesce(
            (select max(word) from unusual_word where patient = $1 and access = $2 and outcome <> all($3) and outcome <> ''), 0)
        """,
        access.patient,
        access.access,
        list(NEEDS_TWO),
    )
    return at


async def _say(connection: asyncpg.Connection, vault: Vault, access: Access, outcome: str, by: int, text: str) -> None:
    word = int(
        await connection.fetchval(
            "select coalesce(max(word), 0) + 1 from unusual_word where patient = $1 and access = $2",
            access.patient,
            access.access,
        )
    )
    await connection.execute(
        "insert into unusual_word (patient, access, word, outcome, said_by, sealed) values ($1, $2, $3, $4, $5, $6)",
        access.patient,
        access.access,
        word,
        outcome,
        by,
        vault.territory.seal(context("unusual word", access.access, word), text.strip().encode()),
    )


# ---- what whoever acted is asked ------------------------------------------------------------------------------------


_ASKED: Final = (
    f"select {_COLUMNS} from unusual_access a where a.person = $1 and a.state = 'on-hold' and a.outcome = $2"
)


def _may_be_asked(caller: Caller) -> bool:
    return bool(caller.practitioner and caller.role)


async def asked_of(base: Asks, caller: Caller) -> list[Access]:
    """The caller's own accesses that a reviewer wants clarified, latest first."""
    if not _may_be_asked(caller):
        return []
    rows = await base.fetch(f"{_ASKED} order by a.at desc limit 50", caller.practitioner, UNSETTLED)
    return [Access(*row) for row in rows]


async def answer(connection: asyncpg.Connection, vault: Vault, caller: Caller, access: int, text: str) -> Access:
    """In the caller's transaction, which journals it. The version rises: no reviewer settles what they read before it was
    answered. Raises NotFound for anyone else's or what is not asked, BadRequest without words."""
    rows = await connection.fetch(f"{_ASKED} and a.access = $3 for update", caller.practitioner, UNSETTLED, access)
    if not rows or not _may_be_asked(caller):
        raise NotFound
    if not text.strip() or len(text) > MOST_LETTERS:
        raise BadRequest(f"Write an answer of at most {MOST_LETTERS} letters.")
    mine = Access(*rows[0])
    await _say(connection, vault, mine, "", caller.practitioner, text)
    await connection.execute(
        "update unusual_access set version = version + 1 where patient = $1 and access = $2", mine.patient, access
    )
    return mine
