"""DPoP: the vectors of RFC 9449, each check of its §4.3, and tokens that are worth nothing without their key."""

import asyncio
import time
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from liaison.auth.oauth2 import rfc9068, rfc9440, rfc9449
from liaison.auth.oauth2.confirmation import JKT, X5T, Confirmation
from liaison.auth.oauth2.errors import InvalidDpopProof, UseDpopNonce
from liaison.auth.oauth2.keys import SigningKeys
from liaison.auth.oauth2.rfc6749 import client_credentials
from liaison.auth.oauth2.rfc6750 import Bearer, Call, UnboundProof
from liaison.auth.oauth2.rfc9449 import Nonces, read_proof
from liaison.fhir.errors import Unauthorized
from liaison.fhir.store.database import Database
from liaison.fhir.vault import Vault

from .conftest import VITALS, Register
from .proofs import Prover

# RFC 9449 §4.1 (figure 2), §6.1 (figure 8) and §7.1 (figure 12).
_KEY = (
    "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJo"
    "RjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19."
)
TOKEN_PROOF = (
    f"{_KEY}eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwi"
    "aWF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg"
)
RESOURCE_PROOF = (
    f"{_KEY}eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90ZWN0"
    "ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9."
    "2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA"
)
VECTOR_TOKEN = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU"
VECTOR_KEY = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"

URL = "https://i.example/fhir/Patient/1"
NAMES: dict[str, Any] = {"issuer": "https://i.example", "audience": "https://i.example/fhir"}


def test_the_proof_of_figure_2_holds_for_its_call_alone() -> None:
    address = "https://server.example.com/token"
    proof = read_proof(TOKEN_PROOF, method="POST", url=address, now=1562262616)

    assert (proof.thumbprint, proof.jti) == (VECTOR_KEY, "-BwC3ESc6acc2lTc")
    faults: list[dict[str, Any]] = [
        {"method": "GET"},
        {"url": f"{address}s"},
        {"now": 1562262616 + 100},
        {"now": 1562262616 - 100},
    ]
    for changes in faults:
        with pytest.raises(InvalidDpopProof):
            read_proof(TOKEN_PROOF, **{"method": "POST", "url": address, "now": 1562262616, **changes})


def test_the_proof_of_figure_12_holds_for_its_token_alone() -> None:
    call: dict[str, Any] = {"method": "GET", "url": "https://resource.example.org/protectedresource", "now": 1562262618}

    assert read_proof(RESOURCE_PROOF, token=VECTOR_TOKEN, **call).thumbprint == VECTOR_KEY
    for token in (VECTOR_TOKEN + "x", VECTOR_TOKEN.lower()):
        with pytest.raises(InvalidDpopProof, match="ath"):
            read_proof(RESOURCE_PROOF, token=token, **call)


@pytest.mark.parametrize("algorithm", list(rfc9449.ALGORITHMS))
def test_each_algorithm_that_is_announced(algorithm: str) -> None:
    kind = rfc9449.ALGORITHMS[algorithm]
    key = RSAKey.generate_key(2048) if kind == "RSA" else ECKey.generate_key(kind)
    prover = Prover(key, algorithm)

    assert read_proof(prover.proof("GET", URL), method="GET", url=URL, now=time.time()).thumbprint == prover.thumbprint


OTHER = ECKey.generate_key("P-256")


@pytest.mark.parametrize(
    "header",
    [
        {"typ": "JWT"},
        {"typ": None},
        {"typ": "DPOP+JWT"},
        {"alg": "none"},
        {"alg": "HS256"},
        {"alg": "ES384"},
        {"alg": None},
        {"alg": ["ES256"]},
        {"jwk": None},
        {"jwk": "key"},
        {"jwk": OTHER.as_dict(private=False)},
        {"jwk": OTHER.as_dict(private=True)},
        {"jwk": {"kty": "oct", "k": "AAAA"}},
        {"jwk": {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}},
        {"jwk": {"kty": "EC"}},
        {"crit": ["b64"], "b64": False},
        {"jku": "https://evil.example"},
        {"x5c": []},
    ],
    ids=lambda header: "+".join(f"{name}-{type(value).__name__}" for name, value in header.items()),
)
def test_a_header_that_is_not_a_proofs_is_refused(header: dict[str, Any]) -> None:
    with pytest.raises(InvalidDpopProof):
        read_proof(Prover().proof("GET", URL, header=header), method="GET", url=URL, now=time.time())


def test_a_private_key_in_the_proof_is_refused_though_it_signs() -> None:
    prover = Prover()

    with pytest.raises(InvalidDpopProof, match="private"):
        read_proof(
            prover.proof("GET", URL, header={"jwk": prover.key.as_dict(private=True)}),
            method="GET",
            url=URL,
            now=time.time(),
        )


@pytest.mark.parametrize(
    "changes",
    [
        {"htm": "POST"},
        {"htm": "get"},
        {"htm": None},
        {"htu": "https://i.example/fhir/Patient/2"},
        {"htu": "http://i.example/fhir/Patient/1"},
        {"htu": "https://evil.example/fhir/Patient/1"},
        {"htu": "https://i.example@evil.example/fhir/Patient/1"},
        {"htu": "https://i.example:8443/fhir/Patient/1"},
        {"htu": "https://[i.example"},
        {"htu": None},
        {"htu": 1},
        {"iat": -100},
        {"iat": 60},
        {"iat": None},
        {"iat": True},
        {"iat": "1"},
        {"exp": -60},
        {"nbf": 60},
        {"jti": None},
        {"jti": ""},
        {"jti": 1},
        {"jti": "x" * 300},
        {"nonce": 1},
        {"ath": None},
        {"ath": "x"},
        {"ath": 1},
        {"ath": "é"},
    ],
)
def test_a_claim_that_is_not_of_this_call_is_refused(changes: dict[str, Any]) -> None:
    (name, value), now = next(iter(changes.items())), int(time.time())
    if name in ("iat", "exp", "nbf") and type(value) is int:
        changes = {name: now + value}
    prover = Prover()

    with pytest.raises(InvalidDpopProof):
        read_proof(prover.proof("GET", URL, "token", **changes), method="GET", url=URL, now=time.time(), token="token")
    assert read_proof(prover.proof("GET", URL, "token"), method="GET", url=URL, now=time.time(), token="token")


@pytest.mark.parametrize(
    "htu",
    [
        "https://i.example/fhir/Patient/1?_format=json#x",
        "HTTPS://I.EXAMPLE/fhir/Patient/1",
        "https://i.example:443/fhir/Patient/1",
        "https://i.example/fhir/%50atient/1",
    ],
)
def test_the_same_address_may_be_written_otherwise(htu: str) -> None:
    assert read_proof(Prover().proof("GET", htu), method="GET", url=URL, now=time.time())


def test_the_signature_alone_would_let_through_what_is_refused_here() -> None:
    """The planted fault: a server that trusts the library's check of the signature, and compares nothing."""
    prover = Prover()
    stolen = prover.proof("DELETE", "https://evil.example/", iat=1, jti="", ath="x")

    assert jwt.decode(stolen, prover.key, algorithms=["ES256"]).claims["htm"] == "DELETE"
    with pytest.raises(InvalidDpopProof):
        read_proof(stolen, method="GET", url=URL, now=time.time(), token="token")


@pytest.mark.parametrize("text", ["", "a", "a.b.c", "é.é.é", "x" * 9000, "e30.e30.", f"{TOKEN_PROOF},{TOKEN_PROOF}"])
def test_rubbish_is_refused(text: str) -> None:
    with pytest.raises(InvalidDpopProof):
        read_proof(text, method="GET", url=URL, now=time.time())


async def test_of_twenty_racers_with_one_proof_one_passes(database: Database) -> None:
    proof = read_proof(Prover().proof("GET", URL), method="GET", url=URL, now=time.time())

    async def passes() -> bool:
        try:
            await rfc9449.use(database.writing, 1, proof)
        except InvalidDpopProof:
            return False
        return True

    assert (await asyncio.gather(*(passes() for _ in range(20)))).count(True) == 1


def test_a_nonce_is_ours_and_young(vault: Vault) -> None:
    nonces, other = Nonces(vault.territory, required=True), Nonces(vault.territory, required=False)
    now = time.time()
    given = nonces.new(now)

    other.check(given, now)  # another worker knows it
    other.check("", now)
    for wrong in ("", "made-up", given[:-4], "é"):
        with pytest.raises(UseDpopNonce) as asked:
            nonces.check(wrong, now)
        nonces.check(asked.value.nonce, now)
    with pytest.raises(UseDpopNonce):
        other.check(given, now + rfc9449.NONCE_SECONDS + 1)


@pytest.fixture
async def bearer(database: Database, keys: SigningKeys) -> Bearer:
    return Bearer(database, keys, **NAMES)


async def issued(database: Database, keys: SigningKeys, register: Register, bound_to: Confirmation) -> str:
    client = (await register()).client
    async with database.writing.acquire() as connection:
        session, _ = await client_credentials.open_for(connection, client, VITALS, 300)
    return await rfc9068.issue(
        keys, subject="s", client_id=client.client_id, session=session, bound_to=bound_to, **NAMES
    )


async def test_a_bound_token_works_with_a_new_proof_at_each_call(
    database: Database, keys: SigningKeys, register: Register, bearer: Bearer
) -> None:
    prover = Prover()
    token = await issued(database, keys, register, Confirmation(JKT, prover.thumbprint))

    for _ in range(2):  # the second time the token is known
        caller = await bearer.caller(f"DPoP {token}", Call("GET", "Patient/1", prover.proof("GET", URL, token)))
        assert caller.role_code == "nurse"
        assert caller.bound_to == Confirmation(JKT, prover.thumbprint)


async def test_a_bound_token_alone_is_worth_nothing(
    database: Database, keys: SigningKeys, register: Register, bearer: Bearer
) -> None:
    prover = Prover()
    token = await issued(database, keys, register, Confirmation(JKT, prover.thumbprint))
    proof = prover.proof("GET", URL, token)
    other_worker = Bearer(database, keys, **NAMES)
    assert await bearer.caller(f"DPoP {token}", Call("GET", "Patient/1", proof))

    for worker in (bearer, other_worker):  # one that knows the token, and one that does not
        for header, call in (
            (f"Bearer {token}", Call("GET", "Patient/1")),
            (f"Bearer {token}", Call("GET", "Patient/1", prover.proof("GET", URL, token))),
            (f"DPoP {token}", Call("GET", "Patient/1")),
            (f"DPoP {token}", Call("GET", "Patient/1", proof)),  # used before
            (f"DPoP {token}", Call("GET", "Patient/1", Prover().proof("GET", URL, token))),
            (f"DPoP {token}", Call("GET", "Patient/1", prover.proof("GET", URL, "another token"))),
            (f"DPoP {token}", Call("GET", "Patient/1", prover.proof("GET", URL))),
            (f"DPoP {token}", Call("GET", "Patient/2", prover.proof("GET", URL, token))),
            (f"DPoP {token}", Call("DELETE", "Patient/1", prover.proof("GET", URL, token))),
        ):
            with pytest.raises(Unauthorized):
                await worker.caller(header, call)


async def test_a_required_nonce_is_asked_for(
    database: Database, keys: SigningKeys, register: Register, vault: Vault
) -> None:
    bearer = Bearer(database, keys, nonces=Nonces(vault.territory, required=True), **NAMES)
    prover = Prover()
    token = await issued(database, keys, register, Confirmation(JKT, prover.thumbprint))

    with pytest.raises(UnboundProof) as asked:
        await bearer.caller(f"DPoP {token}", Call("GET", "Patient/1", prover.proof("GET", URL, token)))

    again = prover.proof("GET", URL, token, nonce=asked.value.nonce)
    assert await bearer.caller(f"DPoP {token}", Call("GET", "Patient/1", again))


async def test_an_unbound_token_is_not_taken_as_dpop(
    database: Database, keys: SigningKeys, register: Register, bearer: Bearer
) -> None:
    prover = Prover()
    token = await issued(database, keys, register, Confirmation())

    with pytest.raises(Unauthorized):
        await bearer.caller(f"DPoP {token}", Call("GET", "Patient/1", prover.proof("GET", URL, token)))
    assert await bearer.caller(f"Bearer {token}")


@pytest.mark.parametrize("cnf", [{}, [], "x", {"jkt": ""}, {"jkt": 1}, {"kid": "a"}, {"jkt": "a", "x5t#S256": "b"}])
async def test_a_binding_that_is_not_understood_never_counts_as_none(
    database: Database, keys: SigningKeys, register: Register, bearer: Bearer, cnf: Any
) -> None:
    class Odd(Confirmation):
        def claim(self) -> dict[str, Any]:
            return {"cnf": cnf}

    token = await issued(database, keys, register, Odd())

    with pytest.raises(Unauthorized):
        await bearer.caller(f"Bearer {token}")


async def test_a_token_bound_to_a_certificate_needs_it(
    database: Database, keys: SigningKeys, register: Register, bearer: Bearer
) -> None:
    shown, other = ":c29tZSBERVI=:", ":b3RoZXIgREVS:"
    token = await issued(database, keys, register, Confirmation(X5T, rfc9440.thumbprint(shown)))

    for _ in range(2):
        assert await bearer.caller(f"Bearer {token}", Call("GET", "Patient/1", certificate=shown))
    for certificate in ("", other, "c29tZSBERVI=", ":!:", ":", "::", "é"):
        with pytest.raises(Unauthorized):
            await bearer.caller(f"Bearer {token}", Call("GET", "Patient/1", certificate=certificate))
