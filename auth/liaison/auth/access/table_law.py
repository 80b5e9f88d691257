"""What no table of rules may give, whatever those who adopt it decide: what the law keeps of masking, and of an emergency.

The law binds the table on these points alone; elsewhere a wider right is said (table_check.wider), not refused. What a
Consent gives (row 7, 23) is the person's own word, and is not looked at here.
"""

from collections.abc import Iterator
from typing import Final

from liaison.auth.access.classes import EVERYTHING, PARTS, Class, bits
from liaison.auth.access.relations import Relation
from liaison.auth.access.roles import ROLES
from liaison.auth.access.second_wall import OWN_ONLY
from liaison.auth.access.table import Line, Row, Table

_URGENT: Final = frozenset({Relation.EMERGENCY, Relation.CALL})
_NOT_UNMASKED: Final = Class.MASKED | Class.NOTE3P | Class.PROT
_CARE: Final = PARTS["CLIN"] | Class.ETP | Class.PSY | Class.SENS | Class.MINOR | _NOT_UNMASKED
_THE_PERSON: Final = {"patient": Relation.SELF, "guardian": Relation.REPRESENTED}
_IN_PLACE: Final = frozenset({"substitute"})
"""Who reads as the one they replace, masked items too (row 8). Of a trainee, the second wall has its own refusal."""


def against(table: Table) -> list[str]:
    """In French, each right that the law forbids, with its row."""
    found = [said for row in table.rows for line in row.lines for said in _against(row, line)]
    return list(dict.fromkeys(found))


def _against(row: Row, line: Line) -> Iterator[str]:
    read, write = _may(line)
    if line.relations & _URGENT:
        where = "l'accès d'urgence et l'appel"
        if read & _NOT_UNMASKED:
            yield f"règle {row.label} : {where} ne lèvent aucun masquage et ne lisent pas {_names(read & _NOT_UNMASKED)}"
        if write & _CARE:
            yield f"règle {row.label} : {where} lisent le dossier, ils n'y écrivent pas {_names(write & _CARE)}"
    else:
        unmasking = [role for role in sorted(line.roles) if not _may_unmask(role, line)]
        if unmasking and (read | write) & Class.MASKED:
            yield (
                f"règle {row.label} : {', '.join(unmasking)} ne lit ni ne lève MASKED : une information masquée est à son"
                " auteur, au médecin traitant et à la personne (CSP R.1111-49)"
            )


def _may(line: Line) -> tuple[Class, Class]:
    """What the line itself decides of reading and writing; of a delegation, what it leaves of the other's."""
    if line.extent == "same":
        left = EVERYTHING & ~line.limit
        return left, left
    if line.extent == "consent" and line.relations & _URGENT:  # no Consent there, whose word it would be
        return line.within, line.write
    return line.read, line.write


def _may_unmask(role: str, line: Line) -> bool:
    if ROLES[role].category == "person":  # for whom `of` and `when` say nothing (access.persons)
        return line.relations == {_THE_PERSON.get(role)}
    if line.extent == "same":
        return role in _IN_PLACE or bool(OWN_ONLY.get(role, 0) & Class.MASKED)
    if Relation.DELEG in line.relations:  # nor for who acts for another (access.delegates)
        return False
    return line.of == "own" or "attending" in line.when


def _names(classes: Class) -> str:
    return ", ".join(one.name or "" for one in bits(classes))
