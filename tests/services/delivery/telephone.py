"""A telephone as the service meets it: what a browser would send, made with other libraries than the service's own."""

import base64
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from liaison.services.pages.phones import CHECKS

from ..oauth.conftest import field as hidden
from ..running_sandbox import Running

HPKE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
USUAL = {"presence": ["present"], "general": ["usual"], "meal": ["meal-all"], "drink": ["drink-normal"], "fall": ["fall-no"],
         "breath": ["breath-usual"]}  # fmt: skip


def b64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass
class Telephone:
    """Its cookies, its signing key, how wrong its clock is; the tour of whoever fetched one last."""

    http: httpx.Client
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    wrong: timedelta = timedelta()
    tour: dict[str, Any] = field(default_factory=dict)
    csrf: str = ""
    who: str = ""

    def now(self) -> datetime:
        return datetime.now(UTC) + self.wrong

    @property
    def jwk(self) -> dict[str, str]:
        numbers = self.key.public_key().public_numbers()
        return {
            "kty": "EC",
            "crv": "P-256",
            "x": b64(numbers.x.to_bytes(32, "big")),
            "y": b64(numbers.y.to_bytes(32, "big")),
        }

    def sign_in(self, person: Mapping[str, Any]) -> None:
        if self.who:
            self.sign_out()
        page = self.http.get("/connexion").text
        form = {name: hidden(page, name) for name in ("csrf", "suite")}
        secret = person.get("password") or person["pin"]
        answer = self.http.post("/connexion", data={**form, "identifiant": person["username"], "secret": secret})
        assert answer.status_code == 303, answer.text
        self.csrf = hidden(self.http.get("/aujourdhui").text, "csrf")
        self.who = str(person["key"])

    def sign_out(self) -> None:
        self.http.post("/deconnexion", data={"csrf": self.csrf})
        self.who = ""

    def enrol(self, label: str) -> None:
        csrf = hidden(self.http.get("/telephones").text, "csrf")
        assert (
            self.http.post("/telephones", data={"csrf": csrf, "libelle": label, "fait": list(CHECKS)}).status_code
            == 303
        )

    def fetch(self) -> httpx.Response:
        answer = self.ask("/telephone/tournee", {"device": self.jwk})
        if answer.status_code == 200:
            self.tour = answer.json()
        return answer

    @property
    def someone(self) -> dict[str, Any]:
        """Of the tour, visited beside what was planned: any number of times."""
        return {**self.tour["stops"][0], "appointment": ""}

    @property
    def planned(self) -> dict[str, Any]:
        """A stop of which nothing is recorded yet."""
        return next(dict(stop) for stop in self.tour["stops"] if not stop["done"])

    def ask(self, path: str, body: Any) -> httpx.Response:
        return self.http.post(path, json=body, headers={"x-csrf-token": self.csrf})

    def letter(self, stop: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
        """What an aide tells of one stop. `form` is what differs from a visit with nothing to report."""
        written = self.now()
        local = written.astimezone(datetime.fromisoformat(self.tour["made_at"]).tzinfo)
        form = {"start": [local.strftime("%H:%M")], **USUAL, **changes.pop("form", {})}
        return {
            "visit": str(uuid.uuid4()),
            "permit": self.tour["permit"],
            "patient": stop["patient"],
            "appointment": stop["appointment"],
            "form": form,
            "written": written.isoformat(),
            "start_typed": False,
            **changes,
        }

    def signed(self, letter: Mapping[str, Any]) -> bytes:
        header = {"alg": "ES256", "typ": "liaison-visit+jws", "jwk": self.jwk}
        signing = f"{b64(json.dumps(header).encode())}.{b64(json.dumps(letter).encode())}".encode()
        r, s = decode_dss_signature(self.key.sign(signing, ec.ECDSA(hashes.SHA256())))
        return signing + b"." + b64(r.to_bytes(32, "big") + s.to_bytes(32, "big")).encode()

    def seal(self, content: bytes) -> bytes:
        public = X25519PublicKey.from_public_bytes(unb64(self.tour["key"]["public"]))
        return HPKE.encrypt(content, public, info=b"liaison visit 1")

    def parcel(self, letter: Mapping[str, Any], **changes: str) -> dict[str, str]:
        return {
            "visit": letter["visit"],
            "kid": self.tour["key"]["kid"],
            "sealed": base64.b64encode(self.seal(self.signed(letter))).decode(),
            "clock": self.now().isoformat(),
            **changes,
        }

    def bring(self, parcel: Mapping[str, str]) -> httpx.Response:
        return self.ask("/telephone/visites", dict(parcel))


def person(territory: Running, key: str) -> dict[str, Any]:
    return next(dict(one) for one in territory.known["people"] if one["key"] == key)
