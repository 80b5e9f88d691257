"""Rows that name something which not everyone who sees them may know of (store contract, NAMES_HIDDEN): for each caller they
match by what is left of them then, in searches, counts, orders and chains.

So do the rows of which the caller is shown an abridgement, or not all that SQL lets through: each carries the mark for them.

Their tokens stand in the index whole. So SQL is asked a question that finds all of them that may match and perhaps more
(`lenient`), and those that it finds are decided once more, on the copy that the caller is shown: by the same condition, on
the rows that the index would hold of that copy. Rows without the mark, nearly all, are decided by SQL alone.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Final

from liaison.fhir.definitions import type_of
from liaison.fhir.model import read
from liaison.fhir.model.subset import untagged
from liaison.fhir.search.conditions import (
    BEGINNING,
    END,
    All,
    Any,
    Bound,
    Condition,
    Ids,
    Linked,
    Marked,
    Named,
    Not,
    Owners,
    Present,
    Proven,
    Range,
    Tokens,
    Updated,
    instants,
)
from liaison.fhir.search.decide import Budget, Candidate
from liaison.fhir.search.index import indexed
from liaison.fhir.store.contract import FOREIGN, NAMES_HIDDEN, Caller, Indexed, Key, Row, Tree
from liaison.fhir.store.store import Store
from liaison.fhir.vault import PatientKey

_BATCH: Final = 100
_EVERY_ROW: Final = -1
"""A mark that every row has: none is visible without some class."""

KeyOf = Callable[[str, str], Key | None]


class Left:
    """What is left, for the caller of one run, of the rows it meets: `trees` of those that lose something, as far as they
    match."""

    def __init__(self, store: Store, caller: Caller, kind: int) -> None:
        self._store, self._caller = store, caller
        self._each = kind in store.filter.abridged(caller) or kind in store.filter.besides_own(caller)[0]
        self.marks = Marked(self._bit)
        self.trees: dict[Key, Tree] = {}
        self._keys: Mapping[int, PatientKey] = {}

    def look_for(self, keys: Mapping[int, PatientKey]) -> None:
        """In the records of these patients."""
        self._keys = keys

    def _bit(self, patient: int) -> int:
        if self._each:
            return _EVERY_ROW
        # Asked of those whose rows are met, mostly: to find it costs a tenth of a millisecond, the first time.
        key = self._keys.get(patient)
        return 0 if key is None else key.permute(NAMES_HIDDEN)

    async def settled(
        self,
        found: list[Candidate],
        condition: Condition,
        rows_of: Callable[[Sequence[Key]], Awaitable[list[Row]]],
        budget: Budget,
    ) -> list[Candidate]:
        """Those of what SQL found that match by what the caller may know of them. `rows_of` gives the rows of keys."""
        bits = {patient: self._bit(patient) for patient in {one.key.patient for one in found}}
        unsure = {one.key: one for one in found if one.classes & bits[one.key.patient]}
        if not unsure:
            return found
        budget.spend(len(unsure))
        known = [one.row for one in unsure.values() if one.row is not None]
        bare = [one.key for one in unsure.values() if one.row is None]
        exact = lenient(condition, self.marks) == condition
        for start in range(0, max(len(known), len(bare)), _BATCH):
            rows = known[start : start + _BATCH] + await rows_of(bare[start : start + _BATCH])
            for opened in await self._store.open_rows(self._caller, rows):
                if opened.whole or not exact:  # otherwise SQL was told all there is
                    tree = untagged(read(opened.body))
                    if not holds(condition, opened.row, tree, self._store.key):
                        continue
                    if opened.whole:
                        self.trees[opened.row.key] = tree
                del unsure[opened.row.key]
            await asyncio.sleep(0)
        return [one for one in found if one.key not in unsure]


def lenient(condition: Condition, marked: Marked) -> Condition:
    """What holds of a row whenever the condition holds of the same row with less in it. Less in it meets no more, but where
    something is denied."""
    match condition:
        case Tokens(_, _, True) | Present(_, _, True) | Not():
            return Any((condition, marked))
        case All(of):
            return All(tuple(lenient(one, marked) for one in of))
        case Any(of):
            return Any(tuple(lenient(one, marked) for one in of))
        case _:
            return condition


def holds(condition: Condition, row: Row, tree: Tree, key_of: KeyOf) -> bool:
    """Whether the condition holds of this row, were this what stands in it."""
    found = indexed(type_of(row.key.kind), tree)
    tokens = {*found.tokens, *_foreign(found, row.key, key_of)}

    def met(condition: Condition) -> bool:
        match condition:
            case Tokens(param, values, negated):
                return any((param, value) in tokens for value in values) is not negated
            case Linked(param):
                return any((param, value) in tokens for value in condition.of(row.key.patient))
            case Present(param, dates, negated):
                return any(one[0] == param for one in (found.dates if dates else tokens)) is not negated
            case Range(param, bounds, inverted):
                return any(_within(bounds, one[1], one[2]) is not inverted for one in found.dates if one[0] == param)
            case Updated(bounds, inverted):
                return _within(instants(bounds), row.at, row.at) is not inverted
            case Ids(res, negated):
                return (row.key.res in res) is not negated
            case Named(resources):
                return (row.key.patient, row.key.res) in resources
            case Owners(patients):
                return row.key.patient in patients
            case Proven(_, param, values):  # each row of the type names its owner, this one too
                return any((param, value) in tokens for value in values)
            case Marked():
                return True
            case Not(inner):
                return not met(inner)
            case Any(of):
                return any(map(met, of))
            case All(of):
                return all(map(met, of))

    return met(condition)


def _foreign(found: Indexed, own: Key, key_of: KeyOf) -> set[tuple[int, bytes]]:
    """The marks that the store puts beside references into another record."""
    targets = ((param, key_of(type_, id_)) for param, type_, id_ in found.links)
    return {(param, FOREIGN) for param, key in targets if key is not None and key.patient not in (0, own.patient)}


def _within(bounds: Sequence[Bound], low: datetime, high: datetime) -> bool:
    return all(_compared(low if one.side == "low" else high, one.operator, one.moment) for one in bounds)


def _compared(one: datetime, operator: str, other: datetime) -> bool:
    left, right = _moment(one), _moment(other)
    match operator:
        case "<":
            return left < right
        case "<=":
            return left <= right
        case ">":
            return left > right
        case _:
            return left >= right


def _moment(one: datetime) -> tuple[int, datetime]:
    """In the order of PostgreSQL, whose infinities are the only ones without a zone."""
    return (-1 if one == BEGINNING else 1 if one == END else 0), one
