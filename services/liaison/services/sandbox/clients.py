"""The software that comes registered in a sandbox, with private keys that sandbox.json gives away."""

from dataclasses import dataclass
from typing import Any, Final

import asyncpg
from joserfc.jwk import ECKey, RSAKey

from liaison.auth.access.purposes import Purpose
from liaison.auth.oauth2 import clients

ORIGINS: Final = ("http://127.0.0.1:8765", "http://localhost:8765")
"""Where a sandbox's own browser app may run: its pages may call the FHIR API."""
REDIRECTS: Final = tuple(f"{origin}/callback" for origin in ORIGINS)
_VITALS: Final = "http://terminology.hl7.org/CodeSystem/observation-category|vital-signs"


@dataclass(frozen=True, slots=True)
class Software:
    """One registration. A backend acts for the nurses or doctors of the maison de santé, never more than they.

    Without an algorithm it has no key: an app in a browser, which can keep none, proves itself by PKCE alone.
    """

    client_id: str
    kind: str
    name: str
    scope: str
    algorithm: str = "ES384"
    role_code: str = ""


SOFTWARE: Final = (
    Software("vitals_backend", "backend", "Télésurveillance des constantes", f"system/Observation.rs?category={_VITALS}",
             role_code="nurse"),
    Software("export_backend", "backend", "Entrepôt de la maison de santé", "system/*.rs", "RS384", role_code="gp"),
    Software("sync_backend", "backend", "Synchronisation du logiciel de cabinet", "system/*.cruds", role_code="gp"),
    Software("gp_software", "app", "Logiciel de cabinet", "openid fhirUser launch/patient offline_access user/*.cruds"),
    Software("web_software", "app", "Logiciel de cabinet dans le navigateur",
             "openid fhirUser launch/patient offline_access user/*.cruds", algorithm=""),
    Software("patient_app", "app", "Mon carnet de santé", "openid fhirUser launch/patient offline_access patient/*.rs"),
)  # fmt: skip


async def register(connection: asyncpg.Connection, organization: int) -> list[dict[str, Any]]:
    """Registers each and returns what sandbox.json says of it. `organization` owns the backends."""
    described = []
    for software in SOFTWARE:
        public, private = _keys(software)
        backend = software.kind == "backend"
        await clients.add(
            connection,
            client_id=software.client_id,
            kind=software.kind,
            name=software.name,
            scope=software.scope,
            jwks=public,
            algorithm=software.algorithm,
            redirect_uris=() if backend else REDIRECTS,
            organization=organization if backend else 0,
            role_code=software.role_code,
            purpose=int(Purpose.TREAT) if backend else 0,
        )
        described.append(
            {
                "client_id": software.client_id,
                "kind": software.kind,
                "name": software.name,
                **({"private_jwk": private} if private else {}),
                "scope": software.scope,
                "redirect_uris": [] if backend else list(REDIRECTS),
            }
        )
    return described


def _keys(software: Software) -> tuple[dict[str, Any] | None, dict[str, Any]]:
    """(key set to register, private key); (None, {}) for software without a key."""
    if not software.algorithm:
        return None, {}
    key = ECKey.generate_key("P-384") if software.algorithm == "ES384" else RSAKey.generate_key(2048)
    marks = {"kid": f"{software.client_id}-1", "alg": software.algorithm, "use": "sig"}
    return {"keys": [{**key.as_dict(private=False), **marks}]}, {**key.as_dict(private=True), **marks}
