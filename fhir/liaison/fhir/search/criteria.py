"""A parsed query, and what every parameter type offers. No reading, no SQL, no evaluation: only the shapes."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal, Protocol

from liaison.fhir.definitions import SearchParameter
from liaison.fhir.errors import Issue
from liaison.fhir.model.subset import Subset
from liaison.fhir.search.conditions import Condition

Total = Literal["none", "estimate", "accurate"]


@dataclass(frozen=True, slots=True)
class Context:
    """What a value may depend on beside its own text: our own base URL, and the moment of the first page.

    `now` is the moment of the first page on every page of a search, so that `ap` means the same on each.
    """

    type_: str
    base_url: str
    now: datetime
    types: tuple[str, ...] = ()
    """All types searched together, when there are several."""

    def of(self, type_: str) -> "Context":
        """The same at the end of a link, which leads to a type of its own."""
        return replace(self, type_=type_, types=())

    def without(self, has: Callable[[str], bool]) -> str:
        """The types searched that have not what is asked for, in words that are the same for each of them: so it is
        reported once."""
        if len(self.types) < 2:
            return self.type_
        lacking = [one for one in self.types if not has(one)]
        return "any of the types searched" if len(lacking) == len(self.types) else " or ".join(lacking[:5])


@dataclass(frozen=True, slots=True)
class Criterion:
    """One parameter of a query: all criteria must hold, each with at least one of its operands.

    `operands` are what the parameter's type made of the values between the commas. With modifier 'missing' the one
    operand is a bool.
    """

    name: str
    modifier: str
    parameter: SearchParameter
    operands: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class SortKey:
    """One key of _sort. Values that repeat sort by the first of them in the order asked; a missing value is lowest.

    Chained (`patient.family`), `parameter` refers to the types of `then`, each with the key that goes on from there.
    """

    parameter: SearchParameter
    descending: bool
    then: tuple[tuple[str, "SortKey"], ...] = ()


@dataclass(frozen=True, slots=True)
class Include:
    """One _include or (`reverse`) _revinclude: the references of `parameter` on `source`, to `target` if given.

    `source` '': any type. `parameter` None: all reference parameters. `iterate`: also from what was included.
    """

    source: str
    parameter: SearchParameter | None
    target: str
    reverse: bool = False
    iterate: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """All of one search. `pairs` are the parameters understood, as received: the self link shows them."""

    type_: str
    criteria: tuple[Criterion, ...] = ()
    sort: tuple[SortKey, ...] = ()
    count: int = 20
    total: Total | None = None
    count_only: bool = False
    includes: tuple[Include, ...] = ()
    pairs: tuple[tuple[str, str], ...] = ()
    ignored: tuple[Issue, ...] = ()
    subset: Subset | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """What a criterion is decided on, after decryption: identity, and the values of each parameter by number.

    `ends` are what the chained keys of an order found, in the form that is compared. A contained resource is nobody's
    to find by itself: it has neither `id_` nor `updated`.
    """

    type_: str
    id_: str
    updated: datetime | None
    values: Mapping[int, Sequence[Any]] = field(default_factory=dict)
    ends: Mapping[SortKey, Sequence[Any]] = field(default_factory=dict)


class ParameterType(Protocol):
    """What a module of a parameter type offers: token, string, date, reference, uri, number, quantity…"""

    MODIFIERS: frozenset[str]
    """Those decided, beside 'missing', which every type has. 'Type' stands for the name of a resource type."""

    def operand(self, text: str, modifier: str, parameter: SearchParameter, context: Context) -> Any:
        """What one value between commas means; `text` still has its escapes. BadRequest says what is wrong with it."""

    def index(self, value: Any) -> Iterable[bytes]:
        """The bytes to be tokenised for one value of a resource; none when tokens cannot answer for this type."""

    def narrow(self, criterion: Criterion) -> Condition | None:
        """The criterion as an exact SQL condition, or None when it is decided after decryption."""

    def matches(self, values: Sequence[Any], criterion: Criterion) -> bool:
        """Whether a resource with these values of the parameter satisfies the criterion ('missing' apart)."""
