"""A worker whose machine's clock is a day off answers as one whose clock is right: what begins and ends does so by the
database's clock."""

import base64
import json
import secrets
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from liaison.auth.oauth2 import clients, rfc7523
from liaison.services.house import House
from liaison.services.settings import Settings

from ...auth.oauth2.proofs import Prover
from ...services.conftest import Beside, Person, Service, alone, service_base, settle
from .wrong_clock import BY_THE_FIRST_DIFFERENCE, BY_THE_WALL, FAKETIME, Running, served, set_to

__all__ = ["service_base"]

pytestmark = [
    pytest.mark.http,
    pytest.mark.skipif(not FAKETIME.exists(), reason="libfaketime is needed: apt-get install faketime"),
]

KEY = ECKey.generate_key("P-384", auto_kid=True)
PROVER = Prover()
HOUR = timedelta(hours=1)
Known = tuple[Settings, dict[str, Person]]


@pytest.fixture(scope="module")
def known(service_base: dict[str, str]) -> Known:
    """The people of the territory, and two backends, one of them with bound tokens."""
    settings = Settings.model_validate({name.lower(): value for name, value in service_base.items()})
    people, _ = alone(lambda: settle(settings))

    async def register() -> None:
        async with House.opened(settings) as house, house.database.writing.acquire() as connection:
            for name, binding in (("by_key", ""), ("by_proof", "dpop")):
                await clients.add(
                    connection,
                    client_id=name,
                    kind="backend",
                    name=name,
                    scope="system/Organization.rs",
                    jwks={"keys": [KEY.as_dict(private=False)]},
                    algorithm="ES384",
                    organization=people["gp"].act.organization,
                    role_code="nurse",
                    purpose=1,
                    binding=binding,
                )

    alone(register)
    return settings, people


class Asking:
    """Software and people at one worker, whose own clocks are right."""

    def __init__(self, running: Running, known: Known) -> None:
        url, process = running
        self.settings, self.people = known
        self.service = Service(url, self.settings, process, self.people, beside=Beside(self.settings))
        self.http = httpx.Client(base_url=url, timeout=60)

    def close(self) -> None:
        self.http.close()
        if self.service.beside is not None:
            self.service.beside.close()

    def token_for(self, client_id: str, seconds_ago: int = 0, proof: str = "") -> httpx.Response:
        now = int(time.time()) - seconds_ago
        claims: dict[str, Any] = {
            "iss": client_id,
            "sub": client_id,
            "aud": "https://liaison.test/oauth/token",
            "exp": now + 60,
            "iat": now,
            "jti": secrets.token_urlsafe(8),
        }
        assertion = jwt.encode({"alg": "ES384", "kid": KEY.kid, "typ": "JWT"}, claims, KEY, algorithms=["ES384"])
        form = {"grant_type": "client_credentials", "scope": "system/Organization.rs"}
        form |= {"client_assertion_type": rfc7523.ASSERTION_TYPE, "client_assertion": assertion}
        return self.http.post("/oauth/token", data=form, headers={"dpop": proof} if proof else {})

    def get(self, path: str, token: str, **headers: str) -> httpx.Response:
        return self.http.get(f"/fhir/{path}", headers={"authorization": f"Bearer {token}", **headers})

    def patient(self, who: str, start: timedelta, ends: timedelta | None) -> str:
        """Someone of whose team `who` is, from and until so long from now."""
        period = {"start": _text(start), **({"end": _text(ends)} if ends is not None else {})}
        team = {
            "resourceType": "CareTeam",
            "status": "active",
            "subject": {"reference": "urn:uuid:patient"},
            "participant": [{"member": {"reference": self.people[who].practitioner}, "period": period}],
        }
        tree = {"resourceType": "Patient", "name": [{"family": "HORLOGE", "given": [secrets.token_hex(4)]}]}
        entries = [
            {"fullUrl": url, "resource": one, "request": {"method": "POST", "url": one["resourceType"]}}
            for url, one in (("urn:uuid:patient", tree), ("urn:uuid:team", team))
        ]
        return self.service.write(entries)[0]


def _text(ahead: timedelta) -> str:
    return (datetime.now(UTC) + ahead).isoformat(timespec="seconds")


def _near(text: str, ahead: timedelta = timedelta()) -> bool:
    return abs(datetime.fromisoformat(text) - datetime.now(UTC) - ahead) < timedelta(minutes=5)


def _claims(token: str) -> dict[str, Any]:
    part = token.split(".")[1]
    content: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return content


def answers(running: Running, known: Known) -> dict[str, Any]:
    """What anyone would see of one worker, by whichever clock it goes."""
    with closing(Asking(running, known)) as asking:
        return _answers(asking)


def _answers(asking: Asking) -> dict[str, Any]:
    said: dict[str, Any] = {}
    told = asking.token_for("by_key")
    said["a fresh assertion gets a token"] = told.status_code
    said["an assertion of an hour ago"] = asking.token_for("by_key", 3600).status_code
    token = told.json().get("access_token", "")
    if token:
        claims = _claims(token)
        said["the token lives five minutes from now"] = abs(claims["exp"] - time.time() - 300) < 60
        said["and is good"] = asking.get("Organization?_count=1", token).status_code

    proof = PROVER.proof("POST", "https://liaison.test/oauth/token")
    bound = asking.token_for("by_proof", proof=proof)
    said["a fresh proof gets a bound token"] = bound.status_code
    if bound.status_code == 200:
        for name, ago in (("a fresh proof", 0), ("a proof of an hour ago", 3600)):
            address, access = "https://liaison.test/fhir/Organization", bound.json()["access_token"]
            made = PROVER.proof("GET", address, access, iat=int(time.time()) - ago)
            headers = {"authorization": f"DPoP {access}", "dpop": made}
            said[name] = asking.http.get("/fhir/Organization?_count=1", headers=headers).status_code

    gp = asking.service.token("gp")
    said["a token that this worker did not issue"] = asking.get("Patient?_count=1", gp).status_code
    for name, start, ends in (
        ("a right without end", -HOUR, None),
        ("a right that ends in an hour", -HOUR, HOUR),
        ("a right that ended an hour ago", -2 * HOUR, -HOUR),
        ("a right that begins in an hour", HOUR, None),
    ):
        reference = asking.patient("gp", start, ends)
        said[name] = asking.get(reference, gp).status_code

    mine = asking.patient("gp", -HOUR, None)
    headers = {"authorization": f"Bearer {gp}", "content-type": "application/fhir+json"}
    weight = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]},
        "subject": {"reference": mine},
        "valueQuantity": {"value": 70, "unit": "kg", "system": "http://unitsofmeasure.org", "code": "kg"},
    }
    kept = asking.http.post("/fhir/Observation", json=weight, headers=headers)
    asking.http.post("/fhir/Observation", json=weight, headers=headers)
    said["what is written is dated now"] = kept.status_code == 201 and _near(kept.json()["meta"]["lastUpdated"])
    page = asking.get(f"Observation?patient={mine}&_count=1&_lastUpdated=gt{_text(-HOUR)}", gp).json()
    following = next((link["url"] for link in page.get("link", ()) if link["relation"] == "next"), "")
    if following:
        said["the next page"] = asking.get(following.rpartition("/fhir/")[2], gp).status_code

    said_no = asking.http.post(f"/fhir/{mine}/$oppose", json={"resourceType": "Parameters"}, headers=headers)
    said["an opposition"] = said_no.status_code
    said["holds at once"] = asking.get(mine, gp).status_code
    said["a colleague who looks for them"] = asking.get(mine, asking.service.token("stranger")).status_code

    trail = asking.get(f"AuditEvent?entity={mine}&_count=50", asking.service.token("auditor"))
    said["the journal can be read"] = trail.status_code
    entries = [one["resource"] for one in trail.json().get("entry", [])]
    said["and tells of it"] = len(entries) > 0
    said["each entry is dated now"] = all(_near(one["recorded"]) for one in entries)
    return said


@pytest.fixture(scope="module")
def right(service_base: dict[str, str], known: Known, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a worker answers whose clock is right."""
    with served(service_base, "+0s", tmp_path_factory.mktemp("right")) as running:
        return answers(running, known)


def test_a_right_clock_gives_the_answers_that_are_meant(right: dict[str, Any]) -> None:
    assert right == {
        "a fresh assertion gets a token": 200,
        "an assertion of an hour ago": 401,
        "the token lives five minutes from now": True,
        "and is good": 200,
        "a fresh proof gets a bound token": 200,
        "a fresh proof": 200,
        "a proof of an hour ago": 401,
        "a token that this worker did not issue": 200,
        "a right without end": 200,
        "a right that ends in an hour": 200,
        "a right that ended an hour ago": 404,
        "a right that begins in an hour": 404,
        "what is written is dated now": True,
        "the next page": 200,
        "an opposition": 201,
        "holds at once": 404,
        "a colleague who looks for them": 404,
        "the journal can be read": 200,
        "and tells of it": True,
        "each entry is dated now": True,
    }


@pytest.mark.parametrize("shift", ["+1d", "-1d"])
def test_a_clock_that_is_a_day_off_changes_nothing(
    service_base: dict[str, str], known: Known, right: dict[str, Any], shift: str, tmp_path: Path
) -> None:
    with served(service_base, shift, tmp_path) as running:
        assert answers(running, known) == right


@pytest.mark.parametrize("shift", ["+1d", pytest.param("-1d", marks=pytest.mark.proof)])
def test_a_worker_that_believes_its_machine_is_found_out(
    service_base: dict[str, str], known: Known, right: dict[str, Any], shift: str, tmp_path: Path
) -> None:
    """The fault, planted: the test above would fail."""
    with served(service_base, shift, tmp_path / "planted", planted=BY_THE_WALL) as running:
        found = answers(running, known)

    differing = {name for name in right if found.get(name) != right[name]}
    assert {"a fresh assertion gets a token", "a token that this worker did not issue"} <= differing


def _after_a_jump(base: dict[str, str], known: Known, shift: str, folder: Path, planted: str = "") -> dict[str, Any]:
    """What a worker answers that has been asked already when its machine's clock jumps."""
    with served(base, "", folder, planted=planted) as running:
        with closing(Asking(running, known)) as asking:
            assert asking.token_for("by_key").status_code == 200
        set_to(folder, shift)
        return answers(running, known)


@pytest.mark.parametrize("shift", ["+1d", pytest.param("-1d", marks=pytest.mark.proof)])
def test_a_clock_that_jumps_a_day_changes_nothing(
    service_base: dict[str, str], known: Known, right: dict[str, Any], shift: str, tmp_path: Path
) -> None:
    assert _after_a_jump(service_base, known, shift, tmp_path / "jumping") == right


@pytest.mark.parametrize("shift", ["+1d", pytest.param("-1d", marks=pytest.mark.proof)])
def test_a_worker_that_put_its_machine_right_once_is_found_out(
    service_base: dict[str, str], known: Known, right: dict[str, Any], shift: str, tmp_path: Path
) -> None:
    """The fault, planted, which a clock that is off from the start does not show."""
    found = _after_a_jump(service_base, known, shift, tmp_path / "planted", BY_THE_FIRST_DIFFERENCE)

    differing = {name for name in right if found.get(name) != right[name]}
    assert {"a fresh assertion gets a token", "a token that this worker did not issue"} <= differing
