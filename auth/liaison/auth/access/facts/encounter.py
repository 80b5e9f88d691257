"""Encounter: an open stay gives its participants a right, and the unit's own doctors and nurses when the person is
admitted there (rules 10 and 26c), until its end and 24 hours more.

A home visit that is classified as coordination opens nothing.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from liaison.auth.access.classes import Class
from liaison.auth.access.facts.reading import Reading, period
from liaison.auth.access.intervals import BEGINNING, FOREVER, Interval
from liaison.auth.access.relations import Relation
from liaison.auth.access.world import Fact, Source

_OPEN: Final = frozenset({"arrived", "triaged", "in-progress", "onleave"})
_ADMITTED: Final = frozenset({"IMP", "ACUTE", "NONAC", "SS", "EMER", "OBSENC"})
_AFTER: Final = timedelta(hours=24)


def facts(reading: Reading) -> Iterator[Fact]:
    tree, source = reading.tree, Source(reading.key.kind, reading.key.res)
    stay = _stay(reading)
    if stay is None or not reading.classes & Class.STAY:
        return
    unit = reading.structure(tree.get("serviceProvider"))
    class_ = tree.get("class")
    if unit and isinstance(class_, dict) and class_.get("code") in _ADMITTED:
        yield Fact(unit, Relation.STAY, stay, source=source)
    for ordinal, participant in enumerate(tree.get("participant") or (), 1):
        person, own = reading.person(participant.get("individual")), period(participant.get("period"))
        # Who took part stays until the end of the stay and 24 hours, not until the end of their own part in it.
        during = Interval(own.start, FOREVER).meet(stay) if own else None
        if person and during:
            yield Fact(person, Relation.STAY, during, source=source, ordinal=ordinal)


def _stay(reading: Reading) -> Interval | None:
    status, dated = reading.tree.get("status"), period(reading.tree.get("period"))
    if dated is None:
        return None
    start = dated.start if dated.start > BEGINNING else reading.at
    if status in _OPEN:
        end = dated.end
    elif status == "finished":
        end = dated.end if dated.end < FOREVER else reading.at
    else:
        return None
    end = min(end, FOREVER - _AFTER) + _AFTER if end < FOREVER else FOREVER
    return Interval(start, end) if start < end else None
