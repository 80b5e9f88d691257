"""Walking through pages, forward and back: the same pages each way, whatever is written or whose right ends meanwhile."""

import base64
import random

import orjson
import pytest

from liaison.fhir import model
from liaison.fhir.errors import Gone
from liaison.fhir.search import page
from liaison.fhir.store.contract import Key

from .conftest import Found, Territory, query_of

SORTS = (
    "",
    "_sort=date",
    "_sort=-_lastUpdated",
    "_sort=code,-date",
    "_sort=-patient.birthdate",
    "value-string:missing=true",
)


async def _some(territory: Territory, patient: Key, count: int) -> list[Key]:
    # Many at the same moment and some at none, so that pages are cut within equal sort keys.
    return [
        await territory.observation(patient, code=f"c{n % 3}", at=(None, "2026-01-01", f"2026-01-{n + 1:02}")[n % 3])
        for n in range(count)
    ]


async def _two_records(territory: Territory, patient: Key, each: int) -> Key:
    other = await territory.patient(birthDate="1950-01-01")
    await territory.grant(other.patient, 1)
    for one in (patient, other):
        await _some(territory, one, each)
    return other


async def _walked(territory: Territory, type_: str, found: Found, relation: str) -> list[Found]:
    """The pages from this one on, in one direction."""
    pages = [found]
    while link := getattr(pages[-1], relation):
        pages.append(await territory.search(type_, query_of(link)))
    return pages


def _ids(pages: list[Found]) -> list[list[str]]:
    return [one.ids for one in pages]


WHERES = [("Observation", ""), ("Observation", "patient={}"), ("", "_type=Observation,DiagnosticReport&patient={}")]


@pytest.mark.parametrize(("type_", "where"), WHERES)
async def test_the_way_back_has_the_pages_of_the_way_there(team: tuple[Territory, Key], type_: str, where: str) -> None:
    territory, patient = team
    await _two_records(territory, patient, 7)
    asked = where.format(territory.id(patient))
    for sort in SORTS:
        if not type_ and "value-string" in sort:
            continue  # not a parameter of both types
        query = f"{asked}&{sort}"
        whole = (await territory.search(type_, f"{query}&_count=100")).ids
        assert len(whole) == (7 if where else 14)
        for count in (3, len(whole) - 1):
            first = await territory.search(type_, f"{query}&_count={count}")
            assert (first.first, first.previous) == (None, None)
            there = await _walked(territory, type_, first, "next")
            assert _ids(there) == [whole[at : at + count] for at in range(0, len(whole), count)], (query, count)
            back = await _walked(territory, type_, there[-1], "previous")
            assert _ids(back) == _ids(there)[::-1], (query, count)
            again = await _walked(territory, type_, back[-1], "next")
            assert _ids(again) == _ids(there), (query, count)
            for one in there[1:]:
                assert (await territory.search(type_, query_of(one.first))).ids == first.ids


@pytest.mark.parametrize("sort", SORTS)
async def test_any_walk_stays_among_the_pages_of_the_first_moment(team: tuple[Territory, Key], sort: str) -> None:
    territory, patient = team
    keys = await _some(territory, patient, 11)
    first = await territory.search("Observation", f"{sort}&_count=2&_total=accurate")
    pages = _ids(await _walked(territory, "Observation", first, "next"))
    assert sorted(one for each in pages for one in each) == sorted(map(territory.id, keys))
    choose, here, at = random.Random(sort), first, 0
    for step in range(30):
        if step % 6 == 2:  # meanwhile the record changes
            key = keys[step // 6]
            opened = await territory.store.read(territory.caller, key)
            assert opened is not None
            tree = model.read(opened.body) | {"effectiveDateTime": "2029-01-01", "code": {"coding": [{"code": "b"}]}}
            await territory.write(territory.change(tree, key, version=2))
            await territory.observation(patient, at="2026-01-01")
        if step == 20:
            await territory.delete(keys[10], 2)
        moves = {"next": at + 1, "previous": at - 1, "first": 0}
        links = {name for name in moves if getattr(here, name)}
        assert links >= ({"next"} if at + 1 < len(pages) else set()) | ({"previous", "first"} if at else set())
        name = choose.choice(sorted(links))
        here = await territory.search("Observation", query_of(getattr(here, name)))
        at = moves[name]
        assert (here.ids, here.total) == (pages[at], 11), (step, name)


@pytest.mark.parametrize("sort", SORTS)
async def test_a_right_that_ended_is_gone_on_the_way_back(team: tuple[Territory, Key], sort: str) -> None:
    territory, patient = team
    other = await _two_records(territory, patient, 6)
    mine = set((await territory.search("Observation", f"patient={territory.id(patient)}")).ids)
    first = await territory.search("Observation", f"{sort}&_count=3")
    last = (await _walked(territory, "Observation", first, "next"))[-1]
    await territory.database.writing.execute("delete from access_grant where patient = $1", other.patient)
    seen: list[str] = []
    for found in (await _walked(territory, "Observation", last, "previous"))[1:]:
        assert set(found.ids) <= mine, sort
        assert {one.key.patient for one in found.answer.disclosed} <= {patient.patient}
        seen += found.ids
    assert len(seen) == len(set(seen))
    assert mine - set(last.ids) <= set(seen) <= mine


async def test_a_page_that_lost_all_it_held_still_leads_back(team: tuple[Territory, Key]) -> None:
    territory, patient = team
    other = await territory.patient()
    await territory.grant(other.patient, 1)
    for one, at in ((patient, "2026-01-01"), (other, "2020-01-01")):
        for _ in range(2):
            await territory.observation(one, at=at)
    first = await territory.search("Observation", "_count=2")
    await territory.database.writing.execute("delete from access_grant where patient = $1", other.patient)
    empty = await territory.search("Observation", first.next_query)
    assert (empty.ids, empty.next) == ([], None)
    assert (await territory.search("Observation", query_of(empty.previous))).ids == first.ids


async def test_a_cursor_of_an_older_form_is_a_dead_one(
    team: tuple[Territory, Key], monkeypatch: pytest.MonkeyPatch
) -> None:
    territory, patient = team
    await _some(territory, patient, 3)
    vault, caller = territory.store.vault, territory.caller
    started = territory.now.isoformat()
    old = [started, "1:1:", [["patient", "x"]], False, "", None, None, "", 0]
    with monkeypatch.context() as before:
        before.setattr(page, "_FORM", 1)
        sealed = vault.cursor.seal(page._bound_to(caller, "Observation"), orjson.dumps(old))
    text = base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()
    with pytest.raises(Gone):
        await territory.search("Observation", f"_cursor={text}")
