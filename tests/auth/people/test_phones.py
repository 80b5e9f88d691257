"""Enrolled phones: one factor of those who sign in with a PIN."""

from liaison.auth.people import phones
from liaison.fhir.store.database import Database


async def test_an_enrolled_phone_is_known_by_its_secret_alone(database: Database) -> None:
    async with database.writing.acquire() as connection:
        secret = await phones.enrol(connection, 33, "Téléphone 1")

    found = await phones.find(database.reading, secret)

    assert found is not None
    assert (found.organization, found.label) == (33, "Téléphone 1")
    assert await phones.find(database.reading, secret + "x") is None
    assert await phones.find(database.reading, "") is None


async def test_a_lost_phone_is_revoked_by_its_own_service_only(database: Database) -> None:
    async with database.writing.acquire() as connection:
        secret = await phones.enrol(connection, 33, "Téléphone 1")
        phone = (await phones.of_organization(connection, 33))[0]

        assert not await phones.revoke(connection, 99, phone.number)
        assert await phones.find(connection, secret) is not None

        assert await phones.revoke(connection, 33, phone.number)
        assert await phones.find(connection, secret) is None
        assert not await phones.revoke(connection, 33, phone.number)
