"""Another classification comes into force while the service serves: what was written is read again by it, what is written
goes by it at once on every worker, and withdrawing brings the classes back."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest

from liaison.auth.access import adopted, adopting, classify
from liaison.auth.access.adopting import NotAdopted
from liaison.auth.access.table import BadTable, packaged
from liaison.fhir.store.contract import Request

from .tables import DECIDED, WITHOUT_CLIN, adopt, regrant, withdraw
from .test_reclassifying import FORGETS, NEW, PACKAGED, classes, coded

FEWER = PACKAGED.replace('version: "2026.1"', 'version: "2026.2"', 1)
"""Without the code that NEW has besides, with all that is sensitive as packaged."""

pytestmark = pytest.mark.alone  # by what a base is classified is everybody's


@pytest.fixture(autouse=True)
def by_the_packaged_one() -> Iterator[None]:
    yield
    classify.use(PACKAGED)


async def seen(territory: Any, caller: Any, *references: str) -> list[bool]:
    return [await territory.sees(caller, one) for one in references]


async def test_what_was_written_is_closed_and_opened_by_it_online(territory: Any) -> None:
    gp, nurse = await territory.person("gp"), await territory.person("nurse")
    patient = await territory.patient(gp, nurse)
    new, old = await coded(territory, patient, "Q90.9"), await coded(territory, patient, "B20.1")
    before = await classes(territory)
    assert await seen(territory, nurse.caller, new, old) == [True, False]

    act = await adopt(territory, NEW)
    assert (act.classes, act.version) == (True, "2026.1")
    assert not (await adopted.current(territory.database)).settled
    await regrant(territory)

    assert await seen(territory, nurse.caller, new, old) == [False, False]
    assert await seen(territory, gp.caller, new, old) == [True, True]
    assert (await adopted.in_force(territory.database)).version == packaged().version

    await adopt(territory, FEWER)
    await regrant(territory)
    assert await seen(territory, nurse.caller, new, old) == [True, False]

    assert (await withdraw(territory)).classes
    await regrant(territory)
    assert await seen(territory, nurse.caller, new, old) == [False, False]
    await withdraw(territory)
    await regrant(territory)
    assert await classes(territory) == before
    with pytest.raises(NotAdopted, match="rien à retirer"):
        await withdraw(territory)


@pytest.mark.parametrize("worker", ["that adopted", "that knew the one before"])
async def test_what_is_written_goes_by_it_at_once(territory: Any, worker: str) -> None:
    gp, nurse = await territory.person("gp"), await territory.person("nurse")
    patient = await territory.patient(gp, nurse)
    await adopt(territory, NEW)
    if worker == "that knew the one before":
        classify.use(PACKAGED)

    new = await coded(territory, patient, "Q90.9")

    assert await seen(territory, nurse.caller, new) == [False]
    await regrant(territory)
    assert await seen(territory, nurse.caller, new) == [False]


async def test_a_worker_that_does_not_ask_the_base_would_go_by_the_one_before(
    territory: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sibling of the test above."""
    gp, nurse = await territory.person("gp"), await territory.person("nurse")
    patient = await territory.patient(gp, nurse)
    await adopt(territory, NEW)
    classify.use(PACKAGED)
    with monkeypatch.context() as patched:
        patched.setattr(classify, "use", lambda _: False)
        new = await coded(territory, patient, "Q90.9")
    assert await seen(territory, nurse.caller, new) == [True]


async def test_a_write_that_began_before_is_waited_for(territory: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has asked which classification is in force, and has not yet written."""
    gp, nurse = await territory.person("gp"), await territory.person("nurse")
    patient = await territory.patient(gp, nurse)
    await adopt(territory, NEW)
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)
        await late.close()

    async with territory.database.writing.acquire() as open_:
        late = _Late(open_)
        await late.begin()
        monkeypatch.setattr(asyncio, "sleep", sleep)
        await regrant(territory)
    assert waited
    assert (await adopted.current(territory.database)).settled
    assert patient


class _Late:
    """A transaction that is open until it is told to end."""

    def __init__(self, connection: Any) -> None:
        self._change = connection.transaction()
        self._connection, self._open = connection, False

    async def begin(self) -> None:
        await self._change.start()
        await self._connection.fetchval("select count(*) from adopted_rules")
        self._open = True

    async def close(self) -> None:
        if self._open:
            self._open = False
            await self._change.rollback()


async def test_both_are_in_force_side_by_side_and_withdrawn_one_after_the_other(territory: Any) -> None:
    gp = await territory.person("gp")
    new = await coded(territory, await territory.patient(gp), "Q90.9")
    await adopt(territory, NEW)
    await adopt(territory, WITHOUT_CLIN)
    await regrant(territory)
    assert await seen(territory, gp.caller, new) == [False]
    now = await adopted.current(territory.database)
    assert await adopted.classification(territory.database, now.classes) == NEW

    assert not (await withdraw(territory)).classes
    await regrant(territory)
    assert await seen(territory, gp.caller, new) == [True]
    assert (await adopted.current(territory.database)).classes == now.classes


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (PACKAGED, "déjà en vigueur"),
        (PACKAGED.replace("adds: [PSY, SENS,", "adds: [PSY,", 1).replace("PROT, HELD]", "HELD]", 1), "PROT"),
        (FORGETS, "B20\\* .* reste SENS"),
        (PACKAGED.replace("date: 2026-11-22", "date: 2999-01-01", 1), "date à venir"),
    ],
    ids=["the same", "what the law keeps", "less is sensitive", "to come"],
)
async def test_what_is_not_adopted(territory: Any, text: str, said: str) -> None:
    async with territory.database.writing.acquire() as connection:
        with pytest.raises(NotAdopted, match=said):
            async with connection.transaction():
                await adopting.adopt(connection, territory.store.vault, text, DECIDED, 0)


async def test_one_altered_in_the_base_is_not_gone_by(territory: Any) -> None:
    gp = await territory.person("gp")
    patient = await territory.patient(gp)
    await adopt(territory, NEW.replace('version: "2026.1"', 'version: "altered"'))
    await territory.database.writing.execute("update adopted_rules set classes = $1", FORGETS)
    adopted._texts.clear()
    body = json.dumps(territory.item_of(patient, "Condition")).encode()
    answer = await territory.engine.handle(gp.caller, Request("POST", "Condition", "", body))
    assert answer.status >= 500
    with pytest.raises(BadTable, match="altered"):
        await adopted.classification(territory.database, (await adopted.current(territory.database)).classes)
