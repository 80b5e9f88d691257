"""An OpenID Connect provider on a real port that behaves as Pro Santé Connect does, its published faults included.

Keycloak's addresses, RS256, client_secret_basic, codes that work once, userinfo of its own (SubjectNameID,
SubjectRefPro.exercices). What goes wrong is chosen by a test: see `Psc`.
"""

import asyncio
import base64
import contextlib
import hashlib
import secrets
import socket
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import uvicorn
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from ....auth.oauth2.proofs import signed_raw

CLIENT = "liaison-kervanec"
SECRET = "a secret of the two of us"
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"
NURSE = {"codeProfession": "60", "activities": [{"codeModeExercice": "L", "raisonSocialeSite": "CABINET DU BOURG"}]}
DOCTOR = {"codeProfession": "10", "codeSavoirFaire": "SM54", "activities": [{"codeModeExercice": "L"}]}

_kept: list[RSAKey] = []


def key(number: int) -> RSAKey:
    """One of a few keys, made once a run: making them is slow."""
    while len(_kept) <= number:
        _kept.append(RSAKey.generate_key(2048, {"kid": f"key-{len(_kept)}", "use": "sig", "alg": "RS256"}))
    return _kept[number]


@dataclass
class Psc:
    """`claims` and `header` change the id_token (None takes a claim away); `skew` is how far its clock is from ours."""

    url: str = ""
    national_id: str = "899700000017"
    exercices: list[dict[str, Any]] = field(default_factory=lambda: [NURSE])
    claims: dict[str, Any] = field(default_factory=dict)
    header: dict[str, Any] = field(default_factory=dict)
    userinfo: dict[str, Any] = field(default_factory=dict)
    skew: float = 0
    pushes: bool = True
    signing: int = 0
    published: tuple[int, ...] = (0,)
    symmetric: bool = False
    issuer_said: str = ""
    sid: str = "session-1"
    signed_in_at: float = 0
    asked: list[dict[str, str]] = field(default_factory=list)
    read_keys: int = 0
    _codes: dict[str, dict[str, str]] = field(default_factory=dict)
    _pushed: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def issuer(self) -> str:
        return f"{self.url}/auth/realms/esante-wallet"

    def now(self) -> float:
        return time.time() + self.skew

    def signed(self, claims: dict[str, Any]) -> str:
        claims = {name: value for name, value in claims.items() if value is not None}
        if self.symmetric:  # what ANS's own connector takes for its signature
            return jwt.encode({"alg": "HS256", "kid": "key-0"}, claims, OctKey.import_key(SECRET), algorithms=["HS256"])
        signing = key(self.signing)
        return signed_raw("RS256", signing, {"alg": "RS256", "typ": "JWT", "kid": signing.kid, **self.header}, claims)

    def id_token(self, nonce: str | None) -> str:
        now = int(self.now())
        claims = {
            "iss": self.issuer,
            "aud": CLIENT,
            "azp": CLIENT,
            "sub": "f:550dc1c8:899700000017",
            "iat": now,
            "exp": now + 120,
            "auth_time": int(self.signed_in_at) or now,
            "acr": "eidas1",
            "nonce": nonce,
            "sid": self.sid,
        }
        return self.signed({**claims, **self.claims})

    def logout_token(self, **changes: Any) -> str:
        now = int(self.now())
        claims = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 120, "jti": secrets.token_hex(8),
                  "sid": self.sid, "events": {LOGOUT_EVENT: {}}}  # fmt: skip
        return self.signed({**claims, **changes})

    # ---- its endpoints ------------------------------------------------------------------------------------------------

    async def configuration(self, request: Request) -> Response:
        protocol = f"{self.issuer}/protocol/openid-connect"
        said = {
            "issuer": self.issuer_said or self.issuer,
            "authorization_endpoint": f"{self.url}/auth",
            "token_endpoint": f"{protocol}/token",
            "userinfo_endpoint": f"{protocol}/userinfo",
            "jwks_uri": f"{protocol}/certs",
            "end_session_endpoint": f"{protocol}/logout",
            "code_challenge_methods_supported": ["plain", "S256"],
        }
        if self.pushes:
            said["pushed_authorization_request_endpoint"] = f"{protocol}/ext/par/request"
        return JSONResponse(said)

    def _known(self, request: Request) -> bool:
        expected = base64.b64encode(f"{CLIENT}:{SECRET.replace(' ', '+')}".encode()).decode()
        return request.headers.get("authorization") == f"Basic {expected}"

    async def push(self, request: Request) -> Response:
        if not self._known(request):
            return JSONResponse({"error": "invalid_client"}, 401)
        uri = f"urn:ietf:params:oauth:request_uri:{secrets.token_hex(8)}"
        self._pushed[uri] = {name: str(value) for name, value in (await request.form()).items()}
        return JSONResponse({"request_uri": uri, "expires_in": 60}, 201)

    async def authorize(self, request: Request) -> Response:
        """The person is recognised at once, as by a card that is in its reader."""
        asked = dict(request.query_params)
        asked = self._pushed.pop(asked["request_uri"]) if "request_uri" in asked else asked
        self.asked.append(asked)
        if asked.get("prompt") == "login":
            self.signed_in_at = 0
        code = secrets.token_hex(16)
        self._codes[code] = asked
        return RedirectResponse(f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}", 302)

    async def token(self, request: Request) -> Response:
        form = await request.form()
        asked = self._codes.pop(str(form.get("code")), None)
        proof = hashlib.sha256(str(form.get("code_verifier")).encode()).digest()
        if not self._known(request) or asked is None or form.get("redirect_uri") != asked["redirect_uri"]:
            return JSONResponse({"error": "invalid_grant"}, 400)
        if base64.urlsafe_b64encode(proof).rstrip(b"=").decode() != asked["code_challenge"]:
            return JSONResponse({"error": "invalid_grant"}, 400)
        return JSONResponse(
            {"access_token": "access", "token_type": "Bearer", "id_token": self.id_token(asked.get("nonce"))}
        )

    async def information(self, request: Request) -> Response:
        if request.headers.get("authorization") != "Bearer access":
            return JSONResponse({}, 401)
        said = {
            "sub": "f:550dc1c8:899700000017",
            "SubjectNameID": self.national_id,
            "preferred_username": self.national_id,
            "family_name": "NE COMPTE PAS",
            "SubjectRole": ["60^1.2.250.1.213.1.1.5.5"],
            "SubjectRefPro": {"codeCivilite": "MME", "exercices": self.exercices},
        }
        return JSONResponse({**said, **self.userinfo})

    async def certs(self, request: Request) -> Response:
        self.read_keys += 1
        public = [key(number).as_dict(private=False) for number in self.published]
        # Keycloak publishes its encryption key beside those that sign.
        other = {**public[0], "kid": "encryption", "use": "enc", "alg": "RSA-OAEP"} if public else {}
        return JSONResponse({"keys": [*public, other]})

    def app(self) -> Starlette:
        realm, protocol = "/auth/realms/esante-wallet", "/auth/realms/esante-wallet/protocol/openid-connect"
        return Starlette(
            routes=[
                Route(f"{realm}/.well-known/openid-configuration", self.configuration),
                Route("/auth", self.authorize),
                Route(f"{protocol}/ext/par/request", self.push, methods=["POST"]),
                Route(f"{protocol}/token", self.token, methods=["POST"]),
                Route(f"{protocol}/userinfo", self.information),
                Route(f"{protocol}/certs", self.certs),
            ]
        )


@contextlib.asynccontextmanager
async def running() -> AsyncIterator[Psc]:
    psc = Psc()
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        psc.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        server = uvicorn.Server(uvicorn.Config(psc.app(), log_level="error", lifespan="off"))
        server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign,assignment]  # pytest keeps its own
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        while not server.started:
            await asyncio.sleep(0.01)
        yield psc
        server.should_exit = True
        await serving
