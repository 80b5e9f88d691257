"""How long a record is kept, case by case as the law says it (CSP R.1112-7)."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liaison.auth.retention.records import groups, last_day
from liaison.auth.retention.rules import BadRules, Facts, in_force, loaded, terms, years_after

RULES = in_force().rules
D = date.fromisoformat


@pytest.mark.parametrize(
    ("facts", "kept_until", "because"),
    [
        pytest.param(Facts(D("2001-05-10"), D("1940-01-01")), "2021-05-10", "last-act", id="20 years"),
        pytest.param(Facts(D("2004-02-29"), D("1940-01-01")), "2024-02-29", "last-act", id="29 February"),
        pytest.param(Facts(D("2001-05-10"), D("2000-06-01")), "2028-06-01", "birthday", id="until 28"),
        pytest.param(Facts(D("2008-06-01"), D("2000-06-01")), "2028-06-01", "last-act", id="both on one day"),
        pytest.param(Facts(D("2009-05-10"), D("2000-06-01")), "2029-05-10", "last-act", id="20 years after 28"),
        pytest.param(Facts(D("2001-05-10")), "2029-05-10", "birthday", id="no birth date: born that day"),
        pytest.param(Facts(D("2001-05-10"), D("1940-01-01"), D("2005-01-01")), "2015-01-01", "death", id="death"),
        pytest.param(Facts(D("2001-05-10"), D("2000-06-01"), D("2001-07-01")), "2011-07-01", "death", id="child dies"),
        pytest.param(
            Facts(D("2001-05-10"), D("1940-01-01"), D("2011-05-09")), "2021-05-09", "death", id="last day of ten years"
        ),
        pytest.param(
            Facts(D("2001-05-10"), D("1940-01-01"), D("2011-05-10")),
            "2021-05-10",
            "last-act",
            id="dies after ten years",
        ),
        pytest.param(
            Facts(D("2020-05-10"), D("1940-01-01"), D("1999-01-01")), "2030-05-10", "death", id="acts after the death"
        ),
        pytest.param(
            Facts(D("2001-05-10"), D("1940-01-01"), None, ((D("2010-01-01"), D("2010-01-11")),)),
            "2021-05-20",
            "last-act",
            id="suspended for ten days",
        ),
        pytest.param(
            Facts(
                D("2001-05-10"),
                D("1940-01-01"),
                None,
                ((D("2010-01-01"), D("2010-01-11")), (D("2010-01-06"), D("2010-01-16"))),
            ),
            "2021-05-25",
            "last-act",
            id="two disputes at once count once",
        ),
        pytest.param(
            Facts(D("2001-05-10"), D("1940-01-01"), None, ((D("2000-01-01"), D("2001-05-12")),)),
            "2021-05-12",
            "last-act",
            id="pending before the last act",
        ),
        pytest.param(
            Facts(D("2001-05-10"), D("1940-01-01"), None, ((D("2022-01-01"), D("2023-01-01")),)),
            "2021-05-10",
            "last-act",
            id="begun when the term was over",
        ),
    ],
)
def test_a_record_is_kept_until(facts: Facts, kept_until: str, because: str) -> None:
    found = terms(facts, RULES)
    assert (found.kept_until.isoformat(), found.because) == (kept_until, because)


def test_it_leaves_active_use_after_five_years() -> None:
    assert terms(Facts(D("2001-05-10")), RULES).active_until == D("2006-05-10")


def test_the_longest_duty_of_those_who_share_the_record_counts() -> None:
    shorter = loaded(WHOLE.replace("kept_years: 20", "kept_years: 6")).rules
    assert terms(Facts(D("2001-05-10"), D("1940-01-01")), (*shorter, *RULES)).kept_until == D("2021-05-10")
    assert terms(Facts(D("2001-05-10"), D("1940-01-01")), shorter).kept_until == D("2007-05-10")


DAYS = st.dates(D("1930-01-01"), D("2060-01-01"))


@given(DAYS, DAYS, st.none() | DAYS, st.lists(st.tuples(DAYS, st.integers(1, 900)), max_size=3))
def test_nothing_is_kept_for_less_than_ten_years_and_a_dispute_never_shortens(
    last: date, born: date, died: date | None, disputes: list[tuple[date, int]]
) -> None:
    periods = tuple((begin, begin + timedelta(days=days)) for begin, days in disputes)
    plain, suspended = terms(Facts(last, born, died), RULES), terms(Facts(last, born, died, periods), RULES)
    assert years_after(last, 10) <= plain.kept_until <= suspended.kept_until
    assert suspended.kept_until - plain.kept_until <= timedelta(days=sum(days for _, days in disputes))
    assert plain.active_until <= plain.kept_until


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2015", "2015-12-31"),
        ("2016-02", "2016-02-29"),
        ("2015-03-04", "2015-03-04"),
        ("2015-03-04T10:00:00Z", "2015-03-04"),
    ],
)
def test_a_date_that_is_not_whole_means_its_last_day(text: str, day: str) -> None:
    assert last_day(text) == D(day)


@pytest.mark.parametrize("text", [None, "", "hier", "2015-13"])
def test_what_is_no_date_is_none(text: object) -> None:
    assert last_day(text) is None


def test_linked_records_are_one_whichever_names_the_other() -> None:
    linked = {1: frozenset({2}), 2: frozenset[int](), 3: frozenset({2, 99}), 4: frozenset[int]()}
    assert list(groups(linked)) == [(1, 2, 3), (4,)]


WHOLE = """
version: "1"
date: 2026-01-01
rules:
  - {kind: a, text: t, source: s, active_years: 5, kept_years: 20, until_age: 0, death_within_years: 0, after_death_years: 0}
"""


@pytest.mark.parametrize(
    "broken",
    [
        WHOLE.replace("kept_years: 20, ", ""),
        WHOLE.replace("kept_years: 20", "kept_years: -1"),
        WHOLE.replace("kept_years: 20", "kept_years: yes"),
        WHOLE.replace("kept_years: 20", "kept_years: 4"),
        WHOLE.replace("source: s", "source: ''"),
        WHOLE.replace("version", "vresion"),
        WHOLE.split("rules")[0] + "rules: []",
    ],
    ids=["missing", "negative", "truth", "in use for longer", "no source", "no version", "none"],
)
def test_rules_that_are_not_whole_are_not_used(broken: str) -> None:
    loaded(WHOLE)
    with pytest.raises(BadRules):
        loaded(broken)
