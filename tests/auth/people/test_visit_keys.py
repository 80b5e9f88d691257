"""The keys to which telephones seal: made anew each month, and the old ones open what was sealed to them for two months more."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

from liaison.auth.people import visit_keys
from liaison.auth.people.visit_keys import INFO, SUITE, Unreadable, VisitKey
from liaison.fhir.store.database import Database
from liaison.fhir.vault import PatientKey

KEY = PatientKey(0, b"k" * 32)


def sealed(to: VisitKey, content: bytes) -> bytes:
    public = X25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(to.public + "="))
    return SUITE.encrypt(content, public, info=INFO)


async def test_a_key_that_is_replaced_by_hand_opens_what_was_sealed_to_it(database: Database) -> None:
    pool = database.writing
    old = await visit_keys.current(pool, KEY)
    visit = sealed(old, b"a visit")

    async with pool.acquire() as connection, connection.transaction():
        new = await visit_keys.rotate(connection, KEY)

    assert await visit_keys.current(pool, KEY) == new != old
    assert await visit_keys.opened(pool, KEY, old.kid, visit) == b"a visit"


async def test_a_visit_that_waited_is_opened_by_the_key_of_its_tour_until_that_one_is_swept(database: Database) -> None:
    pool = database.writing
    old = await visit_keys.current(pool, KEY)
    visit = sealed(old, b"a visit")
    assert await visit_keys.current(pool, KEY) == old

    await pool.execute("update visit_key set made_at = now() - interval '31 days'")
    new = await visit_keys.current(pool, KEY)
    assert new.kid != old.kid
    await visit_keys.sweep(pool)
    assert await visit_keys.opened(pool, KEY, old.kid, visit) == b"a visit"
    for kid, content in (
        (new.kid, visit),
        (old.kid, visit[:-1]),
        (old.kid, visit[:40]),
        (old.kid, b""),
        ("none", visit),
    ):
        with pytest.raises(Unreadable):
            await visit_keys.opened(pool, KEY, kid, content)

    await pool.execute("update visit_key set made_at = now() - interval '91 days' where kid = $1", old.kid)
    with pytest.raises(Unreadable):
        await visit_keys.opened(pool, KEY, old.kid, visit)
    await visit_keys.sweep(pool)
    assert [row["kid"] for row in await pool.fetch("select kid from visit_key")] == [new.kid]
