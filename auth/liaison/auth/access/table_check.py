"""What a table of rules would change: each thing in it that is not understood, each thing that it may not be without, and
each right wider or narrower than in the table in force.

Nothing here adopts anything. A cell counts as covered only when the other table gives it on the same relationship and
purpose under no more conditions; what cannot be compared is said to be wider, never passed over.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Final, Protocol

import yaml

from liaison.auth.access import yaml_text
from liaison.auth.access.classes import EVERYTHING, Class, bits
from liaison.auth.access.relations import Relation
from liaison.auth.access.roles import ROLES
from liaison.auth.access.table import BadTable, Line, Table, packaged, parse, understood
from liaison.auth.access.table_law import against
from liaison.auth.access.table_needs import lacking, misread_types, never_leaving

_HEAD: Final = {"version": "0", "date": date(2026, 1, 1)}


def problems(text: str) -> list[str]:
    """In French, each with its line in the file; empty when the table is understood whole."""
    try:
        for event in yaml.parse(text, yaml_text.LOADER):
            if isinstance(event, yaml.AliasEvent):  # a reader has to find elsewhere what stands there, perhaps for ever
                said = f"un renvoi (*{event.anchor}) n'est pas lu, écrire la liste"
                return [f"ligne {event.start_mark.line + 1} : {said}" if event.start_mark else said]
        root = yaml.compose(text, yaml_text.LOADER)
        data = yaml_text.load(text)
    except (yaml.YAMLError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        return [f"ligne {mark.line + 1} : ce n'est pas du YAML" if mark else "ce n'est pas du YAML"]
    found = [] if not isinstance(data, Mapping) else [*twice(root), *_each(root, data)]
    if not found:
        try:
            parse(text)
        except _NOT_UNDERSTOOD as error:
            found = [f"table : {_said(error)}"]
    return found


_NOT_UNDERSTOOD: Final = (BadTable, KeyError, TypeError, AttributeError, ValueError)


def _said(error: Exception) -> str:
    return f"mot inconnu {error}" if isinstance(error, KeyError) else str(error)


def twice(node: Any) -> Iterator[str]:
    """A word written twice in one place: YAML keeps the last, a reader may keep the first."""
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if str(key.value) in seen:
                yield f"ligne {key.start_mark.line + 1} : « {key.value} » est écrit deux fois"
            seen.add(str(key.value))
            yield from twice(value)
    elif isinstance(node, yaml.SequenceNode):
        for one in node.value:
            yield from twice(one)


def refusals(text: str) -> list[str]:
    """In French, why the table cannot come into force; empty when it can."""
    if wrong := problems(text):
        return wrong
    table = parse(text)
    absent = [f"règle {label} : absente" for label in missing(packaged(), table)]
    return [*absent, *misread_types(table), *never_leaving(table), *against(table), *lacking(table)]


class Dated(Protocol):
    """A table, or a classification."""

    @property
    def dated(self) -> date: ...


def to_come(table: Dated, today: date, what: str = "la table") -> list[str]:
    """In French, why a table of a day to come is not adopted yet. `today` is the database's, not this machine's."""
    if table.dated <= today:
        return []
    return [f"{what} porte une date à venir ({table.dated}) : l'adoption est en vigueur le jour même"]


def _each(root: Any, data: Mapping[str, Any]) -> Iterator[str]:
    """Each line of each row alone, so that one mistake does not hide the next."""
    rows = next((value for key, value in root.value if key.value == "rows"), None)
    given = data.get("rows")
    if not isinstance(rows, yaml.SequenceNode) or not isinstance(given, list):
        return
    seen: set[str] = set()
    for node, row in zip(rows.value, given, strict=True):
        place = f"ligne {node.start_mark.line + 1}"
        if not isinstance(row, Mapping) or not isinstance(row.get("lines"), list):
            yield f"{place} : une ligne de la table a « row », « text », « basis » et « lines »"
            continue
        label = str(row.get("row"))
        if label in seen:
            yield f"{place} : la règle {label} est écrite deux fois"
        seen.add(label)
        yield from _tried(place, {**row, "lines": []}, data)
        marks = next(value for key, value in node.value if key.value == "lines")
        for mark, line in zip(marks.value, row["lines"], strict=True):
            whole = {**row, "types": [], "lines": [line]}
            yield from _tried(f"ligne {mark.start_mark.line + 1} (règle {label})", whole, data)


def _tried(place: str, row: Mapping[str, Any], data: Mapping[str, Any]) -> Iterator[str]:
    try:
        understood({**_HEAD, "groups": data.get("groups", {}), "rows": [row]})
    except _NOT_UNDERSTOOD as error:
        yield f"{place} : {_said(error)}"


def missing(known: Table, other: Table) -> list[str]:
    """The numbers of the rows that the other table does not have."""
    there = {row.label for row in other.rows}
    return [row.label for row in known.rows if row.label not in there]


def wider(before: Table, after: Table) -> list[str]:
    """In French, one line for each role and relationship that may do more by the table `after`."""
    return _more(before, after, ("lit aussi", "écrit aussi"))


def narrower(before: Table, after: Table) -> list[str]:
    """In French, one line for each role and relationship that may do less by the table `after`."""
    return _more(after, before, ("ne lit plus", "n'écrit plus"))


def _more(less: Table, more: Table, verbs: tuple[str, str]) -> list[str]:
    found = [one for line in more.lines for role in sorted(line.roles) for one in _beyond(less, role, line, verbs)]
    for role in sorted(ROLES):
        few, many = less.types_for(role), more.types_for(role)
        if few and (not many or set(many) - set(few)):
            types = ", ".join(sorted(set(many) - set(few))) or "tout type"
            found.append(f"{role} : {verbs[1]} {types}")
    return list(dict.fromkeys(found))


def _beyond(less: Table, role: str, line: Line, verbs: tuple[str, str]) -> Iterator[str]:
    for relation, read, write in beyond(less, role, line):
        place = f"{role}, {relation.name.lower()}, {line.of}" + "".join(f", {one}" for one in sorted(line.when))
        for verb, classes in zip(verbs, (read, write), strict=True):
            if classes:
                yield f"{place} : {verb} {', '.join(one.name or '' for one in bits(classes))}"


def beyond(less: Table, role: str, line: Line, *, alone: bool = False) -> Iterator[tuple[Relation, Class, Class]]:
    """For each relationship of the line, what the role reads and writes by it that the table `less` does not give; with `alone`,
    that it does not give on the same rows of a record, but on all of them perhaps."""
    for relation in sorted(line.relations):
        alike = [
            one
            for one in less.for_role(role)
            if relation in one.relations
            and (one.purpose or ROLES[role].purpose) is (line.purpose or ROLES[role].purpose)
            and (one.of == line.of or (one.of == "all" and not alone))
            and one.when <= line.when
        ]
        read = line.read & ~_all(one.read for one in alike)
        write = line.write & ~_all(one.write for one in alike)
        same = [one for one in alike if one.extent == line.extent]
        if line.extent == "consent":
            read |= line.within & ~_all(one.within for one in same)
        if line.extent == "same":
            lifted = _least([one.limit for one in same]) & ~line.limit
            read, write = read | lifted, write | lifted
        yield relation, read, write


def _all(masks: Iterator[Class]) -> Class:
    found = Class(0)
    for mask in masks:
        found |= mask
    return found


def _least(masks: Sequence[Class]) -> Class:
    """What every one takes away; everything when there is none to compare with."""
    found = EVERYTHING
    for mask in masks:
        found &= mask
    return found
