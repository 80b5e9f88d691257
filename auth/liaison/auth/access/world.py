"""What grants are computed from: the facts of one patient, the roles people hold, the structures, the clients."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, NamedTuple

from liaison.auth.access.classes import Class
from liaison.auth.access.intervals import ALWAYS, Interval
from liaison.auth.access.purposes import Purpose
from liaison.auth.access.relations import Relation


class Source(NamedTuple):
    """The resource that states a fact."""

    kind: int
    res: int


_NOWHERE = Source(0, 0)


@dataclass(frozen=True, slots=True)
class Fact:
    """One row of `relation`. `principal` 0 means everyone, where the relation allows it."""

    principal: int
    relation: Relation
    during: Interval = ALWAYS
    organization: int = 0
    detail: Mapping[str, Any] = field(default_factory=dict)
    source: Source = _NOWHERE
    ordinal: int = 0


@dataclass(frozen=True, slots=True)
class Held:
    """One row of `held_role` that is active."""

    role: int
    practitioner: int
    organization: int
    role_code: str
    during: Interval = ALWAYS
    acts_for: int = 0


@dataclass(frozen=True, slots=True)
class SystemClient:
    """One active backend client, with what was registered for it."""

    client: int
    organization: int
    role_code: str
    purpose: Purpose


class Offices(NamedTuple):
    """Organisations whose auditors answer for the whole territory; of each other one with auditors, itself and its parts."""

    mandated: frozenset[int] = frozenset()
    parts: Mapping[int, frozenset[int]] = {}


_NO_OFFICES: Final = Offices()


@dataclass(frozen=True)  # without slots: what is asked of it for everyone who holds a role is worked out once
class World:
    """Everything that bears on one patient's grants. `wholes` maps an organisation to those it is part of; `persons` each
    role that a denial names to who holds it, or held it: who opposes someone opposes them in every role."""

    facts: Sequence[Fact]
    held: Sequence[Held] = ()
    wholes: Mapping[int, Sequence[int]] = field(default_factory=dict)
    clients: Sequence[SystemClient] = ()
    persons: Mapping[int, int] = field(default_factory=dict)
    offices: Offices = _NO_OFFICES
    resting: Sequence[Fact] = ()
    """Facts that give no right while the record is archived."""

    @property
    def around(self) -> Iterator[Fact]:
        """Every fact, whether or not it gives a right."""
        yield from self.facts
        yield from self.resting

    def holding(self, principal: int) -> Sequence[Held]:
        """The roles of this number: the role itself, or those of the person."""
        return self._by_holder.get(principal, ())

    @cached_property
    def _by_holder(self) -> dict[int, list[Held]]:
        found: dict[int, list[Held]] = {}
        for one in self.held:
            for number in {one.role, one.practitioner} - {0}:
                found.setdefault(number, []).append(one)
        return found

    def about(self, principal: int) -> Sequence[Fact]:
        """The facts that name this principal."""
        return self._by_principal.get(principal, ())

    def stated(self, relation: Relation) -> Sequence[Fact]:
        """The facts of this relation."""
        return self._by_relation.get(relation, ())

    @cached_property
    def _by_principal(self) -> dict[int, list[Fact]]:
        found: dict[int, list[Fact]] = {}
        for fact in self.facts:
            found.setdefault(fact.principal, []).append(fact)
        return found

    @cached_property
    def _by_relation(self) -> dict[Relation, list[Fact]]:
        found: dict[Relation, list[Fact]] = {}
        for fact in self.facts:
            found.setdefault(fact.relation, []).append(fact)
        return found

    def structures(self, organization: int) -> tuple[int, ...]:
        """The organisation and what it is part of; () for none."""
        return (organization, *self.wholes.get(organization, ())) if organization else ()


class Whose(NamedTuple):
    """What a grant asks of a row: '' nothing, else its author, service or addressee, as (type, res)."""

    column: str = ""
    type_: str = ""
    res: int = 0


ANYONES = Whose()


class Right(NamedTuple):
    """One row of `access_grant`, before the patient's key hides it."""

    principal: int
    purpose: Purpose
    read: Class
    write: Class
    rule: int
    relation: Relation
    during: Interval
    whose: Whose = ANYONES
