"""An access token for one of the sandbox's people or backends, obtained as any software would: over the real endpoints.

A backend proves who it is with its key (RFC 7523). For a person this drives the sign-in and consent pages the way a
browser does, then redeems the code with PKCE (RFC 7636). Only the standard library: this is also a reading example.
"""

import hashlib
import html
import http.client
import re
import secrets
import time
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

import orjson
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from liaison.services.sandbox.lan import trusting

Sandbox = Mapping[str, Any]
Form = Mapping[str, str] | Sequence[tuple[str, str]]
_INPUT: Final = re.compile(r"<input[^>]*>")
_ATTRIBUTE: Final = re.compile(r'(\w+)="([^"]*)"')
_STEPS: Final = 8


class NoToken(RuntimeError):
    """The sandbox gave none; the text says why."""


class _Answer:
    def __init__(self, status: int, location: str, body: str) -> None:
        self.status, self.location, self.body = status, location, body

    def fields(self, name: str) -> list[str]:
        """The values of the page's fields of this name, in order."""
        every = [dict(_ATTRIBUTE.findall(found)) for found in _INPUT.findall(self.body)]
        return [html.unescape(one.get("value", "")) for one in every if one.get("name") == name]

    def field(self, name: str) -> str:
        """The value of the page's first field of this name, or ''."""
        return next(iter(self.fields(name)), "")


class _Browser:
    """Keeps cookies, follows nothing by itself."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.address = str(sandbox["issuer"])
        self._authority = sandbox.get("authority")
        self._cookies: dict[str, str] = {}

    def _connection(self, scheme: str, netloc: str) -> http.client.HTTPConnection:
        if scheme == "http":
            return http.client.HTTPConnection(netloc, timeout=30)
        trust = trusting(Path(self._authority)) if self._authority else None
        return http.client.HTTPSConnection(netloc, timeout=30, context=trust)

    def send(self, path: str, form: Form | None = None) -> _Answer:
        where = urlsplit(urljoin(self.address, path))
        connection = self._connection(where.scheme, where.netloc)
        headers = {"cookie": "; ".join(f"{name}={value}" for name, value in self._cookies.items())}
        body = None
        if form is not None:
            headers["content-type"] = "application/x-www-form-urlencoded"
            body = urlencode(form)
        target = where.path + (f"?{where.query}" if where.query else "")
        try:
            connection.request("GET" if form is None else "POST", target, body, headers)
            answer = connection.getresponse()
            for given in answer.headers.get_all("set-cookie") or []:
                for name, morsel in SimpleCookie(given).items():
                    self._cookies[name] = morsel.value
            return _Answer(answer.status, answer.headers.get("location", ""), answer.read().decode())
        except OSError as error:
            raise NoToken(
                f"The sandbox does not answer at {self.address}: {error}. Start it: liaison sandbox"
            ) from None
        finally:
            connection.close()


def token(sandbox: Sandbox, who: str, client_id: str = "", scope: str = "", patient: str = "") -> str:
    """The token. `who` is the key of a person, or the client_id of a backend. `patient` is a patient's key, for scopes
    that need one in context. Raises NoToken."""
    software = {client["client_id"]: client for client in sandbox["clients"]}
    if who in software and software[who]["kind"] == "backend":
        return _redeem(
            sandbox, software[who], {"grant_type": "client_credentials", "scope": scope or software[who]["scope"]}
        )
    person = next((person for person in sandbox["people"] if person["key"] == who), None)
    if person is None:
        raise NoToken(
            f"Nobody here has the key '{who}'. Known: {', '.join(person['key'] for person in sandbox['people'])}."
        )
    of_patient = person["role"] in ("patient", "guardian")
    client = software.get(client_id or ("patient_app" if of_patient else "gp_software"))
    if client is None or client["kind"] != "app":
        raise NoToken(f"No app has the client_id '{client_id}'.")
    asked = scope or ("patient/*.rs launch/patient" if of_patient else "user/*.cruds")
    chosen = next((one["id"] for one in sandbox["patients"] if one["key"] == patient), "")
    verifier = secrets.token_urlsafe(48)
    code = _code(sandbox, client, person, asked, verifier, chosen)
    parameters = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": client["redirect_uris"][0],
        "code_verifier": verifier,
    }
    return _redeem(sandbox, client, parameters)


def _code(
    sandbox: Sandbox, client: Mapping[str, Any], person: Mapping[str, Any], scope: str, verifier: str, patient: str
) -> str:
    browser = _Browser(sandbox)
    request = {
        "response_type": "code",
        "client_id": client["client_id"],
        "redirect_uri": client["redirect_uris"][0],
        "scope": scope,
        "state": secrets.token_urlsafe(16),
        "aud": sandbox["fhir"],
        "code_challenge": urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
    }
    answer = browser.send(f"/oauth/authorize?{urlencode(request)}")
    for _ in range(_STEPS):
        if answer.location.startswith(request["redirect_uri"]):
            returned = parse_qs(urlsplit(answer.location).query)
            if "code" in returned and returned.get("state") == [request["state"]]:
                return returned["code"][0]
            raise NoToken(f"Refused: {returned.get('error_description', returned.get('error', ['no code']))[0]}")
        answer = _step(browser, answer, person, patient)
    raise NoToken("The sign-in did not come to an end.")


def _step(browser: _Browser, answer: _Answer, person: Mapping[str, Any], patient: str) -> _Answer:
    if answer.location:
        return browser.send(answer.location)
    csrf = answer.field("csrf")
    if answer.status == 403:
        raise NoToken(f"{person['name']} cannot sign in: the name or the secret is not right, or no longer in force.")
    if 'name="secret"' in answer.body:
        secret = person.get("pin") or person["password"]
        form = {"identifiant": person["username"], "secret": secret, "suite": answer.field("suite"), "csrf": csrf}
        return browser.send("/connexion", form)
    if 'action="/oauth/consent"' in answer.body:
        # First, where it is not clear, the person whom the software is opened for; then what it may do, each with a box.
        boxes = [("scope", value) for value in answer.fields("scope")]
        answered = [
            ("request", answer.field("request")),
            ("csrf", csrf),
            ("decision", "accept" if boxes else "choose"),
            *boxes,
        ]
        if chosen := patient or answer.field("patient"):
            answered.append(("patient", chosen))
        return browser.send("/oauth/consent", answered)
    if 'action="/connexion/code"' in answer.body:
        raise NoToken(
            f"{person['name']} has added a second factor, which this command does not have: take another person, or make a "
            "new sandbox."
        )
    if 'action="/role"' in answer.body:
        role = answer.field("role")
        return browser.send("/role", {"role": role, "suite": answer.field("suite"), "csrf": csrf})
    raise NoToken(f"{person['name']} holds no role today, or the request was refused (status {answer.status}).")


def _redeem(sandbox: Sandbox, client: Mapping[str, Any], parameters: Mapping[str, str]) -> str:
    proof = {"client_id": client["client_id"]}  # enough for software without a key: the code is bound by PKCE
    if "private_jwk" in client:
        proof = {
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": assertion(client, sandbox["token_endpoint"]),
        }
    answer = _Browser(sandbox).send(sandbox["token_endpoint"], {**parameters, **proof})
    found = orjson.loads(answer.body)
    if "access_token" not in found:
        raise NoToken(f"Refused: {found.get('error_description') or found.get('error')}")
    return str(found["access_token"])


def assertion(client: Mapping[str, Any], audience: str) -> str:
    """A private_key_jwt of that client (RFC 7523 §3), good for a minute, once."""
    jwk = client["private_jwk"]
    key = (ECKey if jwk["kty"] == "EC" else RSAKey).import_key(jwk)
    now = int(time.time())
    claims = {
        "iss": client["client_id"],
        "sub": client["client_id"],
        "aud": audience,
        "jti": secrets.token_urlsafe(16),
        "iat": now,
        "exp": now + 60,
    }
    return jwt.encode({"alg": jwk["alg"], "kid": jwk["kid"], "typ": "JWT"}, claims, key, algorithms=[jwk["alg"]])
