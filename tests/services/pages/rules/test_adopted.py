"""The pages and the doctor say which table is in force, since when, by whose decision, and how far the rights follow."""

import html
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from liaison.auth.access import adopted, adopting, regranting, table
from liaison.auth.access.adopting import Decision
from liaison.auth.access.table import packaged, packaged_text
from liaison.fhir.store.database import connection
from liaison.services.custody import checks
from liaison.services.pages.audit.rules_then import RulesThen

from ...oauth.conftest import Place

OTHER = (
    packaged_text()
    .replace('version: "2026.1"', 'version: "2026.7"', 1)
    .replace("date: 2026-11-22", "date: 2026-11-24", 1)
    .replace("Un professionnel de santé de l'équipe de soins lit", "À 100 % d'accord, un soignant lit", 1)
)
DECIDED = Decision("Mme Essai, DPO", "décision 12")


async def adopt(place: Place, text: str = OTHER, *, carried: bool = True) -> None:
    async with place.house.database.writing.acquire() as one:
        async with one.transaction():
            seen = (await adopted.current(one)).number
            await adopting.adopt(one, place.house.vault, text, DECIDED, seen)
        if carried:
            await regranting.carry(one, place.house.vault)


async def withdraw(place: Place) -> None:
    async with place.house.database.writing.acquire() as one:
        async with one.transaction():
            seen = (await adopted.current(one)).number
            await adopting.withdraw(one, place.house.vault, DECIDED, seen)
        await regranting.carry(one, place.house.vault)


async def page(browser: Any) -> str:
    answer = await browser.get("/regles")
    assert answer.status_code == 200
    return html.unescape(answer.text)


async def doctor(place: Place) -> checks.Finding:
    one = await connection(place.house.database.url)
    try:
        return await checks.rules(one)
    finally:
        await one.close()


async def test_the_page_shows_the_table_in_force_and_names_who_decided_to_those_who_work_here(place: Place) -> None:
    async with place.browser() as anyone, place.signed_in() as nurse:
        assert "Ce sont les règles livrées avec le logiciel." in await page(anyone)
        await adopt(place)

        for text in (await page(anyone), await page(nurse)):
            assert "version 2026.7, du mardi 24 novembre 2026" in text
            assert "À 100 % d'accord, un soignant lit" in text
            assert "(décision n° 1)" in text
            assert "livrées avec le logiciel" not in text
        assert "Décidé par Mme Essai, DPO. Raison : décision 12" in await page(nurse)
        assert "Mme Essai" not in await page(anyone)
        assert "À 100 % d'accord" in (await page(nurse)).partition("Toutes les règles")[0]

        await withdraw(place)
        text = await page(nurse)
        assert "Ce sont les règles livrées avec le logiciel." in text
        assert "(décision n° 2)" in text
        assert f"version {packaged().version}" in text
        before = text.partition("Les règles d'avant")[2]
        assert "Version 2026.7, du mardi 24 novembre 2026" in before
        assert "(décision n° 1). Décidé par Mme Essai, DPO. Raison : décision 12" in before
        assert "Livrées avec le logiciel." in before
        assert "Les règles d'avant" not in await page(anyone)


async def test_the_page_and_the_doctor_say_how_far_the_rights_follow(place: Place) -> None:
    assert (await doctor(place)).level == checks.OK
    await adopt(place, carried=False)
    records = await place.house.database.reading.fetchval("select count(*) from patient where state = 0")
    said = f"recalculés pour 0 dossiers sur {records}"
    async with place.browser() as browser:
        assert said in await page(browser)
        found = await doctor(place)
        assert (found.level, f"droits recalculés : 0 dossiers sur {records}" in found.text) == (checks.LOOK, True)
        async with place.house.database.writing.acquire() as one:
            await regranting.carry(one, place.house.vault)
        assert "recalculés pour" not in await page(browser)
    found = await doctor(place)
    assert (found.level, "version 2026.7 du 24/11/2026, adoptée le" in found.text) == (checks.OK, True)


async def test_a_newer_packaged_table_is_told_of_and_replaces_nothing(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    await adopt(place)
    newer = packaged_text().replace('version: "2026.1"', 'version: "2027.1"').replace("2026-11-22", "2027-01-05", 1)
    monkeypatch.setattr(adopted, "packaged", lambda: table.parse(newer))
    monkeypatch.setattr(adopted, "packaged_text", lambda: newer)

    assert (await adopted.in_force(place.house.database)).version == "2026.7"
    async with place.browser() as browser:
        text = await page(browser)
    assert "version 2026.7" in text
    assert "Le logiciel livre des règles plus récentes : version 2027.1, du mardi 5 janvier 2027." in text
    found = await doctor(place)
    assert (found.level, "plus récente, version 2027.1 du 05/01/2027" in found.text) == (checks.LOOK, True)


async def test_another_packaged_table_that_is_in_force_has_the_rights_computed_again(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An update of the software where nothing was adopted."""
    newer = packaged_text().replace('version: "2026.1"', 'version: "2027.1"')
    monkeypatch.setattr(adopted, "packaged", lambda: table.parse(newer))
    monkeypatch.setattr(adopted, "packaged_text", lambda: newer)
    assert (await doctor(place)).level == checks.LOOK

    async with place.house.database.writing.acquire() as one:
        records = await one.fetchval("select count(*) from patient where state = 0")
        assert await regranting.carry(one, place.house.vault) == records > 0

    assert (await doctor(place)).level == checks.OK


async def test_a_table_that_is_not_understood_is_broken(place: Place) -> None:
    await adopt(place)
    strange = OTHER.replace("MEDS", "POTIONS")
    await place.house.database.writing.execute(
        "update adopted_rules set text = $1, digest = $2", strange, table.digest_of(strange)
    )
    found = await doctor(place)
    assert (found.level, "ne la comprend pas" in found.text) == (checks.BROKEN, True)


async def test_a_rule_is_told_in_the_words_of_its_time(place: Place) -> None:
    before = datetime.now(UTC) - timedelta(hours=1)
    await adopt(place)
    await place.house.database.writing.execute("update adopted_rules set at = now() - interval '10 minutes'")
    meanwhile = datetime.now(UTC) - timedelta(minutes=5)
    await withdraw(place)

    then = await RulesThen.of(place.house.database)

    assert [then.at(one).version for one in (before, meanwhile, datetime.now(UTC) + timedelta(hours=1))] == [
        packaged().version,
        "2026.7",
        "",
    ]
    words: Sequence[str] = [then.at(one).texts["2"] for one in (before, meanwhile)]
    assert words[0].startswith("Un professionnel")
    assert words[1].startswith("À 100 %")


async def test_the_officer_is_told_and_led_to_the_rules(place: Place) -> None:
    await adopt(place)
    async with place.signed_in("dpo") as officer:
        answer = await officer.get("/avis")
    assert answer.status_code == 200
    text = html.unescape(answer.text)
    assert "D’autres règles de partage sont en vigueur" in text
    assert 'href="/regles"' in text
