"""What a vendor hands in: every fault is named, with its place."""

from typing import Any

import orjson
import pytest
from joserfc.jwk import ECKey, RSAKey

from liaison.auth.access.roles import ROLES
from liaison.auth.safe_fetch import Document, Fetcher, NotFetched
from liaison.auth.vendors.checking import check
from liaison.auth.vendors.request_file import BadFile, read_file

KEY = {**ECKey.generate_key("P-384").as_dict(private=False), "kid": "1"}


def good(**changes: Any) -> dict[str, Any]:
    made = {
        "client_id": "cabinet-plus",
        "name": "Cabinet+",
        "kind": "app",
        "algorithm": "ES384",
        "jwks": {"keys": [KEY]},
        "redirect_uris": ["https://cabinet.example/cb"],
        "scopes": [{"scope": "user/Observation.rs", "reason": "Afficher les constantes dans le dossier du cabinet."}],
        "security_contact": {"name": "Astreinte", "email": "securite@cabinet.example"},
        **changes,
    }
    return {name: value for name, value in made.items() if value is not None}


LAUNCHED = [
    {"scope": "launch", "reason": "S'ouvrir sur le dossier affiché."},
    {"scope": "user/Observation.rs", "reason": "Afficher les constantes."},
]


def test_an_app_may_name_where_a_record_opens_it() -> None:
    file = read_file(orjson.dumps(good(launch_url="https://cabinet.example/launch", scopes=LAUNCHED)))

    assert file.launch_url == "https://cabinet.example/launch"


def test_a_good_file_is_read_as_it_is() -> None:
    file = read_file(orjson.dumps(good()))

    assert (file.client_id, file.scope, file.binding) == ("cabinet-plus", "user/Observation.rs", "")
    assert file.contact == {"name": "Astreinte", "email": "securite@cabinet.example"}


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"client_id": "Ca"}, "/client_id"),
        ({"client_id": "cabinet plus"}, "/client_id"),
        ({"client_id": None}, "/client_id"),
        ({"name": " "}, "/name"),
        ({"name": 1}, "/name"),
        ({"kind": "robot"}, "/kind"),
        ({"kind": ["app"]}, "/kind"),
        ({"algorithm": 1}, "/algorithm"),
        ({"jwks": "keys"}, "/jwks"),
        ({"redirect_uris": "https://a.example"}, "/redirect_uris"),
        ({"redirect_uris": [1]}, "/redirect_uris"),
        ({"scopes": None}, "/scopes"),
        ({"scopes": []}, "/scopes"),
        ({"scopes": ["user/Observation.rs"]}, "/scopes/0"),
        ({"scopes": [{"scope": "user/Observation.rs"}]}, "/scopes/0/reason"),
        ({"scopes": [{"scope": "user/Observation.sr", "reason": "x"}]}, "/scopes/0/scope"),
        ({"scopes": [{"scope": "user/Observation.rs user/Patient.rs", "reason": "x"}]}, "/scopes/0/scope"),
        ({"security_contact": None}, "/security_contact/email"),
        ({"security_contact": {"name": "x"}}, "/security_contact/email"),
        ({"surprise": 1}, "/surprise"),
        ({"algorithm": "HS256"}, "/algorithm"),
        ({"jwks": {"keys": []}}, "/jwks"),
        ({"redirect_uris": ["http://cabinet.example/cb"]}, "/redirect_uris/0"),
        ({"redirect_uris": ["https://cabinet.example/cb", "https://cabinet.example/#a"]}, "/redirect_uris/1"),
        ({"redirect_uris": None}, "/redirect_uris"),
        ({"jwks": None, "jwks_uri": "http://cabinet.example/jwks"}, "/jwks_uri"),
        ({"jwks": None, "jwks_uri": "https://u:p@cabinet.example/jwks"}, "/jwks_uri"),
        ({"scopes": [{"scope": "system/Observation.rs", "reason": "x"}]}, "/scopes"),
        ({"kind": "backend"}, "/scopes"),
        ({"kind": "backend"}, "/role"),
        ({"kind": "backend"}, "/redirect_uris"),
        ({"binding": "rope"}, "/binding"),
        ({"launch_url": 1}, "/launch_url"),
        ({"launch_url": "https://cabinet.example/launch"}, "/launch_url"),  # without the scope 'launch'
        ({"launch_url": "http://cabinet.example/launch", "scopes": LAUNCHED}, "/launch_url"),
    ],
)
def test_a_fault_is_named_with_its_place(changes: dict[str, Any], where: str) -> None:
    with pytest.raises(BadFile) as refused:
        read_file(orjson.dumps(good(**changes)))

    assert where in {one.where for one in refused.value.problems}


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(BadFile) as refused:
        read_file(orjson.dumps(good(name=None, client_id="X", scopes=[], extra=1)))

    assert {one.where for one in refused.value.problems} == {"/extra", "/client_id", "/name", "/scopes"}


def test_what_the_registration_would_refuse_is_told_with_all_else() -> None:
    """Whoever corrects what was told has a file that is taken: no second round (docs/clients.md §5)."""
    private = {**ECKey.generate_key("P-384").as_dict(private=True), "kid": "1"}
    scopes = [{"scope": "user/Observation.sr", "reason": ""}]
    wrong = good(
        jwks={"keys": [private]}, redirect_uris=["http://x.example/cb"], scopes=scopes, binding="rope", algorithm="none",
        launch_url="https://cabinet.example/launch",
    )  # fmt: skip

    assert faults_of(wrong).keys() == {
        "/jwks/keys/0", "/redirect_uris/0", "/scopes/0/scope", "/scopes/0/reason", "/binding", "/algorithm",
    }  # fmt: skip


@pytest.mark.parametrize("content", [b"", b"x", b"[]", b"null", b"{}", b"1", b'"' + b"x" * 70_000 + b'"', b"\xff"])
def test_what_is_no_such_file(content: bytes) -> None:
    with pytest.raises(BadFile):
        read_file(content)


class Publishing(Fetcher):
    def __init__(self, content: bytes | None) -> None:
        super().__init__()
        self._content = content

    async def get(self, url: str) -> Document:
        if self._content is None:
            raise NotFetched("The address did not answer within 5 s.")
        return Document(self._content, 60)


def _keys(*keys: Any) -> bytes:
    return orjson.dumps({"keys": keys})


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (_keys(KEY), ""),
        (None, "did not answer"),
        (b"<html>", "not JSON"),
        (_keys(), "No key there"),
        (_keys({**RSAKey.generate_key(2048).as_dict(private=False), "kid": "r"}), "No key there"),
        (_keys({**KEY, "kid": ""}), "kid"),
        (_keys(KEY, KEY), "same kid"),
        (_keys(KEY, {**ECKey.generate_key("P-384").as_dict(private=True), "kid": "2"}), "private key is published"),
    ],
    ids=["good", "silent", "html", "empty", "rsa", "no-kid", "twice", "private"],
)
async def test_keys_at_an_address_are_really_fetched(content: bytes | None, words: str) -> None:
    file = read_file(orjson.dumps(good(jwks=None, jwks_uri="https://cabinet.example/jwks")))

    problems = await check(file, Publishing(content), ROLES)

    assert bool(problems) == bool(words)
    assert all(words in one.text and one.where == "/jwks_uri" for one in problems)


async def test_a_role_that_does_not_exist_is_found() -> None:
    scopes = [{"scope": "system/Observation.rs", "reason": "x"}]
    file = read_file(orjson.dumps(good(kind="backend", redirect_uris=None, scopes=scopes, role="wizard")))

    assert [one.where for one in await check(file, Publishing(None), ROLES)] == ["/role"]


def faults_of(file: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(BadFile) as refused:
        read_file(orjson.dumps(file))
    return {one.where: one.text for one in refused.value.problems}


@pytest.mark.parametrize("key", [ECKey.generate_key("P-384"), RSAKey.generate_key(2048)], ids=["EC", "RSA"])
def test_a_file_with_a_private_key_is_refused_whole(key: ECKey | RSAKey) -> None:
    private = {**key.as_dict(private=True), "kid": "2"}
    found = faults_of(good(jwks={"keys": [KEY, private]}))

    assert "private" in found["/jwks/keys/1"]
    assert "new" in found["/jwks/keys/1"]  # whoever sent it has to make another
    assert str(private["d"]) not in str(found)


def test_a_secret_key_is_a_private_one() -> None:
    assert "/jwks/keys/1" in faults_of(good(jwks={"keys": [KEY, {"kty": "oct", "k": "c2VjcmV0", "kid": "3"}]}))


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"jwks": {"keys": [{**KEY, "note": "a\0b"}]}}, "/jwks/keys/0/note"),
        ({"jwks": {"keys": [{**KEY, "kid": "a\0b"}]}}, "/jwks/keys/0/kid"),
        ({"jwks": {"keys": [{**KEY, "a\0b": 1}]}}, "/jwks/keys/0"),
        ({"redirect_uris": ["fr.example.app:/\0"]}, "/redirect_uris/0"),
    ],
    ids=["in what is not known", "in a kid", "in a name", "in an address"],
)
def test_the_character_that_the_database_cannot_keep_is_named_where_it_is(changes: dict[str, Any], where: str) -> None:
    assert "U+0000" in faults_of(good(**changes))[where]


@pytest.mark.parametrize("client_id", ["acme.1", "acme.lab.22"])
def test_the_names_that_activations_make_are_not_to_be_asked_for(client_id: str) -> None:
    assert "/client_id" in faults_of(good(client_id=client_id))
    assert read_file(orjson.dumps(good(client_id="acme.v1"))).client_id == "acme.v1"


def test_what_was_taken_before_these_rules_is_still_shown() -> None:
    assert read_file(orjson.dumps(good(client_id="acme.1")), kept=True).client_id == "acme.1"
