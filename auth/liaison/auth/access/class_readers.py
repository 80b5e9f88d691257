"""Whether a class has readers that another does not, by the packaged table of rules."""

from functools import cache

from liaison.auth.access.classes import Class, bits
from liaison.auth.access.table import Line, packaged


def opens(was: Class, is_: Class) -> bool:
    """Whether somebody may read what is of the classes `is_` who does not when it is of `was`. In doubt, yes.

    Looked at is what lines of the table give by class; a Consent gives what the person says."""
    return not all(any(_narrower(one, other) for one in bits(is_)) for other in bits(was))


@cache
def _narrower(one: Class, other: Class) -> bool:
    """Whether each role that reads the one reads the other, in the same relationship and under no more conditions."""
    lines = packaged().lines
    return one is other or all(
        any(_covers(wide, line, role, relation) for wide in lines if wide.read & other)
        for line in lines
        if line.read & one
        for role in line.roles
        for relation in line.relations
    )


def _covers(wide: Line, line: Line, role: str, relation: object) -> bool:
    return (
        role in wide.roles
        and relation in wide.relations
        and (wide.extent, wide.purpose) == (line.extent, line.purpose)
        and wide.of in ("all", line.of)
        and wide.when <= line.when
    )
