"""Applying a protocol to a person: what the applier sees of the record goes in, a proposal or a written plan comes out.

Used by the coordinators' pages and by `PlanDefinition/[id]/$apply`, so that both propose the same steps.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

from liaison.protocols.apply import NOTHING, Proposal, propose
from liaison.protocols.carry_out import carry_out
from liaison.protocols.library import Library
from liaison.protocols.signals import is_rules
from liaison.services.library import published
from liaison.services.members import with_functions
from liaison.services.pages.record import Record
from liaison.services.signals import adoption

Tree = dict[str, Any]

# What the conditions of the library's definitions look at, and how much of it at most, newest first.
LOOKED_AT: Final = {
    "Condition": 200,
    "Observation": 1000,
    "CareTeam": 20,
    "Immunization": 100,
    "Procedure": 200,
    "Encounter": 500,
    "Task": 500,
    "Consent": 50,
}


async def library(record: Record) -> Library:
    """The protocols in force here: what was published, and what is shipped."""
    store = record.engine.store
    return await published.in_force(store.database.reading, store.vault)


async def protocols(record: Record) -> list[Tree]:
    """The PlanDefinitions that can be applied to a person, each in its latest version; a set of rules is none, nor is one that
    was retired."""
    plans = (await library(record)).current().of_type("PlanDefinition")
    return [plan for plan in plans if plan["status"] == "active" and not is_rules(plan)]


async def what_is_seen(record: Record, patient: str) -> list[Tree]:
    """The part of the record that decides which steps apply, and who does them: only what this caller may see of it. A team in
    it says what its members do (`members`)."""

    query = {"patient": patient, "_count": "200"}
    found = await asyncio.gather(*(record.found(type_, query, most=most) for type_, most in LOOKED_AT.items()))
    person = await record.read(patient)
    seen = dict(zip(LOOKED_AT, found, strict=True))
    seen["CareTeam"] = await with_functions(record, seen["CareTeam"])
    return [*([person] if person else []), *(tree for trees in seen.values() for tree in trees)]


async def proposal(
    record: Record,
    patient: str,
    canonical: str,
    on: date,
    *,
    chosen: Sequence[str] = (),
    declined: Sequence[str] = (),
    context: Mapping[str, Any] = NOTHING,
) -> Proposal:
    """The preview of a plan. KeyError when the library has no such definition; CannotApply names what of it cannot be."""
    known = await library(record)
    off = await undecided(record, known.tree(canonical))
    seen = await what_is_seen(record, patient)
    return propose(
        known, canonical, patient, seen, on, undecided=off, chosen=chosen, declined=declined, context=context
    )


async def undecided(record: Record, plan: Tree) -> frozenset[str]:
    """The classes of a person that this protocol would compute, and does not here (docs/intended-purpose.md)."""
    store = record.engine.store
    return await adoption.undecided(store.database.reading, store.vault, plan)


async def in_force(record: Record, patient: str, canonical: str) -> list[Tree]:
    """The active plans of this person, as far as this caller sees, that follow the same definition, in any version."""
    definition = canonical.partition("|")[0]
    plans = await record.search("CarePlan", {"patient": patient, "status": "active", "_count": "100"})
    return [
        plan
        for plan in plans
        if any(str(one).partition("|")[0] == definition for one in plan.get("instantiatesCanonical") or ())
    ]


class AlreadyInForce(Exception):
    """The person follows this definition already; `plans` are those that the caller sees."""

    def __init__(self, plans: list[Tree]) -> None:
        self.plans = plans
        super().__init__()


async def write(
    record: Record, made: Proposal, author: Tree, at: datetime, care_teams: Sequence[str], *, again: bool
) -> Tree:
    """Writes the proposal in one transaction and gives back the CarePlan. Raises Refused: then nothing is written.

    Raises AlreadyInForce unless `again`: also when somebody else applies the same at this moment.
    """
    store, definition = record.engine.store, made.canonical.partition("|")[0]
    async with store.alone([store.lock_token_of("CarePlan", f"{made.subject} {definition}")]):
        if not again and (plans := await in_force(record, made.subject, made.canonical)):
            raise AlreadyInForce(plans)
        references = await record.transact(carry_out(made, author, at, care_teams=care_teams))
    plan = await record.read(references[0])
    assert plan is not None, "the caller sees what they have just written"
    return plan
