"""Cursors: pages of one snapshot, for one caller, with the rights of the moment."""

import base64
from datetime import UTC, datetime, timedelta

import pytest

from liaison.auth.caller import Caller
from liaison.auth.smart.scopes import read_scopes
from liaison.fhir import model
from liaison.fhir.errors import BadRequest, Gone
from liaison.fhir.search import page
from liaison.fhir.store.contract import Key
from liaison.fhir.store.sweep import sweep

from .conftest import PURPOSE, Territory

SORTS = (
    "",
    "&_sort=-date",
    "&_sort=date",
    "&_sort=_lastUpdated",
    "&_sort=code",
    "&_sort=-_id",
    "&value-string:missing=true",
)


async def _some(territory: Territory, patient: Key, count: int) -> list[Key]:
    # Half of them at the same moment, so that pages are cut within equal sort keys.
    return [
        await territory.observation(patient, code=f"c{n % 3}", at="2026-01-01" if n % 2 else f"2026-01-{n + 1:02}")
        for n in range(count)
    ]


@pytest.mark.parametrize("count", [1, 2, 3, 7])
async def test_pages_together_hold_each_match_once(team: tuple[Territory, Key], count: int) -> None:
    territory, patient = team
    other = await territory.patient()
    await territory.grant(other.patient, 1)
    keys = await _some(territory, patient, 7) + await _some(territory, other, 3)
    for scope, wanted in (("_lastUpdated=ge2020", keys), (f"patient={territory.id(patient)}", keys[:7])):
        for sort in SORTS:
            whole = (await territory.search("Observation", f"{scope}{sort}&_count=1000")).ids
            paged = await territory.all_pages("Observation", f"{scope}{sort}&_count={count}")
            assert paged == whole, (scope, sort)
            assert sorted(whole) == sorted(map(territory.id, wanted)), (scope, sort)


@pytest.mark.parametrize("sort", SORTS)
async def test_writes_meanwhile_change_no_page(team: tuple[Territory, Key], sort: str) -> None:
    """blaze#1000: pages moved with what was written between them."""
    territory, patient = team
    keys = await _some(territory, patient, 6)
    whole = (await territory.search("Observation", f"_count=1000{sort}")).ids
    first = await territory.search("Observation", f"_count=2&_total=accurate{sort}")

    await territory.observation(patient, at="2026-01-01")
    await territory.observation(patient, at="2030-01-01")
    for key in keys[:3]:
        opened = await territory.store.read(territory.caller, key)
        assert opened is not None
        tree = model.read(opened.body) | {"effectiveDateTime": "2029-01-01"}
        await territory.write(territory.change(tree, key, version=2))
    await territory.delete(keys[5], 2)

    second = await territory.search("Observation", first.next_query)
    third = await territory.search("Observation", second.next_query)
    assert first.ids + second.ids + third.ids == whole
    assert (first.total, second.total, third.total, third.next) == (6, 6, 6, None)
    versions = {one.key: one.version for found in (first, second, third) for one in found.answer.disclosed}
    assert set(versions.values()) == {1}


AGED = (
    "update version set at = now() - $1::interval where version > 1",  # what superseded the others
    "update search_list set made_at = now() - $1::interval",
)


@pytest.mark.parametrize("sort", SORTS)
async def test_a_cursor_lives_an_hour_whatever_is_swept(
    team: tuple[Territory, Key], sort: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All that it pages over was replaced just after its first page: at the end of the hour it is there still, then nothing
    is, and the answer says so."""
    territory, patient = team
    keys, asked = await _some(territory, patient, 6), "code=c0,c1,c2"
    whole = (await territory.search("Observation", f"{asked}&_count=1000{sort}")).ids
    first = await territory.search("Observation", f"{asked}&_count=2{sort}")
    for key in keys[:5]:
        opened = await territory.store.read(territory.caller, key)
        assert opened is not None
        tree = model.read(opened.body) | {"effectiveDateTime": "2029-01-01", "code": {"text": "autre"}}
        await territory.write(territory.change(tree, key, version=2))
    await territory.delete(keys[5], 2)
    real = territory.database.clock.now

    async def later(time: timedelta) -> None:
        """As if so much had passed since the first page, for the base by its moments and for the service by its clock."""
        async with territory.database.writing.acquire() as one:
            for statement in AGED:
                await one.execute(statement, time)
            await sweep(one)
        monkeypatch.setattr(territory.database.clock, "now", lambda: real() + time)

    await later(timedelta(minutes=59, seconds=50))
    second = await territory.search("Observation", first.next_query)
    third = await territory.search("Observation", second.next_query)
    assert first.ids + second.ids + third.ids == whole
    assert third.next is None

    await later(timedelta(minutes=66))
    for query in (first.next_query, second.next_query):
        with pytest.raises(Gone, match="first page"):
            await territory.search("Observation", query)


@pytest.mark.parametrize("sort", SORTS)
async def test_a_right_that_ended_is_gone_on_the_next_page(team: tuple[Territory, Key], sort: str) -> None:
    territory, patient = team
    other = await territory.patient()
    await territory.grant(other.patient, 1)
    mine = set(map(territory.id, await _some(territory, patient, 4)))
    await _some(territory, other, 4)
    first = await territory.search("Observation", f"_count=3{sort}")
    await territory.database.writing.execute("delete from access_grant where patient = $1", other.patient)
    seen = list(first.ids)
    found = first
    while found.next:
        found = await territory.search("Observation", found.next_query)
        assert set(found.ids) <= mine
        seen += found.ids
    assert mine <= set(seen)
    assert len(seen) == len(set(seen))


async def test_a_cursor_is_of_use_to_nobody_else(team: tuple[Territory, Key]) -> None:
    territory, patient = team
    await _some(territory, patient, 3)
    query = (await territory.search("Observation", "_count=1")).next_query
    other = await territory.session(2, 2)
    await territory.grant(patient.patient, 2)
    with pytest.raises(Gone):
        await territory.search("Observation", query, other)
    with pytest.raises(Gone):
        await territory.search("Encounter", query)
    renewed = await territory.session(3, 1)
    assert len((await territory.search("Observation", query, renewed)).ids) == 1


async def test_what_is_no_cursor_of_ours_is_answered_like_a_dead_one(
    team: tuple[Territory, Key], monkeypatch: pytest.MonkeyPatch
) -> None:
    territory, patient = team
    await _some(territory, patient, 3)
    query = (await territory.search("Observation", "_count=1")).next_query
    sealed = base64.urlsafe_b64decode(query.removeprefix("_cursor=") + "==")
    changed = base64.urlsafe_b64encode(sealed[:-1] + bytes([sealed[-1] ^ 1])).decode().rstrip("=")
    for wrong in ("", "x", "é", "====", changed, "A" * 60_000):
        with pytest.raises(Gone):
            await territory.search("Observation", f"_cursor={wrong}")
    with pytest.raises(BadRequest):
        await territory.search("Observation", f"{query}&code=1")

    later = territory.database.clock.now() + timedelta(minutes=61)
    monkeypatch.setattr(territory.database.clock, "now", lambda: later)
    with pytest.raises(Gone, match="first page"):
        await territory.search("Observation", query)


async def test_a_list_that_was_swept_is_a_dead_cursor(team: tuple[Territory, Key]) -> None:
    territory, patient = team
    await _some(territory, patient, 3)
    query = (await territory.search("Observation", "_count=1&_sort=code")).next_query
    await territory.database.writing.execute("delete from search_list")
    with pytest.raises(Gone):
        await territory.search("Observation", query)


def test_a_cursor_shows_nothing_of_the_search() -> None:
    from liaison.fhir.vault import PatientKey

    key = PatientKey(0, b"k" * 32)
    caller = Caller(1, read_scopes("user/*.rs"), PURPOSE, "gp")
    cursor = page.Cursor(datetime.now(UTC), "1:2:", (("family", "Lefèvre"),), False, "", None)
    text = page.seal(key, caller, "Patient", cursor)
    assert b"Lef" not in base64.urlsafe_b64decode(text + "==")
    assert page.unseal(key, caller, "Patient", text, datetime.now(UTC)) == cursor
