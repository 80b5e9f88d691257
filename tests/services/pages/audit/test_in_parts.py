"""A record opened for years: its accesses come in parts of whole days, none lost, none twice."""

import re
from datetime import timedelta

import pytest

from liaison.auth.journal.entry import Event
from liaison.auth.journal.sealing import COLUMNS, Record, unseal
from liaison.services.pages.audit import in_parts
from liaison.services.sandbox.past import acting_at

from ...oauth.conftest import Place
from .conftest import by_nurse

DAYS = 7


@pytest.fixture
async def years(place: Place, monkeypatch: pytest.MonkeyPatch) -> Place:
    """Two visits a day by the nurse for a week, of two questions each, and parts of ten entries."""
    now = await place.house.database.now()
    for day in range(DAYS, 0, -1):
        for hour in (0, 2):
            moment = now.replace(hour=9) - timedelta(days=day) + timedelta(hours=hour)
            async with acting_at(place.house, moment) as engine:
                await engine.journal.record((await by_nurse(place, Event.SEARCH),) * 2)
    monkeypatch.setattr(in_parts, "MOST", 10)
    return place


async def test_every_visit_is_in_one_part(years: Place) -> None:
    async with years.signed_in("dpo") as officer:
        address = f"/journal/reponses/{years.patient}"
        pages = []
        while address:
            shown = await officer.get(address)
            pages.append(re.sub(r"\s+", " ", shown.text))
            older = re.search(r'href="(/journal/reponses/[0-9a-f]+\?avant=[\d-]+)"', shown.text)
            address = older[1] if older else ""
        assert len(pages) > 3
        counted = sum(page.count("2 questions, sans rien montrer") for page in pages)
        assert counted == 2 * DAYS
        assert "Accès d'avant le" in pages[1].replace("&#39;", "'")
        assert (await officer.get(f"/journal/reponses/{years.patient}?avant=hier")).status_code == 404
        printed = await officer.get(f"/journal/reponses/{years.patient}/pdf?avant=2026-01-05")
        assert printed.content.startswith(b"%PDF-")


async def test_each_part_that_is_read_is_an_entry_with_what_was_asked(years: Place) -> None:
    async with years.signed_in("dpo") as officer:
        await officer.get(f"/journal/reponses/{years.patient}?avant=2026-01-05")
    rows = await years.house.database.reading.fetch(f"select {', '.join(COLUMNS)} from journal_entry")
    entries = [unseal(years.house.journal_keys, Record(*row)) for row in rows]
    assert f"reponse={years.patient}&avant=2026-01-05" in {one.query for one in entries}
