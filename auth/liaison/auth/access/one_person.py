"""The records of the one person of an identity, for those who help in an emergency or answer a call.

Enough is an INS, or the birth name, first given name, birth date and sex. An INS or birthplace, when both sides have it, may not
contradict; nor may any trait. Anyone who receives people may open a second record of somebody, knowingly or not: a refusal
would then leave the person without help. So of several that fit, the one with the INS that was stated is the person's; and
without an INS, all are, as long as none contradicts another: two matricules, two birthplaces, or a decision that they are two
people (`duplicates`) are two people, and then nobody is found. Emergency access opens them all, and what the person has
objected in one of them holds in all; a call opens one record or none, since whoever calls can be asked.
"""

from collections.abc import Iterable
from itertools import combinations
from typing import Final

from liaison.auth.access import duplicates, identity
from liaison.auth.access.finding import Finder, Known, require_traits
from liaison.auth.access.oppositions import opposed_to
from liaison.auth.access.traits import traits_of
from liaison.auth.caller import Caller
from liaison.fhir.definitions import kind_of
from liaison.fhir.store import Store
from liaison.fhir.store.contract import Tree

MOST: Final = 5
"""Records that are opened at once; of more, the surest."""
_PATIENT: Final = kind_of("Patient")


async def records_of(finder: Finder, patient: Tree, base_url: str) -> list[Known]:
    """The surest first: a checked identity before a provisional one, then the oldest record. Empty for nobody. Raises
    BadRequest when too little is stated."""
    stated = set(identity.matricules(patient))
    fitting = await _fitting(finder, patient, stated)
    numbered = [one for one in fitting if stated & set(identity.matricules(one.tree))]
    found = numbered or fitting
    if len(found) < 2:
        return found
    if numbered or not all(_may_be_one(*pair) for pair in combinations(found, 2)):
        return []  # two records with one INS contradict the rule that it is unique
    references = {finder.store.reference(one.key) for one in found}
    apart = await duplicates.told_apart(finder.store, finder.caller, sorted(references), base_url)
    if any(duplicates.number_of(finder.store, *pair) in apart for pair in combinations(sorted(references), 2)):
        return []
    rows = await finder.store.database.reading.fetch(
        "select patient, at from version where patient = any($1::bigint[]) and kind = $2 and version = 1",
        [one.key.patient for one in found],
        _PATIENT,
    )
    begun = dict(rows)
    return sorted(found, key=lambda one: (not _is_checked(one), begun[one.key.patient], one.key))


async def _fitting(finder: Finder, patient: Tree, stated: set[tuple[str, str]]) -> list[Known]:
    given = traits_of(patient) if stated else require_traits(patient, all_of_them=False)
    found = []
    for one in await finder.candidates(patient):
        theirs = set(identity.matricules(one.tree))
        agrees = all(mine == other or not (mine and other) for mine, other in zip(given, one.traits, strict=True))
        alike = not (stated and theirs) and given.searchable and one.traits.same_as(given)
        if agrees if stated & theirs else alike:
            found.append(one)
    return found


def _may_be_one(one: Known, other: Known) -> bool:
    mine, theirs = set(identity.matricules(one.tree)), set(identity.matricules(other.tree))
    return not (mine and theirs) and one.traits.same_as(other.traits)


def _is_checked(one: Known) -> bool:
    return identity.status_of(one.tree) in identity.CHECKED or bool(identity.matricules(one.tree))


async def opposed_in_any(store: Store, caller: Caller, records: Iterable[Known], *, emergency: bool) -> bool:
    """Whether the person opposes this caller, or emergency access, in one of their records."""
    return any([await opposed_to(store, caller, one.key.patient, emergency=emergency) for one in records])
