"""Which table of rules is in force: the last one that was adopted, or the packaged one until one is.

Whoever computes a grant or decides a write asks in its own transaction, and whoever computes grants after it has taken
`grants.lock`: every worker goes by a new table from its next transaction on, without being told. What a process keeps
is tables by their digest; which of them is in force, it keeps never.
"""

import contextlib
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Final, NamedTuple, Protocol

from liaison.auth.access import class_text, classify
from liaison.auth.access.table import BadTable, Table, digest_of, packaged, packaged_text, parse


class Asks(Protocol):
    """A connection, a pool, or Database, which says that PostgreSQL is out of reach as the service does."""

    async def fetch(self, statement: str, /, *arguments: Any) -> Sequence[Any]: ...


class Current(NamedTuple):
    """`number` 0: none was ever adopted. `granted`: by what the grants and classes of every record were last computed;
    `under_way`: a pass towards another has begun, which may be back to the same."""

    number: int
    digest: str
    granted: str
    under_way: bool
    classes: str
    """The digest of the classification in force; '' for the packaged one."""

    @property
    def goal(self) -> str:
        """What they are to be computed by: the table in force, and the classification."""
        return goal(self.digest, self.classes)

    @property
    def settled(self) -> bool:
        return self.granted == self.goal and not self.under_way

    @property
    def classified(self) -> bool:
        """Whether every resource has the classes that the classification in force gives it."""
        return self.granted.rpartition("/")[2] == classify.digest(self.classes)


def goal(digest: str, classes: str = "") -> str:
    """Of a table of rules and a classification, by their digests."""
    return f"{digest}/{classify.digest(classes)}"


_known: Final[dict[str, Table]] = {}

_CURRENT: Final = """
    select r.number, r.digest, s.granted, s.towards is not null, r.classes_digest from regranting s
    left join lateral (select number, digest, classes_digest from adopted_rules order by number desc limit 1) r on true
"""


async def current(base: Asks) -> Current:
    """What is in force in the caller's transaction, whether this version understands it or not."""
    [[number, digest, granted, under_way, classes]] = await base.fetch(_CURRENT)
    digest = digest or packaged_digest()
    return Current(number or 0, digest, granted, under_way, classes or "")


async def in_force(base: Asks) -> Table:
    """The table by which grants are computed and writes decided, in the caller's transaction. Raises BadTable where this
    version does not understand it."""
    return await _table(base, (await current(base)).digest)


_texts: Final[dict[str, str]] = {}


async def classification(base: Asks, digest: str) -> str:
    """The text of a classification that was adopted; '' is the packaged one. Raises BadTable where it was altered in the base."""
    if not digest:
        return class_text.packaged_text()
    if digest not in _texts:
        [[text], *_] = await base.fetch("select classes from adopted_rules where classes_digest = $1", digest)
        if digest_of(text) != digest:
            raise BadTable("the classification in force is not the one that was adopted: it was altered in the base")
        _texts[digest] = str(text)
    return _texts[digest]


async def limiting(base: Asks, now: Current) -> list[Table]:
    """The table in force, then those by which some grant may still be: what is written keeps to each. Raises BadTable."""
    return [await _table(base, now.digest), *([] if now.settled else await behind(base, now))]


async def behind(base: Asks, now: Current) -> list[Table]:
    """The tables, but the one in force, that were in force since every grant was last of one. One that this version does not
    understand, or does not have, is left out."""
    known = await reigns(base)
    digests = [one.digest or packaged_digest() for one in known]
    granted = now.granted.partition("/")[0]
    first = max((place for place, digest in enumerate(digests) if digest == granted), default=0)
    found = []
    for digest in dict.fromkeys(digests[first:]):
        if digest != now.digest:
            with contextlib.suppress(BadTable):
                found.append(await _table(base, digest))
    return found


def packaged_digest() -> str:
    return digest_of(packaged_text())


async def _table(base: Asks, digest: str) -> Table:
    if digest == packaged_digest():
        return packaged()
    if digest not in _known:
        text = await text_of(base, digest)
        if digest_of(text) != digest:
            raise BadTable("the table of rules in force is not the one that was adopted: it was altered in the base")
        _known[digest] = parse(text)
    return _known[digest]


class Reign(NamedTuple):
    """A table and since when it was in force; `since` None: from the beginning. `number` 0 is the packaged one."""

    number: int
    since: datetime | None
    version: str
    dated: date
    digest: str
    classes: str
    """The digest of the classification; '' for the packaged one."""


async def reigns(base: Asks) -> list[Reign]:
    """Every table that was in force here, oldest first. Of packaged tables this version knows its own alone."""
    rows = await base.fetch(
        "select number, at, version, dated, digest, coalesce(classes_digest, '') from adopted_rules order by number"
    )
    return [Reign(0, None, packaged().version, packaged().dated, "", ""), *(Reign(*row) for row in rows)]


def reign_at(known: Sequence[Reign], moment: datetime) -> Reign:
    """The one of a list of `reigns` that was in force then."""
    return next(one for one in reversed(known) if one.since is None or one.since <= moment)


def newer_packaged(reign: Reign) -> Table | None:
    """The table that this version ships, when it is dated after the one adopted: it does not replace it by itself."""
    newer = reign.digest not in ("", packaged_digest()) and packaged().dated > reign.dated
    return packaged() if newer else None


async def table_of(base: Asks, reign: Reign) -> Table:
    """Raises BadTable."""
    return await _table(base, reign.digest or packaged_digest())


async def text_of(base: Asks, digest: str) -> str:
    """The file of a table that was in force, as it was given."""
    if digest in ("", packaged_digest()):
        return packaged_text()
    [[text], *_] = await base.fetch("select text from adopted_rules where digest = $1", digest)
    return str(text)
