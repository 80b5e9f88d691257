"""What the data protection officer is told of: once, in the transaction of the act, until they have read it."""

import pytest

from liaison.auth.people import recovery
from liaison.auth.people.notices import Kind
from liaison.fhir.store.database import Database

from .test_roles import PERSON, practitioner_role, write


async def told(database: Database) -> list[tuple[str, int, str]]:
    rows = await database.reading.fetch("select kind, about, code from notice where read_at is null")
    return [tuple(row) for row in rows]


@pytest.mark.parametrize(("code", "is_told"), [("admin", True), ("dpo", True), ("auditor", True), ("nurse", False)])
async def test_a_role_of_trust_is_told_of_when_it_is_given(database: Database, code: str, is_told: bool) -> None:
    await write(database, practitioner_role(code))
    await write(database, practitioner_role(code, active=True))  # the same again is no news
    assert await told(database) == ([(Kind.OFFICE, PERSON, code)] if is_told else [])


async def test_one_that_was_suspended_is_told_of_when_it_is_given_back(database: Database) -> None:
    await write(database, practitioner_role("admin", active=False))
    assert await told(database) == []
    await write(database, practitioner_role("admin"))
    await write(database, practitioner_role("admin", active=False))
    await write(database, practitioner_role("admin"))
    assert await told(database) == [(Kind.OFFICE, PERSON, "admin")] * 2


async def test_what_is_undone_is_not_told_of(database: Database) -> None:
    async with database.writing.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        await recovery.seal(connection)
        await transaction.rollback()
        assert await told(database) == []
        await recovery.seal(connection)
    assert await told(database) == [(Kind.SEALED, 0, "")]
