"""Who lets someone else in by what they write, beside the CareTeam and the stay (`stay_writing.py`).

* An accepted referral opens the record to its owner (row 26c): accepted by whoever may invite to the team, or write the
  clinical record. Others could hand out by a Task what they may not even read.
* The mental-health subteam opens psychiatry (row 4): its members compose it, and a doctor of the team where there is none. A doctor
  outside could otherwise bring in a colleague who brings in that doctor, and both would read what neither may.
* A representation opens the record to someone from outside (row 22): stated by the staff member who saw the judgment or the
  document, in their own name and no other's, and not by a secretary, who permits nothing to anybody (row 10b), nor by a trainee,
  whose entries wait for the supervisor (row 9); of parents, until the child is of age (`lasting.py`). So it is too with a record that is new.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

import asyncpg

from liaison.auth.access import lasting, vocabulary
from liaison.auth.access.classes import Class
from liaison.auth.access.facts import Reading, facts_of
from liaison.auth.access.facts.reading import extension
from liaison.auth.access.facts.related_person import seen_by
from liaison.auth.access.relation_rows import stated_by
from liaison.auth.access.relations import Relation
from liaison.auth.access.standing import Owners, Standing
from liaison.auth.access.stay_writing import known
from liaison.auth.access.world import Fact
from liaison.auth.access.writing import OPPOSITION_ONLY, Refusal
from liaison.fhir.definitions import kind_of
from liaison.fhir.errors import Unprocessable
from liaison.fhir.model import read
from liaison.fhir.store import rows
from liaison.fhir.store.contract import Change
from liaison.fhir.store.ids import Ids
from liaison.fhir.vault import PatientKey

# By relation: the classes of which one must be the writer's to write, whoever the author; and what a refusal says.
_NEEDED: Final = {
    Relation.REFERRAL: (
        Class.TEAM | Class.CLIN,
        "A referral is accepted by someone who may invite to the team or write the clinical record.",
    ),
    # SENS is what every doctor of the team may write, PSY what the members of the subteam may.
    Relation.MENTAL_HEALTH: (
        Class.SENS | Class.PSY,
        "The mental-health subteam is begun by a doctor of the team.",
    ),
}
_STANDING: Final = Class.PSY, "The mental-health subteam is composed by its members, once it has any."
STATE_NOBODY: Final = OPPOSITION_ONLY | {"trainee"}
"""They state of nobody that they represent the person."""
_TYPES: Final = frozenset({"Task", "CareTeam", "RelatedPerson"})
_IDENTITY: Final = ("name", "birthDate", "identifier")
_SEEN_BY: Final = "RelatedPerson.extension.extension.where(url='seenBy')"
_MEASURE: Final = "RelatedPerson.extension.extension.where(url='measure')"
_END: Final = "RelatedPerson.period.end"


async def check(
    connection: asyncpg.Connection,
    ids: Ids,
    keys: Mapping[int, PatientKey],
    who: Standing,
    changes: Sequence[Change],
) -> None:
    """Raises Refusal for a right that begins, or lasts longer, by the hand of someone who may not give it."""
    if who.internal is not None:
        return
    opened = {change.key.patient for change in changes if change.new_patient}
    for change in changes:
        if change.type_ not in _TYPES or change.tree is None:
            continue
        reading = Reading(change.tree, change.key, ids.decode, Class(change.labels.classes))
        watched = (Relation.REPRESENTED,) if change.key.patient in opened else (*_NEEDED, Relation.REPRESENTED)
        given = [fact for fact in facts_of(change.type_, reading) if fact.relation in watched]
        if not given:
            continue
        now: datetime = await connection.fetchval("select clock_timestamp()")
        before = (await stated_by(connection, [change.key])).get(change.key, ())
        may = who.may_write(change.key.patient, Owners())
        earlier = Reading(change.before or {}, change.key, ids.decode, Class(0))
        restated = change.type_ == "RelatedPerson" and _said(earlier) != _said(reading)
        for fact in given:
            if fact.during.end <= now or (known(fact, before, now) and not names_another(change) and not restated):
                continue
            if fact.relation is Relation.REPRESENTED:
                _check_seen(who, reading)
                if fact.detail["measure"] == lasting.PARENTAL:
                    _check_minor(fact, await _born(connection, keys, change.key.patient, changes))
                continue
            needed, why = _NEEDED[fact.relation]
            if fact.relation is Relation.MENTAL_HEALTH and await _has_subteam(connection, change.key.patient):
                needed, why = _STANDING
            if not may & keys[change.key.patient].permute(int(needed)):
                raise Refusal(why)


async def _has_subteam(connection: asyncpg.Connection, patient: int) -> bool:
    """Whether anybody is of it before this write, or will be."""
    found: bool = await connection.fetchval(
        "select exists (select from relation where patient = $1 and relation = $2 and valid_to > clock_timestamp())",
        patient,
        int(Relation.MENTAL_HEALTH),
    )
    return found


def names_another(change: Change) -> bool:
    """Whether it says of somebody else, by their identity, what was seen of the one before."""
    before, after = change.before or {}, change.tree or {}
    return change.type_ == "RelatedPerson" and any(before.get(name) != after.get(name) for name in _IDENTITY)


def _said(reading: Reading) -> tuple[object, ...]:
    """By what measure, who saw it, and when: said anew, it is said by whoever writes it."""
    stated = extension(reading.tree, vocabulary.REPRESENTATION)
    return extension(stated, "measure").get("valueCode"), extension(stated, "seenOn").get("valueDate"), seen_by(reading)


def _check_seen(who: Standing, reading: Reading) -> None:
    """Software of a structure says what its people saw; a person says what they saw themselves."""
    if who.role_code in STATE_NOBODY:
        raise Refusal(
            "Your role lets nobody in: someone of the team states the representation, once they saw the document."
        )
    if who.practitioner and seen_by(reading) not in (who.practitioner, who.role):
        raise Unprocessable("Who states a representation has seen the document: seenBy names you.", _SEEN_BY)


def _check_minor(fact: Fact, born: str) -> None:
    last = lasting.minority(born)
    if last is None:
        raise Unprocessable(
            "Parental authority is over a child: Patient.birthDate says no whole day of birth.", _MEASURE
        )
    if fact.during.end > lasting.after(last):
        raise Unprocessable(
            f"Parental authority ends when the child is 18: period.end is {last.isoformat()} at the latest.", _END
        )


async def _born(
    connection: asyncpg.Connection, keys: Mapping[int, PatientKey], patient: int, changes: Sequence[Change]
) -> str:
    """The person's birthDate, as it will be once this is written; '' for none."""
    for change in changes:
        if change.type_ == "Patient" and change.key.patient == patient and change.tree is not None:
            return str(change.tree.get("birthDate", ""))
    found = await connection.fetch(
        f"select {rows.COLUMNS}, null from version v"  # our own words
        " where v.patient = $1 and v.kind = $2 and v.superseded is null and not v.deleted",
        patient,
        kind_of("Patient"),
    )
    return next((str(read(rows.open_(keys[patient], row)).get("birthDate", "")) for row in rows.rows_of(found)), "")
