"""What a refused write is told: which of its classes the role does not write, and who in a person's team does."""

from liaison.auth.access.classes import Class, bits
from liaison.auth.access.relations import Relation
from liaison.auth.access.roles import ROLES
from liaison.auth.access.table import Table


def sentence(table: Table, beyond: Class) -> str:
    """'' for no class. `beyond` is of what stands in the resource itself, which its sender knows: what comes from elsewhere
    (an encounter, a medicine, a service) is never named."""
    if not beyond:
        return ""
    names = ", ".join(one.name for one in bits(beyond) if one.name)
    roles = ", ".join(code for code in ROLES if not beyond & ~_written(table, code))
    return f" It is {names}; in a person's team, that is written by: {roles}." if roles else f" It is {names}."


def _written(table: Table, code: str) -> Class:
    found = Class(0)
    for line in table.for_relation(code, Relation.TEAM):
        found |= line.write
    return found
