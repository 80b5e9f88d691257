"""What each kind of resource states, by the notes to the table: plain arithmetic on the values that a step chose."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from .reference import Stated

BEGINNING, FOREVER = datetime(1900, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)
DAY, SECOND = timedelta(hours=24), timedelta(seconds=1)
_PARIS = ZoneInfo("Europe/Paris")
_YEARS = {"parental-authority": 18, "tutelle": 20, "habilitation": 20}
"""The measures that represent, and for how many years of the day they were seen: a child is of age at 18 (Civil Code 371-1, 414),
a judge gives 20 years at most (442, 494-6)."""


def after(end: datetime | None) -> datetime:
    """An end that is written to the second: the last second that counts."""
    return FOREVER if end is None else end + SECOND


@dataclass(frozen=True)
class Member:
    whom: str
    start: datetime
    end: datetime | None
    informed: bool
    attending: bool


def team(members: Iterable[Member], *, mental: bool) -> list[Stated]:
    found = []
    for one in members:
        during = one.start, after(one.end)
        if during[0] >= during[1]:
            continue
        if one.whom.startswith("Organization/"):
            found.append(Stated("structure", one.whom, *during))
            continue
        found.append(Stated("team", one.whom, *during, informed=one.informed))
        if mental:
            found.append(Stated("mental", one.whom, *during))
        if one.attending:
            found.append(Stated("attending", one.whom, *during))
    return found


def tour(whom: str, start: datetime, end: datetime) -> list[Stated]:
    """From 18 h the evening before to 24 h after the visit."""
    eve = start.astimezone(_PARIS).date() - timedelta(days=1)
    return [Stated("tour", whom, datetime.combine(eve, time(18), _PARIS).astimezone(UTC), after(end) + DAY)]


def stay(whom: list[str], start: datetime, end: datetime | None) -> list[Stated]:
    """Until its end and 24 h."""
    return [Stated("stay", one, start, FOREVER if end is None else after(end) + DAY) for one in whom]


def referral(whom: str, start: datetime, ends: Iterable[datetime | None]) -> list[Stated]:
    """From when it is taken, until the first of its ends and 24 hours."""
    given = [one for one in ends if one is not None]
    end = after(min(given)) + DAY if given else FOREVER
    return [Stated("referral", whom, start, end)] if start < end else []


def represented(whom: str, measure: str, seen_on: date, start: datetime, end: datetime | None) -> list[Stated]:
    """From the day on which the judgment or document was seen, until the years are over that the measure may last."""
    if measure not in _YEARS:
        return []
    since = max(start, _midnight(seen_on))
    until = min(after(end), _midnight(_years_later(seen_on, _YEARS[measure])))
    return [Stated("represented", whom, since, until)] if since < until else []


def consent(
    kind: str, whom: str, named: str, start: datetime, end: datetime | None, agreed: bool = False
) -> list[Stated]:
    close = kind == "consent" and whom.startswith("RelatedPerson/")
    return [Stated("close" if close else kind, whom, start, after(end), named=named, agreed=agreed)]


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), _PARIS).astimezone(UTC)


def _years_later(day: date, years: int) -> date:
    """The day after 28 February for a 29th that the year has not."""
    return date(day.year + years, day.month, 1) + timedelta(days=day.day - 1)
