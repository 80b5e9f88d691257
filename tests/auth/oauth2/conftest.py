"""A territory's keys, and clients with real key pairs."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from liaison.auth.oauth2 import clients
from liaison.auth.oauth2.clients import Client
from liaison.auth.oauth2.keys import SigningKeys
from liaison.fhir.store.database import Database
from liaison.fhir.vault import FileKeyProvider, Vault

TOKEN_URL = "https://liaison.example/oauth/token"
ORGANIZATION = 7_001
VITALS = "system/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|vital-signs"


@pytest.fixture
async def vault(database: Database, tmp_path: Path) -> Vault:
    async with database.writing.acquire() as connection:
        return await Vault.open(connection, FileKeyProvider.create(tmp_path / "key"))


@pytest.fixture
async def keys(database: Database, vault: Vault) -> SigningKeys:
    return await SigningKeys.open(database, vault.territory)


@dataclass(frozen=True)
class Software:
    """A client as its vendor has it: with the private key."""

    client: Client
    key: ECKey | RSAKey
    algorithm: str

    def claims(self, **changes: Any) -> dict[str, Any]:
        now = int(time.time())
        made = {
            "iss": self.client.client_id,
            "sub": self.client.client_id,
            "aud": TOKEN_URL,
            "iat": now,
            "exp": now + 240,
            "jti": f"{time.time_ns()}",
            **changes,
        }
        return {name: value for name, value in made.items() if value is not None}

    def assertion(self, header: dict[str, Any] | None = None, **changes: Any) -> str:
        made = {"alg": self.algorithm, "typ": "JWT", "kid": self.key.kid, **(header or {})}
        made = {name: value for name, value in made.items() if value is not None}
        return jwt.encode(made, self.claims(**changes), self.key, algorithms=[made["alg"]], default_type=None)


Register = Callable[..., Any]


@pytest.fixture
def register(database: Database) -> Register:
    async def _register(algorithm: str = "ES384", **changes: Any) -> Software:
        key = ECKey.generate_key("P-384") if algorithm == "ES384" else RSAKey.generate_key(2048)
        key.ensure_kid()
        asked = {
            "client_id": f"client-{algorithm}-{time.time_ns()}",
            "kind": "backend",
            "name": "Tensiomètres connectés",
            "scope": VITALS,
            "jwks": {"keys": [key.as_dict(private=False)]},
            "algorithm": algorithm,
            "organization": ORGANIZATION,
            "role_code": "nurse",
            "purpose": 1,
            **changes,
        }
        async with database.writing.acquire() as connection:
            return Software(await clients.add(connection, **asked), key, algorithm)

    return _register
