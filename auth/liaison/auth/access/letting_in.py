"""Who lets someone else in by what they write, beside the CareTeam and the stay (`stay_writing.py`).

* An accepted referral opens the record to its owner (row 26c): accepted by whoever may invite to the team, or write the
  clinical record. Others could hand out by a Task what they may not even read.
* The mental-health subteam opens psychiatry (row 4): a doctor of the team composes it, or one of its own members.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

import asyncpg

from liaison.auth.access.classes import Class
from liaison.auth.access.facts import Reading, facts_of
from liaison.auth.access.relation_rows import stated_by
from liaison.auth.access.relations import Relation
from liaison.auth.access.standing import Owners, Standing
from liaison.auth.access.stay_writing import known
from liaison.auth.access.writing import Refusal
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
        "The mental-health subteam is composed by a doctor of the team or by one of its members.",
    ),
}
_TYPES: Final = frozenset({"Task", "CareTeam"})


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
        if change.type_ not in _TYPES or change.tree is None or change.key.patient in opened:
            continue
        reading = Reading(change.tree, change.key, ids.decode, Class(change.labels.classes))
        given = [fact for fact in facts_of(change.type_, reading) if fact.relation in _NEEDED]
        if not given:
            continue
        now: datetime = await connection.fetchval("select clock_timestamp()")
        before = (await stated_by(connection, [change.key])).get(change.key, ())
        may = who.may_write(change.key.patient, Owners())
        for fact in given:
            needed, words = _NEEDED[fact.relation]
            gained = fact.during.end > now and not known(fact, before, now)
            if gained and not may & keys[change.key.patient].permute(int(needed)):
                raise Refusal(words)
