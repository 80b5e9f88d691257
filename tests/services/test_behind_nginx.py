"""The service behind a real nginx: certificates of callers, addresses, and proofs for the public address."""

import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.auth.oauth2.proofs import Prover
from tests.certificates import authority, issued, name_of
from tests.nginx import certificate, free, needed, running, site

from liaison.auth.oauth2 import clients
from liaison.services.house import House

from .conftest import Service, alone

pytestmark = [pytest.mark.http, needed]

VITALS = "system/Observation.rs"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Certificates: of nginx, of a client that is registered, and of another of the same authority."""
    made = tmp_path_factory.mktemp("nginx")
    certificate(made)
    ours, foreign = authority(), authority("Autorité étrangère")
    (made / "clients.pem").write_bytes(ours.pem)
    issued(ours, name_of("proxy.cabinet.example", "Cabinet")).write(made, "registered")
    issued(ours, name_of("autre.example", "Cabinet")).write(made, "other")
    issued(foreign, name_of("proxy.cabinet.example", "Cabinet")).write(made, "foreign")
    return made


@pytest.fixture(scope="module")
def proxy(service: Service, folder: Path) -> Iterator[str]:
    secure, plain = free(), free()
    upstream = f"unix:{service.settings.proxy_socket}"
    with running(site(folder, secure, plain, upstream, clients=True), secure):
        yield f"https://127.0.0.1:{secure}"


@pytest.fixture(scope="module")
def registered(service: Service) -> None:
    async def register() -> None:
        async with House.opened(service.settings) as house:
            owner = house.store.key(*service.organization.split("/"))
            assert owner is not None
            common: dict[str, Any] = {
                "kind": "backend", "scope": VITALS, "organization": owner.res, "role_code": "nurse", "purpose": 1,
            }  # fmt: skip
            async with house.database.writing.acquire() as connection:
                if await clients.find(connection, "by-certificate"):  # they ran here before
                    return
                await clients.add(
                    connection, client_id="by-certificate", name="Proxy", binding="mtls",
                    certificate_subject="CN=proxy.cabinet.example,O=Cabinet", **common,
                )  # fmt: skip
                await clients.add(
                    connection, client_id="by-proof", kind="app", name="Application", scope="user/*.rs",
                    binding="dpop", redirect_uris=["https://app.example/cb"],
                )  # fmt: skip

    alone(register)


def caller(folder: Path, name: str = "") -> httpx.Client:
    context = ssl.create_default_context(cafile=str(folder / "fullchain.pem"))
    context.check_hostname = False
    if name:
        context.load_cert_chain(folder / f"{name}.pem", folder / f"{name}.key")
    return httpx.Client(verify=context, timeout=60)


ASK = {"grant_type": "client_credentials", "client_id": "by-certificate", "scope": VITALS}


def header_of(folder: Path, name: str) -> str:
    """What nginx would say of the certificate, as anyone can write it who has once seen it."""
    lines = (folder / f"{name}.pem").read_text().strip().splitlines()[1:-1]
    return f":{''.join(lines)}:"


def test_a_token_is_given_to_a_certificate_and_works_with_it_alone(
    service: Service, folder: Path, proxy: str, registered: None
) -> None:
    with caller(folder, "registered") as software:
        given = software.post(f"{proxy}/oauth/token", data=ASK)
        assert given.status_code == 200, given.text
        token = {"authorization": f"Bearer {given.json()['access_token']}"}
        asked = f"{proxy}/fhir/Observation?_count=1"

        assert software.get(asked, headers=token).status_code == 200
    with caller(folder, "other") as other, caller(folder) as nobody:
        assert other.get(asked, headers=token).status_code == 401
        assert nobody.get(asked, headers=token).status_code == 401
        forged = {**token, "client-cert": header_of(folder, "registered")}
        assert nobody.get(asked, headers=forged).status_code == 401
        assert other.get(asked, headers=forged).status_code == 401
        # Without the proxy, over the port that anyone on the machine can open.
        assert nobody.get(f"{service.fhir}/Observation?_count=1", headers=forged).status_code == 401


@pytest.mark.parametrize("shown", ["", "other", "foreign"])
def test_no_other_certificate_is_that_client(folder: Path, proxy: str, registered: None, shown: str) -> None:
    with caller(folder, shown) as software:
        for headers in ({}, {"client-cert": header_of(folder, "registered")}):
            refused = software.post(f"{proxy}/oauth/token", data=ASK, headers=headers)

            # nginx itself answers 400 to a certificate of an authority that it does not know.
            assert refused.status_code == (400 if shown == "foreign" else 401)


def test_the_planted_fault_a_header_believed_over_tcp_would_be_enough(
    service: Service, folder: Path, registered: None
) -> None:
    """Over the proxy's socket the very same forged request is let in: what protects is where it comes from."""
    forged = {"client-cert": header_of(folder, "registered")}
    over_socket = httpx.HTTPTransport(uds=str(service.settings.proxy_socket))
    with httpx.Client(transport=over_socket) as proxy, httpx.Client() as anyone:
        assert proxy.post("http://liaison/oauth/token", data=ASK, headers=forged).status_code == 200
        assert anyone.post(f"{service.url}/oauth/token", data=ASK, headers=forged).status_code == 401


def test_proofs_are_for_the_public_address(service: Service, folder: Path, proxy: str, registered: None) -> None:
    prover, public = Prover(), service.settings.public_url
    form = {"grant_type": "authorization_code", "client_id": "by-proof", "code": "x", "redirect_uri": "y",
            "code_verifier": "z"}  # fmt: skip
    with caller(folder) as software:
        for url, error in (
            (f"{public}/oauth/token", "invalid_grant"),  # the proof is good: only the code is not
            (f"{proxy}/oauth/token", "invalid_dpop_proof"),
            ("https://evil.example/oauth/token", "invalid_dpop_proof"),
        ):
            answer = software.post(f"{proxy}/oauth/token", data=form, headers={"dpop": prover.proof("POST", url)})
            assert answer.json()["error"] == error, url
        proof = {"dpop": prover.proof("POST", f"{public}/oauth/token")}
        twice = [software.post(f"{proxy}/oauth/token", data=form, headers=proof).json()["error"] for _ in range(2)]
        assert twice == ["invalid_grant", "invalid_dpop_proof"]
