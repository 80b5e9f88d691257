"""A restored base goes by the table of rules that was in force when it was lost, and its grants with it."""

from typing import Any

import pytest

from liaison.auth.access import adopted, adopting, class_text, classify, regranting
from liaison.auth.access.adopting import Decision
from liaison.auth.access.table import packaged_text
from liaison.fhir.store.database import connection
from liaison.services.custody.restore import restore

from .place import GRANTS, Place, place, rows

__all__ = ["place"]

pytestmark = pytest.mark.http  # a whole house each: counted with the tests of the whole service

NARROW = packaged_text().replace("read: [ADM, COORD, VITAL, CLIN, ETP,", "read: [ADM, COORD, VITAL, ETP,", 1)
RULES = "select * from adopted_rules order by number"


async def adopt(place: Place, *, carried: bool = True) -> None:
    async with place.house.database.writing.acquire() as one:
        async with one.transaction():
            await adopting.adopt(one, place.house.vault, NARROW, Decision("DPO", "essai"), 0)
        if carried:
            await regranting.carry(one, place.house.vault)


async def found(url: str, query: str) -> list[tuple[Any, ...]]:
    return await rows(url, query)


@pytest.mark.parametrize("carried", [True, False], ids=["carried", "half way"])
async def test_a_table_in_the_backup_is_in_force_and_every_grant_is_of_it(place: Place, carried: bool) -> None:
    await place.patient("gp")
    await adopt(place, carried=carried)
    await place.settle_journal()
    where, url = await place.backup(), await place.empty()

    await restore(url, place.provider, where, place.kept)

    assert await found(url, RULES) == await found(place.house.database.url, RULES) != []
    async with place.house.database.writing.acquire() as one:
        await regranting.carry(one, place.house.vault)
    assert await found(url, GRANTS) == await found(place.house.database.url, GRANTS)


async def test_a_table_adopted_after_the_backup_is_in_force_before_the_base_serves(place: Place) -> None:
    patient = await place.patient("gp", "nurse")
    await place.settle_journal()
    where, url = await place.backup(), await place.empty()
    wide = await found(place.house.database.url, GRANTS)
    await adopt(place)
    await place.settle_journal()

    done = await restore(url, place.provider, where, place.kept)

    assert done.replayed.rules == 1
    assert await found(url, RULES) == await found(place.house.database.url, RULES)
    assert await found(url, GRANTS) == await found(place.house.database.url, GRANTS) != wide
    assert patient
    one = await connection(url)
    try:
        assert (await adopted.current(one)).settled
    finally:
        await one.close()


async def test_without_what_was_kept_outside_the_table_before_would_be_back(place: Place) -> None:
    """The fault that the files outside are there to prevent."""
    await place.patient("gp")
    await place.settle_journal()
    where, url = await place.backup(), await place.empty()
    await adopt(place)

    await restore(url, place.provider, where, None)

    assert await found(url, RULES) == []
    assert await found(url, GRANTS) != await found(place.house.database.url, GRANTS)


async def test_a_classification_adopted_after_the_backup_is_in_force_before_the_base_serves(place: Place) -> None:
    await place.patient("gp")
    await place.settle_journal()
    where, url = await place.backup(), await place.empty()
    other = class_text.packaged_text().replace('"B20*", ', '"Q90*", "B20*", ', 1)
    async with place.house.database.writing.acquire() as one:
        async with one.transaction():
            await adopting.adopt(one, place.house.vault, other, Decision("DPO", "essai"), 0)
        await regranting.carry(one, place.house.vault)
    await place.settle_journal()

    done = await restore(url, place.provider, where, place.kept)

    assert done.replayed.rules == 1
    one = await connection(url)
    try:
        now = await adopted.current(one)
        assert now.settled
        assert await adopted.classification(one, now.classes) == other
    finally:
        await one.close()
        classify.use(class_text.packaged_text())
