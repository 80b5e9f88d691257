"""`liaison journal expire`: what is over is listed, and destroyed by a named decision alone; what is left verifies."""

import asyncio
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from liaison.auth.journal.entry import Entry, Event
from liaison.auth.journal.integrator import Integrator
from liaison.auth.journal.sealing import COLUMNS, Record, unseal
from liaison.fhir.store.database import connection
from liaison.fhir.vault import FileKeyProvider
from liaison.services.custody import papers
from liaison.services.custody.papers import Papers
from liaison.services.house import House
from liaison.services.sandbox.past import acting_at
from liaison.services.settings import Settings

from ..conftest import alone
from ..console import typed

YEAR = timedelta(days=366)
PAST = (11, 7, 2)
"""Years ago of one act each."""


NOBODY_SAYS = "no entry says that it was destroyed"


@dataclass
class Aged:
    """A base with acts of eleven, seven and two years ago."""

    settings: Settings
    environment: dict[str, str]
    months: list[str]

    def run(self, *words: str, given: str = "") -> Any:
        return typed(self.environment, "journal", *words, given=given)

    def keys(self) -> int:
        async def count() -> int:
            async with House.opened(self.settings) as house:
                found: int = await house.database.reading.fetchval(
                    "select count(*) from journal_key where purpose = 'seal'"
                )
                return found

        return alone(count)


@pytest.fixture
def aged(database_url: str, tmp_path: Path) -> Iterator[Aged]:
    FileKeyProvider.create(tmp_path / "key")
    settings = Settings(
        database_url=database_url, data=tmp_path / "data", key_file=tmp_path / "key", public_url="https://liaison.test"
    )
    settings.data.mkdir()
    environment = {
        **os.environ,
        "LIAISON_DATABASE_URL": database_url,
        "LIAISON_DATA": str(settings.data),
        "LIAISON_KEY_FILE": str(tmp_path / "key"),
        "LIAISON_PUBLIC_URL": "https://liaison.test",
    }

    async def fill() -> list[str]:
        async with House.opened(settings) as house:
            now = await house.database.now()
            months = []
            for years in PAST:
                moment = now - years * YEAR
                async with acting_at(house, moment) as engine:
                    await engine.journal.record((Entry(Event.READ, patient=1, reason=f"{years} ans"),))
                months.append(f"{moment:%Y-%m}")
            await _integrated(house)
            return months

    yield Aged(settings, environment, alone(fill))


async def _integrated(house: House) -> None:
    """Until every entry has its position."""
    work = asyncio.create_task(Integrator(house.journal_keys).run(lambda: connection(house.database.url)))
    try:
        async with asyncio.timeout(30):
            while await house.database.reading.fetchval(
                "select exists (select from journal_entry e left join journal_position p using (worker, sequence)"
                " where p.worker is null)"
            ):
                await asyncio.sleep(0.05)
    finally:
        work.cancel()


def test_what_is_over_is_listed_and_nothing_is_changed(aged: Aged) -> None:
    before = aged.keys()
    listed = aged.run("expire")
    assert listed.returncode == 0, listed.stderr
    assert "Kept 10 years. Months to end: 1." in listed.stdout
    assert f"{aged.months[0]}  " in listed.stdout
    found = json.loads(aged.run("expire", "--json").stdout)
    assert [one["month"] for one in found["due"]] == aged.months[:1]
    assert (found["years"], found["dry"]) == (10, True)
    assert aged.keys() == before


@pytest.mark.parametrize(
    ("words", "given", "said"),
    [
        (["--why", "Décision 12"], "", "--by and --why"),
        (["--by", "A. Le Roux, DPO"], "", "--by and --why"),
        (["--by", "A. Le Roux, DPO", "--why", "Décision 12", "--confirm", "3"], "", "Not confirmed: 1 months are due"),
        (["--by", "A. Le Roux, DPO", "--why", "Décision 12"], "0\n", "Not confirmed: 1 months are due"),
    ],
    ids=["nobody", "no reason", "another number", "another number typed"],
)
def test_nothing_is_destroyed_without_a_decision(aged: Aged, words: list[str], given: str, said: str) -> None:
    before = aged.keys()
    refused = aged.run("expire", "--destroy", *words, given=given)
    assert refused.returncode != 0
    assert said in refused.stderr
    assert aged.keys() == before


def test_the_period_chosen_at_init_ends_months_for_good(aged: Aged) -> None:
    papers.write(aged.settings.data, Papers("2010-01-01", "Hébergeur SA", "2099-06-30", journal_years=6))
    before = aged.keys()
    done = aged.run("expire", "--destroy", "--by", "A. Le Roux, DPO", "--why", "Décision 12", given="2\n")
    assert done.returncode == 0, done.stderr
    assert "Destroyed: 2." in done.stdout
    assert aged.keys() == before - 2

    verified = aged.run("verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert NOBODY_SAYS not in verified.stdout
    assert "Months to end: 0." in aged.run("expire").stdout

    async def opened() -> list[Entry]:
        async with House.opened(aged.settings) as house:
            rows = await house.database.reading.fetch(f"select {', '.join(COLUMNS)} from journal_entry order by at")
            held = [Record(*row) for row in rows if house.journal_keys.holds(row["generation"])]
            assert len(rows) - len(held) >= 2
            return [unseal(house.journal_keys, one) for one in held]

    entries = alone(opened)
    assert [one.reason for one in entries if one.event == Event.READ] == ["2 ans"]
    [act] = [one for one in entries if one.event == Event.KEYS]
    assert act.reason == "Décision 12"
    assert act.detail is not None
    assert act.detail["by"] == "A. Le Roux, DPO"
    assert [f"{one // 100}-{one % 100:02}" for one in act.detail["months"]] == aged.months[:2]


def test_a_key_that_went_without_a_decision_is_named(aged: Aged) -> None:
    async def removed() -> None:
        async with House.opened(aged.settings) as house:
            month = int(aged.months[-1].replace("-", ""))
            await house.database.writing.execute("delete from journal_key where generation = $1", month)

    assert NOBODY_SAYS not in aged.run("verify").stdout
    alone(removed)
    aged.run("expire", "--destroy", "--by", "A. Le Roux, DPO", "--why", "Décision 12", "--confirm", "2")
    said = aged.run("verify").stdout
    assert f"The key of {aged.months[-1]} is gone, and {NOBODY_SAYS}" in said
    assert said.count(NOBODY_SAYS) == 1
    assert json.loads(aged.run("verify", "--json").stdout)["lost"] == [int(aged.months[-1].replace("-", ""))]
