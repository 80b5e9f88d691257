"""One address or client that asks too much is told to wait, in one text whether or not it exists."""

import json
from collections.abc import AsyncIterator

import httpx
import pytest
from joserfc.jwk import ECKey
from tests.auth.oauth2.conftest import Software

from liaison.auth.oauth2 import rate_limits, rfc7523
from liaison.auth.oauth2.rate_limits import Limit
from liaison.services.api.access_log import AccessLog
from liaison.services.api.edge import FhirEdge
from liaison.services.api.metrics import Metrics
from liaison.services.application import Application

from .oauth.conftest import URL, Place, place, settings

__all__ = ["place", "settings"]


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, at_once in (("CALLS", 6), ("FAILURES", 3), ("TOKENS", 2)):
        monkeypatch.setattr(rate_limits, name, Limit(name, at_once, 60.0))


@pytest.fixture
async def whole(place: Place) -> AsyncIterator[Application]:
    yield Application(FhirEdge("/fhir", 1024, AccessLog(enabled=False), Metrics()), place.app)


def caller(whole: Application, address: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(whole, client=(address, 1)), base_url=URL)


@pytest.mark.parametrize("path", ["/premier-code", "/confirmer/cle", "/psc/retour", "/editeurs/guessed"])
async def test_wherever_a_secret_could_be_tried_an_address_is_counted(whole: Application, path: str) -> None:
    async with caller(whole, "192.0.2.3") as one:
        statuses = [(await one.get(path)).status_code for _ in range(8)]
    assert statuses[-1] == 429
    assert 429 not in statuses[:5]


async def test_one_address_is_told_to_wait_and_another_is_not(whole: Application) -> None:
    async with caller(whole, "192.0.2.1") as one, caller(whole, "192.0.2.2") as other:
        answers = [await one.get("/connexion") for _ in range(8)]
        assert [answer.status_code for answer in answers] == [200] * 6 + [429] * 2
        wait = answers[-1].headers["retry-after"]
        assert 0 < int(wait) <= 60
        assert f"Réessayez dans {wait} s" in answers[-1].text
        assert (await one.post("/oauth/token")).json()["error"] == "temporarily_unavailable"
        assert (await one.get("/oauth/jwks")).status_code == 200
        assert (await other.get("/connexion")).status_code == 200


async def test_a_proxy_that_does_not_say_whose_call_it_is_is_not_counted(whole: Application) -> None:
    async with caller(whole, "127.0.0.1") as everybody:
        assert {(await everybody.get("/connexion")).status_code for _ in range(10)} == {200}


@pytest.mark.parametrize("client_id", ["app-with-keys", "invented"])
async def test_failures_are_counted_alike_for_clients_that_exist_and_that_do_not(
    whole: Application, place: Place, client_id: str
) -> None:
    await place.house.database.writing.execute(
        "insert into client (client, client_id, kind, name, scope, jwks) values (99, 'app-with-keys', 'app', 'x',"
        " 'user/*.rs', '{\"keys\": [{}]}')"
    )
    form = {"grant_type": "client_credentials", "client_id": client_id}
    async with caller(whole, "192.0.2.1") as software:
        answers = [await software.post("/oauth/token", data=form) for _ in range(5)]
        other = await software.post("/oauth/token", data={**form, "client_id": "another"})

    assert [answer.status_code for answer in answers] == [401] * 3 + [429] * 2
    assert {answer.text for answer in answers[:3]} == {
        '{"error":"invalid_client","error_description":"The client could not be authenticated."}'
    }
    assert other.status_code == 401  # its neighbour is not shut out


@pytest.mark.parametrize(("confidential", "expected"), [(True, [400, 400, 429, 429]), (False, [400] * 4)])
async def test_a_client_that_has_proven_itself_is_counted_wherever_it_calls_from(
    whole: Application, place: Place, confidential: bool, expected: list[int]
) -> None:
    """One that only says its name is not: anyone could use up what it is allowed."""
    key = ECKey.generate_key("P-384", parameters={"kid": "1"})
    if confidential:
        await place.house.database.writing.execute(
            "update client set jwks = $1, algorithm = 'ES384' where client_id = 'app'",
            json.dumps({"keys": [key.as_dict(private=False)]}),
        )
    software = Software(place.app_client, key, "ES384")
    statuses = []
    for number in range(4):
        form = {"grant_type": "authorization_code", "client_id": "app", "code": "x", "redirect_uri": "y"}
        if confidential:
            proof = software.assertion(aud=f"{URL}/oauth/token")
            form |= {"client_assertion_type": rfc7523.ASSERTION_TYPE, "client_assertion": proof}
        async with caller(whole, f"192.0.2.{number}") as calling:
            statuses.append((await calling.post("/oauth/token", data=form)).status_code)

    assert statuses == expected
