"""Search parameters: those of R4 as HL7 defines them, none left out, and those that the territory has added.

http://hl7.org/fhir/R4/searchparameter-registry.html. What was added is in force for one piece of work at a time
(`Custom.in_force`): within it these functions know it, elsewhere they know R4's alone.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Final

import orjson

from liaison.fhir.definitions.types import DIRECTORY_TYPES, RESOURCE_TYPES

_FILE = Path(__file__).parent / "data" / "parameters.json"
# http://hl7.org/fhir/R4/resource.html: these three derive from Resource directly, without narrative.
_NOT_DOMAIN = frozenset({"Bundle", "Binary", "Parameters"})


@dataclass(frozen=True, slots=True)
class Component:
    """One part of a composite: `parameter` is the id of the parameter that types it, `expression` starts at the
    element that the composite's own expression gives."""

    parameter: str
    expression: str


FIRST_ADDED: Final = 20_000
LAST_ADDED: Final = 32_767
"""Numbers of what was added: a smallint, far above R4's."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """What an added parameter lets a search say. None: whatever its type lets it."""

    several: bool = True  # values joined by commas (multipleOr)
    repeated: bool = True  # given more than once (multipleAnd)
    modifiers: frozenset[str] | None = None
    comparators: frozenset[str] | None = None
    chain: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class SearchParameter:
    """`number` is unique over all parameters and stable: rows of the index carry it.

    One definition may serve many types (`clinical-patient`); it then has one number. `expression` is the whole FHIRPath
    as published, for all its bases; it is empty for _text, _content and _query, which no path can give. `url` is that
    of an added one, whose `id` is of no meaning.
    """

    number: int
    id: str
    code: str
    type: str  # string token date reference uri quantity number composite special
    base: tuple[str, ...]
    expression: str
    target: tuple[str, ...]
    components: tuple[Component, ...]
    url: str = ""
    allowed: Allowed | None = None

    def __hash__(self) -> int:
        # What is asked of a parameter is kept by it, and looked up for each row: the whole of it takes longer than most answers.
        return self.number

    @property
    def added(self) -> bool:
        """Whether it is none of R4's."""
        return self.number >= FIRST_ADDED

    @property
    def canonical(self) -> str:
        """The canonical URL of its definition."""
        return self.url or f"http://hl7.org/fhir/SearchParameter/{self.id}"


@dataclass(frozen=True, slots=True, eq=False)
class Custom:
    """The parameters that a territory has added, as of one `revision`.

    Those that are `ready` can be searched by. Those that are not yet are kept for what is written meanwhile. `since`
    says from when on each number could be searched by.
    """

    revision: int = 0
    ready: tuple[SearchParameter, ...] = ()
    waiting: tuple[SearchParameter, ...] = ()
    since: Mapping[int, datetime] = field(default_factory=dict)
    _asked: dict[str, Mapping[str, SearchParameter]] = field(default_factory=dict)
    _kept: dict[str, tuple[SearchParameter, ...]] = field(default_factory=dict)

    @contextmanager
    def in_force(self) -> Iterator[None]:
        """Within, what was added counts: for the task that enters, and those it starts."""
        token = _IN_FORCE.set(self)
        try:
            yield
        finally:
            _IN_FORCE.reset(token)

    @property
    def empty(self) -> bool:
        return not self.ready and not self.waiting

    def named_in(self, text: str) -> bool:
        """Whether the text may name one of them: it then holds a code."""
        return any(one.code in text for one in (*self.ready, *self.waiting))

    def kept(self, type_: str) -> tuple[SearchParameter, ...]:
        """Those whose values are kept of resources of the type, ready or not."""
        if type_ not in self._kept:
            self._kept[type_] = tuple(one for one in (*self.ready, *self.waiting) if is_of(one, type_))
        return self._kept[type_]

    def asked(self, type_: str) -> Mapping[str, SearchParameter]:
        """All parameters of the type by which one can search, R4's and these."""
        if type_ not in self._asked:
            own = {one.code: one for one in self.ready if is_of(one, type_)}
            official = official_parameters(type_)
            self._asked[type_] = MappingProxyType({**official, **own}) if own else official
        return self._asked[type_]

    def is_waiting(self, type_: str, code: str) -> bool:
        """Whether it will be a parameter of the type once what is stored is indexed."""
        return any(one.code == code and is_of(one, type_) for one in self.waiting)

    def numbered(self, number: int) -> SearchParameter:
        """KeyError when there is none."""
        for one in (*self.ready, *self.waiting):
            if one.number == number:
                return one
        raise KeyError(number)


NONE_ADDED: Final = Custom()
_IN_FORCE: ContextVar[Custom] = ContextVar("liaison.search_parameters", default=NONE_ADDED)


def in_force() -> Custom:
    """What was added and counts here."""
    return _IN_FORCE.get()


def is_of(parameter: SearchParameter, type_: str) -> bool:
    """Whether it is a parameter of the type, by itself or by a type above it."""
    return not _bases(type_).isdisjoint(parameter.base)


@cache
def _bases(type_: str) -> frozenset[str]:
    return frozenset({type_, "Resource"} if type_ in _NOT_DOMAIN else {type_, "Resource", "DomainResource"})


@cache
def _all() -> tuple[SearchParameter, ...]:
    found = tuple(
        SearchParameter(
            number, id_, code, type_, tuple(base), expression, tuple(target), tuple(Component(*part) for part in parts)
        )
        for number, id_, code, type_, base, expression, target, parts in orjson.loads(_FILE.read_bytes())
    )
    # Of one, RequestGroup's instantiates-canonical, R4 names no target: a canonical leads to any definition.
    urls = {base for one in found if (one.code, one.type) == ("url", "uri") for base in one.base}
    definitions = tuple(sorted(urls & DIRECTORY_TYPES))
    return tuple(
        replace(one, target=definitions) if one.type == "reference" and not one.target else one for one in found
    )


@cache
def parameter_by_id(id_: str) -> SearchParameter:
    """The parameter whose definition has this id ('clinical-code'). KeyError when there is none."""
    for parameter in _all():
        if parameter.id == id_:
            return parameter
    raise KeyError(id_)


@cache
def _by_number() -> Mapping[int, SearchParameter]:
    return {parameter.number: parameter for parameter in _all()}


def parameter_by_number(number: int) -> SearchParameter:
    """The parameter that has this number. KeyError when there is none."""
    found = _by_number().get(number)
    return in_force().numbered(number) if found is None else found


@cache
def official_parameters(type_: str) -> Mapping[str, SearchParameter]:
    """R4's parameters of one type by code, those of Resource and DomainResource included. KeyError for no R4 type.

    Control parameters that are no SearchParameter (_count, _sort, _include, _has, _list…) are not here.
    """
    if type_ not in RESOURCE_TYPES:
        raise KeyError(type_)
    return MappingProxyType({p.code: p for p in _all() if is_of(p, type_)})


def search_parameters(type_: str) -> Mapping[str, SearchParameter]:
    """All parameters of one type by code, those added and ready too. KeyError for no R4 type."""
    custom = in_force()
    return custom.asked(type_) if custom.ready else official_parameters(type_)


def kept_parameters(type_: str) -> Sequence[SearchParameter]:
    """Those added whose values are kept of what is written, those not ready yet too."""
    return in_force().kept(type_)
