"""Token exchange: what a person has signed in to elsewhere, or here, acts for them here, and never for more."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs

import httpx
import orjson
import pytest
from joserfc.jwk import ECKey
from tests.auth.oauth2.conftest import Software
from tests.auth.oauth2.proofs import Prover

from liaison.auth.oauth2 import clients, rfc7523, rfc8693, rfc9068
from liaison.auth.oauth2.confirmation import UNBOUND
from liaison.auth.oauth2.rfc6750 import Call
from liaison.auth.people.pro_sante_connect.provider import Provider, Registration
from liaison.auth.sessions import end_client_at, end_session, is_alive
from liaison.fhir.definitions import kind_of
from liaison.fhir.errors import Unauthorized
from liaison.fhir.store.contract import Key

from .conftest import FHIR, URL, Place, agree, claims_of, query_of, redeem

NURSE = {"codeProfession": "60", "activities": [{"codeModeExercice": "L"}]}
SCOPES = "user/Observation.rs user/Patient.rs"


class Realm:
    """Pro Santé Connect as far as introspection goes: a real server on this machine."""

    def __init__(self, port: int) -> None:
        self.issuer = f"http://127.0.0.1:{port}/auth/realms/esante-wallet"
        self.answer: dict[str, Any] = {}
        self.status = 200
        self.asked: list[tuple[str, dict[str, list[str]]]] = []
        self.person = ""
        self.exercices: list[dict[str, Any]] = [NURSE]

    def says(self, **changes: Any) -> None:
        self.status, self.person, self.exercices = 200, "", [NURSE]
        said = {"active": True, "iss": self.issuer, "acr": "eidas1", "exp": int(time.time()) + 120,
                "SubjectNameID": "8nurse000", **changes}  # fmt: skip
        self.answer = {name: value for name, value in said.items() if value is not None}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        status, said = 200, self.answer
        if head.startswith("POST"):
            length = int(head.lower().partition("content-length: ")[2].partition("\r\n")[0])
            self.asked.append((head, parse_qs((await reader.readexactly(length)).decode())))
            status = self.status
        elif "openid-configuration" in head:
            addresses = ("authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri")
            said = {"issuer": self.issuer, **{name: f"{self.issuer}/{name}" for name in addresses}}
        else:
            name = self.person or self.answer.get("SubjectNameID")
            said = {"SubjectNameID": name, "SubjectRefPro": {"exercices": self.exercices}}
        body = orjson.dumps(said)
        writer.write(b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n%b" % (status, len(body), body))
        await writer.drain()
        writer.close()


@pytest.fixture(scope="module")
async def realm(shared: Place) -> AsyncIterator[Realm]:
    made: list[Realm] = []
    server = await asyncio.start_server(lambda r, w: made[0].serve(r, w), "127.0.0.1", 0)
    made.append(Realm(server.sockets[0].getsockname()[1]))
    shared.house.pro_sante_connect = Provider(
        Registration(made[0].issuer, "liaison", "the-secret", ("eidas1",), f"{URL}/psc/retour", URL)
    )
    yield made[0]
    server.close()


@pytest.fixture(scope="module")
async def proxy(shared: Place) -> Software:
    """A structure's proxy, registered to exchange."""
    key = ECKey.generate_key("P-384", parameters={"kid": "1"})
    async with shared.house.database.writing.acquire() as connection:
        client = await clients.add(
            connection, client_id="proxy", kind="app", name="Proxy", scope=SCOPES, algorithm="ES384", exchanges=True,
            jwks={"keys": [key.as_dict(private=False)]},
        )  # fmt: skip
    return Software(client, key, "ES384")


async def exchange(
    place: Place, software: Software, token: str | None = "psc-token", **changes: str | None
) -> httpx.Response:
    form = {
        "grant_type": rfc8693.GRANT_TYPE,
        "subject_token": token,
        "subject_token_type": rfc8693.ACCESS_TOKEN,
        "scope": "user/Observation.rs",
        "client_assertion_type": rfc7523.ASSERTION_TYPE,
        "client_assertion": software.assertion(aud=f"{URL}/oauth/token"),
        **changes,
    }
    async with place.browser() as calling:
        return await calling.post("/oauth/token", data={name: one for name, one in form.items() if one is not None})


async def test_a_token_of_pro_sante_connect_becomes_one_of_ours(shared: Place, realm: Realm, proxy: Software) -> None:
    realm.says()

    content = (await exchange(shared, proxy)).json()

    assert content["issued_token_type"] == rfc8693.ACCESS_TOKEN
    assert content["scope"] == "user/Observation.rs"
    assert 0 < content["expires_in"] <= 120  # no longer than what was brought
    assert "refresh_token" not in content
    caller = await shared.house.authenticator.caller(f"Bearer {content['access_token']}")
    assert (caller.role_code, caller.client) == ("nurse", proxy.client.number)
    head, form = realm.asked[-1]
    assert form == {"token": ["psc-token"], "token_type_hint": ["access_token"]}
    assert "authorization: basic bGlhaXNvbjp0aGUtc2VjcmV0".lower() in head.lower()
    assert "psc-token" not in head


@pytest.mark.parametrize(
    "changes",
    [
        {"active": False},
        {"active": "true"},
        {"iss": "https://evil.example"},
        {"iss": None},
        {"acr": None},
        {"acr": "eidas0"},
        {"exp": 1},
        {"exp": None},
        {"exp": "4102444800"},
        {"SubjectNameID": None},
        {"SubjectNameID": "8nobody000"},
        {"SubjectNameID": ["8nurse000"]},
        {"SubjectNameID": "8none000"},  # holds no role today
        {"SubjectNameID": "8both000"},  # holds two
    ],
    ids=str,
)
async def test_what_does_not_say_enough_gives_nothing(
    shared: Place, realm: Realm, proxy: Software, changes: dict[str, Any]
) -> None:
    realm.says(**changes)

    answer = await exchange(shared, proxy)

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


async def test_who_practises_nothing_that_stands_behind_the_role_is_nobody(
    shared: Place, realm: Realm, proxy: Software
) -> None:
    realm.says()
    realm.exercices = []  # struck off: the directory may not know it yet
    assert (await exchange(shared, proxy)).status_code == 400
    realm.says()
    realm.person = "8both000"  # userinfo of another than was introspected
    assert (await exchange(shared, proxy)).status_code == 400


async def test_a_realm_that_cannot_be_asked_is_not_taken_as_a_yes(shared: Place, realm: Realm, proxy: Software) -> None:
    realm.says()
    for realm.status in (500, 302, 401):
        assert (await exchange(shared, proxy)).status_code == 503


async def test_the_role_is_named_by_who_holds_several(shared: Place, realm: Realm, proxy: Software) -> None:
    realm.says(SubjectNameID="8both000")
    rows = await shared.house.database.reading.fetch(
        "select h.role, h.role_code from held_role h join account a on a.fhir_res = h.practitioner"
        " where a.username = 'both'"
    )
    ids = {row["role_code"]: _role(shared, row["role"]) for row in rows}

    for code, reference in ids.items():
        content = (await exchange(shared, proxy, role=reference)).json()
        assert (await shared.house.authenticator.caller(f"Bearer {content['access_token']}")).role_code == code
    realm.says()  # another person's role is not hers
    assert (await exchange(shared, proxy, role=ids["nurse"])).status_code == 400
    assert (await exchange(shared, proxy, role="Patient/1")).status_code == 400


def _role(place: Place, number: int) -> str:
    return f"PractitionerRole/{place.house.store.id(Key(0, kind_of('PractitionerRole'), number))}"


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"subject_token": None}, "invalid_request"),
        ({"subject_token_type": None}, "invalid_request"),
        ({"subject_token_type": "urn:ietf:params:oauth:token-type:id_token"}, "invalid_request"),
        ({"requested_token_type": "urn:ietf:params:oauth:token-type:refresh_token"}, "invalid_request"),
        ({"actor_token": "x"}, "invalid_request"),
        ({"resource": "https://elsewhere.example"}, "invalid_target"),
        ({"audience": "https://elsewhere.example"}, "invalid_target"),
        ({"scope": None}, "invalid_request"),
        ({"scope": "user/Condition.rs"}, "invalid_scope"),
        ({"client_assertion": None, "client_assertion_type": None, "client_id": "proxy"}, "invalid_client"),
        ({"client_assertion": None, "client_assertion_type": None, "client_id": "app"}, "unauthorized_client"),
    ],
    ids=str,
)
async def test_a_malformed_exchange_is_refused(
    shared: Place, realm: Realm, proxy: Software, changes: dict[str, str | None], error: str
) -> None:
    realm.says()

    assert (await exchange(shared, proxy, **changes)).json()["error"] == error


async def test_a_token_of_ours_gives_less_never_more_and_falls_with_its_family(
    shared: Place, realm: Realm, proxy: Software
) -> None:
    async with shared.signed_in() as browser:
        first = (await redeem(browser, query_of(await agree(browser, scope="user/Patient.rs"))["code"])).json()
        token = first["access_token"]

        made = (await exchange(shared, proxy, token, scope=SCOPES, resource=FHIR)).json()
        assert made["scope"] == "user/Patient.rs"
        sid = int(claims_of(token)["sid"])
        role = await shared.house.database.reading.fetchval("select role from access_session where session = $1", sid)
        other = await shared.house.database.reading.fetchval(
            "select role from held_role where role <> $1 limit 1", role
        )
        assert (await exchange(shared, proxy, token, scope=SCOPES, role=_role(shared, role))).status_code == 200
        refused = await exchange(shared, proxy, token, scope=SCOPES, role=_role(shared, other))
        assert refused.json()["error"] == "invalid_request"
        assert (await exchange(shared, proxy, token)).json()["error"] == "invalid_scope"
        ours = int(claims_of(made["access_token"])["sid"])
        assert await is_alive(shared.house.database.reading, ours)
        await browser.post("/oauth/revoke", data={"token": token, "client_id": "app"})
        refused = await exchange(shared, proxy, token, scope=SCOPES)
        assert refused.json()["error"] == "invalid_request"


async def test_a_bound_token_is_not_exchanged_by_who_has_not_its_key(
    shared: Place, realm: Realm, proxy: Software
) -> None:
    prover = Prover()
    async with shared.signed_in() as browser:
        code = query_of(await agree(browser))["code"]
        browser.headers["dpop"] = prover.proof("POST", f"{URL}/oauth/token")
        token = (await redeem(browser, code)).json()["access_token"]

    assert (await exchange(shared, proxy, token)).json()["error"] == "invalid_request"


async def test_an_account_that_is_suspended_ends_what_was_exchanged(
    shared: Place, realm: Realm, proxy: Software
) -> None:
    realm.says()
    database = shared.house.database
    token = (await exchange(shared, proxy)).json()["access_token"]
    await database.writing.execute("update account set active = false where username = 'nurse'")
    try:
        assert (await exchange(shared, proxy)).status_code == 400
        assert (await exchange(shared, proxy, token)).status_code == 400
    finally:
        await database.writing.execute("update account set active = true where username = 'nurse'")


async def test_a_client_bound_to_a_key_gets_a_bound_token(shared: Place, realm: Realm, proxy: Software) -> None:
    realm.says()
    prover = Prover()
    async with shared.browser() as calling:
        calling.headers["dpop"] = prover.proof("POST", f"{URL}/oauth/token")
        form = {
            "grant_type": rfc8693.GRANT_TYPE, "subject_token": "x", "subject_token_type": rfc8693.ACCESS_TOKEN,
            "scope": "user/Observation.rs", "client_assertion_type": rfc7523.ASSERTION_TYPE,
            "client_assertion": proxy.assertion(aud=f"{URL}/oauth/token"),
        }  # fmt: skip
        content = (await calling.post("/oauth/token", data=form)).json()

    assert content["token_type"] == "DPoP"
    with pytest.raises(Unauthorized):
        await shared.house.authenticator.caller(f"Bearer {content['access_token']}", Call("GET", "Patient"))


async def _twice_exchanged(place: Place, proxy: Software, browser: httpx.AsyncClient) -> tuple[str, list[int]]:
    """A token, and the sessions of what was exchanged for it: two links of one chain."""
    first = (await redeem(browser, query_of(await agree(browser, scope="user/Patient.rs"))["code"])).json()
    second = (await exchange(place, proxy, first["access_token"], scope=SCOPES)).json()
    third = (await exchange(place, proxy, second["access_token"], scope=SCOPES)).json()
    made = [int(claims_of(one["access_token"])["sid"]) for one in (second, third)]
    assert all([await is_alive(place.house.database.reading, one) for one in made])
    return first["access_token"], made


async def _any_alive(place: Place, sessions: list[int]) -> bool:
    return any([await is_alive(place.house.database.reading, one) for one in sessions])


async def test_what_was_exchanged_falls_with_the_token_it_was_exchanged_for(
    shared: Place, realm: Realm, proxy: Software
) -> None:
    async with shared.signed_in() as browser:
        token, made = await _twice_exchanged(shared, proxy, browser)
        kept, others = await _twice_exchanged(shared, proxy, browser)
        await browser.post("/oauth/revoke", data={"token": token, "client_id": "app"})
        assert not await _any_alive(shared, made)
        # Another authorization of the same two stays, and who gives the exchanged one back ends nothing before it.
        assert await is_alive(shared.house.database.reading, others[0])
        async with shared.house.database.writing.acquire() as connection:
            await end_session(connection, others[0])
        assert not await _any_alive(shared, others)
        assert await is_alive(shared.house.database.reading, int(claims_of(kept)["sid"]))


async def test_what_was_exchanged_falls_with_the_first_client(shared: Place, realm: Realm, proxy: Software) -> None:
    async with shared.signed_in() as browser:
        _, made = await _twice_exchanged(shared, proxy, browser)
        async with shared.house.database.writing.acquire() as connection:
            await clients.suspend(connection, "app")
            await clients.suspend(connection, "app", active=True)
        assert not await _any_alive(shared, made)

        _, made = await _twice_exchanged(shared, proxy, browser)
        organization = await shared.house.database.reading.fetchval("select organization from held_role limit 1")
        async with shared.house.database.writing.acquire() as connection:
            await end_client_at(connection, shared.app_client.number, organization)
        assert not await _any_alive(shared, made)


async def test_an_exchange_beside_a_revocation_is_refused_or_falls_with_it(
    shared: Place, realm: Realm, proxy: Software
) -> None:
    async with shared.signed_in() as browser, shared.house.database.writing.acquire() as connection:
        first = (await redeem(browser, query_of(await agree(browser, scope="user/Patient.rs"))["code"])).json()
        subject = int(claims_of(first["access_token"])["sid"])
        asked = rfc8693.Exchange(first["access_token"], "user/Patient.rs", 0)
        async with connection.transaction():
            row = rfc9068.Verified(subject, "app", 0.0, UNBOUND)
            made = await rfc8693.exchange(connection, proxy.client, asked, row)
            revoking = asyncio.create_task(
                browser.post("/oauth/revoke", data={"token": first["access_token"], "client_id": "app"})
            )
            await asyncio.sleep(0.3)  # it waits for the lock on the subject's session
        await revoking
    assert not await _any_alive(shared, [subject, made.session])
