"""Another table of rules comes into force while the service serves: what it takes is gone, what it gives is there, on
every worker; a record that is changed meanwhile follows at once; withdrawing brings every grant back."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from liaison.auth.access import adopted, adopting, grants, regranting, standing, writing
from liaison.auth.access.adopting import Decision, NotAdopted
from liaison.auth.access.filter import Filter
from liaison.auth.access.hooks import Hooks
from liaison.auth.access.rebuild import rebuild
from liaison.auth.access.table import BadTable, digest_of, packaged, packaged_text
from liaison.fhir.store import Store
from liaison.fhir.store.contract import Request
from liaison.fhir.store.database import Database
from liaison.fhir.vault import FileKeyProvider, Vault
from liaison.services.engine import Engine

from .tables import (
    BOTH,
    DECIDED,
    NO_COMMUNICATION,
    PHARMACIST_READS_CLIN,
    WITHOUT_CLIN,
    adopt,
    regrant,
    withdraw,
)

pytestmark = pytest.mark.alone  # which table is in force is everybody's


async def granted(territory: Any) -> list[Any]:
    return sorted(map(tuple, await territory.database.reading.fetch("select * from access_grant")))


@asynccontextmanager
async def worker(territory: Any, folder: Any) -> AsyncIterator[Engine]:
    """Another store and engine on the same base, which were there before whatever happens."""
    async with await Database.connect(territory.database.url) as database:
        async with database.writing.acquire() as connection:
            vault = await Vault.open(connection, FileKeyProvider(folder / "key"))
        async with Store(database, vault, Filter(), Hooks(vault, territory.journal)) as store:
            yield Engine(store, territory.journal, "https://record.example/fhir", {}, {})


async def test_what_the_table_takes_is_gone_on_every_worker(territory: Any, tmp_path: Any) -> None:
    gp = await territory.person("gp")
    patient = await territory.patient(gp)
    condition = await territory.item(patient, "Condition")
    async with worker(territory, tmp_path) as other:
        for engine in (territory.engine, other):
            assert (await engine.handle(gp.caller, Request("GET", condition))).status == 200

        await adopt(territory, WITHOUT_CLIN)
        assert await regrant(territory) == 1

        for engine in (territory.engine, other):
            assert (await engine.handle(gp.caller, Request("GET", condition))).status == 404
            assert (await engine.handle(gp.caller, Request("GET", patient.reference))).status == 200


async def gains_by_the_other_worker(territory: Any, other: Engine) -> bool:
    """Whether a worker that has written by one table writes by the new one when it is in force."""
    gp, pharmacist = await territory.person("gp"), await territory.person("pharmacist")
    patient = await territory.patient(gp)
    condition = await territory.item(patient, "Condition")
    invitation = json.dumps(territory.team(patient, [gp])).encode()
    assert (await other.handle(gp.caller, Request("POST", "CareTeam", "", invitation))).status == 201

    await adopt(territory, PHARMACIST_READS_CLIN)
    invitation = json.dumps(territory.team(patient, [pharmacist])).encode()
    assert (await other.handle(gp.caller, Request("POST", "CareTeam", "", invitation))).status == 201

    gained: bool = await territory.sees(pharmacist.caller, condition)
    return gained


async def test_what_the_table_gives_is_given_by_a_worker_that_knew_the_one_before(
    territory: Any, tmp_path: Any
) -> None:
    async with worker(territory, tmp_path) as other:
        assert await gains_by_the_other_worker(territory, other)


async def test_a_worker_that_keeps_the_table_it_knew_is_found(
    territory: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sibling of the test above."""
    kept: list[adopted.Current] = []
    honest = adopted.current

    async def stale(base: Any) -> adopted.Current:
        kept.append(await honest(base))
        return kept[0]

    monkeypatch.setattr(adopted, "current", stale)
    async with worker(territory, tmp_path) as other:
        assert not await gains_by_the_other_worker(territory, other)


async def test_types_are_limited_by_the_table_in_force_from_the_next_write_on(territory: Any) -> None:
    service = await territory.organization("Aide à domicile")
    aide = await territory.person("home-aide", service)
    patient = await territory.patient(aide, service)
    note = territory.item_of(patient, "Communication")
    assert (await territory.ask(aide.caller, "POST", "Communication", note)).status == 201

    await adopt(territory, NO_COMMUNICATION)

    assert (await territory.ask(aide.caller, "POST", "Communication", note)).status == 403


async def test_the_grants_are_those_of_a_rebuild_and_withdrawing_brings_them_back(territory: Any) -> None:
    gp, nurse, pharmacist = [await territory.person(code) for code in ("gp", "nurse", "pharmacist")]
    for _ in range(3):
        await territory.patient(gp, nurse, pharmacist)
    before = await granted(territory)
    for text in (WITHOUT_CLIN, PHARMACIST_READS_CLIN):
        await adopt(territory, text)
        await regrant(territory)
        after = await granted(territory)
        assert after != before
        await rebuild(territory.database.writing, territory.store.vault)
        assert await granted(territory) == after

    assert (await withdraw(territory)).digest == digest_of(WITHOUT_CLIN)
    assert (await withdraw(territory)).digest == ""
    await regrant(territory)
    assert await granted(territory) == before
    with pytest.raises(NotAdopted, match="rien à retirer"):
        await withdraw(territory)


async def test_meanwhile_what_the_table_takes_is_gone_and_what_it_gives_comes_with_the_record(territory: Any) -> None:
    gp, pharmacist = await territory.person("gp"), await territory.person("pharmacist")
    changed, quiet = [await territory.patient(gp, pharmacist) for _ in range(2)]
    conditions = [await territory.item(one, "Condition") for one in (changed, quiet)]
    await adopt(territory, BOTH)

    answer = await territory.change(
        gp.caller, changed.made["team"], participant=[territory.member(one) for one in (gp, pharmacist)], name="x"
    )
    assert answer.status == 200, answer.body
    opened = await territory.patient(gp)
    late = await territory.item(opened, "Condition")

    assert [await territory.sees(gp.caller, one) for one in (*conditions, late)] == [False, False, False]
    assert [await territory.sees(pharmacist.caller, one) for one in conditions] == [True, False]
    assert await regranting.under_way(territory.database) == regranting.Pass(0, 2)
    await regrant(territory)
    assert [await territory.sees(gp.caller, one) for one in (*conditions, late)] == [False, False, False]
    assert [await territory.sees(pharmacist.caller, one) for one in conditions] == [True, True]
    assert await regranting.under_way(territory.database) is None


async def test_what_a_new_table_gives_is_not_held_against_whoever_writes_meanwhile(territory: Any) -> None:
    """Nobody adds to their own rights: but it is the table that adds, not the pharmacist."""
    assert await _opposes_meanwhile(territory) == 201


async def test_without_the_grants_of_the_new_table_first_it_would_be(
    territory: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sibling of the test above."""
    honest = adopted.current

    async def settled(base: Any) -> adopted.Current:
        now = await honest(base)
        return now._replace(granted=now.goal, under_way=False)

    monkeypatch.setattr(adopted, "current", settled)
    assert await _opposes_meanwhile(territory) == 403


async def _opposes_meanwhile(territory: Any) -> int:
    gp, pharmacist = await territory.person("gp"), await territory.person("pharmacist")
    patient = await territory.patient(gp, pharmacist)
    await adopt(territory, PHARMACIST_READS_CLIN)
    opposed = territory.consent(patient, "opposition", {"type": "deny", "actor": [territory.actor(gp.role)]})
    answer = await territory.ask(pharmacist.caller, "POST", "Consent", opposed)
    return int(answer.status)


async def test_a_write_under_way_is_waited_for(territory: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    before, after = await _race(territory, monkeypatch)
    assert before == after


async def test_without_the_lock_a_record_keeps_the_grants_of_the_table_before(
    territory: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sibling of the test above."""

    async def unlocked(*_: object, **__: object) -> None: ...

    monkeypatch.setattr(grants, "lock", unlocked)
    before, after = await _race(territory, monkeypatch)
    assert before != after


async def _race(territory: Any, monkeypatch: pytest.MonkeyPatch) -> tuple[list[Any], list[Any]]:
    """The grants when a table comes into force while a team is being written, and those of a rebuild."""
    gp = await territory.person("gp")
    patient = await territory.patient(informed=False)
    honest, computing, carried = grants.stated, asyncio.Event(), asyncio.Event()
    waits = "select exists (select from pg_locks where not granted)"

    async def slow(connection: Any, patients: Any) -> Any:
        """Until the new table has been carried everywhere, or its adoption is seen to wait for us."""
        computing.set()
        while not carried.is_set() and not await territory.database.reading.fetchval(waits):
            await asyncio.sleep(0.02)
        return await honest(connection, patients)

    with monkeypatch.context() as patched:
        patched.setattr(grants, "stated", slow)
        writing_team = asyncio.create_task(territory.create(territory.system, territory.team(patient, [gp])))
        await computing.wait()
        patched.setattr(grants, "stated", honest)
        await adopt(territory, WITHOUT_CLIN)
        await regrant(territory)
        carried.set()
        await writing_team
    before = await granted(territory)
    monkeypatch.undo()
    await rebuild(territory.database.writing, territory.store.vault)
    return before, await granted(territory)


async def test_another_table_in_the_middle_of_a_pass_is_the_one_that_counts(
    territory: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    gp, pharmacist = await territory.person("gp"), await territory.person("pharmacist")
    for _ in range(4):
        await territory.patient(gp, pharmacist)
    await adopt(territory, WITHOUT_CLIN)
    told: list[Any] = []

    honest = grants.recompute

    async def adopted_after_two(connection: Any, vault: Vault, patients: Any) -> None:
        if len(told) == 2:
            told.append("another")
            waiting.append(asyncio.create_task(adopt(territory, PHARMACIST_READS_CLIN)))
        await honest(connection, vault, patients)

    monkeypatch.setattr(grants, "recompute", adopted_after_two)
    waiting: list[asyncio.Task[Any]] = []
    async with territory.database.writing.acquire() as one:
        while not waiting or not waiting[0].done():
            await regranting.carry(one, territory.store.vault, told.append)
            await asyncio.sleep(0)
        await regranting.carry(one, territory.store.vault, told.append)

    places = [one.done for one in told if isinstance(one, regranting.Pass)]
    assert places[-4:] == [1, 2, 3, 4], "the pass did not begin anew"
    after = await granted(territory)
    await rebuild(territory.database.writing, territory.store.vault)
    assert await granted(territory) == after
    assert (await adopted.current(territory.database)).settled


@pytest.mark.parametrize(
    ("decided", "text", "seen", "said"),
    [
        (Decision("", "x"), WITHOUT_CLIN, 0, "qui décide"),
        (Decision("x", " "), WITHOUT_CLIN, 0, "qui décide"),
        (DECIDED, packaged_text(), 0, "déjà en vigueur"),
        (DECIDED, WITHOUT_CLIN, 3, "entre-temps"),
        (DECIDED, "rows: []", 0, "groups"),
        (DECIDED, packaged_text().replace("read: [AUD, CONSENT]", "read: [CONSENT]", 1), 0, "délégué"),
        (DECIDED, packaged_text().replace("date: 2026-11-22", "date: 2999-01-01", 1), 0, "date à venir"),
    ],
    ids=["by nobody", "for nothing", "the same", "another meanwhile", "no table", "what locks people out", "to come"],
)
async def test_what_is_not_adopted(territory: Any, decided: Decision, text: str, seen: int, said: str) -> None:
    async with territory.database.writing.acquire() as connection:
        with pytest.raises(NotAdopted, match=said):
            async with connection.transaction():
                await adopting.adopt(connection, territory.store.vault, text, decided, seen)
    assert (await adopted.current(territory.database)).number == 0


async def test_who_and_why_are_sealed_and_the_officer_is_told(territory: Any) -> None:
    act = await adopt(territory, WITHOUT_CLIN)

    assert await adopting.decisions(territory.database, territory.store.vault) == {act.number: DECIDED}
    row = await territory.database.reading.fetchrow("select * from adopted_rules")
    assert DECIDED.by.encode() not in row["sealed"]
    assert (row["version"], row["dated"]) == (packaged().version, packaged().dated)
    told = await territory.database.reading.fetch("select kind, about from notice where kind = 'rules'")
    assert [tuple(one) for one in told] == [("rules", act.number)]


async def test_a_table_altered_in_the_base_is_not_gone_by(territory: Any) -> None:
    await adopt(territory, WITHOUT_CLIN.replace('version: "2026.1"', 'version: "altered"'))
    await territory.database.writing.execute("update adopted_rules set text = $1", PHARMACIST_READS_CLIN)

    with pytest.raises(BadTable, match="altered"):
        await adopted.in_force(territory.database)


def test_who_decides_a_write_is_given_the_table() -> None:
    """Neither keeps one: the modules that decide have no table of their own."""
    for module in (grants, writing, standing):
        assert not [name for name, value in vars(module).items() if type(value) is type(packaged())]
