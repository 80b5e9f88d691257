"""A record opened for years: its accesses come in parts, none lost, none twice."""

import html
import re
from collections.abc import Sequence
from datetime import datetime, timedelta

import httpx
import pytest

from liaison.auth.journal import looking
from liaison.auth.journal.entry import Event
from liaison.auth.journal.sealing import COLUMNS, Record, unseal
from liaison.services.pages.audit import in_parts
from liaison.services.pages.clock import PARIS
from liaison.services.sandbox.past import acting_at

from ...oauth.conftest import Place
from ..browsing import today
from .conftest import by_nurse

DAYS = 7


async def asked_at(place: Place, moments: Sequence[datetime]) -> None:
    """The nurse asks two questions about the record at each of these moments."""
    for moment in moments:
        async with acting_at(place.house, moment) as engine:
            await engine.journal.record((await by_nurse(place, Event.SEARCH),) * 2)


async def days_ago(place: Place, days: int, hour: int) -> datetime:
    now = (await place.house.database.now()).astimezone(PARIS)
    return now.replace(hour=hour, minute=0) - timedelta(days=days)


async def every_part(place: Place, officer: httpx.AsyncClient, before: str = "") -> list[str]:
    """The answer to the patient, part after part, by the links alone."""
    return await parts_from(f"/journal/reponses/{place.patient}{before}", officer)


async def parts_from(address: str, officer: httpx.AsyncClient) -> list[str]:
    pages = []
    while address:
        shown = html.unescape((await officer.get(address)).text)
        pages.append(re.sub(r"\s+", " ", shown))
        older = re.search(r'href="(/journal/[^"]+)">Les accès d\'avant', shown)
        address = older[1] if older else ""
    return pages


def visits_told(page: str) -> list[int]:
    """How many questions each visit of a page had."""
    return [int(one) for one in re.findall(r"(\d+) questions, sans rien montrer", page)]


@pytest.fixture(autouse=True)
def parts_of_ten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(in_parts, "MOST", 10)
    monkeypatch.setattr(looking, "MOST", 10)


@pytest.fixture
async def years(place: Place) -> Place:
    """Two visits a day by the nurse for a week, of two questions each."""
    await asked_at(place, [await days_ago(place, day, hour) for day in range(DAYS, 0, -1) for hour in (9, 11)])
    return place


async def test_every_visit_is_in_one_part(years: Place) -> None:
    async with years.signed_in("dpo") as officer:
        pages = await every_part(years, officer)
        assert len(pages) > 3
        assert sum(page.count("2 questions, sans rien montrer") for page in pages) == 2 * DAYS
        assert "Accès d'avant le" in pages[1]
        assert (await officer.get(f"/journal/reponses/{years.patient}?avant=hier")).status_code == 404
        printed = await officer.get(f"/journal/reponses/{years.patient}/pdf?avant=2026-01-05")
        assert printed.content.startswith(b"%PDF-")


async def test_each_part_that_is_read_is_an_entry_with_what_was_asked(years: Place) -> None:
    async with years.signed_in("dpo") as officer:
        await officer.get(f"/journal/reponses/{years.patient}?avant=2026-01-05")
    # The week may have begun in another month, whose key the journal made while it wrote.
    await years.house.journal_keys.current(years.house.database.reading)
    rows = await years.house.database.reading.fetch(f"select {', '.join(COLUMNS)} from journal_entry")
    entries = [unseal(years.house.journal_keys, Record(*row)) for row in rows]
    assert f"reponse={years.patient}&avant=2026-01-05" in {one.query for one in entries}


async def test_a_day_with_more_than_a_part_holds_is_shown_to_its_end(place: Place) -> None:
    await asked_at(place, [await days_ago(place, 1, hour) for hour in range(1, 13)])

    async with place.signed_in("dpo") as officer:
        pages = await every_part(place, officer, f"?avant={today()}")
        paper = await officer.get(re.findall(r'href="([^"]+/pdf\?avant=[^"]+T[^"]+)"', pages[1])[0])

    assert len(pages) == 3
    assert [count for page in pages for count in visits_told(page)] == [2] * 12
    assert re.search(r"Accès d'avant le \d+ \S+ \d+, \d\d:\d\d", pages[1])
    assert paper.content.startswith(b"%PDF-")


async def test_a_visit_over_midnight_is_told_whole(place: Place) -> None:
    evening = [await days_ago(place, 2, hour) for hour in (18, 20)]
    night = [await days_ago(place, 1, 0) + timedelta(minutes=minutes) for minutes in (-10, 10)]
    await asked_at(place, [*evening, *night, *[await days_ago(place, 1, hour) for hour in (8, 10)]])

    async with place.signed_in("dpo") as officer:
        pages = await every_part(place, officer, f"?avant={today()}")

    assert [visits_told(page) for page in pages] == [[2, 2, 4], [2, 2]]


async def test_of_a_visit_that_never_pauses_each_line_is_in_one_part_and_the_page_says_so(place: Place) -> None:
    begun = await days_ago(place, 1, 8)
    await asked_at(place, [begun + timedelta(minutes=10 * n) for n in range(8)])

    async with place.signed_in("dpo") as officer:
        pages = await every_part(place, officer, f"?avant={today()}")

    assert [visits_told(page) for page in pages] == [[10], [6]]
    assert "Une visite en cours à cette heure-là est sur deux pages" in pages[0]


async def test_what_happened_at_one_moment_stays_together(place: Place) -> None:
    await asked_at(place, [await days_ago(place, 1, 8)])
    async with acting_at(place.house, await days_ago(place, 1, 9)) as engine:
        await engine.journal.record((await by_nurse(place, Event.SEARCH),) * 12)

    async with place.signed_in("dpo") as officer:
        pages = await every_part(place, officer, f"?avant={today()}")

    assert [visits_told(page) for page in pages] == [[12], [2]]


@pytest.mark.parametrize("asked", ["dossier={patient}&role=nurse", "role=nurse&jour={weekday}"], ids=["record", "time"])
async def test_an_officer_reads_a_full_day_to_its_end_too(place: Place, asked: str) -> None:
    await asked_at(place, [await days_ago(place, 1, hour) for hour in range(1, 13)])
    day = (await days_ago(place, 1, 0)).date()
    question = asked.format(patient=place.patient, weekday=day.isoweekday())

    async with place.signed_in("dpo") as officer:
        pages = await parts_from(f"/journal/recherche?{question}&du={day}&au={day}", officer)
        refused = await officer.get("/journal/recherche?avant=midi")

    assert [count for page in pages for count in visits_told(page)] == [2] * 12
    assert "La réponse est en parties" in pages[0]
    assert "La réponse est en parties" not in pages[-1]
    assert refused.status_code == 400
