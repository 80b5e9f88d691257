"""RelatedPerson: representation for the person (rule 22), when a named staff member has seen the judgment or document, and for
no longer than the law lets it last from that day (`lasting.py`).

Any other relative has no right by this resource (rule 23).
"""

from collections.abc import Iterator

from liaison.auth.access import lasting, vocabulary
from liaison.auth.access.facts.reading import Reading, extension, first, period
from liaison.auth.access.intervals import FOREVER, Interval
from liaison.auth.access.relations import Relation
from liaison.auth.access.world import Fact, Source


def facts(reading: Reading) -> Iterator[Fact]:
    tree = reading.tree
    stated = extension(tree, vocabulary.REPRESENTATION)
    measure = extension(stated, "measure").get("valueCode")
    seen_on = first(extension(stated, "seenOn").get("valueDate"), FOREVER)
    during = period(tree.get("period"))
    if (
        tree.get("active") is False
        or measure not in vocabulary.MEASURES
        or not seen_by(reading)
        or not during
        or not seen_on
    ):
        return
    since = Interval(seen_on, lasting.until(measure, seen_on)).meet(during) if seen_on < FOREVER else None
    if since is not None:
        yield Fact(
            reading.key.res,
            Relation.REPRESENTED,
            since,
            detail={"measure": measure},
            source=Source(reading.key.kind, reading.key.res),
        )


def seen_by(reading: Reading) -> int:
    """The staff member, or their role, who is said to have seen the judgment or the document; 0 for nobody."""
    stated = extension(reading.tree, vocabulary.REPRESENTATION)
    return reading.person(extension(stated, "seenBy").get("valueReference"))
