"""What refers into a record is known with it: found without a look at the caller's other records, and never too little."""

import asyncio
from typing import Any

import asyncpg
import pytest

from liaison.fhir.errors import Unavailable
from liaison.fhir.search.elsewhere import records, sources
from liaison.fhir.search.index import GENERATION, indexed
from liaison.fhir.store import erasure, reindex
from liaison.fhir.store.contract import Change, Key
from liaison.fhir.store.lanes import PLANNING
from liaison.fhir.store.referring import Referring

from .conftest import Territory
from .linked import House

ASKED = (
    ("Encounter", "_id={e-zoe}&_revinclude=Observation:focus"),
    ("Encounter", "patient={zoe}&_revinclude=*"),
    ("Encounter", "patient={zoe}&_has:Observation:focus:code=baby"),
    ("Patient", "_id={zoe}&_revinclude=Observation:performer"),
)
COMPARTMENTS = (("Patient", "zoe", "Observation"), ("Patient", "zoe", ""), ("Encounter", "e-zoe", "Observation"))


@pytest.fixture
async def house(territory: Territory) -> House:
    """Something in Paul's record looks at Zoé's encounter, and was made by Zoé."""
    made = await House.furnished(territory)
    await made.observation("baby", "paul", "baby", focus=[made.ref("e-zoe")], performer=[made.ref("zoe")])
    return made


async def answers(house: House) -> list[set[str]]:
    """Of every question, what is found and what is included, by name."""
    ids = {name: house.territory.id(key) for name, key in house.names.items()}
    named = {id_: name for name, id_ in ids.items()}
    found = [await house.territory.search(type_, query.format(**ids)) for type_, query in ASKED]
    found += [
        await house.territory.search(type_, "", compartment=f"{owner}/{ids[name]}")
        for owner, name, type_ in COMPARTMENTS
    ]
    return [{named[one] for one in (*page.ids, *page.included)} for page in found]


def as_of_an_older_version(house: House) -> None:
    """A process that has not asked yet whether the rows are complete."""
    store = house.territory.store
    store.referring = Referring(store.database, store.lanes, store.vault)


async def test_it_finds_what_a_look_into_every_record_finds(house: House) -> None:
    known = await answers(house)
    assert all("baby" in some for some in known[:2] + known[3:6]), known
    assert known[2] == {"e-zoe"}
    await house.territory.database.writing.execute("delete from reindexing")
    as_of_an_older_version(house)
    assert await sources(house.territory.store, house.territory.caller, [house.names["zoe"].patient]) is None
    assert await answers(house) == known


async def test_without_its_rows_it_would_find_less(house: House) -> None:
    known = await answers(house)
    await house.territory.database.writing.execute("delete from referring")
    less = await answers(house)
    assert all("baby" not in some for some in less[:2] + less[3:]) and less[2] == set()
    assert less != known


async def test_reindexing_a_base_of_an_older_version_makes_them(house: House) -> None:
    known, territory = await answers(house), house.territory
    rows = await territory.database.reading.fetch("select * from referring order by 1, 2")
    assert len(rows) == 2  # by focus, and by performer
    await territory.database.writing.execute("delete from referring")
    await territory.database.writing.execute("delete from reindexing")
    as_of_an_older_version(house)
    store = territory.store
    await reindex.reindex(store.database, store.vault, indexed, GENERATION, lambda _: None, store.parameters)
    assert await store.referring.complete()
    assert await territory.database.reading.fetch("select * from referring order by 1, 2") == rows
    assert await answers(house) == known


async def test_what_the_caller_may_not_see_leads_nowhere(house: House) -> None:
    territory, zoe, paul = house.territory, house.names["zoe"].patient, house.names["paul"].patient
    assert await records(territory.store, territory.caller, [zoe]) == frozenset({paul})
    other = await territory.session(2, 2)
    await territory.grant(zoe, 2)
    assert await records(territory.store, other, [zoe]) == frozenset()
    found = await territory.search("Encounter", "_revinclude=Observation:focus", caller=other)
    assert (len(found.ids), found.included) == (1, [])


async def test_a_row_pairs_no_two_patients_without_a_key(house: House) -> None:
    """Neither record's number stands in it, and it means nothing with another record."""
    territory, zoe, paul = house.territory, house.names["zoe"].patient, house.names["paul"].patient
    rows = await territory.database.reading.fetch("select patient, source from referring")
    assert {row["patient"] for row in rows} == {zoe}
    assert all(len(row["source"]) == 16 for row in rows)
    assert not any(number.to_bytes(5, "big") in row["source"] for row in rows for number in (zoe, paul))
    await territory.database.writing.execute("update referring set patient = $1", paul)
    with pytest.raises(Unavailable, match="integrity"):
        await territory.store.referring.to([paul])


async def test_it_goes_with_the_patient(house: House) -> None:
    territory, zoe = house.territory, house.names["zoe"].patient
    async with territory.database.writing.acquire() as one, one.transaction():
        assert await erasure.erase(one, territory.store.vault, zoe)
    assert await territory.database.reading.fetch("select * from referring") == []
    await house.observation("late", "paul", "late", focus=[house.ref("e-zoe")])
    assert await territory.database.reading.fetch("select * from referring") == [], "nor does it come back"


async def test_writers_whose_references_cross_do_not_wait_in_a_circle(house: House) -> None:
    """They leave the same rows, each in one order."""
    territory = house.territory
    zoe, paul = house.names["zoe"], house.names["paul"]

    def about(owner: Key, other: Key) -> Change:
        subject, focus = ({"reference": f"Patient/{territory.id(one)}"} for one in (owner, other))
        tree = {"resourceType": "Observation", "status": "final", "code": {"text": "x"}, "subject": subject}
        return territory.change({**tree, "focus": [focus]}, territory.new_key("Observation", owner.patient))

    await territory.database.writing.execute("delete from referring")
    pairs = [(about(zoe, paul), about(paul, zoe)) for _ in range(12)]
    await asyncio.gather(*(territory.write(*pair[:: 1 if number % 2 else -1]) for number, pair in enumerate(pairs)))
    rows = await territory.database.reading.fetch("select patient from referring")
    assert sorted(row["patient"] for row in rows) == sorted([zoe.patient, paul.patient])


# ---- cost ----------------------------------------------------------------------------------------------------------


async def buffers(territory: Territory, ask: Any, monkeypatch: pytest.MonkeyPatch) -> tuple[int, int]:
    """How many statements a search sends, and how many pages of the base they touch."""
    sent: list[tuple[str, tuple[Any, ...]]] = []
    fetch = territory.store.lanes.fetch

    async def watched(text: str, *arguments: Any) -> Any:
        sent.append((text, arguments))
        return await fetch(text, *arguments)

    with monkeypatch.context() as patched:
        patched.setattr(territory.store.lanes, "fetch", watched)
        await ask()
    async with territory.database.reading.acquire() as one:
        await one.execute(PLANNING)  # given back, a connection forgets it
        return len(sent), sum([await _touched(one, text, arguments) for text, arguments in sent])


async def _touched(one: asyncpg.Connection, text: str, arguments: tuple[Any, ...]) -> int:
    lines = await one.fetch(f"explain (analyze, buffers, timing off, costs off) {text}", *arguments)
    first = next((line[0] for line in lines if "Buffers:" in line[0]), "")
    return sum(int(part.partition("=")[2]) for part in first.split() if part.startswith(("hit=", "read=")))


async def test_the_cost_does_not_grow_with_the_callers_records(
    territory: Territory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A token and four pages for each record, and 2.1 times the time at 34 times the records: each was asked for a mark."""
    house = await House.furnished(territory)
    ids = {name: territory.id(key) for name, key in house.names.items()}

    async def included() -> None:
        assert (await territory.search("Encounter", f"patient={ids['zoe']}&_revinclude=Observation:focus")).ids

    async def compartment() -> None:
        assert (await territory.search("Observation", "", compartment=f"Patient/{ids['zoe']}")).ids

    async def costs() -> list[tuple[int, int]]:
        await territory.database.writing.execute("analyze")
        for ask in (included, compartment):  # plans and keys at hand
            await ask()
        return [await buffers(territory, ask, monkeypatch) for ask in (included, compartment)]

    few = await costs()
    for _ in range(60):
        one = await territory.patient()
        await territory.grant(one.patient, 1)
        await territory.observation(one, "8867-4")
    many = await costs()
    assert [statements for statements, _ in many] == [statements for statements, _ in few]
    for (_, before), (_, after) in zip(few, many, strict=True):
        assert after <= before + 30, (few, many)  # an index may be a level deeper; sixty records would be 240
    await territory.database.writing.execute("delete from reindexing")  # the fault: as it was before
    as_of_an_older_version(house)
    assert (await costs())[0][1] > many[0][1] + 100


async def test_the_records_of_others_cost_a_search_nothing(
    team: tuple[Territory, Key], monkeypatch: pytest.MonkeyPatch
) -> None:
    """medplum#5693: the newest first were looked for among everybody's. LFH#1673: a first page read every row. LFH#264: so
    did the count over all types. LFH#1929: and the search of a code."""
    territory, patient = team
    for number in range(4):
        await territory.observation(patient, "8867-4", at=f"2026-01-0{number + 1}")
    strangers = [await territory.patient() for _ in range(30)]

    def asking(type_: str, query: str) -> Any:
        async def ask() -> None:
            assert (await territory.search(type_, query)).total in (None, 4, 5)

        return ask

    asked = [
        asking("Observation", "_sort=-_lastUpdated&_count=2&_total=none"),
        asking("Observation", "_count=2"),
        asking("", "_summary=count&_type=Observation,Patient"),
        asking("Observation", "code=8867-4&_sort=-date&_count=2"),
    ]

    async def costs() -> list[int]:
        await territory.database.writing.execute("analyze")
        for ask in asked:  # plans and keys at hand
            await ask()
        return [(await buffers(territory, ask, monkeypatch))[1] for ask in asked]

    few = await costs()
    for stranger in strangers:
        tree: dict[str, Any] = {"resourceType": "Observation", "status": "final", "effectiveDateTime": "2026-02-01"}
        tree |= {"subject": {"reference": f"Patient/{territory.id(stranger)}"}}
        tree |= {"code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]}}
        await territory.write(
            *(territory.change(tree, territory.new_key("Observation", stranger.patient)) for _ in range(50))
        )
    many = await costs()
    assert [after <= before + 12 for before, after in zip(few, many, strict=True)] == [True] * 4, (few, many)
    pages = await territory.database.reading.fetchval("select pg_relation_size('version') / 8192")
    assert pages > 3 * max(many), (pages, many)  # or reading all of them would not have been noticed


async def test_the_length_of_a_record_costs_a_search_by_id_nothing(
    team: tuple[Territory, Key], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor does that of the directory: in their order, all that stands there was walked for two of it."""
    territory, patient = team
    made = {
        "Observation": [await territory.observation(patient, "8867-4") for _ in range(2)],
        "Practitioner": [await territory.add({"resourceType": "Practitioner"}) for _ in range(2)],
    }

    async def longer(rows: int) -> None:
        """Rows beside each of them, which nobody opens."""
        rest = "deleted, classes, author, service, addressee, sealed"
        for table, (key, _) in zip(("version", "directory_version"), made.values(), strict=True):
            await territory.database.writing.execute(
                f"insert into {table} (patient, kind, res, version, at, clinical, {rest})"
                f" select patient, kind, n * 4099 + $1, 1, at - n * interval '1 minute', clinical - n * interval '1 hour', {rest}"
                f" from {table}, generate_series(1, $1) n where patient = $2 and kind = $3 and res = $4",
                rows,
                *key,
            )
        await territory.database.writing.execute("vacuum analyze")

    def asking(type_: str, query: str) -> Any:
        ids = ",".join(territory.id(key) for key in made[type_])

        async def ask() -> None:
            assert len((await territory.search(type_, f"_id={ids}{query}")).ids) == 2

        return ask

    asked = [asking(type_, query) for type_ in made for query in ("", "&_sort=_lastUpdated", "&_total=accurate")]

    async def costs() -> list[int]:
        for ask in asked:  # plans and keys at hand
            await ask()
        return [(await buffers(territory, ask, monkeypatch))[1] for ask in asked]

    await longer(400)  # their indexes have a second level from then on
    few = await costs()
    await longer(4_000)
    many = await costs()
    assert [after <= before + 3 for before, after in zip(few, many, strict=True)] == [True] * len(asked), (few, many)
