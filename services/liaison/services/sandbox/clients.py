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
LAUNCH: Final = f"{ORIGINS[0]}/launch"
"""Where the record page opens an app that someone is writing on this machine."""
EXAMPLE: Final = "example_app"
EXAMPLE_PATH: Final = "/exemple"
"""The demonstration app, which the sandbox itself serves: liaison.services.pages.example."""
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
    launch_url: str = ""
    introspects: bool = False
    exchanges: bool = False


SOFTWARE: Final = (
    Software("vitals_backend", "backend", "Télésurveillance des constantes", f"system/Observation.rs?category={_VITALS}",
             role_code="nurse"),
    Software("export_backend", "backend", "Entrepôt de la maison de santé", "system/*.rs", "RS384", role_code="gp"),
    Software("sync_backend", "backend", "Synchronisation du logiciel de cabinet", "system/*.cruds", role_code="gp"),
    Software("gp_software", "app", "Logiciel de cabinet", "openid fhirUser launch/patient offline_access user/*.cruds"),
    Software("web_software", "app", "Logiciel de cabinet dans le navigateur",
             "openid fhirUser launch/patient offline_access user/*.cruds", algorithm=""),
    Software("patient_app", "app", "Mon carnet de santé", "openid fhirUser launch/patient offline_access patient/*.rs"),
    Software("launched_app", "app", "Votre application en cours d’écriture",
             "openid fhirUser launch launch/patient launch/encounter offline_access online_access patient/*.cruds"
             " user/*.cruds",
             algorithm="", launch_url=LAUNCH),
    Software("resource_server", "backend", "Serveur qui vérifie les jetons", "system/Organization.rs", role_code="gp",
             introspects=True),
    Software("proxy_software", "app", "Logiciel qui apporte des jetons Pro Santé Connect", "user/*.rs", exchanges=True),
)  # fmt: skip


async def register(connection: asyncpg.Connection, organization: int, public_url: str) -> list[dict[str, Any]]:
    """Registers each and returns what sandbox.json says of it. `organization` owns the backends."""
    described = []
    example = public_url + EXAMPLE_PATH
    await clients.add(
        connection,
        client_id=EXAMPLE,
        kind="app",
        name="Courbes (application d’exemple)",
        scope="openid fhirUser launch launch/patient offline_access patient/*.rs",
        redirect_uris=[example],
        launch_url=example,
        post_logout_redirect_uris=[example],
    )
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
            launch_url=software.launch_url,
            introspects=software.introspects,
            exchanges=software.exchanges,
        )
        described.append(
            {
                "client_id": software.client_id,
                "kind": software.kind,
                "name": software.name,
                **({"private_jwk": private} if private else {}),
                "scope": software.scope,
                "redirect_uris": [] if backend else list(REDIRECTS),
                **({"launch_url": software.launch_url} if software.launch_url else {}),
            }
        )
    return described


async def follow(connection: asyncpg.Connection, public_url: str) -> None:
    """The demonstration app is where the sandbox is, which may have started on another port."""
    example = public_url + EXAMPLE_PATH
    await connection.execute(
        """
        update client set launch_url = $2, redirect_uris = jsonb_build_array($2::text),
                          post_logout_redirect_uris = jsonb_build_array($2::text)
        where client_id = $1 and launch_url <> $2
        """,
        EXAMPLE,
        example,
    )


def _keys(software: Software) -> tuple[dict[str, Any] | None, dict[str, Any]]:
    """(key set to register, private key); (None, {}) for software without a key."""
    if not software.algorithm:
        return None, {}
    key = ECKey.generate_key("P-384") if software.algorithm == "ES384" else RSAKey.generate_key(2048)
    marks = {"kid": f"{software.client_id}-1", "alg": software.algorithm, "use": "sig"}
    return {"keys": [{**key.as_dict(private=False), **marks}]}, {**key.as_dict(private=True), **marks}
