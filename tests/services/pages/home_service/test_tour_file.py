"""The planning's file: what is read of a table and of a calendar, and what is refused by its line and column."""

from datetime import datetime

import pytest

from liaison.services.pages.clock import PARIS
from liaison.services.pages.home_service.tour_file import read_tours

HEAD = "numero;date;debut;fin;personne;aide;consigne"
LINE = "V1;2026-12-01;08:30;09:10;LE FLOCH Jeannine;Anne Le Goff;Lever et toilette"
CALENDAR = """BEGIN:VCALENDAR
VERSION:2.0
BEGIN:VEVENT
UID:v1@planning
DTSTART;TZID=Europe/Paris:20261201T083000
DTEND:20261201T081000Z
SUMMARY:LE FLOCH Jeannine
DESCRIPTION:Lever\\, toilette\\net petit-
 déjeuner
ATTENDEE;CN="Anne Le Goff";ROLE=REQ-PARTICIPANT:mailto:anne@ccas.example
BEGIN:VALARM
DESCRIPTION:Rappel
END:VALARM
END:VEVENT
END:VCALENDAR
"""


def test_a_line_of_a_table_is_a_visit() -> None:
    [visit], problems = read_tours(f"{HEAD}\n{LINE}\n".encode())

    assert problems == []
    assert (visit.line, visit.number, visit.person, visit.aide) == (2, "V1", "LE FLOCH Jeannine", "Anne Le Goff")
    assert visit.start == datetime(2026, 12, 1, 8, 30, tzinfo=PARIS)
    assert visit.end == datetime(2026, 12, 1, 9, 10, tzinfo=PARIS)


@pytest.mark.parametrize(
    "content",
    [
        f"{HEAD}\n{LINE}\n".replace(";", ",").encode("cp1252"),
        f"{HEAD}\r\n{LINE.replace('2026-12-01', '01/12/2026')}\r\n".encode("utf-16"),
        f"{HEAD.replace('numero', 'Numéro')}\n{LINE.replace('08:30', '8h30')}\n".encode(),
    ],
    ids=["windows", "utf-16 and French date", "accents and hours"],
)
def test_it_is_read_as_spreadsheets_write_it(content: bytes) -> None:
    [visit], problems = read_tours(content)

    assert problems == []
    assert visit.start == datetime(2026, 12, 1, 8, 30, tzinfo=PARIS)


def test_an_event_of_a_calendar_is_a_visit() -> None:
    [visit], problems = read_tours(CALENDAR.replace("\n", "\r\n").encode())

    assert problems == []
    assert (visit.line, visit.number, visit.person, visit.aide) == (
        3,
        "v1@planning",
        "LE FLOCH Jeannine",
        "Anne Le Goff",
    )
    assert visit.start == datetime(2026, 12, 1, 8, 30, tzinfo=PARIS)
    assert visit.end == datetime(2026, 12, 1, 9, 10, tzinfo=PARIS)
    assert visit.what == "Lever, toilette et petit-déjeuner"


def test_a_series_that_was_written_out_has_its_visits_and_a_person_may_have_a_day_of_birth() -> None:
    event = CALENDAR.partition("VERSION:2.0\n")[2].partition("END:VCALENDAR")[0]
    first = event.replace("UID:v1@planning", "UID:v1@planning\nRECURRENCE-ID;TZID=Europe/Paris:20261201T083000")
    first = first.replace("DTEND:20261201T081000Z", "DURATION:PT40M")
    second = first.replace("20261201T0", "20261202T0").replace("Jeannine", "Jeannine (03/04/1938)")
    found, problems = read_tours(CALENDAR.replace(event, first + second).encode())

    assert problems == []
    assert len({one.number for one in found}) == 2
    assert {f"{one.end:%H:%M}" for one in found} == {"09:10"}
    assert [(one.person, one.born) for one in found] == [("LE FLOCH Jeannine", ""), ("LE FLOCH Jeannine", "1938-04-03")]


def test_what_the_calendar_calls_off_is_no_visit() -> None:
    other = CALENDAR.replace("UID:v1@planning", "UID:v2@planning\nSTATUS:CANCELLED")

    assert read_tours(other.encode())[0] == []


@pytest.mark.parametrize(
    "start", ["DTSTART;TZID=Asia/Tokyo:20261201T163000", "DTSTART:20261201T073000Z", "DTSTART:20261201T083000"]
)
def test_a_moment_of_any_zone_is_that_moment_in_paris(start: str) -> None:
    [visit], problems = read_tours(CALENDAR.replace("DTSTART;TZID=Europe/Paris:20261201T083000", start).encode())

    assert problems == []
    assert visit.start == datetime(2026, 12, 1, 8, 30, tzinfo=PARIS)


@pytest.mark.parametrize(
    ("content", "line", "column"),
    [
        (f"{HEAD}\n{LINE.replace('2026-12-01', 'demain')}", 2, "date"),
        (f"{HEAD}\n{LINE.replace('08:30', '8 heures')}", 2, "debut"),
        (f"{HEAD}\n{LINE.replace('09:10', '08:00')}", 2, "fin"),
        (f"{HEAD}\n{LINE.replace('Anne Le Goff', '')}", 2, "aide"),
        (f"{HEAD.replace('aide', 'qui')}\n{LINE}", 1, "qui"),
        (f"{HEAD}\n{LINE}\n{LINE.replace('08:30', '08:40')}", 2, "numero"),
        (HEAD, 0, ""),
        ("\0\0", 0, ""),
        (CALENDAR.replace("DTSTART;TZID=Europe/Paris", "DTSTART;TZID=Mars/Phobos"), 5, "DTSTART"),
        (CALENDAR.replace("20261201T083000", "20261201"), 5, "DTSTART"),
        (CALENDAR.replace("VERSION:2.0\n", "VERSION:2.0\n").replace("SUMMARY", "RRULE:FREQ=DAILY\nSUMMARY"), 7, "RRULE"),
        (CALENDAR.partition("END:VEVENT")[0], 3, "VEVENT"),
        (CALENDAR.replace("20261201T083000", "2026-12-01"), 5, "DTSTART"),
        (CALENDAR.replace("END:VCALENDAR\n", ""), 0, ""),
        (CALENDAR.replace("SUMMARY:LE FLOCH Jeannine", "SUMMARY:"), 3, "SUMMARY"),
        (f"{HEAD}\n{LINE}; puis ménage", 2, ""),
        (f"{HEAD}\n{LINE}{'x' * 200}", 2, "consigne"),
        (f"{HEAD}\n{LINE.replace('2026-12-01', '9999-12-31')}", 2, "date"),
        (CALENDAR.replace("20261201T083000", "99991231T233000"), 5, "DTSTART"),
        (CALENDAR.replace("END:VCALENDAR\n", "") + CALENDAR.partition("VERSION:2.0\n")[2], 3, "UID"),
        (CALENDAR.replace("SUMMARY", "DTSTART:20261201T073000Z\nSUMMARY"), 5, "DTSTART"),
        (CALENDAR.replace("DESCRIPTION:Lever", f"DESCRIPTION:{'x' * 201}"), 3, "DESCRIPTION"),
    ],
    ids=[
        "no date", "no hour", "ends before it begins", "no aide", "a column that is not known", "a number twice", "nobody",
        "no text", "a zone that is not known", "a whole day", "a rule of repetition", "cut short", "no moment", "never ended", "nobody's",
        "more than there are headings", "a long text", "a year that is a slip", "another year that is one", "a UID twice", "two beginnings", "a long description",
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_named_and_nothing_is_taken(content: str, line: int, column: str) -> None:
    found, problems = read_tours(content.encode())

    assert found == []
    assert (problems[0].line, problems[0].column) == (line, column)
