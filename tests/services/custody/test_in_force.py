"""Secrets that were withdrawn after the backup stay withdrawn; without what was kept outside they would open again."""

import json
from typing import Any

import pytest

from liaison.auth.journal.entry import Entry, Event
from liaison.auth.oauth2 import clients
from liaison.auth.people import accounts
from liaison.services.custody import outside
from liaison.services.custody.in_force import Fingerprints
from liaison.services.custody.restore import Restored, restore

from .place import Place, place, rows

__all__ = ["place"]

pytestmark = pytest.mark.http  # a whole house each: counted with the tests of the whole service

PASSKEY = "insert into passkey (credential, account, public_key, sign_count, label) values ($1, $2, '', 0, '')"
TOTP = "insert into totp (account, sealed, confirmed_at) values ($1, $2, now())"
JWKS: dict[str, Any] = {"keys": [{"kty": "EC", "crv": "P-384", "x": "x", "y": "y", "kid": "old"}]}
OPENING = "select (select count(*) from account where password is not null), (select count(*) from passkey), (select count(*) from totp)"


async def _settled(place: Place) -> None:
    """The journal says that rights changed, as every page and command that changes a secret has it say."""
    await place.house.journal.record((Entry(Event.RIGHTS),))
    await place.settle_journal()


async def _changed_since(place: Place) -> tuple[str, Restored]:
    """Two accounts and two pieces of software are backed up; then one of each loses its secrets or gets new ones."""
    async with place.house.database.writing.acquire() as one:
        for name, role in (("dr.perdu", "gp"), ("dr.garde", "nurse")):
            person = place.house.store.key(*place.people[role].practitioner.split("/"))
            assert person is not None
            account = await accounts.add(one, name, person, password="correct horse battery")
            await one.execute(PASSKEY, name.encode(), account.number)
            await one.execute(TOTP, account.number, name.encode())
        for name in ("changed", "kept"):
            await clients.add(
                one, client_id=name, kind="app", name=name, scope="patient/*.rs", redirect_uris=["https://app.example/"]
            )
            await one.execute("update client set jwks = $2 where client_id = $1", name, json.dumps(JWKS))
    await _settled(place)
    where = await place.backup()
    async with place.house.database.writing.acquire() as one:
        await one.execute("delete from passkey where credential = $1", b"dr.perdu")
        await one.execute("delete from totp where sealed = $1", b"dr.perdu")
        await one.execute("update account set password = 'another' where username = 'dr.perdu'")
        await one.execute("update client set jwks = '{\"keys\": []}' where client_id = 'changed'")
    await _settled(place)
    url = await place.empty()
    return url, await restore(url, place.provider, where, place.kept)


async def test_what_was_withdrawn_or_replaced_after_the_backup_opens_nothing(place: Place) -> None:
    url, done = await _changed_since(place)
    assert done.replayed.secrets == 4
    assert await rows(url, OPENING) == [(1, 1, 1)]
    assert await rows(url, "select username from account where password is not null") == [("dr.garde",)]
    assert await rows(url, "select client_id from client where jwks is not null and active") == [("kept",)]


async def test_kept_without_fingerprints_it_would_all_open_again(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    async def none(_: object) -> Fingerprints:
        return {}

    monkeypatch.setattr(outside, "fingerprints", none)
    url, done = await _changed_since(place)
    assert done.replayed.secrets == 0
    assert await rows(url, OPENING) == [(2, 2, 2)]
