"""How much a permission opens: no more than whoever records it in the person's name reads themselves.

* The person permits what they wish of what is theirs to give (`consent_writing.py`).
* Whoever represents them, and staff who record what the person said, permit the classes that they read on the whole record as
  a member of its team, now: each within the scope of their mission (R.1110-1). What they read by a permission, in an emergency,
  for a stay or because they wrote it, they do not hand on.
* A doctor of the team may record more from the form that the person signed, which is kept with it (D.1110-3-2: the proof).
* With a new record comes what somebody of that role reads as a member of a team, and nothing from a secretary.

What stood before may be written again, shortened and ended by whoever may write it. Somebody close to the person whom a permission
names is called otherwise, or born another day, by whoever may record that permission: it would be somebody else's.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any, Final

import asyncpg

from liaison.auth.access.classes import Class, bits
from liaison.auth.access.facts import Reading, facts_of
from liaison.auth.access.intervals import between
from liaison.auth.access.letting_in import names_another
from liaison.auth.access.oppositions import checked_scan
from liaison.auth.access.professionals import permitted
from liaison.auth.access.relation_rows import stated_by
from liaison.auth.access.relations import Relation
from liaison.auth.access.roles import ROLES
from liaison.auth.access.standing import Standing
from liaison.auth.access.stay_writing import known
from liaison.auth.access.table import Table
from liaison.auth.access.world import Fact
from liaison.auth.access.writing import OPPOSITION_ONLY, Refusal
from liaison.fhir.definitions import kind_of
from liaison.fhir.errors import FhirError
from liaison.fhir.store.contract import NAMES_HIDDEN, Change, Grant, Key
from liaison.fhir.store.ids import Ids
from liaison.fhir.vault import PatientKey

_OF_THE_TEAM: Final = frozenset({Relation.TEAM, Relation.STRUCTURE, Relation.DELEG, Relation.REPRESENTED})


async def check(
    connection: asyncpg.Connection,
    ids: Ids,
    keys: Mapping[int, PatientKey],
    who: Standing,
    changes: Sequence[Change],
    tables: Sequence[Table],
) -> None:
    """Raises Refusal for a permission by which somebody would read what its writer does not."""
    if who.internal is not None or who.role_code == "patient":
        return
    written = [change for change in changes if change.type_ in ("Consent", "RelatedPerson") and change.tree is not None]
    given = {one.key: _permissions(ids, one) for one in written if one.type_ == "Consent"}
    named = [one.key for one in written if one.before_row is not None and names_another(one)]
    if not named and not any(given.values()):
        return
    now: datetime = await connection.fetchval("select clock_timestamp()")
    stated = await stated_by(connection, [one.key for one in written if one.before_row is not None])
    given |= await _naming(connection, named)
    opened = {change.key.patient for change in changes if change.new_patient}
    for change in written:
        reach = (
            _of_the_role(who.role_code, tables)
            if change.key.patient in opened
            else _of_the_team(keys[change.key.patient], who.grants.get(change.key.patient, ()))
        )
        before, facts = stated.get(change.key, ()), given.get(change.key, ())
        beyond = reduce(or_, (_newly(fact, before, now, tables) for fact in facts), Class(0)) & ~reach
        if facts and change.type_ == "RelatedPerson" and who.role_code in OPPOSITION_ONLY:
            raise Refusal("A permission names this person: who they are is changed by another member of the team.")
        if beyond and not _signed_for(who, change):
            raise Refusal(
                f"You record a permission of what you do not read yourself: {_words(beyond)}. Name less, or the person permits it"
                " themselves; or a doctor of the team records it with the form that the person signed (sourceAttachment: PDF,"
                " JPEG or PNG)."
            )


async def _naming(connection: asyncpg.Connection, people: Sequence[Key]) -> dict[Key, list[Fact]]:
    """The permissions in force that name each of these."""
    rows = await connection.fetch(
        "select patient, principal, detail, valid_from, valid_to from relation"
        " where (patient, principal) in (select * from unnest($1::bigint[], $2::bigint[])) and relation = $3"
        " and valid_to > now()",
        [key.patient for key in people],
        [key.res for key in people],
        int(Relation.CONSENT),
    )
    found: dict[Key, list[Fact]] = {}
    for patient, principal, detail, start, end in rows:
        fact = Fact(principal, Relation.CONSENT, between(start, end), detail=json.loads(detail) if detail else {})
        found.setdefault(Key(patient, kind_of("RelatedPerson"), principal), []).append(fact)
    return found


def _permissions(ids: Ids, change: Change) -> list[Fact]:
    reading = Reading(change.tree or {}, change.key, ids.decode, Class(change.labels.classes))
    return [fact for fact in facts_of("Consent", reading) if fact.relation is Relation.CONSENT]


def _newly(fact: Fact, before: Iterable[Fact], now: datetime, tables: Sequence[Table]) -> Class:
    """What it opens that nothing before opened to the same, for as long."""
    if fact.during.end <= now:
        return Class(0)
    stood = (old for old in before if known(fact, [old], now))
    return _opens(fact, tables) & ~reduce(or_, (_opens(old, tables) for old in stood), Class(0))


def _opens(fact: Fact, tables: Sequence[Table]) -> Class:
    """The classes that somebody reads by it, in whatever role: of the person's people, or of the professionals. `agreed`: by
    the person, so that it opens more to whoever represents them."""
    related, agreed = fact.detail.get("holder") == "related", bool(fact.detail.get("agreed"))
    roles = {code for code, role in ROLES.items() if (role.category == "person") is related}
    return reduce(
        or_,
        (
            permitted(fact, line) if line.extent == "consent" else line.read
            for table in tables
            for line in table.lines
            if line.roles & roles and (Relation.CONSENT in line.relations or (agreed and line.extent == "consent"))
        ),
        Class(0),
    )


def _of_the_team(key: PatientKey, grants: Iterable[Grant]) -> Class:
    """What these grants let their holder read on the whole record, as one of those who keep it."""
    read = (
        grant.mask
        for grant in grants
        if grant.relation in _OF_THE_TEAM
        and grant.write_mask
        and not (grant.author or grant.service or grant.addressee)
    )
    return Class(key.unpermute(reduce(or_, read, 0)) & ~NAMES_HIDDEN)


def _of_the_role(role: str, tables: Iterable[Table]) -> Class:
    """What every table lets somebody of this role read as a member of a team, before anything more is known of them."""
    found = [
        reduce(
            or_,
            (
                line.read
                for line in table.for_role(role)
                if Relation.TEAM in line.relations and line.of == "all" and not line.when
            ),
            Class(0),
        )
        for table in tables
    ]
    return reduce(lambda one, other: one & other, found) if found else Class(0)


def _signed_for(who: Standing, change: Change) -> bool:
    """Whether a doctor writes it with a form that is new with it: an older one was signed for what was there."""
    role = ROLES.get(who.role_code)
    form: Any = (change.tree or {}).get("sourceAttachment")
    if (
        role is None
        or not role.doctor
        or not isinstance(form, dict)
        or form == (change.before or {}).get("sourceAttachment")
    ):
        return False
    try:
        checked_scan(form, change.at)
    except FhirError:
        return False
    return True


def _words(classes: Class) -> str:
    return ", ".join(one.name or "" for one in bits(classes))
