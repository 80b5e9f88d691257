"""FHIR clients that others wrote, on a real sandbox: they know R4 and SMART, and nothing of us."""

import html
import json
import re
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from ..running_sandbox import Running

BACKEND = "sync_backend"
BROWSER_APP = "web_software"
PATIENT = "patient_51"
REDIRECT = "http://127.0.0.1:8765/callback"
KILOGRAMS = {"system": "http://unitsofmeasure.org", "code": "kg", "unit": "kg"}
WEIGHT = {"coding": [{"system": "http://loinc.org", "code": "29463-7", "display": "Body weight"}]}
CATEGORY = {"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "vital-signs"}
_INPUT = re.compile(r"<input[^>]*>")
_BOX = re.compile(r'name="scope" type="checkbox" value="([^"]*)"')
_ATTRIBUTE = re.compile(r'([\w-]+)="([^"]*)"')


@dataclass(frozen=True)
class Ground:
    """The sandbox as software that is new here finds it: addresses, its own registration, one patient to work with."""

    known: dict[str, Any]

    @property
    def fhir(self) -> str:
        return str(self.known["fhir"])

    @property
    def patient(self) -> str:
        return next(str(one["id"]) for one in self.known["patients"] if one["key"] == PATIENT)

    def registered(self, client_id: str) -> dict[str, Any]:
        return next(one for one in self.known["clients"] if one["client_id"] == client_id)

    def person(self, key: str) -> dict[str, Any]:
        return next(one for one in self.known["people"] if one["key"] == key)

    def assertion(self, client_id: str = BACKEND) -> str:
        """A signed proof of who the client is (SMART Backend Services, RFC 7523), as each vendor makes its own."""
        jwk = self.registered(client_id)["private_jwk"]
        key = (ECKey if jwk["kty"] == "EC" else RSAKey).import_key(jwk)
        claims = {
            "iss": client_id,
            "sub": client_id,
            "aud": self.known["token_endpoint"],
            "jti": secrets.token_urlsafe(16),
            "exp": int(time.time()) + 60,
        }
        return jwt.encode({"alg": jwk["alg"], "kid": jwk["kid"], "typ": "JWT"}, claims, key, algorithms=[jwk["alg"]])

    def backend_token(self) -> str:
        """What a backend gets for its proof (SMART Backend Services)."""
        form = {
            "grant_type": "client_credentials",
            "scope": "system/*.cruds",
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": self.assertion(),
        }
        answer = httpx.post(self.known["token_endpoint"], data=form, timeout=60)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])

    def consent(self, address: str, who: str, patient: str = "") -> str:
        """What a person does with the pages that an app sends them to; the address that they are sent back to."""
        person = self.person(who)
        with httpx.Client(base_url=str(self.known["issuer"]), timeout=60) as browser:
            answer = browser.get(address)
            for _ in range(8):
                if (to := answer.headers.get("location", "")).startswith(REDIRECT):
                    return str(to)
                answer = browser.get(urljoin(address, to)) if to else _next(browser, answer.text, person, patient)
        raise AssertionError(f"the sign-in did not come to an end: {answer.status_code}")

    def observation(self, kilograms: float = 71.5) -> dict[str, Any]:
        """A body weight of the patient, as a scale sends it."""
        return {
            "resourceType": "Observation",
            "status": "final",
            "category": [{"coding": [CATEGORY]}],
            "code": WEIGHT,
            "subject": {"reference": f"Patient/{self.patient}"},
            "effectiveDateTime": "2026-11-20T08:00:00+01:00",
            "valueQuantity": {**KILOGRAMS, "value": kilograms},
        }

    def patch(self) -> dict[str, Any]:
        """A FHIRPath Patch that corrects the weight to 73.5 kg."""
        parts = [
            {"name": "type", "valueCode": "replace"},
            {"name": "path", "valueString": "Observation.value.value"},
            {"name": "value", "valueDecimal": 73.5},
        ]
        return {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": parts}]}

    def transaction(self) -> dict[str, Any]:
        """A visit and what was measured in it, which name each other before either has an id."""
        visit = {
            "resourceType": "Encounter",
            "status": "finished",
            "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
            "subject": {"reference": f"Patient/{self.patient}"},
            "period": {"start": "2026-11-20T08:00:00+01:00", "end": "2026-11-20T08:20:00+01:00"},
        }
        name = "urn:uuid:5f9b1f5e-6d44-4a3c-9d43-0f6b2f0a7c11"
        measured = {**self.observation(), "encounter": {"reference": name}}
        entries = [
            {"fullUrl": name, "resource": visit, "request": {"method": "POST", "url": "Encounter"}},
            {"resource": measured, "request": {"method": "POST", "url": "Observation"}},
        ]
        return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


def _next(browser: httpx.Client, page: str, person: dict[str, Any], patient: str) -> httpx.Response:
    fields: dict[str, str] = {}
    for tag in _INPUT.findall(page):
        attributes = dict(_ATTRIBUTE.findall(tag))
        if attributes.get("name"):
            fields.setdefault(attributes["name"], html.unescape(attributes.get("value", "")))
    if "secret" in fields:
        secret = person.get("pin") or person["password"]
        return browser.post("/connexion", data={**fields, "identifiant": person["username"], "secret": secret})
    if 'action="/role"' in page:
        return browser.post("/role", data=fields)
    assert 'action="/oauth/consent"' in page, page
    boxes = [html.unescape(value) for value in _BOX.findall(page)]
    form = {**fields, "decision": "accept" if boxes else "choose", "scope": boxes}
    return browser.post("/oauth/consent", data=form | ({"patient": patient} if patient else {}))


@pytest.fixture
def ground(sandbox: Running) -> Ground:
    """The sandbox of the other tests: the patient that clients write to is one that those say nothing of."""
    return Ground(sandbox.known)


NODE = Path(__file__).parent / "node"


@pytest.fixture
def node() -> Iterator[Callable[[str], "Script"]]:
    """Starts a client of npm by its name. Skipped, and why said, where the set-up could not install them."""
    if shutil.which("node") is None:
        pytest.skip("Node.js is not installed (Debian: apt-get install nodejs npm)")
    if not (NODE / "node_modules").is_dir():
        pytest.skip("the npm clients are not installed: deploy/setup.sh test says why")
    started: list[Script] = []

    def start(name: str) -> Script:
        started.append(Script(name))
        return started[-1]

    yield start
    for script in started:
        script.end()


class Script:
    """One of tests/services/clients/node/*.mjs, which says what its client found, one JSON value a line."""

    def __init__(self, name: str) -> None:
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115  # closed by `end`
        self._process = subprocess.Popen(
            ["node", f"{name}.mjs"],
            cwd=NODE,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )

    def tell(self, **facts: Any) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(facts) + "\n")
        self._process.stdin.flush()

    def told(self) -> dict[str, Any]:
        """What it says next."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._errors.seek(0)
            raise AssertionError(self._errors.read())
        found: dict[str, Any] = json.loads(line)
        return found

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()
        self._errors.close()
