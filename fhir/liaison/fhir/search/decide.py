"""What tokens cannot decide: the values of visible versions, after decryption, within a budget (design §4).

SQL has narrowed by right, type, class and every criterion it can decide. What is left is opened, and each criterion is
asked of its parameter's `matches`. Values of people and places are kept, decrypted, in a bounded cache keyed by version:
a version never changes, and SQL has said for this very request that the caller may see it.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Container, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple
from weakref import WeakKeyDictionary

from liaison.fhir import model
from liaison.fhir.definitions import in_force, type_of
from liaison.fhir.errors import TooCostly
from liaison.fhir.model.abridging import abridged
from liaison.fhir.model.subset import untagged
from liaison.fhir.search import expression, words
from liaison.fhir.search.criteria import Criterion, Facts
from liaison.fhir.search.expression import Expression, Tested
from liaison.fhir.search.kinds import kind_for
from liaison.fhir.search.plan import Alternatives
from liaison.fhir.search.sort import MAIN_DATE
from liaison.fhir.store.contract import Key, Row, Tree
from liaison.fhir.store.rows import open_
from liaison.fhir.vault import PatientKey, Vault

BUDGET: Final = 200_000
"""Visible bodies that one search may open."""

KEPT: Final = 20_000
CACHED: Final = frozenset(
    [
        "Patient",
        "RelatedPerson",
        "Person",
        "Practitioner",
        "PractitionerRole",
        "Organization",
        "Location",
        "HealthcareService",
    ]
)
_BREATH: Final = 50  # bodies between two turns of the event loop


class Candidate(NamedTuple):
    """A visible version that may match, with its classes as they are stored. `row` is None when only its key was read."""

    key: Key
    version: int
    at: datetime
    moment: datetime
    row: Row | None
    classes: int = 0


class Known:
    """Extracted values of the most recently searched people and places. Holds clear text in memory: never log it."""

    def __init__(self, most: int = KEPT) -> None:
        self._most = most
        self.custom = in_force()
        self._values: OrderedDict[tuple[Key, int], dict[int, list[Any]]] = OrderedDict()

    def get(self, key: Key, version: int) -> dict[int, list[Any]] | None:
        found = self._values.get((key, version))
        if found is not None:
            self._values.move_to_end((key, version))
        return found

    def put(self, key: Key, version: int, values: dict[int, list[Any]]) -> None:
        self._values[key, version] = values
        if len(self._values) > self._most:
            self._values.popitem(last=False)


_known: "WeakKeyDictionary[Vault, Known]" = WeakKeyDictionary()


def known_of(vault: Vault) -> Known:
    """The cache of the process that opened this vault. It begins anew with other search parameters."""
    known = _known.get(vault)
    if known is None or known.custom is not in_force():
        known = _known[vault] = Known()
    return known


class Budget:
    """Counts the bodies that one search has opened."""

    def __init__(self, most: int = BUDGET) -> None:
        self._left = self._most = most

    def spend(self, count: int) -> None:
        """Raises TooCostly once more than the budget is spent."""
        self._left -= count
        self.check(0)

    def check(self, count: int) -> None:
        """Raises TooCostly if so many more would be too many."""
        if self._left < count:
            raise TooCostly(
                f"This search would have to open more than {self._most} records. Add a patient, a code, a category or "
                "a date to it, or a parameter that needs no text, so that fewer are left."
            )


def holds(criterion: Criterion, facts: Facts) -> bool:
    """Whether one criterion holds, from the facts alone."""
    if isinstance(criterion, Expression):
        return expression.holds(criterion, lambda part: holds(part, facts))
    code = criterion.parameter.code
    values: Sequence[Any]
    if code == "_id":
        values = (facts.id_,) if facts.id_ else ()
    elif code == "_lastUpdated":
        values = () if facts.updated is None else (facts.updated,)
    else:
        values = facts.values.get(criterion.parameter.number, ())
    if criterion.modifier == "missing":
        return (not values) is criterion.operands[0]
    if isinstance(criterion, Tested):
        return any(map(criterion.test, values))
    return kind_for(criterion).matches(values, criterion)


def satisfies(facts: Facts, criteria: Sequence[Criterion], bound: Alternatives) -> bool:
    """Whether all criteria hold and, if there is a bound, one of its groups whole."""
    if not all(holds(one, facts) for one in criteria):
        return False
    return not bound or any(all(holds(one, facts) for one in group) for group in bound)


async def values_of(
    rows: Sequence[Row], keys: dict[int, PatientKey], only: frozenset[int] | None, abridging: Container[int] = ()
) -> list[dict[int, list[Any]] | None]:
    """The values of each row, of some parameters if `only` names them; None when its patient was erased meanwhile. `abridging`:
    the kinds of which the caller is shown what is left without names."""
    # What was stored has been within the limits; only texts need the reader that keeps the digits of numbers.
    texts = texts_of(only)
    read: Callable[[bytes], Tree] = model.read if texts else model.glance
    found: list[dict[int, list[Any]] | None] = []
    for count, row in enumerate(rows, 1):
        key = keys.get(row.key.patient)
        if key is None:
            found.append(None)
        else:
            tree = read(open_(key, row))
            shown = untagged(abridged(tree)) if row.key.kind in abridging else tree
            found.append(values_in(type_of(row.key.kind), shown, only, texts))
        if count % _BREATH == 0:
            await asyncio.sleep(0)
    return found


def texts_of(only: frozenset[int] | None) -> tuple[int, ...]:
    """The parameters among these that look at whole texts."""
    return () if only is None else tuple(words.TEXTS.keys() & only)


def values_in(type_: str, tree: Tree, only: frozenset[int] | None, texts: Sequence[int] = ()) -> dict[int, list[Any]]:
    """The values of one resource, by number; the main date when `only` asks for it."""
    found: dict[int, list[Any]] = model.extract(type_, tree, only)
    if only is not None and MAIN_DATE in only and (moment := model.clinical(type_, tree)) is not None:
        found[MAIN_DATE] = [moment]
    for number in texts:
        found[number] = words.value_of(number, tree)
    return found
