"""The accesses to one record, the latest first, as many as are opened within a second: older ones are one link away.

A record that is opened every day for years has tens of thousands of entries. A part ends with a whole day of Paris, so that no
visit is cut in two; `avant` in the address is the day from which on the next part shows nothing.
"""

import re
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, Final, NamedTuple

from liaison.auth.caller import Caller
from liaison.auth.journal.visits import Visit, visits
from liaison.fhir.errors import NotFound
from liaison.services.pages.audit.lines import worth_telling
from liaison.services.pages.clock import PARIS

MOST: Final = 3_000
BEFORE: Final = "avant"


class Part(NamedTuple):
    """`read`: entries opened; `before`: what was asked, None for the latest; `older`: what leads to the next part, None at the end."""

    visits: list[Visit]
    read: int
    before: date | None
    older: date | None

    @property
    def query(self) -> str:
        """Of an address that shows the same part."""
        return f"{BEFORE}={self.before.isoformat()}" if self.before else ""


def before(given: Mapping[str, Any]) -> date | None:
    """The day in an address or a form. Raises NotFound for what is none."""
    text = str(given.get(BEFORE, ""))
    if not text:
        return None
    try:
        return date.fromisoformat(text) if re.fullmatch(r"\d{4}-\d\d-\d\d", text) else _no_day()
    except ValueError:
        return _no_day()


def _no_day() -> date:
    raise NotFound


async def part(house: Any, caller: Caller, id_: str, until: date | None) -> Part:
    """As far as the caller may know of them; nothing of it is in the journal yet."""
    query = f"patient=Patient/{id_}" + (f"&date=lt{until.isoformat()}" if until else "")
    seen, cut = await house.audit.latest(caller, query, MOST)
    found = visits(house.audit, seen)
    software = await house.audit.software({one.client for one in found} - {0})
    for one in found:
        if one.client in software:
            one.software = software[one.client].name
    older = None
    if cut and found:
        day = min(one.since for one in found).astimezone(PARIS).date()
        whole = [one for one in found if one.since.astimezone(PARIS).date() > day]
        older = day + timedelta(days=1) if whole else day
        found = whole or found
    return Part([one for one in found if worth_telling(one)], len(seen), until, older)
