"""A permission that opens nothing to somebody whom it names is refused: whoever records it would believe the person's wish
in force.

* It limits itself in a way that the rules cannot follow, its period is over, or names nobody here.
* Nobody whom it names has a role that reads by a permission; or they are opposed, since an opposition wins.
* A class that it names is not one that they read by a permission: care by somebody close to the person (row 23), social
  follow-up beyond row 17. To who represents the person, what is sensitive (SENS) is opened while the measure holds, and by the
  person's own word (row 22).

Asked of the rules of the table in force, beside the oppositions of the record and who represents the person, as they are with
what is written. What stands already, as an import brought it, may stay, and be shortened.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial, reduce
from itertools import count
from operator import or_
from typing import Any, Final

import asyncpg

from liaison.auth.access import adopted, grants, vocabulary
from liaison.auth.access.classes import Class, named
from liaison.auth.access.decide import decide
from liaison.auth.access.denials import DENIALS
from liaison.auth.access.facts.consent import NOBODY, SCOPE, not_followed, permits
from liaison.auth.access.facts.reading import Reading, codes, period
from liaison.auth.access.relations import Relation
from liaison.auth.access.table import Table
from liaison.auth.access.world import Fact, World
from liaison.fhir.errors import Issue, Unprocessable
from liaison.fhir.store.contract import Change
from liaison.fhir.store.ids import Ids

_BESIDE: Final = DENIALS | {Relation.REPRESENTED}
_WORDS: Final = {
    "class": "limits by types of resources",
    "data": "limits by items",
    "dataPeriod": "limits by dates of data",
    "code": "limits by codes",
    "securityLabel": "names what is no data class",
    "purpose": "names no purpose of care (TREAT, CAREMGT or PATRQT)",
}
MOST: Final = 100
"""How many a Consent may name in its permissions: each is asked of the rules."""
Place = tuple[str, str]
"""A FHIRPath, and what is wrong there."""


async def check(connection: asyncpg.Connection, ids: Ids, changes: Sequence[Change]) -> None:
    """Raises Unprocessable with the place of each rule of a Consent written now that opens nothing to somebody. After the
    facts of `changes` are stated."""
    places: list[Place] = []
    for change in changes:
        if change.type_ == "Consent" and change.tree is not None and _is_new(change):
            reading = Reading(change.tree, change.key, ids.decode, Class(change.labels.classes))
            places += await _wrong(connection, reading)
    if places:
        raise Unprocessable(issues=[Issue("not-supported", f"This permission {why}.", path) for path, why in places])


def _is_new(change: Change) -> bool:
    """Whether its rules are in force from now on, other than by their dates."""
    before, after = change.before or {}, change.tree or {}
    return after.get("status") == "active" and (before.get("status") != "active" or _undated(before) != _undated(after))


def _undated(tree: Mapping[str, Any]) -> tuple[Any, ...]:
    provision = {name: one for name, one in (tree.get("provision") or {}).items() if name != "period"}
    return provision, *(tree.get(name) for name in ("scope", "category", "performer", "verification"))


def _rules(reading: Reading) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Each permission that names somebody, with its path."""
    if "patient-privacy" in codes(reading.tree.get("scope"), SCOPE):
        yield from _nested(reading.tree.get("provision"), "Consent.provision")


def _told(reading: Reading) -> list[Place]:
    """What records that the person was informed permits nothing (facts.consent), and names whom they were told of."""
    kinds = set(codes(reading.tree.get("category"), vocabulary.CONSENT))
    if "sharing" in kinds and any(_rules(reading)):
        return [
            ("Consent.category", "opens nothing: what records that the person was informed is a Consent of its own")
        ]
    return []


def _nested(provision: Any, path: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    given = provision if isinstance(provision, Mapping) else {}
    if given.get("type") == "permit" and given.get("actor"):
        yield path, given
    for number, one in enumerate(given.get("provision") or ()):
        yield from _nested(one, f"{path}.provision[{number}]")


async def _wrong(connection: asyncpg.Connection, reading: Reading) -> list[Place]:
    if "information" in codes(reading.tree.get("category"), vocabulary.CONSENT):
        return _told(reading)
    now: datetime = await connection.fetchval("select clock_timestamp()")
    rules = list(_rules(reading))
    found = [place for path, rule in rules for place in _unfollowed(path, rule, now)]
    if found or not rules:
        return found
    given = [
        (path, number, fact) for path, rule in rules for number, fact in enumerate(permits(reading, rule, count()))
    ]
    if len(given) > MOST:
        return [("Consent.provision", f"names more than {MOST} people and structures: write several")]
    facts, _ = await grants.stated(connection, [reading.key.patient])
    stated = facts.get(reading.key.patient, [])
    beside = [fact for fact in stated if fact.relation in _BESIDE]
    table = await adopted.in_force(connection)
    world = await grants.world_of(connection, [*(fact for _, _, fact in given), *beside], table)
    for path, number, fact in given:
        opened = partial(_opened, world, beside, table, now)
        found += _unopened(opened, fact, f"{path}.actor[{number}]", path)
    return found


def _unfollowed(path: str, rule: Mapping[str, Any], now: datetime) -> list[Place]:
    if limits := not_followed(rule):
        return [(f"{path}.{name}", f"opens nothing: it {_WORDS[name]}") for name in limits]
    during = period(rule.get("period"))
    if during is None or during.end <= now:
        return [(f"{path}.period", "opens nothing: its period is over, or is none")]
    return []


def _unopened(opened_by: Callable[[Fact], Class], fact: Fact, actor: str, path: str) -> list[Place]:
    if fact.principal == NOBODY:
        return [(actor, "names nobody here: it takes a literal reference")]
    opened = opened_by(fact)
    if not opened:
        return [
            (actor, "opens nothing to them: no role that they hold here reads by a permission, or they are opposed")
        ]
    closed = [name for name in fact.detail.get("classes", ()) if not named(name) & opened]
    could = opened_by(replace(fact, detail={**fact.detail, "agreed": True}))
    if any(named(name) & could for name in closed):
        return [
            (
                "Consent.performer",
                "opens this to who represents the person by the person's own word alone, who is named",
            )
        ]
    return [(f"{path}.securityLabel", f"does not open {name} to {actor}: no rule does") for name in closed]


def _opened(world: World, beside: Sequence[Fact], table: Table, now: datetime, fact: Fact) -> Class:
    """What those whom it names read by it, now or later, and by representing the person."""
    related = fact.detail.get("holder") == "related"
    read = (
        right.read
        for right in decide(replace(world, facts=[fact, *beside]), table)
        if right.during.end > now
        and (right.principal == fact.principal if related else right.relation is Relation.CONSENT)
    )
    return reduce(or_, read, Class(0))
