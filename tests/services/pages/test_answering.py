"""The answers of the visit form: how they are read, what is kept of them, what is doubted."""

from datetime import UTC, datetime

import pytest
from starlette.datastructures import FormData

from liaison.protocols import library
from liaison.protocols.answers import Answer, items
from liaison.protocols.forms import FORM
from liaison.services.pages.clock import PARIS
from liaison.services.pages.home_care import answering

TODAY = datetime(2026, 5, 4, 9, tzinfo=UTC)
DAILY = library.shipped().tree(FORM)
QUESTIONS = [*items(DAILY)]


def test_answers_are_read_by_the_type_of_their_question() -> None:
    form = FormData(
        [("tasks", "wash"), ("tasks", "bed"), ("weight", " 72,5 "), ("pain", "3"), ("other", "x"), ("note", "")]
    )

    assert answering.read_answers(form, QUESTIONS, TODAY) == {"tasks": ["wash", "bed"], "weight": 72.5, "pain": 3}


@pytest.mark.parametrize("typed", ["nan", "inf", "1e999", "soixante", "7_2"])
def test_what_is_no_number_stays_text_and_is_refused_by_name(typed: str) -> None:
    read = answering.read_answers(FormData([("weight", typed)]), QUESTIONS, TODAY)["weight"]

    assert read == typed


@pytest.mark.parametrize("typed", ["--3", "-", "3.5", "٣", "9" * 9])
def test_what_is_no_whole_number_stays_text(typed: str) -> None:
    assert answering.read_answers(FormData([("pain", typed)]), QUESTIONS, TODAY)["pain"] == typed


def test_what_is_asked_of_someone_who_is_there_is_left_out_when_nobody_answers() -> None:
    typed = [("start", "08:30"), ("meal", "meal-all"), ("note", "Volets fermés."), ("tasks", "wash")]

    def kept(*more: tuple[str, str]) -> list[str]:
        return [*answering.answered(FormData([*typed, *more]), DAILY, TODAY)]

    assert kept(("presence", "door-closed")) == ["start", "presence", "note"]
    assert kept(("presence", "present")) == ["start", "presence", "tasks", "meal", "note"]
    assert "meal" in kept()  # until it is said whether somebody was there


@pytest.mark.parametrize(
    ("link", "now", "before", "doubted"),
    [
        ("weight", 72.5, 70.0, False),
        ("weight", 72.5, 69.4, True),
        ("weight", 60, 72.5, True),
        ("weight", 72.5, None, False),
        ("spo2", 88, 93, True),
        ("pain", 9, 1, False),
    ],
)
def test_a_measure_far_from_the_last_one_is_asked_again(
    link: str, now: float, before: float | None, doubted: bool
) -> None:
    last = {} if before is None else {link: {"valueQuantity": {"value": before}}}

    assert [*answering.doubts(DAILY, {link: now}, last)] == [link] * doubted


@pytest.mark.parametrize("problem", ["an answer is required", "between 20 and 300", "not one of the answers"])
def test_problems_are_said_in_the_reader_s_words(problem: str) -> None:
    words = answering.in_words(problem, str)

    assert words.endswith(".")
    assert problem not in words


@pytest.mark.parametrize(
    ("now", "typed", "read"),
    [
        ("2026-05-04T09:36", "08:30", "2026-05-04T08:30:00+02:00"),
        ("2026-05-04T09:36", "09:40", "2026-05-04T09:40:00+02:00"),
        ("2026-05-04T09:36", "23:59", "2026-05-04T23:59:00+02:00"),
        ("2026-05-04T00:10", "23:50", "2026-05-03T23:50:00+02:00"),
        ("2026-05-04T00:10", "12:00", "2026-05-04T12:00:00+02:00"),
    ],
    ids=["this morning", "a clock that runs before", "this evening", "just before midnight", "at noon"],
)
def test_an_hour_is_today_s_or_that_of_the_evening_just_gone(now: str, typed: str, read: str) -> None:
    here = datetime.fromisoformat(now).replace(tzinfo=PARIS)

    assert answering.read_answers(FormData([("start", typed)]), QUESTIONS, here) == {"start": read}


@pytest.mark.parametrize(
    ("start", "end", "named"),
    [
        ("2026-05-04T10:55:00+02:00", None, []),
        ("2026-05-04T11:04:00+02:00", None, []),
        ("2026-05-04T11:06:00+02:00", None, ["start"]),
        ("2026-05-04T23:59:00+02:00", None, ["start"]),
        ("2026-05-03T11:01:00+02:00", None, []),
        ("2026-05-03T10:59:00+02:00", None, ["start"]),
        ("2026-05-04T10:00:00+02:00", "2026-05-04T10:30:00+02:00", []),
        ("2026-05-04T10:00:00+02:00", "2026-05-04T09:30:00+02:00", ["end"]),
        ("2026-05-04T10:00:00+02:00", "2026-05-04T12:30:00+02:00", ["end"]),
    ],
)
def test_a_visit_begins_neither_later_than_now_nor_long_ago(start: str, end: str | None, named: list[str]) -> None:
    answers: dict[str, Answer] = {"start": start, **({"end": end} if end else {})}

    assert [*answering.out_of_time(answers, TODAY, None)] == named
    assert "start" not in answering.out_of_time(answers, TODAY, {"period": {"start": start}})


def test_a_form_sent_again_after_midnight_keeps_the_day_of_its_visit() -> None:
    visit = {"period": {"start": "2026-05-03T21:50:00Z"}}
    typed: dict[str, Answer] = {"start": "2026-05-04T23:50:00+02:00"}

    assert answering.same_start(typed, "23:50", visit) == {"start": "2026-05-03T21:50:00Z"}
    assert answering.same_start(typed, "23:55", visit) == typed
