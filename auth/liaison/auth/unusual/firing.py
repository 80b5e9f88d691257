"""When each rule fires, and the facts that made it: one function a rule. What explains the opening is looked for by `watching`."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Final

from liaison.auth.journal.entry import Event
from liaison.auth.unusual.evidence import Evidence
from liaison.auth.unusual.likeness import near
from liaison.auth.unusual.openings import ONE_BY_ONE, PARIS, TOGETHER, Opening
from liaison.fhir.vault import Vault

Facts = dict[str, int | str]
Values = Mapping[str, int]
Test = Callable[[Opening, Values, Evidence, Vault], Awaitable[Facts | None]]


async def _no_relation(one: Opening, values: Values, evidence: Evidence, vault: Vault) -> Facts | None:
    there = one.opened or one.refused >= values["refusals"]
    return {"opened": one.opened, "refused": one.refused} if there else None


async def _night(one: Opening, values: Values, evidence: Evidence, vault: Vault) -> Facts | None:
    for moment in one.moments:
        local = moment.astimezone(PARIS)
        if local.hour >= values["begins"] or local.hour < values["ends"]:
            return {"hour": f"{local:%H:%M}"}
    return None


async def _after_replacement(one: Opening, values: Values, evidence: Evidence, vault: Vault) -> Facts | None:
    ended = await evidence.replaced_until(one, timedelta(days=values["days"]))
    return {"days": (one.at - ended).days} if ended is not None else None


async def _first_access(one: Opening, values: Values, evidence: Evidence, vault: Vault) -> Facts | None:
    return {} if one.opened and not await evidence.has_opened_before(one) else None


async def _deceased(one: Opening, values: Values, evidence: Evidence, vault: Vault) -> Facts | None:
    died = (await evidence.patient(one.patient)).died
    days = (one.at - died).days if died is not None else 0
    return {"days": days} if died is not None and days >= values["days"] else None


async def _oneself(one: Opening, values: Values, evidence: Evidence, vault: Vault) -> Facts | None:
    mine, theirs = await evidence.person(one.person), await evidence.patient(one.patient)
    return {} if mine.names & theirs.names else None


async def _colleague(one: Opening, values: Values, evidence: Evidence, vault: Vault) -> Facts | None:
    theirs = (await evidence.patient(one.patient)).names
    return {} if any(theirs & other.names for other in await evidence.colleagues(one)) else None


async def _same_family(one: Opening, values: Values, evidence: Evidence, vault: Vault) -> Facts | None:
    mine, theirs = await evidence.person(one.person), await evidence.patient(one.patient)
    return {} if mine.families & theirs.families else None


async def _same_address(one: Opening, values: Values, evidence: Evidence, vault: Vault) -> Facts | None:
    mine, theirs = await evidence.person(one.person), await evidence.patient(one.patient)
    return {} if mine.addresses & theirs.addresses else None


async def _far(one: Opening, values: Values, evidence: Evidence, vault: Vault) -> Facts | None:
    mine, theirs = await evidence.workplace(one.organization), await evidence.patient(one.patient)
    return None if near(vault, mine, theirs, values["digits"]) else {}


TESTS: Final[Mapping[str, Test]] = {
    "no-relation": _no_relation,
    "night": _night,
    "after-replacement": _after_replacement,
    "first-access": _first_access,
    "deceased": _deceased,
    "oneself": _oneself,
    "colleague": _colleague,
    "same-family": _same_family,
    "same-address": _same_address,
    "far": _far,
}
COUNTED: Final[Mapping[str, frozenset[Event]]] = {"burst": ONE_BY_ONE, "bulk-export": TOGETHER}
"""Rules on how many records in an hour, by which kind of request: openings.crossings."""
