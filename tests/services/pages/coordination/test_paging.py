"""Whoever works through the list, page by page, misses nobody who stays in it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liaison.services.pages.coordination.asked import SIZE, Asked
from liaison.services.pages.coordination.paging import mark, start

PLACES = st.dictionaries(st.integers(1, 400), st.integers(0, 30), min_size=SIZE, max_size=3 * SIZE)


def page(places: dict[int, int], **asked: str) -> list[int]:
    rows = sorted(places, key=lambda one: (places[one], one))
    begin = start(Asked(**asked), rows, lambda one: (places[one], one), int)  # type: ignore[arg-type]  # marks are text
    return rows[begin : begin + SIZE]


@given(PLACES, st.data())
def test_those_who_are_done_meanwhile_take_nobody_s_place(places: dict[int, int], data: st.DataObject) -> None:
    """Some leave the list after each page, some are due later: who stays where they were was shown."""
    left, seen, shown = dict(places), set[int](), page(places)
    stayed = set(places)
    for _page in range(20):
        if not shown:
            break
        seen |= set(shown)
        last = mark(left[shown[-1]], str(shown[-1]))
        for gone in data.draw(st.lists(st.sampled_from(shown), max_size=9)):
            left.pop(gone, None)
            stayed.discard(gone)
        for moved in data.draw(st.lists(st.sampled_from(sorted(stayed) or [0]), max_size=3)):
            if moved in left:
                left[moved] += 10
        shown = page(left, after=last)
    assert stayed <= seen


def test_the_last_of_a_page_who_is_later_since_takes_nobody_with_them() -> None:
    places = dict.fromkeys(range(1, SIZE + 2), 0)
    last = mark(0, str(SIZE))
    assert SIZE + 1 in page({**places, SIZE: 10}, after=last)


def test_by_number_they_would() -> None:
    places = dict.fromkeys(range(1, 2 * SIZE + 1), 0)
    first = page(places)
    left = {one: place for one, place in places.items() if one not in first[:10]}
    following = range(SIZE + 1, SIZE + 11)
    assert set(following) <= set(page(left, after=mark(0, str(first[-1]))))
    assert not set(following) & set(sorted(left)[SIZE:])  # what a second page by number has


@pytest.mark.parametrize("wrong", ["", "x", "1", "1.0", "-1.3", "²." + "1", "9" * 70])
def test_what_is_no_mark_is_the_first_page(wrong: str) -> None:
    places = {one: one for one in range(1, 2 * SIZE)}
    assert page(places, after=wrong)[:1] == [1]


def test_back_is_the_page_that_was_there() -> None:
    places = {one: one // 7 for one in range(1, 4 * SIZE)}
    first = page(places)
    second = page(places, after=mark(places[first[-1]], str(first[-1])))
    assert not set(first) & set(second)
    assert page(places, before=mark(places[second[0]], str(second[0]))) == first
