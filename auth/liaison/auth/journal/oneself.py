"""An officer whose own access was reviewed reads neither the review nor the case: not on the desk, and not in the journal."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import asyncpg

from liaison.auth.access.classes import Class
from liaison.fhir.definitions import kind_of
from liaison.fhir.store.contract import Key
from liaison.fhir.store.ids import Ids
from liaison.fhir.store.rows import owner_token
from liaison.fhir.vault import Vault

if TYPE_CHECKING:
    from liaison.auth.journal.audit_reader import Seen

_OWN: Final = """
with one as (select principals from access_session where session = $1)
select 'case' as name, c.number from one join review_case c on c.person = any(one.principals)
union all select 'access', a.access from one join unusual_access a on a.person = any(one.principals)
"""
"""Cases about whoever asks, and their accesses that were found unusual. The principals of a session hold its person."""
_TASK: Final = kind_of("Task")


async def without_oneself(
    connection: asyncpg.Connection, vault: Vault, session: int, seen: "Sequence[Seen]"
) -> "list[Seen]":
    """The entries but those of a case, or of the review of an access, that is about the caller. What they did themselves stays."""
    own: set[object] = set()
    if any({"case", "access"} & (one.entry.detail or {}).keys() for one in seen):
        own |= {(row["name"], row["number"]) for row in await connection.fetch(_OWN, session)}
    ids = Ids(vault.id_key)
    themselves = await connection.fetchval("select practitioner from access_session where session = $1", session)
    tasks = {one.record: _tasks(ids, one) for one in seen if one.entry.person != themselves}
    own |= await _reviewed(connection, vault, ids, themselves, {key for some in tasks.values() for key in some})
    if not own:
        return list(seen)
    return [one for one in seen if own.isdisjoint({*_numbers(one), *tasks.get(one.record, ())})]


def _numbers(one: "Seen") -> list[tuple[str, object]]:
    return [(name, (one.entry.detail or {}).get(name)) for name in ("case", "access")]


def _tasks(ids: Ids, one: "Seen") -> set[Key]:
    """The tasks that an entry shows, or names in what was asked."""
    found = {Key(one.entry.patient, *item[:2]) for item in one.entry.items if item[0] == _TASK}
    type_, _, rest = one.entry.path.partition("/")
    asked = ids.decode("Task", rest.partition("/")[0]) if type_ == "Task" else None
    return found | {asked} if asked is not None else found


async def _reviewed(
    connection: asyncpg.Connection, vault: Vault, ids: Ids, practitioner: int, tasks: set[Key]
) -> set[Key]:
    """Those of the review list in which this person is whose access it is."""
    if not tasks:
        return set()
    asked = sorted(tasks)
    rows = await connection.fetch(
        "select v.patient, v.res, v.author, v.classes from unnest($1::bigint[], $2::bigint[]) k(patient, res)"
        " join version v on (v.patient, v.kind, v.res) = (k.patient, $3, k.res) and v.superseded is null",
        [key.patient for key in asked],
        [key.res for key in asked],
        _TASK,
    )
    keys = await vault.patient_keys(connection, {row["patient"] for row in rows})
    themselves = f"Practitioner/{ids.encode(Key(0, kind_of('Practitioner'), practitioner))}"
    return {
        Key(patient, _TASK, res)
        for patient, res, author, classes in rows
        if (key := keys.get(patient)) is not None
        and key.unpermute(classes) & Class.AUD
        and author == owner_token(key, themselves)
    }
