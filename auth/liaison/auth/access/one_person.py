"""The records of the one person of an identity, for those who help in an emergency or answer a call.

Enough is an INS, or the birth name, first given name, birth date and sex. An INS or birthplace, when both sides have it, may not
contradict; nor may any trait. Anyone who receives people may open a second record of somebody, knowingly or not: a refusal
would then leave the person without help. So of several that fit, the one with the INS that was stated is the person's; and
without an INS, all are, as long as none contradicts another: two matricules, two birthplaces, or a decision that they are two
people (`duplicates`) are two people, and then nobody is found. Emergency access opens them all, and stops at what the person
objects in any record that may be theirs, opened or not; a call opens one record or none, since whoever calls can be asked.
"""

from collections.abc import Sequence
from itertools import combinations
from typing import Final

from liaison.auth.access import duplicates, identity
from liaison.auth.access.finding import Finder, Known, candidates, require_traits
from liaison.auth.access.oppositions import opposed_to
from liaison.auth.access.traits import traits_of
from liaison.auth.caller import Caller
from liaison.fhir.definitions import kind_of
from liaison.fhir.errors import NotFound
from liaison.fhir.model import read
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
    if numbered or not all(_alike(one.tree, other.tree) for one, other in combinations(found, 2)):
        return []  # two records with one INS contradict the rule that it is unique
    references = {finder.store.reference(one.key) for one in found}
    apart = await duplicates.told_apart(finder.store, finder.caller, sorted(references), base_url)
    if any(duplicates.number_of(finder.store.vault, *pair) in apart for pair in combinations(sorted(references), 2)):
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


def may_be_the_same(one: Tree, other: Tree) -> bool:
    """Whether two Patients may be one person, if nobody has told them apart: by the same INS; or by the strict traits, with no
    other INS or birthplace."""
    return bool(set(identity.matricules(one)) & set(identity.matricules(other))) or _alike(one, other)


def _alike(one: Tree, other: Tree) -> bool:
    mine, theirs = set(identity.matricules(one)), set(identity.matricules(other))
    return not (mine and theirs) and traits_of(one).same_as(traits_of(other))


def _is_checked(one: Known) -> bool:
    return identity.status_of(one.tree) in identity.CHECKED or bool(identity.matricules(one.tree))


async def record_of(store: Store, cell: Caller, reference: str) -> Known:
    """The record that a task is about. Raises NotFound for one that is no more."""
    key = store.key("Patient", reference.removeprefix("Patient/"))
    opened = await store.read(cell, key) if key else None
    if opened is None or opened.row.deleted:
        raise NotFound
    return Known(opened.row.key, read(opened.body))


async def opposed_in_any(
    store: Store, caller: Caller, cell: Caller, records: Sequence[Known], base_url: str, *, emergency: bool
) -> bool:
    """Whether the person of these records opposes this caller, or emergency access, at this moment: in one of them, or in
    another that may be theirs, opened or not (CSP L.1111-17 I).

    May be theirs: the same INS; or the traits that the stored record has, with no other INS or birthplace, unless somebody
    told the two apart. So whoever opens a false double and objects there denies an emergency access, and gives none: until
    the two are told apart or the objection ends."""
    if any([await opposed_to(store, caller, one.key.patient, emergency=emergency) for one in records]):
        return True
    kept = {one.key.patient for one in records}
    doubles = []
    for one in records:
        for other in await candidates(store, cell, one.tree):
            if other.key.patient in kept or not may_be_the_same(one.tree, other.tree):
                continue
            if await opposed_to(store, caller, other.key.patient, emergency=emergency):
                doubles.append((store.reference(one.key), store.reference(other.key)))
    apart = await duplicates.told_apart(store, caller, sorted({one for one, _ in doubles}), base_url)
    return any(duplicates.number_of(store.vault, *pair) not in apart for pair in doubles)
