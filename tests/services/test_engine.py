"""The one door: everything through it is filtered, journaled first, and answered, whatever happens."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from liaison.auth.access import internal
from liaison.auth.caller import Caller
from liaison.auth.journal.entry import Entry, Event
from liaison.auth.sessions import end_session, is_alive
from liaison.fhir.errors import Unavailable
from liaison.fhir.interactions.routing import Route
from liaison.fhir.store import reader
from liaison.fhir.store.contract import Answer, Request
from liaison.services import engine
from liaison.services.engine import Engine
from liaison.services.house import House

PATIENT = b'{"resourceType":"Patient","name":[{"family":"SECRETE"}]}'


@pytest.fixture
async def maker(house: House) -> Caller:
    return await internal.open_session(house.database.writing, "sandbox")


async def made(house: House, maker: Caller) -> str:
    answer = await house.engine.handle(maker, Request("POST", "Patient", "", PATIENT))
    assert answer.status == 201, answer.body
    return f"Patient/{json.loads(answer.body)['id']}"


async def entries(house: House) -> int:
    """Entries that tell of something: a LINK, which binds those of a write into the chain, comes when it comes."""
    found: int = await house.database.reading.fetchval(
        "select count(*) from journal_entry where event <> $1", Event.LINK
    )
    return found


async def test_the_journal_waits_for_the_reads_under_way(
    house: House, maker: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "_SOON", 60.0)
    path = await made(house, maker)
    async with house.database.writing.acquire() as other, other.transaction():
        await other.execute("lock table version")
        reading = asyncio.create_task(house.engine.handle(maker, Request("GET", path)))
        while house.store.reader._batches["patient"]._back.is_set():
            await asyncio.sleep(0)
        recording = asyncio.create_task(house.journal.record((Entry(Event.JOB),)))
        await asyncio.sleep(0.05)
        assert not recording.done()

    assert (await reading).status == 200
    await recording
    together = "select count(distinct written) from journal_entry where event in ($1, $2)"
    assert await house.database.reading.fetchval(together, Event.READ, Event.JOB) == 1


async def test_a_read_is_in_the_journal_when_it_is_answered(house: House, maker: Caller) -> None:
    path = await made(house, maker)
    before = await entries(house)

    answer = await house.engine.handle(maker, Request("GET", path))

    assert answer.status == 200
    assert await entries(house) == before + 1


@pytest.mark.parametrize("path", ["Patient/0123456789abcdef0123456789abcdef", "Patient?name=x", "Pateint/1"])
async def test_refusals_and_empty_answers_are_in_the_journal_too(house: House, maker: Caller, path: str) -> None:
    before = await entries(house)

    path, _, query = path.partition("?")
    await house.engine.handle(maker, Request("GET", path, query))

    assert await entries(house) == before + 1


async def nothing_without_journal(house: House, maker: Caller, engine: Engine) -> None:
    path = await made(house, maker)
    await house.journal.close()

    for asked in (
        Request("GET", path),
        Request("GET", "Patient", "name=x"),
        Request("GET", path + "/_history"),
        Request("GET", "Patient/0123456789abcdef0123456789abcdef"),
        Request("POST", "Patient", "", PATIENT),
    ):
        answer = await engine.handle(maker, asked)

        assert answer.status == 503, asked
        assert b"SECRETE" not in answer.body
        assert not answer.disclosed
        assert b"OperationOutcome" in answer.body


async def test_no_journal_no_data(house: House, maker: Caller) -> None:
    await nothing_without_journal(house, maker, house.engine)


async def test_an_engine_that_does_not_wait_for_the_journal_would_be_caught(house: House, maker: Caller) -> None:
    class Careless:
        async def record(self, entries: tuple[Entry, ...]) -> None:
            return None

        async def refused_call(self, request: Request, status: int) -> None:
            return None

    careless = Engine(house.store, Careless(), "https://liaison.test/fhir", {}, {})

    with pytest.raises(AssertionError):
        await nothing_without_journal(house, maker, careless)


@pytest.mark.parametrize(
    "ask",
    [
        lambda path: Request("GET", path),
        lambda path: Request("GET", "Patient", "name=x"),
        lambda path: Request("GET", f"{path}/_history"),
        lambda path: Request("DELETE", path),
        lambda path: Request("PUT", path, "", json.dumps({"resourceType": "Patient", "id": path[8:]}).encode()),
    ],
)
async def test_whose_session_is_over_is_told_to_sign_in(
    house: House, maker: Caller, ask: Callable[[str], Request]
) -> None:
    path = await made(house, maker)
    async with house.database.writing.acquire() as connection:
        await end_session(connection, maker.session)

    answer = await house.engine.handle(maker, ask(path))

    assert answer.status == 401
    assert b"SECRETE" not in answer.body


async def failing(error: Exception, house: House) -> Answer:
    async def operation(engine: Engine, caller: Caller, where: Route, request: Request) -> Answer:
        raise error

    engine = Engine(house.store, house.journal, "https://liaison.test/fhir", {"$fail": operation}, {})
    maker = await internal.open_session(house.database.writing, "sandbox")
    return await engine.handle(maker, Request("POST", "$fail"))


async def test_a_bug_says_nothing_of_what_it_met(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    answer = await failing(KeyError("SECRETE"), house)

    assert answer.status == 500
    assert b"SECRETE" not in answer.body
    written = capsys.readouterr()
    assert "SECRETE" not in written.out + written.err


@pytest.mark.parametrize("error", [Unavailable("x"), ConnectionResetError(), TimeoutError()])
async def test_a_database_out_of_reach_is_a_503(house: House, error: Exception) -> None:
    answer = await failing(error, house)

    assert answer.status == 503
    assert ("retry-after", "2") in answer.headers


async def test_each_entry_of_a_batch_is_journaled_as_if_it_had_come_alone(house: House, maker: Caller) -> None:
    path = await made(house, maker)
    batch: dict[str, Any] = {
        "resourceType": "Bundle",
        "type": "batch",
        "entry": [
            {"request": {"method": "GET", "url": path}},
            {"request": {"method": "GET", "url": "Patient/0123456789abcdef0123456789abcdef"}},
            {"request": {"method": "GET", "url": "Patient?name=x"}},
        ],
    }
    before = await entries(house)

    answer = await house.engine.handle(maker, Request("POST", "", "", json.dumps(batch).encode()))

    assert [part.status for _, part in answer.parts] == [200, 404, 200]
    assert await entries(house) == before + 3


async def test_only_an_answer_that_would_leave_someone_unnamed_asks_more(
    house: House, maker: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A search of one person that shows something sends what it sent; one that shows nothing asked who is signed in, and
    asks whom it is about instead."""
    path = await made(house, maker)
    weight = {"resourceType": "Observation", "status": "final", "code": {"text": "x"}, "subject": {"reference": path}}
    assert (
        await house.engine.handle(maker, Request("POST", "Observation", "", json.dumps(weight).encode()))
    ).status == 201
    sent: list[str] = []
    fetch = house.store.lanes.fetch

    async def watched(text: str, *arguments: Any) -> Any:
        sent.append(text)
        return await fetch(text, *arguments)

    async def alive(*arguments: Any) -> bool:
        sent.append("is the session alive?")
        return await is_alive(*arguments)

    monkeypatch.setattr(house.store.lanes, "fetch", watched)
    monkeypatch.setattr(engine, "is_alive", alive)

    async def more(query: str) -> int:
        """Statements beyond those of the search itself."""
        await house.engine.perform(maker, Request("GET", "Observation", query))
        searching = len(sent)
        sent.clear()
        answer = await house.engine.handle(maker, Request("GET", "Observation", query))
        assert answer.status == 200
        beyond = len(sent) - searching
        sent.clear()
        return beyond

    assert await more(f"patient={path}") == 0
    assert await more(f"patient={path}&code=none") == 1
    assert await more("code=none") == 1
    assert await more(f"patient={path}&_summary=count") == 1
