"""The right to write, as it is *before* the write: each change against the grants of whoever makes it.

Creating needs every class of what is new; changing, those of what was there too, so that nobody can relabel or take away
what they could not have written. Directory types need the administrator.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from functools import reduce
from operator import and_, or_
from typing import Final, NamedTuple

import asyncpg

from liaison.auth.access import agenda, beyond_the_role, deaths, vocabulary
from liaison.auth.access.classes import EVERYTHING, Class, bits
from liaison.auth.access.classify import own_classes
from liaison.auth.access.facts.reading import codes
from liaison.auth.access.roles import ROLES
from liaison.auth.access.standing import Owners, Standing
from liaison.auth.access.table import Table
from liaison.fhir.definitions import kind_of
from liaison.fhir.errors import Conflict, Forbidden, NotFound, Unprocessable
from liaison.fhir.model.references import unversioned
from liaison.fhir.search import match
from liaison.fhir.store.contract import NAMES_HIDDEN, Change, Key, Tree
from liaison.fhir.store.ids import Ids
from liaison.fhir.vault import PatientKey

_A_DAY: Final = frozenset({"home-aide"})
"""Row 15: they correct what they wrote for 24 hours, and delete nothing."""
OPPOSITION_ONLY: Final = frozenset({"home-aide", "secretary"})
"""They record what the person says against sharing, and the information given; they permit nothing to anybody."""
OWN_WINDOW: Final = timedelta(hours=24)


class First(NamedTuple):
    """When a resource was first written, as an age by the database's clock, and by whom: the token of its author, 0 for
    nobody known. Its later versions may name another, who does not become its author by that."""

    age: timedelta
    author: int


_NOW: Final = First(timedelta(0), 0)


class Refusal(Forbidden):
    """Said only about a record that the caller can see."""


def check(
    ids: Ids,
    keys: dict[int, PatientKey],
    who: Standing,
    changes: Sequence[Change],
    first: Mapping[Key, First],
    tables: Sequence[Table],
) -> None:
    """Raises NotFound, Refusal, Conflict or Unprocessable. `first` is the first version of what is changed or deleted, `tables`
    are the one in force and those by which grants may still be: each limits what is written."""
    limits = [types for table in tables if (types := table.types_for(who.role_code))]
    opened = {change.key.patient for change in changes if change.new_patient}
    if opened and not _may_open(who):
        raise Refusal("Your role does not open records.")
    for change in changes:
        if who.internal is not None:
            if change.type_ not in who.internal.writes:
                raise Refusal(f"The internal principal {who.internal.name} does not write {change.type_}.")
        elif change.key.patient == 0:
            _check_directory(ids, who, change, tables)
        elif (change.key.patient in opened or change.key.patient in who.grants) and not all(
            _of(types, change) for types in limits
        ):
            raise Refusal(f"Your role may not write this {change.type_} on this record.")
        elif change.key.patient not in opened:
            _check_change(keys[change.key.patient], who, change, first.get(change.key, _NOW), tables[0])
            _check_links(ids, keys, who, change, opened)
        elif change.labels.classes & Class.AUD:
            raise Refusal("The review list is not written to.")
        elif Class(change.labels.classes & ~NAMES_HIDDEN) & ~(
            written := Class.TEAM | _ever_written(who.role_code, tables)
        ):
            more = beyond_the_role.sentence(tables[0], own_classes(change.tree or {}) & ~written)
            raise Refusal(f"Your role may not write this {change.type_}, on a record that it opens either.{more}")
        else:
            _check_call(change)
            _check_death(who, change)


def _check_death(who: Standing, change: Change) -> None:
    if change.type_ == "Patient":
        deaths.check(who.role_code, change.tree, change.before)


def _ever_written(role: str, tables: Sequence[Table]) -> Class:
    """What the role writes by some line of each table; all, where a line takes it from another's."""
    by_table = (
        reduce(or_, (EVERYTHING if line.extent == "same" else line.write for line in table.for_role(role)), Class(0))
        for table in tables
    )
    return reduce(and_, by_table, EVERYTHING)


def _of(types: Sequence[str], change: Change) -> bool:
    """Whether what is written, and what was there, are of these types of the table."""
    trees = [tree for tree in (change.tree, change.before) if tree is not None]
    queries = [one.partition("?")[2] for one in types if one.partition("?")[0] == change.type_]
    return bool(queries) and all(any(match(change.type_, tree, query) for query in queries) for tree in trees)


def _may_open(who: Standing) -> bool:
    return who.internal is not None or (who.role_code in ROLES and ROLES[who.role_code].registers)


def _check_directory(ids: Ids, who: Standing, change: Change, tables: Sequence[Table]) -> None:
    if agenda.is_agenda(change) and who.role_code != "admin":
        if not _ever_written(who.role_code, tables) & Class.APPT or not agenda.keeps(ids, who, change):
            raise Refusal(agenda.REFUSED)
        return
    if who.role_code != "admin":
        raise Refusal("The directory is kept by its administrator.")
    if change.type_ == "PractitionerRole":
        for tree in (change.tree, change.before):
            held_by = (tree or {}).get("practitioner") or {}
            if who.practitioner and _decoded(ids, held_by, "Practitioner") == who.practitioner:
                raise Refusal("Nobody adds to their own rights: another administrator changes your roles.")


def _decoded(ids: Ids, reference: object, type_: str) -> int:
    text = reference.get("reference") if isinstance(reference, dict) else None
    if not isinstance(text, str) or not text.startswith(f"{type_}/"):
        return 0
    key = ids.decode(type_, unversioned(text).removeprefix(f"{type_}/"))
    return key.res if key else 0


def _check_change(key: PatientKey, who: Standing, change: Change, first: First, table: Table) -> None:
    if change.key.patient not in who.grants:
        raise NotFound
    before = change.before_row
    if change.tree is not None:
        owners = Owners.of(key, change.labels)
        if before is not None:  # the store keeps those that the new version does not name
            owners = Owners(owners.author or before.author, owners.service or before.service, owners.addressee)
        if not _covered(key, who, change.labels.classes, owners):
            allowed = who.may_write(key.patient, owners)
            beyond = [one for one in bits(own_classes(change.tree)) if key.permute(int(one)) & ~allowed]
            more = beyond_the_role.sentence(table, reduce(or_, beyond, Class(0)))
            raise Refusal(f"Your role may not write this {change.type_} on this record.{more}")
    if before is not None:
        owners = Owners(before.author, before.service, before.addressee)
        if before.classes & ~who.may_write(change.key.patient, owners):
            raise Refusal(f"Your role may not change this {change.type_}.")
        masked = before.classes & key.permute(int(Class.MASKED))
        if masked and not change.labels.classes & Class.MASKED and not who.may_unmask(key, owners):
            raise Refusal("Its author or the attending doctor lifts a masking.")
    _check_call(change)
    _check_death(who, change)
    if change.interaction == "delete":
        _check_deletion(key, who, change, first)
    elif before is not None and who.role_code in _A_DAY and change.type_ != "Consent" and first.age > OWN_WINDOW:
        raise Refusal(
            "Your role corrects what it wrote for 24 hours. Later, write another note that says what was wrong."
        )
    if change.type_ == "Consent" and who.role_code in OPPOSITION_ONLY and _permits(change.tree):
        raise Refusal("Your role records information and oppositions; a permission is recorded by another member.")


def _check_call(change: Change) -> None:
    """A call to the platform gives rights: it starts from an identity, and the one who received it ends it."""
    if change.type_ == "Task" and any(
        "call" in codes(tree.get("code"), vocabulary.PLATFORM) for tree in (change.tree, change.before) if tree
    ):
        raise Refusal("A call is opened by Patient/$open-call and ended by Task/[id]/$end-call.")


def _covered(key: PatientKey, who: Standing, classes: int, owners: Owners) -> bool:
    return classes > 0 and not key.permute(classes) & ~who.may_write(key.patient, owners)


def _permits(tree: object) -> bool:
    """Whether a Consent lets anybody named see anything."""
    if isinstance(tree, list):
        return any(_permits(one) for one in tree)
    if not isinstance(tree, dict):
        return False
    here = tree.get("type") == "permit" and bool(tree.get("actor"))
    return here or _permits(tree.get("provision"))


def _check_deletion(key: PatientKey, who: Standing, change: Change, first: First) -> None:
    """By the author, within 24 hours; never a consent in force (design §8)."""
    assert change.before_row is not None
    if change.type_ == "Consent" and (change.before or {}).get("status") in ("active", "proposed"):
        raise Conflict("A consent in force is not deleted: set its status to inactive.")
    mine = first.author != 0 and first.author == Owners.of(key, who.signature).author
    if who.role_code in _A_DAY or not mine or first.age > OWN_WINDOW:
        raise Refusal("Only its author deletes an entry, within 24 hours. Set its status to entered-in-error instead.")


def _check_links(ids: Ids, keys: dict[int, PatientKey], who: Standing, change: Change, opened: set[int]) -> None:
    """Whoever says that two records are of one person may write the identity of both. What was said before stays, whoever
    changes the rest."""
    said = set(_linked(ids, change.type_, change.before))
    for patient in linked_patients(ids, change):
        key = keys.get(patient)
        if patient in opened or patient == change.key.patient or patient in said:
            continue
        if key is None or not _covered(key, who, int(Class.ADM), Owners()):
            raise Unprocessable(f"{change.type_}.link names a patient that does not exist.", f"{change.type_}.link")


def linked_patients(ids: Ids, change: Change) -> Iterable[int]:
    """The other patients whom a Patient or Person links to."""
    return _linked(ids, change.type_, change.tree)


def _linked(ids: Ids, type_: str, tree: Tree | None) -> Iterable[int]:
    for link in (tree or {}).get("link") or () if type_ in ("Patient", "Person") else ():
        target = link.get("other") or link.get("target") or {}
        text = target.get("reference") if isinstance(target, dict) else None
        if isinstance(text, str) and text.startswith("Patient/"):
            key = ids.decode("Patient", unversioned(text).removeprefix("Patient/"))
            if key is not None and key.kind == kind_of("Patient"):
                yield key.patient


async def firsts(connection: asyncpg.Connection, changes: Sequence[Change]) -> dict[Key, First]:
    """The first version of each resource that is changed or deleted."""
    older = [change.key for change in changes if change.before_row is not None]
    if not older:
        return {}
    rows = await connection.fetch(
        "select v.patient, v.kind, v.res, clock_timestamp() - v.at, v.author"
        " from unnest($1::bigint[], $2::smallint[], $3::bigint[]) as k(patient, kind, res)"
        " join version v on v.patient = k.patient and v.kind = k.kind and v.res = k.res and v.version = 1",
        *map(list, zip(*older, strict=True)),
    )
    return {Key(patient, kind, res): First(age, author) for patient, kind, res, age, author in rows}
