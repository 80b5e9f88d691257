"""The rows of `planned`: kept in the transaction that writes a CarePlan or a Task, and made anew by the pass over the index.

A row says when and how far, in clear as the main date of its version is; what is planned and for whom stand as tokens under
the patient's key. Who may see it is not kept: whoever asks joins the version that the row is of.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from enum import IntEnum
from typing import Final, NamedTuple

import asyncpg

from liaison.fhir.definitions import kind_of
from liaison.fhir.model.references import unversioned
from liaison.fhir.store.contract import Key, Row, Tree, Unit
from liaison.fhir.store.rows import owner_token
from liaison.fhir.vault import PatientKey
from liaison.protocols import codes
from liaison.protocols.calendar import State, entry
from liaison.protocols.days import named_day
from liaison.services.messages.noticing import Noticing

PLAN: Final = kind_of("CarePlan")
STEP: Final = kind_of("Task")
_KINDS: Final = {"CarePlan": PLAN, "Task": STEP}
_NAME: Final = -2  # no search parameter has this number, nor has the token of an owner
_OF_A_RECORD: Final = ("CareTeam/", "Device/", "Patient/", "RelatedPerson/")


class Standing(IntEnum):
    """Of a step: to do (due or late by the day on which it is asked), done, excused. Of a plan: in force, ended, neither."""

    OPEN = 0
    DONE = 1
    EXCUSED = 2


class Owned(IntEnum):
    """Whether a step has an owner. BY_KNOWN: one of whom everybody knows who sees the step. OTHERWISE: one of a record, of whom they
    need not know."""

    BY_NOBODY = 0
    BY_KNOWN = 1
    OTHERWISE = 2


_OF_STEP: Final = {State.DUE: Standing.OPEN, State.DONE: Standing.DONE, State.EXCUSED: Standing.EXCUSED}
_OF_PLAN: Final = {"active": Standing.OPEN, "completed": Standing.DONE, "revoked": Standing.DONE}


class Planned(NamedTuple):
    """A row. `due` is date.max where there is no day."""

    patient: int
    kind: int
    res: int
    version: int
    standing: int
    due: date
    done: date | None
    names: list[int]
    owned: int
    owner: int


_PUT: Final = """
    insert into planned (patient, kind, res, version, standing, due, done, names, owned, owner)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
    on conflict (patient, kind, res) do update set version = excluded.version, standing = excluded.standing,
        due = excluded.due, done = excluded.done, names = excluded.names, owned = excluded.owned, owner = excluded.owner
    where planned.version <= excluded.version
"""
_TAKE: Final = "delete from planned where patient = $1 and kind = $2 and res = $3"


class Planning(Noticing):
    """The hooks of the rights, the journal, the signals and the messages, and after them the rows of what is planned."""

    async def after_write(self, connection: asyncpg.Connection, units: Sequence[Unit]) -> None:
        await super().after_write(connection, units)
        changes = [change for unit in units for change in unit.changes if change.type_ in _KINDS and change.key.patient]
        if changes:
            keys = await self._vault.patient_keys(connection, {change.key.patient for change in changes})
            await keep(
                connection,
                [(one.key, one.version, keys[one.key.patient], one.tree) for one in changes if one.tree is not None],
                [one.key for one in changes if one.tree is None],
            )


async def keep_again(connection: asyncpg.Connection, opened: Sequence[tuple[Row, PatientKey, Tree]]) -> None:
    """The rows of versions that are held by this transaction, made anew."""
    kinds = _KINDS.values()
    await keep(
        connection,
        [(row.key, row.version, key, tree) for row, key, tree in opened if row.key.patient and row.key.kind in kinds],
    )


async def keep(
    connection: asyncpg.Connection, written: Iterable[tuple[Key, int, PatientKey, Tree]], gone: Iterable[Key] = ()
) -> None:
    """In the caller's transaction, which has the current versions to itself."""
    put, take = [], list(gone)
    for key, version, patient_key, tree in written:
        row = planned(key, version, patient_key, tree)
        if row is not None:
            put.append(row)
        else:
            take.append(key)
    if take:
        await connection.executemany(_TAKE, take)
    if put:
        await connection.executemany(_PUT, put)


def planned(key: Key, version: int, patient_key: PatientKey, tree: Tree) -> Planned | None:
    """The row of one version; None of a Task that is no step, and of a CarePlan that follows no protocol."""
    names = name_tokens(patient_key, _names(tree))
    if not names:
        return None
    if key.kind == PLAN:
        start = named_day((tree.get("period") or {}).get("start"))
        standing = _OF_PLAN.get(str(tree.get("status")), Standing.EXCUSED)
        return Planned(*key, version, standing, start or date.max, None, names, Owned.BY_NOBODY, 0)
    step = entry(tree, date.min)  # on the first of all days nothing is late
    reference = unversioned(str((tree.get("owner") or {}).get("reference", "")))
    return Planned(
        *key,
        version,
        _OF_STEP[step.state],
        step.due or date.max,
        step.done,
        names,
        _owned(tree, reference),
        owner_token(patient_key, reference),
    )


def _names(tree: Tree) -> tuple[str, ...]:
    """The codes of a step; the protocols of a plan, without their versions."""
    if tree["resourceType"] == "CarePlan":
        return tuple(sorted({str(one).partition("|")[0] for one in tree.get("instantiatesCanonical") or ()}))
    coding: Sequence[Tree] = (tree.get("code") or {}).get("coding") or ()
    return tuple(sorted({str(one.get("code", "")) for one in coding if one.get("system") == codes.STEP}))


def _owned(tree: Tree, reference: str) -> Owned:
    if not reference:
        return Owned.BY_KNOWN if "identifier" in (tree.get("owner") or {}) else Owned.BY_NOBODY
    theirs = reference == (tree.get("for") or {}).get("reference")
    return Owned.OTHERWISE if reference.startswith(_OF_A_RECORD) and not theirs else Owned.BY_KNOWN


def name_tokens(patient_key: PatientKey, names: tuple[str, ...]) -> list[int]:
    """Of URLs of protocols, or codes of steps."""
    return patient_key.recurring(_NAME, names)
