"""Appointment: a line of a tour. It gives the person who is to visit a right from 18 h the evening before to 24 hours
after, when their structure is in the team (note to the table). One that pauses for a stay in hospital stays a line: whoever was to
visit hears of the stay, and can say that the person is home again."""

from collections.abc import Iterator, Mapping
from datetime import datetime, time, timedelta
from typing import Any, Final

from liaison.auth.access import vocabulary
from liaison.auth.access.facts.reading import Reading, codes, first, last
from liaison.auth.access.intervals import FOREVER, Interval
from liaison.auth.access.relations import Relation
from liaison.auth.access.world import Fact, Source
from liaison.fhir.model.dates import ZONE

_STANDING: Final = frozenset({"booked", "arrived", "checked-in", "fulfilled"})
_EVENING: Final = time(18)
_AFTER: Final = timedelta(hours=24)


def facts(reading: Reading) -> Iterator[Fact]:
    tree = reading.tree
    start = first(tree.get("start"), FOREVER)
    if not _stands(tree) or start is None or start == FOREVER:
        return
    end = last(tree.get("end"), start)
    if end is None or end < start:
        return
    eve = start.astimezone(ZONE).date() - timedelta(days=1)
    during = Interval(datetime.combine(eve, _EVENING, ZONE).astimezone(start.tzinfo), end + _AFTER)
    for ordinal, participant in enumerate(tree.get("participant") or ()):
        person = reading.person(participant.get("actor"))
        if person and participant.get("status") != "declined":
            yield Fact(person, Relation.TOUR, during, source=Source(reading.key.kind, reading.key.res), ordinal=ordinal)


def _stands(tree: Mapping[str, Any]) -> bool:
    if tree.get("status") in _STANDING:
        return True
    why = codes(tree.get("cancelationReason"), vocabulary.ALERT_CLOSING)
    return tree.get("status") == "cancelled" and vocabulary.HOSPITALISED in why
