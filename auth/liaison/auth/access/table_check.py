"""What a table of rules would change: each thing in it that is not understood, and each right wider than the packaged one.

Nothing here adopts anything. A cell counts as covered only when the packaged table gives it on the same relationship and
purpose under no more conditions; what cannot be compared is said to be wider, never passed over.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import yaml

from liaison.auth.access.classes import EVERYTHING, Class, bits
from liaison.auth.access.roles import ROLES
from liaison.auth.access.table import BadTable, Line, Table, parse

_HEAD: Final = 'version: "0"\ndate: 2026-01-01\n'


def problems(text: str) -> list[str]:
    """In French, each with its line in the file; empty when the table is understood whole."""
    try:
        root = yaml.compose(text, yaml.SafeLoader)
        data = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        return [f"ligne {mark.line + 1} : ce n'est pas du YAML" if mark else "ce n'est pas du YAML"]
    found = [] if not isinstance(data, Mapping) else list(_each(root, data))
    if not found:
        try:
            parse(text)
        except _NOT_UNDERSTOOD as error:
            found = [f"table : {_said(error)}"]
    return found


_NOT_UNDERSTOOD: Final = (BadTable, KeyError, TypeError, AttributeError, ValueError)


def _said(error: Exception) -> str:
    return f"mot inconnu {error}" if isinstance(error, KeyError) else str(error)


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
        parse(_HEAD + yaml.safe_dump({"groups": data.get("groups", {}), "rows": [dict(row)]}))
    except _NOT_UNDERSTOOD as error:
        yield f"{place} : {_said(error)}"


def missing(packaged: Table, other: Table) -> list[str]:
    """The numbers of the packaged rows that the other table does not have."""
    there = {row.label for row in other.rows}
    return [row.label for row in packaged.rows if row.label not in there]


def wider(packaged: Table, other: Table) -> list[str]:
    """In French, one line for each role and relationship that may do more than by the packaged table."""
    found = [one for line in other.lines for role in sorted(line.roles) for one in _beyond(packaged, role, line)]
    for role in sorted(ROLES):
        before, after = packaged.types_for(role), other.types_for(role)
        if before and (not after or set(after) - set(before)):
            more = ", ".join(sorted(set(after) - set(before))) or "tout type"
            found.append(f"{role} : écrit aussi {more}")
    return list(dict.fromkeys(found))


def _beyond(packaged: Table, role: str, line: Line) -> Iterator[str]:
    for relation in sorted(line.relations):
        alike = [
            one
            for one in packaged.for_role(role)
            if relation in one.relations
            and (one.purpose or ROLES[role].purpose) is (line.purpose or ROLES[role].purpose)
            and one.of in ("all", line.of)
            and one.when <= line.when
        ]
        place = f"{role}, {relation.name.lower()}, {line.of}" + "".join(f", {one}" for one in sorted(line.when))
        read = line.read & ~_all(one.read for one in alike)
        write = line.write & ~_all(one.write for one in alike)
        same = [one for one in alike if one.extent == line.extent]
        if line.extent == "consent":
            read |= line.within & ~_all(one.within for one in same)
        if line.extent == "same":
            lifted = _least([one.limit for one in same]) & ~line.limit
            read, write = read | lifted, write | lifted
        for verb, classes in (("lit", read), ("écrit", write)):
            if classes:
                yield f"{place} : {verb} aussi {', '.join(one.name or '' for one in bits(classes))}"


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
