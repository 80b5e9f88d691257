"""The one source of dates: everything in the territory is placed relative to the moment it is made for."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Self
from zoneinfo import ZoneInfo

PARIS = ZoneInfo("Europe/Paris")


@dataclass(frozen=True, slots=True)
class Clock:
    """Days and hours around `now`, in the time of Paris. Two clocks with the same `now` give the same territory."""

    now: datetime

    @classmethod
    def of(cls, as_of: date) -> Self:
        """Ten in the morning of that day: the tours have begun and some visits are done."""
        return cls(datetime.combine(as_of, time(10), PARIS))

    @property
    def today(self) -> date:
        return self.now.astimezone(PARIS).date()

    def day(self, offset: int) -> date:
        """The day `offset` days from today; negative is the past."""
        return self.today + timedelta(days=offset)

    def at(self, offset: int, hour: int, minute: int = 0) -> datetime:
        """An hour of the day `offset` days from today."""
        return datetime.combine(self.day(offset), time(hour, minute), PARIS)

    def ago(self, **parts: int) -> datetime:
        """A moment before now: ago(minutes=20)."""
        return (self.now - timedelta(**parts)).astimezone(PARIS)


def instant(moment: datetime) -> str:
    """A FHIR dateTime with seconds and offset."""
    return moment.astimezone(PARIS).replace(microsecond=0).isoformat()
