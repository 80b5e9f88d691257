"""The weekly sheet: the questions of the telephone in its order, with room for seven days."""

import re
from datetime import date
from typing import Any

import pytest

from liaison.protocols import library
from liaison.protocols.forms import READY, arranged
from liaison.services.pages.home_service.paper_sheet import parts, week_of
from liaison.services.pages.layout import environment

FORMS = [library.shipped().tree(model) for model in READY.values()]


@pytest.mark.parametrize("form", FORMS, ids=[*READY])
def test_the_order_is_that_of_the_telephone(form: dict[str, Any]) -> None:
    drawn = environment("fr").get_template("home_care/asked.html").module
    told = arranged(form)
    page = drawn.questions(told) + drawn.alerting(told)  # type: ignore[attr-defined]  # its macros
    shown = [link for link in re.findall(r'data-question="([a-z0-9-]+)" data-kind', page) if link != "start"]

    assert [item.link for item in told.in_order if item.link not in ("start", "end")] == shown


@pytest.mark.parametrize("form", FORMS, ids=[*READY])
def test_every_answer_has_each_day_before_it(form: dict[str, Any]) -> None:
    lines = [part.text for part in parts(form, str, "02 61 91 10 09")]

    for item in arranged(form).in_order:
        assert item.text in lines
        for option in item.tree.get("answerOption", []):
            said = option["valueCoding"]["display"]
            assert any(line.startswith("[L]") and line.count("[") == 7 and line.endswith(said) for line in lines), said
    assert any("15" in line and "02 61 91 10 09" in line for line in lines)


@pytest.mark.parametrize(
    ("typed", "monday"),
    [
        ("", date(2026, 11, 30)),
        ("2026-12-06", date(2026, 11, 30)),
        ("2026-12-07", date(2026, 12, 7)),
        ("x", date(2026, 11, 30)),
    ],
    ids=["this week", "its sunday", "the next", "no day"],
)
def test_a_week_begins_on_monday(typed: str, monday: date) -> None:
    assert week_of(typed, date(2026, 12, 3)) == monday
