"""RelatedPerson: representation for the person (rule 22), when a named staff member has seen the judgment or document.

Any other relative has no right by this resource (rule 23).
"""

from collections.abc import Iterator

from liaison.auth.access import vocabulary
from liaison.auth.access.facts.reading import Reading, extension, first, period
from liaison.auth.access.intervals import FOREVER, Interval
from liaison.auth.access.relations import Relation
from liaison.auth.access.world import Fact, Source


def facts(reading: Reading) -> Iterator[Fact]:
    tree = reading.tree
    stated = extension(tree, vocabulary.REPRESENTATION)
    measure = extension(stated, "measure").get("valueCode")
    seen_by = reading.person(extension(stated, "seenBy").get("valueReference"))
    seen_on = first(extension(stated, "seenOn").get("valueDate"), FOREVER)
    during = period(tree.get("period"))
    if tree.get("active") is False or measure not in vocabulary.MEASURES or not seen_by or not during or not seen_on:
        return
    since = Interval(seen_on, FOREVER).meet(during)
    if since is not None:
        yield Fact(
            reading.key.res,
            Relation.REPRESENTED,
            since,
            detail={"measure": measure},
            source=Source(reading.key.kind, reading.key.res),
        )
