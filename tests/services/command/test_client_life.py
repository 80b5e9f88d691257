"""The life of a vendor's client at the console, and our own signing keys, rotated while the service serves."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from joserfc.jwk import ECKey
from tests.auth.vendors.test_request_file import good

from liaison.auth.vendors import requests
from liaison.auth.vendors.conformance import digest_of
from liaison.services.house import House

from ..conftest import Service, alone
from .conftest import Console

pytestmark = pytest.mark.http


@pytest.fixture(scope="module")
def console(service: Service, service_base: dict[str, str]) -> Iterator[Console]:
    yield Console(service_base)


def approve(service: Service, number: str) -> None:
    async def both() -> None:
        async with House.opened(service.settings) as house, house.database.writing.acquire() as connection:
            for part, person in (("admin", 1), ("dpo", 2)):
                async with connection.transaction():
                    await requests.approve(connection, int(number), part, person)

    alone(both)


def test_from_the_request_to_the_end(service: Service, console: Console, tmp_path: Path) -> None:
    file, keys = tmp_path / "request.json", tmp_path / "jwks.json"
    scopes = [{"scope": "system/Observation.rs", "reason": "Relever les constantes."}]
    asked = good(client_id="releve", kind="backend", redirect_uris=None, role="nurse", scopes=scopes)
    file.write_text(json.dumps({**asked, "role": "wizard"}))
    faulty = console.run("client", "request", str(file))
    assert faulty.returncode == 1
    assert "/role: There is no role 'wizard'." in faulty.stdout
    file.write_text(json.dumps(asked))
    taken = console.run("client", "request", str(file), "--json")
    assert taken.returncode == 0, taken.stderr
    told = json.loads(taken.stdout)
    assert told["state"] == "to-approve"
    secret = told["follow"].rpartition("/")[2]
    assert httpx.get(f"{service.url}/editeurs/{secret}", timeout=60).status_code == 200
    assert console.run("client", "activate", "releve", service.organization).returncode == 1  # not approved yet

    checked = {"name": "works", "result": "failed", "why": "Every FHIR call was refused."}
    made = {"client_id": "releve", "file": digest_of(asked), "made_at": "2026-03-01T10:00:00+00:00"}
    report = tmp_path / "report.json"
    report.write_text(json.dumps({**made, "checks": [checked]}))
    seen = console.run("client", "conformance", str(report))
    assert (seen.returncode, "works: Every FHIR call was refused." in seen.stdout) == (1, True)
    report.write_text(json.dumps({**made, "checks": [{**checked, "result": "passed", "why": ""}]}))
    assert console.run("client", "conformance", str(report)).returncode == 0
    assert console.run("client", "conformance", str(file)).returncode == 1  # no report

    approve(service, told["request"])
    on = console.run("client", "activate", "releve", service.organization)
    assert on.returncode == 0, on.stderr
    assert "releve.1" in on.stdout
    new = ECKey.generate_key("P-384", parameters={"kid": "new"})
    keys.write_text(json.dumps(new.as_dict(private=False)))
    assert console.run("client", "keys", "releve", "--jwks", str(keys)).returncode == 0
    assert console.run("client", "keys", "releve").returncode == 1
    keys.write_text(json.dumps(new.as_dict(private=True)))
    known = console.run("client", "keys", "releve", "--jwks", str(keys))
    assert (known.returncode, "This is a private key, and now known to others" in known.stderr) == (1, True)
    for act in ("review", "end"):
        assert console.run("client", act, "releve").returncode == 0
        assert console.run("client", act, "releve.1").returncode == 1
    assert console.run("client", "activate", "releve", service.organization).returncode == 1


def test_the_keys_of_visits_are_listed_with_their_ages(service: Service, console: Console) -> None:
    made = [console.run("keys", "rotate", "visits") for _ in range(2)]
    old, new = (one.stdout.partition(" : ")[2].partition(".")[0] for one in made)

    said = console.run("keys", "status")

    assert said.returncode == 0, said.stderr
    lines = [one for one in said.stdout.splitlines() if one.startswith("Clé des visites")]
    assert lines[0] == f"Clé des visites {new} : 0 jour(s), sert aux nouvelles tournées ; détruite après 90."
    assert lines[1] == f"Clé des visites {old} : 0 jour(s), ouvre ce qui attend ; détruite après 90."


def test_signing_keys_are_rotated_while_the_service_serves(service: Service, console: Console) -> None:
    """Each worker signs with the new key at its next token, and no token ends before its time."""
    before = service.client("gp")
    assert before.get("Observation?_count=1").status_code == 200
    old = {key["kid"] for key in httpx.get(f"{service.url}/oauth/jwks", timeout=60).json()["keys"]}

    done = console.run("keys", "rotate", "signing")

    assert done.returncode == 0, done.stderr
    for _ in range(8):  # both workers answer some of them
        published = {key["kid"] for key in httpx.get(f"{service.url}/oauth/jwks", timeout=60).json()["keys"]}
        assert old < published
        assert len(published - old) == 2
        assert before.get("Observation?_count=1").status_code == 200
        with service.client("gp") as after:
            assert after.get("Observation?_count=1").status_code == 200
    before.close()


def test_a_compromised_key_ends_every_token_at_once(service: Service, console: Console) -> None:
    with service.client("gp") as before:
        assert before.get("Observation?_count=1").status_code == 200

        done = console.run("keys", "rotate", "signing", "--compromised")

        assert done.returncode == 0, done.stderr
        assert {before.get("Observation?_count=1").status_code for _ in range(6)} == {401}
    assert len(httpx.get(f"{service.url}/oauth/jwks", timeout=60).json()["keys"]) == 2
    with service.client("gp") as after:
        assert after.get("Observation?_count=1").status_code == 200
