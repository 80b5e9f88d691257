"""The weekly sheet: the questions of the telephone in its order, with room for seven days."""

import re
from datetime import date
from pathlib import Path

import pytest

from liaison.services.pages import home_care
from liaison.services.pages.home_care.visit import arranged
from liaison.services.pages.home_service.paper_sheet import asked, parts, week_of


def test_the_order_is_that_of_the_page_of_a_visit() -> None:
    page = (Path(home_care.__file__).parent / "templates" / "visit.html").read_text()
    known, order = arranged(), []
    for single, several in re.findall(r"question\(questions\.(\w+)|for item in (state|others) ", page):
        order += [single] if single else [item.link for item in known[several]]

    assert [item.link for item in asked() if item.link not in ("start", "end")] == order


def test_every_answer_has_each_day_before_it() -> None:
    lines = [part.text for part in parts(str, "02 61 91 10 09")]

    for item in asked():
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
