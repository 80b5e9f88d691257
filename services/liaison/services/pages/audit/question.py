"""A question to the journal is an address: what it holds, how it is read, and how experts write it in one line.

`du` and `au` are days of Paris, both within; `avant` is where a part of a long answer ends (edges). Without a record or a person the period has 31 days at most: nothing but time
finds such entries.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Final
from urllib.parse import urlencode

from liaison.auth.access.purposes import Purpose
from liaison.services.pages.audit.edges import Edge, read
from liaison.services.pages.clock import PARIS
from liaison.services.pages.marking import _

PATH: Final = "/journal/recherche"
LONGEST_WITHOUT_NAME: Final = timedelta(days=31)
_USUAL: Final = timedelta(days=30)
_ID: Final = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_CODE: Final = re.compile(r"[A-Za-z0-9\-_.:/]{1,80}")
_EARLIEST: Final = date(2000, 1, 1)
"""Before any entry: how long they are kept is decided where Liaison is installed."""
_LATEST: Final = date(9998, 1, 1)


class Unread(Exception):
    """The address or the line is not understood: a French sentence with its value, to be shown."""

    def __init__(self, sentence: str, value: str = "") -> None:
        super().__init__(sentence)
        self.sentence, self.value = sentence, value[:60]

    def told(self, gettext: Callable[[str], str]) -> str:
        return gettext(self.sentence) % {"value": self.value}


_NO_WORD = _("« %(value)s » ne se comprend pas. Écrivez chaque critère ainsi : nom:valeur.")
_NO_NAME = _(
    "« %(value)s » n'est pas un critère. Les critères sont : dossier, personne, structure, role, motif, heure, jour, logiciel, du, au, avant."
)
_NO_VALUE = _("« %(value)s » n'est pas une valeur de ce critère.")
_NO_DAY = _("« %(value)s » n'est pas un jour. Écrivez-le ainsi : 2026-11-29.")
_BACKWARD = _("Le dernier jour vient avant le premier.")
_TOO_LONG = _("Sans dossier ni professionnel, la période est de 31 jours au plus.")


@dataclass(frozen=True, slots=True)
class Question:
    """'' for what is not asked. Names are those of the address."""

    dossier: str = ""
    personne: str = ""
    structure: str = ""
    role: str = ""
    motif: str = ""
    heure: str = ""
    jour: str = ""
    logiciel: str = ""
    du: str = ""
    au: str = ""
    avant: str = ""

    @property
    def before(self) -> Edge | None:
        return read(self.avant)

    @property
    def pairs(self) -> list[tuple[str, str]]:
        return [(name, value) for name in NAMES if (value := getattr(self, name))]

    @property
    def line(self) -> str:
        """As experts write it."""
        return " ".join(f"{name}:{value}" for name, value in self.pairs)

    @property
    def address(self) -> str:
        return f"{PATH}?{urlencode(self.pairs)}"

    @property
    def query(self) -> str:
        return urlencode(self.pairs)

    def asking(self, **more: str) -> "Question":
        return replace(self, **more)

    def period(self, now: datetime) -> tuple[datetime, datetime]:
        """From midnight to midnight in Paris: a record's whole journal, the last month of anything else. Raises Unread."""
        last = _day(self.au) if self.au else now.astimezone(PARIS).date()
        first = _day(self.du) if self.du else _EARLIEST if self.dossier else last - _USUAL
        if last < first:
            raise Unread(_BACKWARD)
        if not self.dossier and not self.personne and last - first >= LONGEST_WITHOUT_NAME:
            raise Unread(_TOO_LONG)
        return _midnight(first), _midnight(last + timedelta(days=1))


NAMES: Final = tuple(Question.__dataclass_fields__)


def asked(given: Iterable[tuple[str, str]]) -> Question:
    """From an address; parameters that are none of ours (a language, a page) are left. Raises Unread."""
    found = {name: value.strip() for name, value in given if name in NAMES and value.strip()}
    for name, value in found.items():
        _check(name, value)
    return Question(**found)


def written(line: str) -> Question:
    """From the line of an expert. Raises Unread, naming the first word that is not understood."""
    found: dict[str, str] = {}
    for word in line.split():
        name, colon, value = word.partition(":")
        if not colon or not value:
            raise Unread(_NO_WORD, word)
        if name not in NAMES:
            raise Unread(_NO_NAME, name)
        found[name] = value
    return asked(found.items())


def _check(name: str, value: str) -> None:
    good: Mapping[str, bool] = {
        "motif": value in Purpose.__members__,
        "heure": value.isascii() and value.isdecimal() and len(value) <= 2 and int(value) < 24,
        "jour": value in tuple("1234567"),
        "role": bool(_CODE.fullmatch(value)),
        "logiciel": bool(_CODE.fullmatch(value)),
    }
    if name in ("du", "au"):
        _day(value)
    elif name == "avant":
        if read(value) is None:
            raise Unread(_NO_VALUE, value)
    elif not good.get(name, bool(_ID.fullmatch(value))):
        raise Unread(_NO_VALUE, value)


def _day(value: str) -> date:
    try:
        day = date.fromisoformat(value) if re.fullmatch(r"\d{4}-\d\d-\d\d", value) else None
    except ValueError:
        day = None
    if day is None or not _EARLIEST <= day <= _LATEST:
        raise Unread(_NO_DAY, value)
    return day


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), PARIS)
