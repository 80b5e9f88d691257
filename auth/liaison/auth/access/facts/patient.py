"""Patient: the person themself. Patient.link gives nothing: merging two records does not unite their grants."""

from collections.abc import Iterator

from liaison.auth.access.facts.reading import Reading
from liaison.auth.access.relations import Relation
from liaison.auth.access.world import Fact, Source


def facts(reading: Reading) -> Iterator[Fact]:
    yield Fact(reading.key.res, Relation.SELF, source=Source(reading.key.kind, reading.key.res))
