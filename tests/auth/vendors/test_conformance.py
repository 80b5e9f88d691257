"""The report on the software itself: bound to its file, shown, and decisive while nobody has decided."""

import orjson
import pytest

from liaison.auth.safe_fetch import Fetcher
from liaison.auth.vendors import conformance, requests
from liaison.auth.vendors.conformance import BadReport
from liaison.auth.vendors.requests import NotNow, State
from liaison.fhir.store.database import Database

from .reports import report
from .test_request_file import good
from .test_requests import ADMIN, approved, received, registered

TOLD = "select count(*) from notice where read_at is null"


async def taken(database: Database, content: bytes) -> None:
    async with database.writing.acquire() as connection, connection.transaction():
        await conformance.receive(connection, content)


async def test_a_fault_sends_the_request_back_and_a_good_report_brings_it_before_the_two(database: Database) -> None:
    found, secret = await received(database, looked_at=False)
    await taken(database, report("failed"))
    back = await requests.by_link(database.reading, secret)
    assert back is not None
    assert (back.state, [tuple(one) for one in back.problems]) == (
        State.TO_CORRECT,
        [("/conformance/pkce", "No S256.")],
    )
    assert await database.reading.fetchval(TOLD) == 0
    with pytest.raises(NotNow):
        await approved(database, found.number, "admin", ADMIN)

    await taken(database, report())
    again = await requests.by_link(database.reading, secret)
    assert again is not None
    assert (again.state, again.problems) == (State.TO_APPROVE, ())
    assert again.conformance is not None
    assert again.conformance.passed
    assert await database.reading.fetchval(TOLD) == 1


async def test_software_that_is_registered_may_be_looked_at_again_and_stays_registered(database: Database) -> None:
    await registered(database)
    await taken(database, report("failed"))
    row = await database.reading.fetchrow("select state, problems from client_request")
    assert (row["state"], row["problems"]) == ("registered", "[]")


async def test_a_file_with_problems_of_its_own_stays_with_its_vendor(database: Database) -> None:
    file = good(
        kind="backend", redirect_uris=None, role="wizard", scopes=[{"scope": "system/Patient.rs", "reason": "x"}]
    )
    async with database.writing.acquire() as connection:
        found, _ = await requests.receive(connection, orjson.dumps(file), Fetcher())
    assert found.state is State.TO_CORRECT
    await taken(database, report(file=file))
    assert await database.reading.fetchval("select state from client_request") == "to-correct"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{" * 70_000,
        report(client_id="another"),
        report(file=good(name="Another")),
        report(made_at="2026-03-01"),
        report(made_at="yesterday"),
        report(checks=[]),
        report("splendid"),
        report(checks=[{"name": "pkce"}]),
    ],
    ids=range(10),
)
async def test_what_is_no_report_of_this_file_changes_nothing(database: Database, content: bytes) -> None:
    await received(database, looked_at=False)
    with pytest.raises(BadReport):
        await taken(database, content)
    assert await database.reading.fetchval("select conformance from client_request") is None
