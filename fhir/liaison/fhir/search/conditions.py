"""What SQL can decide about a visible row, as data. Only liaison.fhir.search.sql turns a condition into SQL text.

A condition is exact: it holds for a row if, and only if, the criterion it stands for holds for that version. What
cannot be said this way is decided after decryption, by the `matches` of its parameter type.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

BEGINNING: Final = datetime.min
END: Final = datetime.max
"""PostgreSQL's -infinity and infinity, as asyncpg writes and reads them: the only naive datetimes of this package."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """Some index row of `param` carries the token of one of `values`; with `negated`, none does."""

    param: int
    values: tuple[bytes, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Linked:
    """Some index row of `param` names one of these resources: those of `shared` in any record, those of `own` in the
    record of that patient (0: in the directory)."""

    param: int
    shared: tuple[bytes, ...]
    own: Mapping[int, tuple[bytes, ...]]

    def of(self, patient: int) -> tuple[bytes, ...]:
        """What is looked for in one record."""
        return (*self.shared, *self.own.get(patient, ()))


@dataclass(frozen=True, slots=True)
class Present:
    """The version has some index row of `param`, in the token table or in the date table; or has none."""

    param: int
    dates: bool
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Bound:
    """`side` ('low' or 'high') of a range compared with a moment; `operator` is one of < <= > >=."""

    side: str
    operator: str
    moment: datetime


@dataclass(frozen=True, slots=True)
class Range:
    """Some date row of `param` satisfies every bound; with `inverted`, some date row fails at least one of them."""

    param: int
    bounds: tuple[Bound, ...]
    inverted: bool = False


@dataclass(frozen=True, slots=True)
class Updated:
    """meta.lastUpdated, an instant, lies within the bounds; with `inverted`, it does not."""

    bounds: tuple[Bound, ...]
    inverted: bool = False


@dataclass(frozen=True, slots=True)
class Ids:
    """The row is one of these resources, by the 64 bits of their ids; with `negated`, none of them."""

    res: tuple[int, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Named:
    """The row is one of these resources, by patient and `res`: many of them, found out on the way."""

    resources: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Owners:
    """The row belongs to one of these patients."""

    patients: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Proven:
    """This patient has rows of the type searched that name it in one of these ways: the id asked for is the Patient's.

    Only for types each of whose rows names its owner. An id gives its patient by itself, whatever resource it is of:
    without this, `patient=<id of an Observation>` would answer like the Patient's own id.
    """

    patient: int
    param: int
    values: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Marked:
    """The row names something that not everyone who sees it may know of (store contract, NAMES_HIDDEN). `bit` gives the
    mark as the rows of a patient carry it."""

    bit: Callable[[int], int]


@dataclass(frozen=True, slots=True)
class Not:
    """This does not hold."""

    of: "Condition"


@dataclass(frozen=True, slots=True)
class Any:
    """At least one of these holds; with no conditions, nothing does."""

    of: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class All:
    """Every one of these holds; with no conditions, everything does."""

    of: tuple["Condition", ...]


Condition = Tokens | Linked | Present | Range | Updated | Ids | Named | Owners | Proven | Marked | Not | Any | All


_INSTANT: Final = timedelta(milliseconds=1)


def instants(bounds: Iterable[Bound]) -> tuple[Bound, ...]:
    """The same bounds for the start of an instant, whose range is one millisecond long: the precision of
    meta.lastUpdated."""
    return tuple(one if one.side == "low" else Bound("low", one.operator, _earlier(one.moment)) for one in bounds)


def _earlier(moment: datetime) -> datetime:
    try:
        return moment - _INSTANT
    except OverflowError:
        return BEGINNING


def any_of(conditions: Iterable[Condition | None]) -> Condition | None:
    """Their disjunction, or None as soon as one of them cannot be said."""
    found = tuple(conditions)
    if any(condition is None for condition in found):
        return None
    known = tuple(condition for condition in found if condition is not None)
    return known[0] if len(known) == 1 else Any(known)


def all_of(conditions: Iterable[Condition | None]) -> Condition | None:
    """Their conjunction, or None as soon as one of them cannot be said."""
    found = tuple(conditions)
    if any(condition is None for condition in found):
        return None
    known = tuple(condition for condition in found if condition is not None)
    return known[0] if len(known) == 1 else All(known)


def implied_patients(condition: Condition) -> frozenset[int] | None:
    """Patients outside of whom the condition cannot hold, or None when it says nothing about that."""
    match condition:
        case Owners(patients):
            return frozenset(patients)
        case Named(resources):
            return frozenset(patient for patient, _ in resources)
        case Linked(_, shared, own):
            return None if shared else frozenset(own)
        case All(of):
            known = [found for one in of if (found := implied_patients(one)) is not None]
            return frozenset.intersection(*known) if known else None
        case Any(of):
            each = [implied_patients(one) for one in of]
            said = [found for found in each if found is not None]
            return frozenset().union(*said) if len(said) == len(each) else None
        case _:
            return None


def values_in(condition: Condition) -> int:
    """How many tokens the condition needs for each patient looked at."""
    match condition:
        case Tokens(_, values, _):
            return len(values)
        case All(of) | Any(of):
            return sum(map(values_in, of))
        case Not(of):
            return values_in(of)
        case _:
            return 0
