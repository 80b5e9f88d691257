"""Tens of thousands of whole queries over the given data, and each form of query often enough: ids, order, totals, pages.

`LIAISON_PROOF_QUERY=41:1234` asks that one query alone, as a difference names it.
"""

import asyncio
import json
import os
import sys
from collections import Counter
from pathlib import Path

import pytest

from liaison.fhir.search import words
from liaison.fhir.store.database import Database

from .bulk import Asker, Tally, write
from .furnished import furnished

ROOT = Path(__file__).parents[3]

SINGLE = (
    "number: number:gt quantity: quantity:le quantity:ap date: date:ap date:eb date:sa date:ne string: string:exact"
    " string:contains string:missing token: token:not token:text token:in token:not-in token:above token:below"
    " token:missing reference: reference:[type] reference:identifier reference:above reference:below reference:missing"
    " uri: uri:above uri:below uri:missing composite: near: _list: _filter: _text: _content: _id: _lastUpdated:"
)
FORMS = [
    *SINGLE.split(),
    "a chain", "_has", "_sort by a chain", "_sort by several", "_sort by date", "_sort by token", "_sort by string",
    "_sort by number", "_sort by quantity", "_sort by reference", "_sort by uri", "_sort by _id", "_sort by _lastUpdated",
    "_total=accurate", "_total=estimate", "_total=none", "_total=", "_summary=count", "_count=0",
    "several types or a compartment",
]  # fmt: skip


async def _shared(url: str, folder: Path, seed: int, queries: int) -> Tally:
    """Asked by as many processes as there are processors."""
    workers = os.cpu_count() or 1
    shares = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-m", f"{__package__ or 'tests.proof.reference'}.bulk",
            url, str(folder), str(seed), str(first), str(queries), str(workers),
            cwd=ROOT, stdout=asyncio.subprocess.PIPE,
        )
        for first in range(workers)
    ]  # fmt: skip
    tally = Tally()
    for share, (out, _) in zip(shares, await asyncio.gather(*(one.communicate() for one in shares)), strict=True):
        assert share.returncode == 0
        asked, met, forms, differences = json.loads(out)
        tally.add(Tally(asked, met, Counter(forms), differences))
    return tally


async def _agree(asker: Asker, queries: int) -> Tally:
    for number in range(queries):
        await asker.ask(number)
    return asker.tally


@pytest.mark.proof
@pytest.mark.parametrize(
    ("most", "queries", "seed"), [(10, 26_000, 41), (25, 6_000, 42)], ids=["smaller records", "all records"]
)
async def test_tens_of_thousands_of_queries_agree_with_the_reference(
    database: Database, database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    most: int, queries: int, seed: int,
) -> None:  # fmt: skip
    async for world in furnished(database, tmp_path, most, examples=True):
        if one := os.environ.get("LIAISON_PROOF_QUERY", ""):
            asker = Asker(world, int(one.partition(":")[0]))
            await asker.ask(int(one.partition(":")[2]))
            assert not asker.tally.differences, asker.tally.differences
            return
        write(world, tmp_path / "world")
        tally = await _shared(database_url, tmp_path, seed, queries)
        with capsys.disabled():
            print(f"\nreference: {tally.asked} queries of seed {seed} over {len(world.corpus.resources)} resources,")
            print(
                f"  {tally.met} of them find something; {dict(sorted(tally.forms.items()))}",
                *tally.differences,
                sep="\n",
            )
        assert not tally.differences, "\n".join(tally.differences)
        assert tally.asked == queries
        assert tally.met > queries / 3, "the queries find next to nothing: they prove nothing"
        least = queries / 10_000
        assert not {form: tally.forms[form] for form in FORMS if tally.forms[form] < least}, "hardly asked"


async def test_some_queries_of_every_form_agree_with_the_reference(database: Database, tmp_path: Path) -> None:
    async for world in furnished(database, tmp_path, 1, examples=True):
        tally = await _agree(Asker(world, 40), 120)
        assert not tally.differences, "\n".join(tally.differences)
        assert tally.met > 40


async def test_a_planted_fault_is_found_and_made_small(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = words.says
    monkeypatch.setattr(words, "says", lambda text, asked: isinstance(asked, str) and real(text, asked))
    async for world in furnished(database, tmp_path, 1, examples=True):
        asker = Asker(world, 40)
        number = 0
        while not asker.tally.differences:
            assert number < 2_000, "the fault was not found"
            await asker.ask(number)
            number += 1
        [found] = asker.tally.differences
        assert found.startswith(f"query 40:{number - 1} of caller ")
        assert found.partition("?")[2].partition("&")[0].startswith(("_text=", "_content="))
