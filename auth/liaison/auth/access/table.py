"""A decision table as the code reads it, checked when loaded, never interpreted twice. `rules.yaml` is the packaged one.

A name that is not known (role, relation, class, condition) stops the start: a rule that is not understood may not be
skipped. The rows keep the numbers of the table; `number` is what access_grant and the journal store.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache, cached_property, lru_cache, reduce
from hashlib import sha256
from importlib import resources
from itertools import chain, combinations
from operator import or_
from typing import Any, Final, Literal, get_args

from liaison.auth.access import yaml_text
from liaison.auth.access.classes import EVERYTHING, NOT_BY_CONSENT, Class, union
from liaison.auth.access.purposes import Purpose
from liaison.auth.access.relations import Relation
from liaison.auth.access.roles import ROLES
from liaison.fhir.definitions import RESOURCE_TYPES

Of = Literal["all", "own", "service", "addressed", "addressed-in-person"]
When = Literal["informed", "mental-health", "attending"]
Extent = Literal["classes", "consent", "same"]


@dataclass(frozen=True, slots=True)
class Line:
    """One grant of the table. With `extent` 'consent' the classes are those of the Consent, cut to `within`, which never
    holds what no consent opens; of a representative, those that the person agreed to themselves. With 'same' those of the person acted for, less `limit`. `purpose` None is the role's own."""

    number: int
    roles: frozenset[str]
    relations: frozenset[Relation]
    purpose: Purpose | None
    of: Of
    when: frozenset[When]
    extent: Extent
    read: Class
    write: Class
    within: Class
    limit: Class


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table: its label, its number, and what a person reads on the page of rules.

    `types` limits what those who write by this row may write at all, by whichever row: resource types, each alone or
    with the search that a resource must meet ('Encounter?class=HH'). Empty: any type."""

    label: str
    number: int
    text: str
    basis: str
    lines: tuple[Line, ...]
    types: tuple[str, ...] = ()


@dataclass(frozen=True)  # without slots: what is asked of it for every person and record is worked out once
class Table:
    version: str
    dated: date
    rows: tuple[Row, ...]

    @cached_property
    def lines(self) -> tuple[Line, ...]:
        return tuple(line for row in self.rows for line in row.lines)

    def for_role(self, role: str) -> tuple[Line, ...]:
        return self._by_role.get(role, ())

    @cached_property
    def _by_role(self) -> dict[str, tuple[Line, ...]]:
        return {role: tuple(line for line in self.lines if role in line.roles) for role in ROLES}

    def for_relation(self, role: str, relation: Relation) -> tuple[Line, ...]:
        """Those of the role's lines that rest on this relation."""
        return self._by_relation.get((role, relation), ())

    @cached_property
    def _by_relation(self) -> dict[tuple[str, Relation], tuple[Line, ...]]:
        found: dict[tuple[str, Relation], tuple[Line, ...]] = {}
        for role, lines in self._by_role.items():
            for line in lines:
                for relation in line.relations:
                    found[role, relation] = (*found.get((role, relation), ()), line)
        return found

    def resting_on(self, relation: Relation) -> tuple[str, ...]:
        """The roles to which a line gives something by this relation."""
        return self._roles.get(relation, ())

    @cached_property
    def _roles(self) -> dict[Relation, tuple[str, ...]]:
        found: dict[Relation, tuple[str, ...]] = {}
        for role, relation in self._by_relation:
            found[relation] = (*found.get(relation, ()), role)
        return found

    @cached_property
    def situations(self) -> frozenset[Class]:
        """What the lines let somebody read: of each role, by each relation, for each part of the conditions that hold."""
        found: set[Class] = set()
        for lines in self._by_role.values():
            for relation in {relation for line in lines for relation in line.relations}:
                own = [(line.read, _conditions(line)) for line in lines if relation in line.relations]
                every = sorted(set().union(*(conditions for _, conditions in own)))
                for holding in chain.from_iterable(combinations(every, size) for size in range(len(every) + 1)):
                    read = (mask for mask, conditions in own if conditions <= set(holding))
                    found.add(reduce(or_, read, Class(0)))
        return frozenset(found)

    def types_for(self, role: str) -> tuple[str, ...]:
        """What the role may write, where a row says; () when none does."""
        return self._types.get(role, ())

    @cached_property
    def _types(self) -> dict[str, tuple[str, ...]]:
        limited = [(row.types, {role for line in row.lines for role in line.roles}) for row in self.rows if row.types]
        return {role: tuple(one for types, roles in limited if role in roles for one in types) for role in ROLES}


def _conditions(line: Line) -> frozenset[str]:
    return line.when | ({line.of} if line.of != "all" else frozenset[str]())


class BadTable(ValueError):
    """The table holds something that is not understood."""


_LABEL: Final = re.compile(r"(\d{1,2})([a-z]?)")


def number_of(label: str) -> int:
    """'10b' → 102, '2' → 20: stored in access_grant.rule."""
    match = _LABEL.fullmatch(label)
    if match is None:
        raise BadTable(f"{label!r} is not the number of a row")
    return int(match[1]) * 10 + (ord(match[2]) - 96 if match[2] else 0)


def label_of(number: int) -> str:
    """The row of a stored rule, as the journal shows it."""
    return f"{number // 10}{chr(96 + number % 10) if number % 10 else ''}"


def parse(text: str) -> Table:
    """Raises BadTable for anything that is not understood."""
    return understood(yaml_text.load(text))


def understood(data: Any) -> Table:
    """What the YAML of a table holds. Raises BadTable for anything that is not understood."""
    try:
        groups = {name: tuple(members) for name, members in data["groups"].items()}
        rows = tuple(_row(row, groups) for row in data["rows"])
        _only(data, {"version", "date", "groups", "rows"})
        if type(data["date"]) is not date:
            raise BadTable(f"date: {data['date']!r} is not a day, as in 2026-11-22")
        return Table(_words(data, "version"), data["date"], rows)
    except (KeyError, TypeError, AttributeError) as error:
        raise BadTable(f"the table lacks or misnames {error}") from None


def _row(row: Mapping[str, Any], groups: Mapping[str, Sequence[str]]) -> Row:
    _only(row, {"row", "text", "basis", "lines", "types"})
    number = number_of(row["row"])
    types = tuple(row.get("types", ()))
    if unknown := {one.partition("?")[0] for one in types} - RESOURCE_TYPES:
        raise BadTable(f"row {row['row']}: unknown resource types {sorted(unknown)}")
    lines = tuple(_line(number, line, groups) for line in row["lines"])
    return Row(row["row"], number, _words(row, "text"), _words(row, "basis"), lines, types)


def _words(given: Mapping[str, Any], name: str) -> str:
    if not isinstance(given[name], str) or not given[name].strip():
        raise BadTable(f"{name}: {given[name]!r} is no text")
    return str(given[name])


_KEYS: Final = {"roles", "relations", "purpose", "of", "when", "read", "write", "within", "limit"}


def _only(given: Mapping[str, Any], known: set[str]) -> None:
    if unknown := given.keys() - known:
        raise BadTable(f"unknown words: {sorted(unknown)}")


def _line(number: int, line: Mapping[str, Any], groups: Mapping[str, Sequence[str]]) -> Line:
    _only(line, _KEYS)
    read = line["read"]
    extent: Extent = "consent" if read == "consent" else "same" if read == "same" else "classes"
    of, when = line.get("of", "all"), frozenset(line.get("when", ()))
    if of not in get_args(Of) or not when <= set(get_args(When)):
        raise BadTable(f"row {label_of(number)}: of {of!r}, when {sorted(when)}")
    purpose, relations = line["purpose"], frozenset(Relation[name.upper()] for name in line["relations"])
    consented = extent == "consent" and relations & {Relation.CONSENT, Relation.REPRESENTED}
    return Line(
        number,
        _roles(line["roles"], groups),
        relations,
        None if purpose == "own" else Purpose[purpose],
        of,
        when,
        extent,
        union(read) if extent == "classes" else Class(0),
        union(line["write"]) if isinstance(line["write"], list) else Class(0),
        (union(line["within"]) if "within" in line else EVERYTHING) & ~(NOT_BY_CONSENT if consented else 0),
        union(line.get("limit", ())),
    )


def _roles(names: Iterable[str], groups: Mapping[str, Sequence[str]]) -> frozenset[str]:
    found = {role for name in names for role in groups.get(name, (name,))}
    if unknown := found - ROLES.keys():
        raise BadTable(f"unknown roles: {sorted(unknown)}")
    return frozenset(found)


@cache
def packaged_text() -> str:
    """The file shipped with this version, as it is."""
    return resources.files(__package__).joinpath("rules.yaml").read_text("utf-8")


@cache
def packaged() -> Table:
    """The table shipped with this version. Which one is in force, the base says: liaison.auth.access.adopted."""
    return parse(packaged_text())


@lru_cache(maxsize=16)  # asked for the same texts at each write
def digest_of(text: str) -> str:
    """By which a table is recognised, whatever it calls its version."""
    return sha256(text.encode()).hexdigest()
