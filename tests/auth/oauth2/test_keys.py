"""The keys that sign: sealed, shared by all workers, replaced without a gap."""

import asyncio
from typing import Any

import pytest

from liaison.auth.oauth2 import rfc9068
from liaison.auth.oauth2.keys import ACCESS, IDENTITY, OVERLAP, SigningKeys, retire
from liaison.fhir.errors import Unauthorized
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

    kid = await keys.rotate(ACCESS)
    after = await token(keys)

    for worker in (keys, other):
        assert (await worker.signing(ACCESS)).kid == kid
        assert kid in {key["kid"] for key in (await worker.published())["keys"]}
        for one in (before, after):
            assert (await rfc9068.verify(worker, one, **NAMES)).session == 1


async def test_a_retired_key_is_no_longer_published_and_the_newest_never_retires(
    database: Database, vault: Vault, keys: SigningKeys
) -> None:
    old, before = (await keys.signing(ACCESS)).kid, await token(keys)
    other = await SigningKeys.open(database, vault.territory)
    await rfc9068.verify(other, before, **NAMES)
    new = await keys.rotate(ACCESS)

    assert await retire(database.writing) == 0  # replaced too recently
    assert {old, new} <= await published(keys)
    await database.writing.execute(
        "update signing_key set made_at = made_at - make_interval(secs => $1)", 2.0 * OVERLAP
    )
    assert await retire(database.writing) == 1

    assert new in await published(keys)
    assert old not in await published(keys)
    for worker in (keys, other):  # also one that has the key at hand
        with pytest.raises(Unauthorized):
            await rfc9068.verify(worker, before, **NAMES)


async def published(keys: SigningKeys) -> set[str]:
    return {key["kid"] for key in (await keys.published())["keys"]}


@pytest.mark.parametrize("kid", ["", "unknown", "a\0b", "x" * 1000])
async def test_a_key_that_does_not_exist_is_none(keys: SigningKeys, kid: str) -> None:
    assert await keys.verifying(kid) is None
