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
        ({"algorithm": "HS256"}, ""),
        ({"jwks": {"keys": []}}, ""),
        ({"redirect_uris": ["http://cabinet.example/cb"]}, ""),
        ({"jwks": None, "jwks_uri": "http://cabinet.example/jwks"}, ""),
        ({"jwks": None, "jwks_uri": "https://u:p@cabinet.example/jwks"}, ""),
        ({"scopes": [{"scope": "system/Observation.rs", "reason": "x"}]}, ""),
        ({"kind": "backend"}, ""),
        ({"binding": "rope"}, ""),
        ({"launch_url": 1}, "/launch_url"),
        ({"launch_url": "https://cabinet.example/launch"}, ""),  # without the scope 'launch'
        ({"launch_url": "http://cabinet.example/launch", "scopes": LAUNCHED}, ""),
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
    ],
    ids=["good", "silent", "html", "empty", "rsa", "no-kid", "twice"],
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
