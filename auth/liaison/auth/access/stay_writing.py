"""Who opens or prolongs a stay, from which the doctors and nurses of its structure have rights (rows 10 and 26c): someone
of that structure, or a doctor who sends the person there. Otherwise any member of the team could let a hospital in.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import asyncpg

from liaison.auth.access import structures
from liaison.auth.access.classes import Class
from liaison.auth.access.facts import Reading, facts_of
from liaison.auth.access.relation_rows import stated_by
from liaison.auth.access.standing import Standing
from liaison.auth.access.world import Fact
from liaison.auth.access.writing import Refusal
from liaison.fhir.store.contract import Change
from liaison.fhir.store.ids import Ids

_REFERRING: Final = frozenset({"gp", "specialist", "on-call-doctor", "regulating-doctor"})


async def check(connection: asyncpg.Connection, ids: Ids, who: Standing, changes: Sequence[Change]) -> None:
    """Raises Refusal for a stay, open now or later, in a structure that is not the writer's and gains time by this."""
    written = [change for change in changes if change.type_ == "Encounter" and change.tree is not None]
    if not written or who.internal is not None or (who.practitioner and who.role_code in _REFERRING):
        return
    now: datetime = await connection.fetchval("select clock_timestamp()")
    stated = await stated_by(connection, [change.key for change in written if change.before_row is not None])
    for change in written:
        assert change.tree is not None
        reading = Reading(change.tree, change.key, ids.decode, Class(change.labels.classes))
        unit = reading.structure(change.tree.get("serviceProvider"))
        before = stated.get(change.key, ())
        gained = [
            fact
            for fact in facts_of("Encounter", reading)
            if fact.principal == unit and fact.during.end > now and not known(fact, before, now)
        ]
        if gained and not await _is_of(connection, who.organization, unit):
            raise Refusal(
                "A stay is opened or prolonged by someone of its serviceProvider, or by a doctor of the team who sends the"
                " person there."
            )


def known(fact: Fact, before: Sequence[Fact], now: datetime) -> bool:
    """Whether one of `before` gave the same from now on, and for as long."""
    return any(
        (old.principal, old.relation) == (fact.principal, fact.relation)
        and old.during.start <= max(fact.during.start, now)
        and old.during.end >= fact.during.end
        for old in before
    )


async def _is_of(connection: asyncpg.Connection, organization: int, unit: int) -> bool:
    """Of one house: the same structure, a part of it, or the whole whose part it is."""
    if not organization:
        return False
    return unit in await structures.with_wholes(connection, [organization]) or organization in (
        await structures.with_wholes(connection, [unit])
    )
