"""The roles a person holds now, as rows: taken from each PractitionerRole in the transaction that writes it.

Bodies are sealed, and sign-in has no caller yet who could search; these rows hold numbers and role codes only. A role
that ends, or is ended, ends the sessions that act in it, at the next request on every worker.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import asyncpg

from liaison.auth.access import vocabulary
from liaison.auth.access.roles import ROLES, role_codes
from liaison.auth.people import notices
from liaison.auth.people.notices import Kind
from liaison.fhir.definitions import kind_of
from liaison.fhir.model.dates import EARLIEST, LATEST, span
from liaison.fhir.model.references import unversioned
from liaison.fhir.store.contract import Change
from liaison.fhir.store.ids import Ids


class HeldRole(NamedTuple):
    """One choice at sign-in: numbers of the PractitionerRole and its organisation, and the role. `stands_for`: the role of
    the one whom they replace, or act for; '' for those who act for themselves."""

    role: int
    organization: int
    role_code: str
    stands_for: str = ""


async def held_by(connection: "asyncpg.Connection | asyncpg.Pool", practitioner: int) -> list[HeldRole]:
    """What a Practitioner may act as at this moment, by the database's clock; in a stable order."""
    rows = await connection.fetch(
        """
        select role, organization, role_code, coalesce((select min(o.role_code) from held_role o
            where h.acts_for <> 0 and (o.role = h.acts_for or o.practitioner = h.acts_for and o.active)), '')
        from held_role h
        where practitioner = $1 and active and valid_from <= now() and valid_to > now()
        order by valid_from, role, role_code
        """,
        practitioner,
    )
    return [HeldRole(*row) for row in rows]


async def derive(connection: asyncpg.Connection, ids: Ids, changes: Sequence[Change]) -> None:
    """To be called by Hooks.after_write: brings the rows in line with the PractitionerRoles among the changes."""
    kind = kind_of("PractitionerRole")
    for change in changes:
        if change.key.kind != kind:
            continue
        former = await connection.fetch(
            "delete from held_role where role = $1 returning role_code, active", change.key.res
        )
        await connection.execute("delete from awaiting_role where role = $1", change.key.res)
        if change.tree is not None:
            rows = _rows(ids, change.key.res, change.tree)
            await connection.executemany(
                "insert into held_role (role, practitioner, organization, role_code, active, acts_for, valid_from,"
                " valid_to) values ($1, $2, $3, $4, $5, $6, $7, $8)",
                rows,
            )
            await _tell_of_offices(connection, {row["role_code"] for row in former if row["active"]}, rows)
        await end_sessions(connection, change.key.res)


async def _tell_of_offices(
    connection: asyncpg.Connection, former: set[str], rows: Sequence[tuple[object, ...]]
) -> None:
    """Whoever becomes administrator, auditor or officer, or is so again, is told of to the data protection officer."""
    for _role, practitioner, _organization, code, active, *_rest in rows:
        if active and code in notices.OFFICES - former and isinstance(practitioner, int):
            await notices.tell(connection, Kind.OFFICE, practitioner, code=str(code))


async def end_sessions(connection: asyncpg.Connection, role: int) -> None:
    """Sessions in a role last no longer than the role: those of one that is gone end now."""
    await connection.execute(
        """
        update access_session s set expires_at = least(s.expires_at, coalesce(
            (select h.valid_to from held_role h where h.role = s.role and h.role_code = s.role_code
             and h.active and h.valid_from <= now() and h.organization = coalesce(s.organization, 0)
             and h.practitioner = coalesce(s.practitioner, 0)), now()))
        where s.role = $1 and s.ended_at is null and s.expires_at > now()
        """,
        role,
    )


def _rows(ids: Ids, role: int, tree: Mapping[str, Any]) -> list[tuple[object, ...]]:
    practitioner = _named(ids, "Practitioner", tree.get("practitioner"))
    if not practitioner:
        return []
    organization = _named(ids, "Organization", tree.get("organization"))
    starts, ends = _in_force(tree.get("period") or {})
    acts_for = _acts_for(ids, tree)
    active = tree.get("active") is not False
    return [
        (role, practitioner, organization, code, active, acts_for, starts, ends)
        for code in role_codes(tree)
        if ROLES[code].category != "delegate" or (acts_for and _dated(code, tree))
    ]


def _in_force(period: Mapping[str, Any]) -> tuple[datetime, datetime]:
    """Open ends count as always; an end that cannot be read counts as past, and a start as never reached."""
    starts, ends = period.get("start"), period.get("end")
    first = EARLIEST if starts is None else (span(str(starts)) or (LATEST, LATEST))[0]
    last = LATEST if ends is None else (span(str(ends)) or (EARLIEST, EARLIEST))[1]
    return first, last


def _dated(code: str, tree: Mapping[str, Any]) -> bool:
    """Who stands in for a professional does so until a stated day, a substitute from one too (R.4127-65 CSP), or not at all."""
    period = tree.get("period") or {}
    return code == "secretary" or bool(period.get("end") and (period.get("start") or code != "substitute"))


def _acts_for(ids: Ids, tree: Mapping[str, Any]) -> int:
    """The PractitionerRole or Practitioner replaced, supervising, or answering for a secretary; 0 for none."""
    stated = [one.get("valueReference") for one in tree.get("extension", ()) if one.get("url") == vocabulary.ACTS_FOR]
    if len(stated) != 1:
        return 0
    return _named(ids, "PractitionerRole", stated[0]) or _named(ids, "Practitioner", stated[0])


def _named(ids: Ids, type_: str, reference: Any) -> int:
    text = reference.get("reference") if isinstance(reference, Mapping) else None
    if not isinstance(text, str) or not text.startswith(f"{type_}/"):
        return 0
    key = ids.decode(type_, unversioned(text).removeprefix(f"{type_}/"))
    return key.res if key else 0
