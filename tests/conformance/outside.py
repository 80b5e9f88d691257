"""The service as software and people meet it, over HTTP: nothing here imports it."""

import base64
import hashlib
import json
import secrets
import time
from collections.abc import Mapping
from functools import cached_property
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

APP: Final = "launched_app"
ORIGIN: Final = "http://127.0.0.1:8765"
REDIRECT: Final = f"{ORIGIN}/callback"
STANDALONE: Final = "launch/patient launch/encounter openid fhirUser offline_access patient/*.rs"
EHR: Final = "launch openid fhirUser offline_access user/*.rs"
BACKEND: Final = "export_backend"


class _Form(HTMLParser):
    """The fields of the last form of a page that posts to an address, ticked boxes only, the first radio of a group."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.action = ""
        self.fields: dict[str, list[str]] = {}
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "form" and found.get("action") != "/deconnexion":
            self.action, self.fields = found.get("action", ""), {}
        elif tag == "input" and found.get("name"):
            kind = found.get("type", "text")
            if (kind == "checkbox" and "checked" not in found) or (kind == "radio" and found["name"] in self.fields):
                return
            self.fields.setdefault(found["name"], []).append(found.get("value", ""))


class Launched(NamedTuple):
    """One whole launch: what came back to the app, the token response as it came, and what it says."""

    returned: dict[str, str]
    verifier: str
    answer: httpx.Response
    content: dict[str, Any]


class Outside:
    """A sandbox, by its sandbox.json. Launches are made once and looked at by several checks."""

    def __init__(self, known: Mapping[str, Any]) -> None:
        self.known = known
        self.http = httpx.Client(timeout=60)
        self._browsers: list[httpx.Client] = []

    @classmethod
    def of_folder(cls, folder: Path) -> "Outside":
        return cls(json.loads((folder / "sandbox.json").read_text()))

    def close(self) -> None:
        """Every connection; for contextlib.closing."""
        for client in (self.http, *self._browsers):
            client.close()

    @property
    def fhir(self) -> str:
        return str(self.known["fhir"])

    @cached_property
    def configuration(self) -> dict[str, Any]:
        found: dict[str, Any] = self.http.get(f"{self.fhir}/.well-known/smart-configuration").json()
        return found

    def patient(self, key: str) -> str:
        return next(str(one["id"]) for one in self.known["patients"] if one["key"] == key)

    def signed_in(self, who: str) -> httpx.Client:
        """A browser in which that person has signed in."""
        person = next(one for one in self.known["people"] if one["key"] == who)
        browser = httpx.Client(base_url=str(self.known["issuer"]), timeout=60)
        self._browsers.append(browser)
        form = _Form(browser.get("/connexion").text)
        secret = person.get("pin") or person["password"]
        browser.post(form.action, data={**form.fields, "identifiant": person["username"], "secret": secret})
        return browser

    def authorization(self, scope: str, verifier: str, **changes: str) -> dict[str, str]:
        """A good authorization request, with changes."""
        digest = hashlib.sha256(verifier.encode()).digest()
        return {
            "response_type": "code",
            "client_id": APP,
            "redirect_uri": REDIRECT,
            "scope": scope,
            "state": secrets.token_urlsafe(16),
            "aud": self.fhir,
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
            **changes,
        }

    def agreed(self, browser: httpx.Client, page: httpx.Response, patient: str = "") -> dict[str, str]:
        """What comes back to the app when the person agrees to all that the pages ask."""
        for _ in range(6):
            to = page.headers.get("location", "")
            if to.startswith(REDIRECT):
                return {name: values[0] for name, values in parse_qs(urlsplit(to).query).items()}
            if to:
                page = browser.get(urljoin(str(page.url), to))
                continue
            form = _Form(page.text)
            assert form.action == "/oauth/consent", page.text
            decision = "accept" if "scope" in form.fields else "choose"
            chosen = {"patient": [patient]} if patient else {}
            page = browser.post(form.action, data={**form.fields, **chosen, "decision": decision})
        raise AssertionError("the pages did not come to an end")

    def exchange(self, **form: str) -> httpx.Response:
        """A request to the token endpoint, as a page at the app's origin sends it."""
        return self.http.post(self.configuration["token_endpoint"], data=form, headers={"origin": ORIGIN})

    def redeem(self, code: str, verifier: str) -> httpx.Response:
        return self.exchange(
            grant_type="authorization_code", client_id=APP, code=code, redirect_uri=REDIRECT, code_verifier=verifier
        )

    def launch(self, browser: httpx.Client, scope: str, patient: str = "", **more: str) -> Launched:
        verifier = secrets.token_urlsafe(48)
        asked = self.authorization(scope, verifier, **more)
        returned = self.agreed(
            browser, browser.get(self.configuration["authorization_endpoint"], params=asked), patient
        )
        assert returned.get("state") == asked["state"], returned
        answer = self.redeem(returned["code"], verifier)
        assert answer.status_code == 200, answer.text
        return Launched(returned, verifier, answer, answer.json())

    @cached_property
    def standalone(self) -> Launched:
        return self.launch(self.signed_in("gp"), STANDALONE, self.patient("bpco_04"))

    @cached_property
    def received(self) -> tuple[httpx.Client, dict[str, str]]:
        """A browser, and what the app's launch address gets when the person opens the app on a record."""
        browser = self.signed_in("gp")
        record = f"/dossiers/{self.patient('bpco_04')}"
        form = _Form(browser.get(record).text)
        sent = browser.post(f"{record}/applications", data={"csrf": form.fields["csrf"], "client": APP})
        query = parse_qs(urlsplit(sent.headers["location"]).query)
        return browser, {name: values[0] for name, values in query.items()}

    @cached_property
    def ehr(self) -> Launched:
        browser, received = self.received
        return self.launch(browser, EHR, launch=received["launch"])

    def read(self, token: str, path: str) -> httpx.Response:
        headers = {"authorization": f"Bearer {token}", "origin": ORIGIN}
        return self.http.get(path if "://" in path else f"{self.fhir}/{path}", headers=headers)

    def assertion(self, client_id: str = BACKEND, **changes: Any) -> str:
        """A signed proof of who that software is (RFC 7523), with changes of its claims."""
        jwk = next(one["private_jwk"] for one in self.known["clients"] if one["client_id"] == client_id)
        key = (ECKey if jwk["kty"] == "EC" else RSAKey).import_key(jwk)
        claims = {
            "iss": client_id,
            "sub": client_id,
            "aud": self.configuration["token_endpoint"],
            "exp": int(time.time()) + 240,
            "jti": secrets.token_urlsafe(16),
            **changes,
        }
        header = {"alg": jwk["alg"], "kid": jwk["kid"], "typ": "JWT"}
        return jwt.encode(header, claims, key, algorithms=[jwk["alg"]])

    def backend(self, **changes: str) -> httpx.Response:
        """The request of a backend, with changes."""
        form = {
            "grant_type": "client_credentials",
            "scope": "system/*.rs",
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            **changes,
        }
        if "client_assertion" not in form:
            form["client_assertion"] = self.assertion()
        return self.exchange(**form)

    def introspected(self, token: str) -> dict[str, Any]:
        form = {
            "token": token,
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": self.assertion("resource_server"),
        }
        answer = self.http.post(self.configuration["introspection_endpoint"], data=form)
        assert answer.status_code == 200, answer.text
        content: dict[str, Any] = answer.json()
        return content
