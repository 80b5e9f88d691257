"""A day or a week of tours as planning software writes it: a table (CSV) or a calendar (iCalendar), read whole or not at all.

Each line is a visit: when, to whom, by whom, for what. `number` is the planning's own name of the visit, by which a second file knows
it again. What cannot be read is a Problem that names the line and the column, as in reception.people_file.
"""

import csv
import io
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final

from liaison.services.pages.clock import PARIS
from liaison.services.pages.home_service import calendar_file
from liaison.services.pages.home_service.calendar_file import YEARS, Event, NotRead
from liaison.services.pages.marking import _
from liaison.services.pages.reception.people_file import Problem, decoded

MOST_ROWS: Final = 1000
MOST_BYTES: Final = 256 * 1024
LONGEST_DAYS: Final = 31
NEEDED: Final = ("date", "debut", "personne", "aide")
COLUMNS: Final = ("numero", "date", "debut", "fin", "personne", "date_naissance", "aide", "consigne", "formulaire")
FORMS: Final = {"": "", "visite": "visit", "courte": "visit-short", "souffle": "visit-breath"}
"""The forms, by the word that the planning has for them."""
_PROPERTIES: Final = {"numero": "UID", "personne": "SUMMARY", "aide": "ATTENDEE", "consigne": "DESCRIPTION"}
"""What a calendar has in the place of these columns."""
_BORN: Final = re.compile(r"^(.+?)[\s,(]+(\d{2}/\d{2}/\d{4}|\d{4}-\d{2}-\d{2})\)?$")
"""A person with the day of birth, which a calendar has no place of its own for."""
_USUAL: Final = timedelta(minutes=30)
"""How long a visit without an end is."""
_LONGEST_WORDS: Final = 200


@dataclass(frozen=True, slots=True)
class Wanted:
    """One visit as the planning has it. `number` is '' where it gives none; `person` and `aide` are names as they are written; `form`: the code of
    the form that is filled in (forms.READY), '' where the planning does not say."""

    line: int
    number: str
    start: datetime
    end: datetime
    person: str
    born: str
    aide: str
    what: str
    form: str = ""
    calendar: bool = False

    def column(self, name: str) -> str:
        """What the file calls it."""
        return _PROPERTIES.get(name, name) if self.calendar else name


def read_tours(content: bytes) -> tuple[list[Wanted], list[Problem]]:
    """(visits, problems); one of the two is empty."""
    if len(content) > MOST_BYTES:
        return [], [Problem(0, "", _("Le fichier dépasse 250 ko : partagez-le."))]
    text = decoded(content)
    if "\0" in text:
        return [], [Problem(0, "", _("Ce fichier n'est ni un tableau CSV, ni un calendrier iCalendar."))]
    found, problems = _of_calendar(text) if text.lstrip().upper().startswith("BEGIN:VCALENDAR") else _of_table(text)
    if not found and not problems:
        problems = [Problem(0, "", _("Le fichier ne contient aucune visite."))]
    if len(found) > MOST_ROWS:
        problems.append(Problem(0, "", _("Au plus 1 000 visites par fichier : partagez-le.")))
    if found and max(one.start for one in found) - min(one.start for one in found) > timedelta(days=LONGEST_DAYS):
        problems.append(Problem(0, "", _("Les visites sont sur plus d'un mois : envoyez une semaine à la fois.")))
    numbers = [one.number for one in found if one.number]
    problems += [
        Problem(one.line, one.column("numero"), _("Ce numéro de visite est là deux fois."), one.number)
        for one in found
        if one.number and numbers.count(one.number) > 1
    ]
    problems += [
        Problem(one.line, one.column(name), _("Ce texte dépasse 200 lettres : raccourcissez-le."))
        for one in found
        for name, text in (("numero", one.number), ("consigne", one.what))
        if len(text) > _LONGEST_WORDS
    ]
    return ([], problems) if problems else (found, [])


def plain(text: str) -> str:
    """Without accents, case or double spaces: how names are compared."""
    parts = unicodedata.normalize("NFKD", text.strip().casefold())
    kept = "".join(one for one in parts if not unicodedata.combining(one))
    return re.sub(r"[\s\-']+", " ", kept).strip()


def _of_table(text: str) -> tuple[list[Wanted], list[Problem]]:
    first = text.split("\n", 1)[0]
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=max(";,\t", key=first.count), strict=True)
    try:
        headings = [plain(one).replace(" ", "_") for one in next(lines, [])]
        cells = [(lines.line_num, line) for line in lines if any(cell.strip() for cell in line)]
    except csv.Error:
        return [], [Problem(lines.line_num, "", _("Cette ligne n'est pas celle d'un tableau."))]
    problems = [Problem(1, one, _("Cette colonne n'est pas connue.")) for one in headings if one and one not in COLUMNS]
    problems += [Problem(1, one, _("Cette colonne manque.")) for one in NEEDED if one not in headings]
    problems += [Problem(1, one, _("Cette colonne est là deux fois.")) for one in COLUMNS if headings.count(one) > 1]
    if problems:
        return [], problems
    found = []
    for number, line in cells:
        if any(cell.strip() for cell in line[len(headings) :]):
            problems.append(Problem(number, "", _("Cette ligne a plus de cases que de titres.")))
            continue
        row = {heading: cell.strip() for heading, cell in zip(headings, line, strict=False)}
        made, wrong = _row(number, row)
        problems += wrong
        found += made
    return found, problems


def _row(line: int, cells: Mapping[str, str]) -> tuple[list[Wanted], list[Problem]]:
    problems = [Problem(line, one, _("La réponse manque.")) for one in NEEDED if not cells.get(one)]
    day = _day(cells.get("date", ""))
    begins, ends = _hour(cells.get("debut", "")), _hour(cells.get("fin", ""))
    born = _day(cells.get("date_naissance", ""))
    for column, typed, read in (
        ("date", cells.get("date"), day),
        ("debut", cells.get("debut"), begins),
        ("fin", cells.get("fin"), ends),
        ("date_naissance", cells.get("date_naissance"), born),
    ):
        if typed and read is None:
            words = _("« {given} » n'est pas une date.") if "date" in column else _("« {given} » n'est pas une heure.")
            problems.append(Problem(line, column, words, typed))
    if plain(cells.get("formulaire", "")) not in FORMS:
        words = _("Ce formulaire n'est pas connu : « visite », « courte » ou « souffle ».")
        problems.append(Problem(line, "formulaire", words, cells["formulaire"]))
    if problems or day is None or begins is None:
        return [], problems
    start = datetime.combine(day, begins, PARIS)
    end = datetime.combine(day, ends, PARIS) if ends is not None else start + _USUAL
    if end <= start:
        return [], [Problem(line, "fin", _("La visite finit avant de commencer."))]
    made = Wanted(
        line,
        cells.get("numero", ""),
        start,
        end,
        cells["personne"],
        born.isoformat() if born else "",
        cells["aide"],
        cells.get("consigne", ""),
        FORMS[plain(cells.get("formulaire", ""))],
    )
    return [made], []


def _of_calendar(text: str) -> tuple[list[Wanted], list[Problem]]:
    try:
        events = calendar_file.events(text)
    except NotRead as problem:
        return [], [Problem(problem.line, problem.property, problem.words)]
    found: list[Wanted] = []
    problems: list[Problem] = []
    for one in events:
        if one.cancelled:
            continue
        wrong = _lacking(one)
        problems += wrong
        if not wrong:
            end = one.end if one.end is not None else one.start + _USUAL
            what, born = " ".join(one.description.split()), _BORN.match(one.summary)
            person, day = (born[1], _day(born[2])) if born else (one.summary, None)
            told = day.isoformat() if day else ""
            found.append(Wanted(one.line, one.uid, one.start, end, person, told, one.attendee, what, calendar=True))
    return found, problems


def _lacking(event: Event) -> Sequence[Problem]:
    said = {"UID": event.uid, "SUMMARY": event.summary, "ATTENDEE": event.attendee}
    problems = [Problem(event.line, name, _("La réponse manque.")) for name, value in said.items() if not value]
    if event.end is not None and event.end <= event.start:
        problems.append(Problem(event.line, "DTEND", _("La visite finit avant de commencer.")))
    return problems


def _day(typed: str) -> date | None:
    for pattern in ("%Y-%m-%d", "%d/%m/%Y"):
        try:
            day = datetime.strptime(typed, pattern).date()  # a day of the calendar has no zone
        except ValueError:
            continue
        return day if day.year in YEARS else None
    return None


def _hour(typed: str) -> time | None:
    try:
        return datetime.strptime(typed.replace("h", ":").replace(" ", ""), "%H:%M").time()
    except ValueError:
        return None
