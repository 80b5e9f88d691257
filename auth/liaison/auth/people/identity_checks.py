"""Whom staff have seen with a document in hand, so that a patient or a representative may have an account.

An account of someone of a record lets in to all of that record: it is opened on a check that another person of staff has
recorded, of less than 90 days, once; and there is one account for each patient and each representative.
Source: référentiel d'identification électronique, arrêté du 28 mars 2022 (usagers); RNIV 1 for the documents.
"""

import secrets
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple

import asyncpg

from liaison.auth.access.relations import Relation
from liaison.auth.sessions import end_account
from liaison.fhir.definitions import kind_of
from liaison.fhir.store.contract import Change, Key

DOCUMENTS: Final = ("id-card", "passport", "residence-permit", "family-record")
"""Those that RNIV trusts highly; the family record book, with a parent's identity, is for a child."""
LASTS: Final = timedelta(days=90)
_PATIENT: Final = kind_of("Patient")
_RELATED: Final = kind_of("RelatedPerson")
OF_A_RECORD: Final = frozenset({_PATIENT, _RELATED})
"""Kinds of persons who are of a record, not of the directory."""


class NotChecked(ValueError):
    """An account, or a check, is refused. `why` is 'nobody', 'unrepresented', 'unchecked', 'alone', 'known' or 'day'."""

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(why)


class Check(NamedTuple):
    """`by` is the account of whoever looked at the document, on the day `seen_on`."""

    person: Key
    by: int
    document: str
    seen_on: date
    at: datetime


def represents(account: str) -> str:
    """SQL: whether the row `account` is nobody's who is close to a patient, or of someone who represents the patient, or
    whom the patient names in a permission (rule 23), at this moment."""
    return (
        f"({account}.fhir_kind <> {_RELATED} or exists (select from relation r where r.patient = {account}.fhir_patient"
        f" and r.principal = {account}.fhir_res and (r.relation = {int(Relation.REPRESENTED)}"
        f" or (r.relation = {int(Relation.CONSENT)} and r.detail->>'holder' = 'related'))"
        " and r.valid_from <= now() and r.valid_to > now()))"
    )


async def record(
    connection: asyncpg.Connection, person: Key, *, by: int, document: str, seen_on: date | None = None
) -> None:
    """Somebody of staff has seen the person and their document, today or on the day that is given. Raises NotChecked."""
    if person.kind not in OF_A_RECORD or document not in DOCUMENTS:
        raise NotChecked("nobody")
    await _must_represent(connection, person)
    if await _has_account(connection, person):
        raise NotChecked("known")
    written = await connection.fetchval(
        """
        insert into identity_check (identity_check, fhir_kind, fhir_patient, fhir_res, checked_by, document, seen_on)
        select $1, $2, $3, $4, $5, $6, coalesce($7::date, today)
        from (select (now() at time zone 'Europe/Paris')::date as today) t
        where coalesce($7::date, today) between today - $8::interval and today
        returning true
        """,
        secrets.randbits(62) or 1,
        person.kind,
        person.patient,
        person.res,
        by,
        document,
        seen_on,
        LASTS,
    )
    if not written:
        raise NotChecked("day")


_WAITING: Final = """
    select distinct on (c.fhir_kind, c.fhir_patient, c.fhir_res)
           c.fhir_patient, c.fhir_kind, c.fhir_res, c.checked_by, c.document, c.seen_on, c.at
    from identity_check c
    where c.account is null and c.seen_on > (now() at time zone 'Europe/Paris')::date - $1::interval
      and not exists (select from account a where (a.fhir_kind, a.fhir_patient, a.fhir_res)
                                                = (c.fhir_kind, c.fhir_patient, c.fhir_res))
"""


async def waiting(connection: "asyncpg.Connection | asyncpg.Pool", persons: Sequence[Key] | None = None) -> list[Check]:
    """Checks that an account may be opened on, the latest of each person, oldest first. `persons`: of these alone."""
    rows = await connection.fetch(
        f"select * from ({_WAITING} and ($2::bigint[] is null or c.fhir_res = any ($2)) and {represents('c')}"
        " order by c.fhir_kind, c.fhir_patient, c.fhir_res, c.at desc) w order by at limit 200",
        LASTS,
        None if persons is None else [person.res for person in persons],
    )
    found = [Check(Key(*list(row)[:3]), *list(row)[3:]) for row in rows]
    return found if persons is None else [one for one in found if one.person in set(persons)]


async def spend(connection: asyncpg.Connection, person: Key, account: int, *, opener: Key | None = None) -> None:
    """In the transaction that opens `account`: takes the check of this person. Raises NotChecked where there is none,
    where the opener is who made it, for a second account, and for whom represents nobody. Nothing for the directory's.

    `opener`: the person behind the account that opens it; None at the console.
    """
    if person.kind not in OF_A_RECORD:
        return
    # Locked together: of two who open at once, the second sees the account of the first.
    checks = await connection.fetch(
        """
        select c.identity_check, a.fhir_res from identity_check c left join account a on a.account = c.checked_by
        where (c.fhir_kind, c.fhir_patient, c.fhir_res) = ($1, $2, $3) and c.account is null
          and c.seen_on > (now() at time zone 'Europe/Paris')::date - $4::interval
        order by c.identity_check for update of c
        """,
        person.kind,
        person.patient,
        person.res,
        LASTS,
    )
    await _must_represent(connection, person)
    if await _has_account(connection, person, but=account):
        raise NotChecked("known")
    if not checks:
        raise NotChecked("unchecked")
    others = [row for row in checks if opener is None or row["fhir_res"] != opener.res]
    if not others:
        raise NotChecked("alone")
    await connection.execute(
        "update identity_check set account = $2 where identity_check = $1", others[-1]["identity_check"], account
    )


async def of_account(connection: "asyncpg.Connection | asyncpg.Pool", account: int) -> Check | None:
    """On what check an account was opened; None for the directory's, and for those from before there were any."""
    row = await connection.fetchrow(
        "select fhir_patient, fhir_kind, fhir_res, checked_by, document, seen_on, at from identity_check"
        " where account = $1",
        account,
    )
    return None if row is None else Check(Key(*list(row)[:3]), *list(row)[3:])


async def end_representation(connection: asyncpg.Connection, changes: Sequence[Change]) -> None:
    """To be called by Hooks.after_write, once relations follow what was written: who no longer represents anyone is out,
    everywhere. One that runs out by its date is out by the database's clock, at the next request."""
    written = [change.key for change in changes if change.key.kind == _RELATED]
    for key in written:
        rows = await connection.fetch(
            "select account from account a where a.fhir_kind = $1 and a.fhir_patient = $2 and a.fhir_res = $3"
            f" and not {represents('a')}",
            key.kind,
            key.patient,
            key.res,
        )
        for (account,) in rows:
            await end_account(connection, account)


async def stands_for(connection: "asyncpg.Connection | asyncpg.Pool", person: Key) -> bool:
    """What `represents` says, of a person whether or not there is an account."""
    return bool(
        await connection.fetchval(
            "select " + represents("p") + " from (select $1::smallint as fhir_kind, $2::bigint as fhir_patient,"
            " $3::bigint as fhir_res) p",
            person.kind,
            person.patient,
            person.res,
        )
    )


async def _must_represent(connection: asyncpg.Connection, person: Key) -> None:
    if not await stands_for(connection, person):
        raise NotChecked("unrepresented")


async def _has_account(connection: asyncpg.Connection, person: Key, *, but: int = 0) -> bool:
    return bool(
        await connection.fetchval(
            "select exists (select from account where (fhir_kind, fhir_patient, fhir_res) = ($1, $2, $3) and account <> $4)",
            person.kind,
            person.patient,
            person.res,
            but,
        )
    )
