"""The accesses to one record, the latest first, as many as are opened within a second: older ones are one link away.

A record that is opened every day for years has tens of thousands of entries. A part ends where nobody was in the record, at
midnight in Paris where it can, so that no visit is cut in two; only where visits follow and overlap each other through a whole
part does one stand on two, and the page says so. `avant` in the address is the day, or the moment, from which on the next part
shows nothing. Where parts end depends on what its reader may see alone.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final, NamedTuple

from liaison.auth.caller import Caller
from liaison.auth.journal import expiry
from liaison.auth.journal.visits import Visit, visits
from liaison.fhir.errors import NotFound
from liaison.services.pages.audit.edges import Edge, edge, read
from liaison.services.pages.audit.lines import worth_telling

MOST: Final = 3_000
BEFORE: Final = "avant"


class Part(NamedTuple):
    """`read`: entries opened; `before`: what was asked, None for the latest; `older`: what leads to the next part, None at the
    end; `cut`: a visit goes on in the next part. `readable`: from which day on entries can be read, where older ones are proofs
    alone."""

    visits: list[Visit]
    read: int
    before: Edge | None
    older: Edge | None
    cut: bool = False
    readable: date | None = None

    @property
    def query(self) -> str:
        """Of an address that shows the same part."""
        return f"{BEFORE}={self.before.written}" if self.before else ""


def before(given: Mapping[str, Any]) -> Edge | None:
    """What an address or a form says. Raises NotFound for what is neither a day nor a moment."""
    text = str(given.get(BEFORE, ""))
    if not text:
        return None
    found = read(text)
    if found is None:
        raise NotFound
    return found


async def part(house: Any, caller: Caller, id_: str, until: Edge | None) -> Part:
    """As far as the caller may know of them; nothing of it is in the journal yet."""
    query = f"patient=Patient/{id_}" + (f"&date=lt{until.written}" if until else "")
    seen, more = await house.audit.latest(caller, query, MOST)
    found = visits(house.audit, seen, officer=False)
    software = await house.audit.software({one.client for one in found} - {0})
    for one in found:
        if one.client in software:
            one.software = software[one.client].name
    older, cut = None, False
    if more:
        first = seen[-1].record.at
        older = edge(found, first)
        cut = older.moment == first
        found = [one for one in found if one.since >= older.moment]
    readable = None if older else await expiry.readable_since(house.database.reading)  # the last part says it
    return Part([one for one in found if worth_telling(one)], len(seen), until, older, cut, readable)
