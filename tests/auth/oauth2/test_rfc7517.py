"""The keys of a client at its own address: rotated by the vendor, never kept longer than it lets them."""

from typing import Any

import orjson
import pytest
from joserfc.jwk import ECKey, RSAKey

from liaison.auth.oauth2 import rfc7517, rfc7523
from liaison.auth.oauth2.clients import ClientProblem
from liaison.auth.oauth2.errors import InvalidClient
from liaison.auth.oauth2.rfc7517 import AGAIN, LONGEST, KeySets, read_key_set
from liaison.auth.safe_fetch import Document, Fetcher, NotFetched
from liaison.fhir.store.database import Database

from .conftest import TOKEN_URL, Register, Software

URL = "https://vendor.example/jwks.json"


class Published(Fetcher):
    """What the vendor publishes now. (That fetching is safe is tests/auth/test_safe_fetch.py's.)"""

    def __init__(self, *keys: Any, max_age: int = 600) -> None:
        super().__init__()
        self.keys = [*keys]
        self.max_age = max_age
        self.down = False
        self.private = False
        self.fetched = 0

    async def get(self, url: str) -> Document:
        assert url == URL
        self.fetched += 1
        if self.down:
            raise NotFetched("The address could not be reached.")
        shown = [{**key.as_dict(private=self.private), "use": "sig"} for key in self.keys]
        return Document(orjson.dumps({"keys": shown}), self.max_age)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(rfc7517, "time", made)
    return made


def new_key(kid: str) -> ECKey:
    return ECKey.generate_key("P-384", parameters={"kid": kid})


@pytest.fixture
async def software(register: Register) -> Software:
    made: Software = await register(jwks=None, jwks_uri=URL)
    return Software(made.client, new_key("first"), "ES384")


async def accepted(database: Database, software: Software, key_sets: KeySets, **header: Any) -> bool:
    try:
        await rfc7523.accept(
            database.writing, software.client, software.assertion(header), TOKEN_URL, key_sets, database.clock.seconds()
        )
    except InvalidClient:
        return False
    return True


async def test_keys_are_fetched_once_while_they_may_be_kept(
    database: Database, software: Software, clock: Clock
) -> None:
    published = Published(software.key)
    key_sets = KeySets(published)

    assert [await accepted(database, software, key_sets) for _ in range(3)] == [True] * 3
    assert published.fetched == 1
    clock.now += 601
    assert await accepted(database, software, key_sets)
    assert published.fetched == 2


async def test_a_new_key_is_picked_up_at_once_and_one_taken_away_is_dead(
    database: Database, software: Software, clock: Clock
) -> None:
    published = Published(software.key)
    key_sets = KeySets(published)
    assert await accepted(database, software, key_sets)
    rotated = Software(software.client, new_key("second"), "ES384")
    published.keys = [rotated.key]
    clock.now += AGAIN

    assert await accepted(database, rotated, key_sets)
    assert not await accepted(database, software, key_sets)


@pytest.mark.parametrize(("max_age", "kept"), [(0, 0), (60, 60), (10**8, LONGEST)])
async def test_a_key_taken_away_dies_when_the_set_kept_runs_out(
    database: Database, software: Software, clock: Clock, max_age: int, kept: float
) -> None:
    published = Published(software.key, max_age=max_age)
    key_sets = KeySets(published)
    assert await accepted(database, software, key_sets)
    published.keys = []
    if kept:
        clock.now += kept - 1
        assert await accepted(database, software, key_sets)
        clock.now += 1

    assert not await accepted(database, software, key_sets)


async def test_invented_kids_make_us_ask_no_more_than_once_in_a_while(
    database: Database, software: Software, clock: Clock
) -> None:
    published = Published(software.key)
    key_sets = KeySets(published)
    await accepted(database, software, key_sets)

    for number in range(20):
        assert not await accepted(database, software, key_sets, kid=f"invented-{number}")

    assert published.fetched == 1
    clock.now += AGAIN
    assert not await accepted(database, software, key_sets, kid="invented")
    assert published.fetched == 2


async def test_an_address_that_fails_gives_no_keys_and_is_not_asked_at_each_call(
    database: Database, software: Software, clock: Clock
) -> None:
    published = Published(software.key)
    published.down = True
    key_sets = KeySets(published)

    assert [await accepted(database, software, key_sets) for _ in range(5)] == [False] * 5
    assert published.fetched == 1
    published.down = False
    clock.now += AGAIN
    assert await accepted(database, software, key_sets)


async def test_of_two_keys_of_one_kid_none_is_taken(database: Database, software: Software) -> None:
    assert not await accepted(database, software, KeySets(Published(software.key, new_key("first"))))


async def test_a_published_key_that_is_too_weak_is_not_taken(database: Database, register: Register) -> None:
    made: Software = await register("RS384", jwks=None, jwks_uri=URL)
    good = RSAKey.generate_key(2048, parameters={"kid": "a"})
    weak = {**good.as_dict(private=False), "n": "AQAB", "use": "sig"}

    class Weak(Published):
        async def get(self, url: str) -> Document:
            return Document(orjson.dumps({"keys": [weak]}), 600)

    assert await accepted(database, Software(made.client, good, "RS384"), KeySets(Published(good)))
    assert not await accepted(database, Software(made.client, good, "RS384"), KeySets(Weak()))


@pytest.mark.parametrize(("jku", "expected"), [(URL, True), (URL + "?x", False), ("https://evil.example/", False)])
async def test_jku_may_only_repeat_what_is_registered(
    database: Database, software: Software, jku: str, expected: bool
) -> None:
    published = Published(software.key)

    assert await accepted(database, software, KeySets(published), jku=jku) is expected


async def test_the_sets_of_two_clients_are_two(database: Database, software: Software, register: Register) -> None:
    key_sets = KeySets(Published(software.key))
    await accepted(database, software, key_sets)
    other: Software = await register()

    assert await accepted(database, other, key_sets)
    assert not await accepted(database, Software(other.client, software.key, "ES384"), key_sets)


@pytest.mark.parametrize("content", [b"", b"x", b"[]", b"null", b"{}", b'{"keys": 1}', b'{"keys": [1]}', b"[" * 2000])
def test_what_is_not_a_key_set(content: bytes) -> None:
    with pytest.raises(ValueError, match="The document"):
        read_key_set(content)


async def test_a_private_key_that_is_published_proves_nothing(database: Database, software: Software) -> None:
    """Whoever reads the address could sign as this client."""
    published = Published(software.key)
    published.private = True

    assert not await accepted(database, software, KeySets(published))


@pytest.mark.parametrize(
    "changes",
    [
        {"jwks_uri": URL},  # beside keys registered here
        {"jwks": None, "jwks_uri": "http://vendor.example/jwks"},
        {"jwks": None, "jwks_uri": "https://vendor.example@127.0.0.1/"},
        {"jwks": None, "jwks_uri": URL, "algorithm": ""},
        {"binding": "none"},
        {"jwks": None, "algorithm": "", "certificate_subject": "CN=proxy"},  # tokens would be bound to nothing
        {"certificate_subject": "CN=proxy", "binding": "mtls"},
    ],
)
async def test_an_unsafe_way_of_proving_oneself_is_refused(register: Register, changes: dict[str, Any]) -> None:
    with pytest.raises(ClientProblem):
        await register(**changes)
