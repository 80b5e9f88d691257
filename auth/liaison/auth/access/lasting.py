"""How long somebody may represent a person, whatever is stated: parents until the child is of age, a judgment for 20 years.

Sources: Civil Code 371-1 and 414 (parental authority ends at 18), 441 and 442 (guardianship: 5 years, 10 or 20 where the judge
says why), 494-6 (family habilitation: 10 years, 20). What was seen longer ago is looked at again, or represents nobody.
"""

from datetime import date, datetime, timedelta
from typing import Final

from liaison.auth.access.intervals import FOREVER
from liaison.fhir.model.dates import ZONE

MAJORITY: Final = 18
PARENTAL: Final = "parental-authority"
_YEARS: Final = {PARENTAL: MAJORITY, "tutelle": 20, "habilitation": 20}
"""Of what was seen on a day; who holds parental authority at a birth has none 18 years later."""


def longest(measure: str, seen_on: date) -> date:
    """The last day on which the measure may still be, of a document seen on that day."""
    return _anniversary(seen_on, _YEARS[measure]) - timedelta(days=1)


def until(measure: str, seen: datetime) -> datetime:
    """The first moment at which a measure represents nobody any more; `seen` is a moment of the day it was seen."""
    day = seen.astimezone(ZONE).date()
    return FOREVER if day.year + _YEARS[measure] >= FOREVER.year else _midnight(_anniversary(day, _YEARS[measure]))


def minority(born: str) -> date | None:
    """The day before the 18th birthday; None where no whole day of birth is known."""
    try:
        return _anniversary(date.fromisoformat(born), MAJORITY) - timedelta(days=1) if len(born) == 10 else None
    except ValueError:
        return None


def after(day: date) -> datetime:
    """The first moment after a day, on the clocks of the territory."""
    return _midnight(day + timedelta(days=1))


def _anniversary(day: date, years: int) -> date:
    """Of a 29 February, in a year without one, 1 March."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return date(day.year + years, 3, 1)


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=ZONE)
