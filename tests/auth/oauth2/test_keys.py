"""The keys that sign: sealed, shared by all workers, replaced without a gap."""

import asyncio
from typing import Any

from liaison.auth.oauth2 import rfc9068
from liaison.auth.oauth2.keys import ACCESS, IDENTITY, SigningKeys
from liaison.fhir.store.database import Database
from liaison.fhir.vault import Vault

NAMES: dict[str, Any] = {"issuer": "https://i.example", "audience": "https://i.example/fhir"}


async def token(keys: SigningKeys) -> str:
    return await rfc9068.issue(keys, subject="s", client_id="c", session=1, **NAMES)


async def test_workers_that_start_together_share_one_key(database: Database, vault: Vault) -> None:
    opened = await asyncio.gather(*(SigningKeys.open(database, vault.territory) for _ in range(4)))

    assert await database.reading.fetchval("select count(*) from signing_key") == 2
    for algorithm in (ACCESS, IDENTITY):
        assert len({(await keys.signing(algorithm)).kid for keys in opened}) == 1


async def test_only_public_halves_are_published(keys: SigningKeys) -> None:
    published = (await keys.published())["keys"]

    assert {key["alg"] for key in published} == {ACCESS, IDENTITY}
    assert all(not {"d", "p", "q", "dp", "dq", "qi", "k"} & key.keys() for key in published)
    assert all(key["use"] == "sig" and key["kid"] for key in published)


async def test_private_halves_lie_sealed(database: Database, keys: SigningKeys) -> None:
    private = (await keys.signing(ACCESS)).as_dict(private=True)["d"]

    rows = await database.reading.fetch("select public, sealed from signing_key")

    for row in rows:
        assert str(private) not in row["public"]
        assert str(private).encode() not in row["sealed"]


async def test_after_a_rotation_old_tokens_still_verify_and_other_workers_follow(
    database: Database, vault: Vault, keys: SigningKeys
) -> None:
    other = await SigningKeys.open(database, vault.territory)
    before = await token(keys)
    await asyncio.sleep(1.01)  # a worker asks for unknown keys once a second at most

    kid = await keys.rotate(ACCESS)
    after = await token(keys)

    assert (await keys.signing(ACCESS)).kid == kid
    for worker in (keys, other):
        for one in (before, after):
            assert (await rfc9068.verify(worker, one, **NAMES)).session == 1


async def test_a_retired_key_is_no_longer_published_and_the_newest_never_retires(
    database: Database, keys: SigningKeys
) -> None:
    old = (await keys.signing(ACCESS)).kid
    new = await keys.rotate(ACCESS)

    assert await keys.retire(3600) == 0  # replaced too recently
    await database.writing.execute("update signing_key set made_at = made_at - interval '2 hours'")
    assert await keys.retire(3600) == 1

    kids = {key["kid"] for key in (await keys.published())["keys"]}
    assert new in kids
    assert old not in kids
