"""Working days in France: Monday to Friday outside the public holidays of article L.3133-1 of the labour code."""

from datetime import date, timedelta
from functools import cache


def easter(year: int) -> date:
    """Easter Sunday of the Gregorian calendar (anonymous computus, in Meeus, Astronomical Algorithms, ch. 8)."""
    a, b, c = year % 19, year // 100, year % 100
    d, e = divmod(b, 4)
    f = (b + 8) // 25
    g = (b - f + 1) // 3
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    x = (32 + 2 * e + 2 * i - h - k) % 7
    m = (a + 11 * h + 22 * x) // 451
    month, day = divmod(h + x - 7 * m + 114, 31)
    return date(year, month, day + 1)


@cache
def holidays(year: int) -> frozenset[date]:
    """The eleven public holidays of metropolitan France, Alsace-Moselle's two more left out."""
    fixed = ((1, 1), (5, 1), (5, 8), (7, 14), (8, 15), (11, 1), (11, 11), (12, 25))
    moving = (1, 39, 50)  # Easter Monday, Ascension, Whit Monday
    return frozenset(date(year, month, day) for month, day in fixed) | {
        easter(year) + timedelta(days=offset) for offset in moving
    }


def is_working(day: date) -> bool:
    return day.weekday() < 5 and day not in holidays(day.year)


def next_working(day: date, not_on: frozenset[int] = frozenset()) -> date:
    """That day, or the first working day after it that is none of those days of the week (0: Monday); where no day of the
    week is left, the first working day."""
    avoided = frozenset() if not_on >= {0, 1, 2, 3, 4} else not_on
    while not is_working(day) or day.weekday() in avoided:
        day += timedelta(days=1)
    return day


def working_days_after(day: date, number: int) -> date:
    """The last of that many working days, the day itself not counted."""
    for _ in range(number):
        day = next_working(day + timedelta(days=1))
    return day


def add_months(day: date, months: int) -> date:
    """The same day of a later month, or its last day when it is shorter (31 January + 1 month = 28 February)."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    following = date(year + (month == 11), (month + 1) % 12 + 1, 1)
    return min(date(year, month + 1, 1) + timedelta(days=day.day - 1), following - timedelta(days=1))
