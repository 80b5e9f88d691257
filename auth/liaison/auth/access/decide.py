"""From facts to rights, by the table: a pure function, without a clock and without a database.

Order, as the law has it: role, relationship, express denial, classes of the role, purpose. Denials cut what they name
out of every right of those they name, for as long as they last; a delegate inherits what is left.
"""

from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import attrgetter
from typing import Final

from liaison.auth.access import clients, delegates, persons, professionals
from liaison.auth.access.denials import cut, denials_of
from liaison.auth.access.intervals import merge
from liaison.auth.access.table import Table
from liaison.auth.access.world import Held, Right, World


def decide(world: World, table: Table) -> frozenset[Right]:
    """Every right on one patient that the table gives."""
    first: dict[Held, list[Right]] = {}
    for held in world.held:
        if not delegates.is_delegate(held) and (
            rights := _undenied(world, held, professionals.rights_of(world, held, table))
        ):
            first[held] = rights
    found = [right for rights in first.values() for right in rights]
    for held in world.held:
        if delegates.is_delegate(held):
            found += _undenied(world, held, delegates.rights_of(held, table, first))
            found += _undenied(world, held, professionals.rights_of(world, held, table))
    found += persons.rights_of(world, table)
    for client in world.clients:
        found += clients.rights_of(world, client, table, first)
    return frozenset(_joined(found))


def _undenied(world: World, held: Held, rights: Iterable[Right]) -> list[Right]:
    given = list(rights)
    if not given:  # to nearly everyone: a few are around each patient, of all who hold a role in their structures
        return given
    return list(cut(given, denials_of(world, (held.role, held.practitioner, *world.structures(held.organization)))))


def _joined(rights: Iterable[Right]) -> Iterator[Right]:
    """Adjacent stretches of the same right as one; those that allow nothing left out."""
    meaningful = sorted({right for right in rights if right.read or right.write}, key=_SHAPE_AND_TIME)
    for _, same in groupby(meaningful, key=_SHAPE):
        alike = list(same)
        if len(alike) == 1:  # nearly always
            yield alike[0]
            continue
        for during in merge(right.during for right in alike):
            yield alike[0]._replace(during=during)


_ALL_BUT_TIME: Final = tuple(name for name in Right._fields if name != "during")
_SHAPE: Final = attrgetter(*_ALL_BUT_TIME)
_SHAPE_AND_TIME: Final = attrgetter(*_ALL_BUT_TIME, "during")
