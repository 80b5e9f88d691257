"""The days of a contract, as they are typed: the first, the last, and how far the law lets them be apart."""

import re
from calendar import monthrange
from datetime import date, timedelta
from typing import Final

from liaison.services.pages.marking import _

_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
STUDENT_MONTHS: Final = 3
"""A student's authorisation, which the council of the Order renews (D.4131-2 CSP)."""
COLLEAGUE_MONTHS: Final = 12
"""A default of the project: a replacement is temporary (R.4127-65 CSP), and is prolonged if it has to be."""
_CAREER: Final = 75
"""Years: further off is a slip of the finger."""


class NotComplete(ValueError):
    """`field` of the form, and what is wrong with it, to be translated."""

    def __init__(self, field: str, words: str) -> None:
        self.field, self.words = field, words
        super().__init__(words)


def first(typed: str, today: date) -> date:
    """Today, or later. Raises NotComplete."""
    if not typed:
        return today
    day = _day("debut", typed, _("La date de début n’est pas une date : jour, mois et année, comme 02/03/2026."))
    if day < today:
        raise NotComplete("debut", _("Le premier jour est passé : laissez vide pour aujourd’hui."))
    if day > _after(today, 12):
        raise NotComplete("debut", _("Le premier jour est dans plus d’un an."))
    return day


def last(typed: str, since: date, today: date, *, needed: bool) -> date | None:
    """Not before today, nor before the first. Raises NotComplete."""
    if not typed and not needed:
        return None
    if not typed:
        raise NotComplete("fin", _("Un remplacement ou un stage a un dernier jour."))
    until = _day("fin", typed, _("La date de fin n’est pas une date : jour, mois et année, comme 02/03/2026."))
    if until < today:
        raise NotComplete("fin", _("La date de fin est passée."))
    if until < since:
        raise NotComplete("fin", _("La date de fin est avant la date de début."))
    if until.year > today.year + _CAREER:
        raise NotComplete("fin", _("La date de fin est trop lointaine : vérifiez l’année."))
    return until


def check_length(since: date, until: date, *, student: bool) -> None:
    """Raises NotComplete for more than a student, or a colleague, may replace without another authorisation."""
    if student and until >= _after(since, STUDENT_MONTHS):
        raise NotComplete(
            "fin", _("L’autorisation d’un étudiant vaut trois mois au plus. Le conseil de l’Ordre la renouvelle.")
        )
    if until >= _after(since, COLLEAGUE_MONTHS):
        raise NotComplete(
            "fin", _("Un remplacement ou un stage dure un an au plus. Prolongez-le ensuite s’il le faut.")
        )


def _day(field: str, typed: str, wrong: str) -> date:
    try:
        # What else fromisoformat takes (weeks, no hyphens) no form sends.
        return date.fromisoformat(typed if _DAY.fullmatch(typed) else "")
    except ValueError:
        raise NotComplete(field, wrong) from None


def _after(day: date, months: int) -> date:
    """The same day so many months later; where that month has none, the day after its last."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    length = monthrange(year, month + 1)[1]
    if day.day > length:
        return date(year, month + 1, length) + timedelta(days=1)
    return date(year, month + 1, day.day)
