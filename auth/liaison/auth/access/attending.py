"""Who names the attending doctor (médecin traitant), who reads and lifts what the person masks (row 25; R.1111-49).

The person declares them (CSS L.162-5-3), by `Patient/[id]/$attending-doctor` (`declaring.py`). A CareTeam that is written says so
by itself with a record that is new alone: what is masked later would open to somebody of whom the person has said nothing. There are
never two at once, in whatever teams. An attending doctor who stops being one keeps the participation, with an end.

Internal principals load what was decided elsewhere, except that the identity cell, which writes declarations, keeps to one.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

import asyncpg

from liaison.auth.access.classes import Class
from liaison.auth.access.facts import Reading, facts_of
from liaison.auth.access.intervals import FOREVER, Interval
from liaison.auth.access.relations import Relation
from liaison.auth.access.standing import Standing
from liaison.auth.access.writing import Refusal
from liaison.fhir.definitions import kind_of
from liaison.fhir.errors import Unprocessable
from liaison.fhir.store.contract import Change, Key
from liaison.fhir.store.ids import Ids

_CARE_TEAM: Final = kind_of("CareTeam")
_BY_DECLARATION: Final = (
    "The attending doctor is declared by the person, whatever the code of a participant says:"
    " Patient/[id]/$attending-doctor, called by the person, by who represents them or by another professional of the team."
)


class _Attending(NamedTuple):
    """Somebody, by the number of the person, is the attending doctor in this stretch by this participant of this team."""

    who: int
    during: Interval
    team: Key
    ordinal: int


async def check(connection: asyncpg.Connection, ids: Ids, who: Standing, changes: Sequence[Change]) -> None:
    """Raises Unprocessable for a second attending doctor, in an import too; Refusal for one whom the person declares."""
    written = {change.key: change for change in changes if change.key.kind == _CARE_TEAM}
    after = list(_stated(ids, written.values()))
    before = await _known(connection, {key.patient for key in written}) if written else []
    if not after and not before:
        return
    persons = await _persons(connection, {one.who for one in (*before, *after)})
    after = [one._replace(who=persons.get(one.who, one.who)) for one in after]
    before = [one._replace(who=persons.get(one.who, one.who)) for one in before]
    now: datetime = await connection.fetchval("select clock_timestamp()")
    gained = [one for one in after if one.during.end > now and not _covered(one, before, now)]
    _check_one([one for one in before if one.team not in written] + after, gained, now)
    if who.internal is not None:
        return
    opened = {change.key.patient for change in changes if change.new_patient}
    if any(one.team.patient not in opened for one in gained):
        raise Refusal(_BY_DECLARATION)
    for was in before:
        kept = [one for one in after if (one.team, one.who) == (was.team, was.who) and _begins(one, was, now)]
        if was.team in written and was.who != who.practitioner and not kept:
            raise Refusal(
                "An attending doctor stays in the team with an end: set the period.end of the participant, or let the person"
                " declare another by Patient/[id]/$attending-doctor."
            )


def _stated(ids: Ids, changes: Iterable[Change]) -> Iterable[_Attending]:
    for change in changes:
        if change.tree is not None:
            reading = Reading(change.tree, change.key, ids.decode, Class(change.labels.classes))
            for fact in facts_of("CareTeam", reading):
                if fact.relation is Relation.ATTENDING:
                    yield _Attending(fact.principal, fact.during, change.key, fact.ordinal)


async def _known(connection: asyncpg.Connection, patients: set[int]) -> list[_Attending]:
    """Those of these records, of whatever time."""
    rows = await connection.fetch(
        "select principal, valid_from, valid_to, patient, source_kind, source_res, ordinal from relation"
        " where patient = any($1::bigint[]) and relation = $2",
        sorted(patients),
        int(Relation.ATTENDING),
    )
    return [
        _Attending(principal, Interval(start, end), Key(patient, kind, res), ordinal)
        for principal, start, end, patient, kind, res, ordinal in rows
    ]


async def _persons(connection: asyncpg.Connection, principals: set[int]) -> Mapping[int, int]:
    """Who is, or was, in each of these roles: one person in two roles is one attending doctor."""
    rows = await connection.fetch(
        "select role, practitioner from held_role where role = any($1::bigint[]) and practitioner <> 0",
        sorted(principals),
    )
    return dict(rows)


def _covered(one: _Attending, before: Iterable[_Attending], now: datetime) -> bool:
    return any(
        was.team.patient == one.team.patient
        and was.who == one.who
        and was.during.start <= max(one.during.start, now)
        and was.during.end >= one.during.end
        for was in before
    )


def _begins(one: _Attending, was: _Attending, now: datetime) -> bool:
    """Whether it still says what was: from as early on, until an end of its own. What has not begun may go."""
    return one.during.start <= was.during.start or was.during.start > now


def _check_one(standing: Sequence[_Attending], gained: Sequence[_Attending], now: datetime) -> None:
    for one in gained:
        ahead = Interval(now, FOREVER).meet(one.during)
        for other in standing:
            same = other.team.patient == one.team.patient and other.who != one.who
            if same and ahead is not None and ahead.meet(other.during) is not None:
                raise Unprocessable(
                    "The person has one attending doctor at a time: another is one in this period. The person declares who"
                    " replaces them by Patient/[id]/$attending-doctor.",
                    f"CareTeam.participant[{one.ordinal}].role",
                )
