"""Task: an accepted referral (rule 26c); an emergency access (rule 11) and an open call to the platform (rules 12 and 13),
which the identity cell alone may write."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from liaison.auth.access import vocabulary
from liaison.auth.access.classes import Class
from liaison.auth.access.facts.reading import Reading, codes, period
from liaison.auth.access.intervals import BEGINNING, FOREVER, Interval
from liaison.auth.access.relations import Relation
from liaison.auth.access.world import Fact, Source

_ACCEPTED: Final = frozenset({"accepted", "in-progress", "on-hold"})
_AFTER: Final = timedelta(hours=24)


def facts(reading: Reading) -> Iterator[Fact]:
    tree, source = reading.tree, Source(reading.key.kind, reading.key.res)
    if "emergency-access" in codes(tree.get("code"), vocabulary.REVIEW):
        if not reading.classes & Class.AUD:
            return  # not of the review list, so not written by the identity cell
        during = period((tree.get("restriction") or {}).get("period"))
        if during is not None and during.end < FOREVER and (person := reading.person(tree.get("requester"))):
            yield Fact(person, Relation.EMERGENCY, during, source=source)
        return
    if "call" in codes(tree.get("code"), vocabulary.PLATFORM):
        during = period((tree.get("restriction") or {}).get("period"))
        bounded = tree.get("status") == "in-progress" and during is not None and during.end < FOREVER
        if bounded and during is not None and (person := reading.person(tree.get("requester"))):
            yield Fact(person, Relation.CALL, during, source=source)
        return
    if reading.name(tree.get("focus"), "ServiceRequest") is None:
        return
    person, during = reading.person(tree.get("owner")), _referral(reading)
    if person and during:
        yield Fact(person, Relation.REFERRAL, during, source=source)


def _referral(reading: Reading) -> Interval | None:
    tree, status = reading.tree, reading.tree.get("status")
    run = period(tree.get("executionPeriod"))
    limit = period((tree.get("restriction") or {}).get("period"))
    if run is None or limit is None:
        return None
    start = run.start if run.start > BEGINNING else reading.at
    if status in _ACCEPTED:
        end = min(run.end, limit.end)
    elif status == "completed":
        end = min(run.end if run.end < FOREVER else reading.at, limit.end)
    else:
        return None
    end = FOREVER if end == FOREVER else end + _AFTER
    return Interval(start, end) if start < end else None
