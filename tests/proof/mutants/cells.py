"""Every cell of the decision table, broken in turn: one Mutant is the table with one cell changed.

Left out is what no computation reads, because it would change nothing that a grant says: conditions and owners of a
delegation or of a person's own line, roles of persons in professionals' lines and the reverse, and taking from a
delegation what no doctor has. And what the same people have anyway by another line of the same row, by an office that is
always theirs, or by the structure that a tour line needs in the team.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, get_args

from liaison.auth.access.classes import EVERYTHING, Class, bits
from liaison.auth.access.purposes import Purpose
from liaison.auth.access.relations import Relation
from liaison.auth.access.table import Line, Of, Row, Table, When

from ..stateful.law import CLOSE, DELEGATES, PURPOSES

_CLOSE = frozenset(CLOSE.split())
_PROFESSIONALS = PURPOSES.keys() - _CLOSE - {"patient"}
_STATED = [
    Relation.TEAM, Relation.CONSENT, Relation.REFERRAL, Relation.EMERGENCY, Relation.CALL, Relation.AUTHOR,
    Relation.STAY, Relation.TOUR, Relation.STRUCTURE, Relation.OFFICE,
]  # fmt: skip
_NOBODYS = Class.AUD | Class.DIRECTORY


class Mutant(NamedTuple):
    name: str
    table: Table


def mutants(table: Table) -> Iterator[Mutant]:
    for at, row in enumerate(table.rows):
        for name, changed in _of_row(row):
            rows = (*table.rows[:at], changed, *table.rows[at + 1 :])
            yield Mutant(f"row {row.label}: {name}", replace(table, rows=rows))


def _of_row(row: Row) -> Iterator[tuple[str, Row]]:
    for type_ in row.types:
        yield f"without the type {type_}", replace(row, types=tuple(one for one in row.types if one != type_))
    if row.types:
        yield "with one more type", replace(row, types=(*row.types, "Condition"))
    # Those close are looked up by their row, not by one of its lines.
    for role in sorted(_CLOSE - {"caregiver"}) if row.label == "23" else ():
        lines = tuple(replace(line, roles=line.roles - {role}) for line in row.lines)
        yield f"without {role}", replace(row, lines=lines)
    for at, line in enumerate(row.lines):
        others = [*row.lines[:at], *row.lines[at + 1 :]]
        for name, changed in _of_line(line):
            if _is_given_anyway(line, changed, others):
                continue
            lines = (*row.lines[:at], changed, *row.lines[at + 1 :])
            yield f"line {at + 1} {name}", replace(row, lines=lines)


def _is_given_anyway(line: Line, changed: Line, others: Sequence[Line]) -> bool:
    alike = [one for one in others if one.of == line.of and one.when <= line.when and one.relations >= line.relations]
    more, relations = changed.roles - line.roles, changed.relations - line.relations
    if more:
        return any(more <= one.roles and not (line.read & ~one.read or line.write & ~one.write) for one in alike)
    if relations:
        return Relation.OFFICE in line.relations or (
            Relation.STRUCTURE in line.relations and relations == {Relation.TOUR}
        )
    reads, writes = (line.read ^ changed.read) | (line.within ^ changed.within), line.write ^ changed.write
    only_classes = replace(changed, read=line.read, within=line.within, write=line.write) == line
    return only_classes and any(
        one.roles >= line.roles and not (reads & ~one.read or writes & ~one.write) for one in alike
    )


def _of_line(line: Line) -> Iterator[tuple[str, Line]]:
    yield "under another number", replace(line, number=990)
    delegation, personal = Relation.DELEG in line.relations, bool(line.roles & (_CLOSE | {"patient"}))
    yield from _who(line, delegation=delegation, personal=personal)
    for purpose in Purpose:
        if purpose is not line.purpose:
            yield f"for {purpose.name}", replace(line, purpose=purpose)
    if line.extent != "same":
        yield from _masks(line, "read" if line.extent == "classes" else "within")
        yield from _masks(line, "write")
    if line.extent == "same":
        yield from _masks(line, "limit", EVERYTHING & ~_NOBODYS)
    if line.extent == "consent":
        yield "of a class, not of what is named", replace(line, extent="classes", read=Class.VITAL)
    if not (delegation or personal):
        yield from _conditions(line)


def _who(line: Line, *, delegation: bool, personal: bool) -> Iterator[tuple[str, Line]]:
    for role in sorted(line.roles - (_CLOSE - {"caregiver"} if line.roles >= _CLOSE else set())):
        yield f"without {role}", replace(line, roles=line.roles - {role})
    for relation in sorted(line.relations):
        yield f"without {relation.name}", replace(line, relations=line.relations - {relation})
    more = DELEGATES if delegation else frozenset() if personal else _PROFESSIONALS
    for role in sorted(more - line.roles):
        yield f"with {role}", replace(line, roles=line.roles | {role})
    for relation in () if personal or line.extent == "same" else _STATED:
        if relation not in line.relations:
            yield f"with {relation.name}", replace(line, relations=line.relations | {relation})


def _masks(line: Line, column: str, among: Class = EVERYTHING) -> Iterator[tuple[str, Line]]:
    mask: Class = getattr(line, column)
    for one in bits(among):
        changed: Any = {column: mask ^ one}
        yield f"{column} {'without' if mask & one else 'with'} {one.name}", replace(line, **changed)


def _conditions(line: Line) -> Iterator[tuple[str, Line]]:
    for when in get_args(When):
        if when in line.when or not (line.roles & {"auditor", "dpo"} and when != "informed"):
            name = f"{'whether or not' if when in line.when else 'only'} {when}"
            yield name, replace(line, when=line.when ^ {when})
    for of in get_args(Of):
        if of != line.of:
            yield f"of {of}", replace(line, of=of)
