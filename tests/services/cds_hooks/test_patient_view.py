"""CDS Hooks: discovery, and `patient-view` called by a clinician's software over HTTP, signed with its own key."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey
from starlette.applications import Starlette

from liaison.auth.access import internal
from liaison.auth.oauth2 import clients, rfc9068
from liaison.auth.sessions import end_session, open_session
from liaison.protocols.library import shipped
from liaison.services.cds_hooks import service as cds
from liaison.services.house import House
from liaison.services.signals import adoption

from ..conftest import Service

STEP = "https://liaison.example/fhir/CodeSystem/protocol-step"
ALERT = "https://liaison.example/fhir/CodeSystem/alert-level"
PSY = {"security": [{"system": "https://liaison.example/fhir/CodeSystem/data-class", "code": "PSY"}]}
Tree = dict[str, Any]


@dataclass
class Software:
    """A clinician's software, with its key, and what it asks."""

    service: Service
    number: int
    client_id: str
    key: ECKey
    last: int = 0

    @property
    def address(self) -> str:
        return f"{self.service.settings.public_url}/cds-services/liaison-patient-view"

    def token(self, who: str, *, client: int | None = None) -> str:
        async def issue(house: House) -> str:
            act = replace(self.service.people[who].act, client=self.number if client is None else client)
            async with house.database.writing.acquire() as connection:
                session = await open_session(connection, act, "user/*.rs", 300)
            self.last = session
            return await rfc9068.issue(
                house.signing_keys, issuer=self.service.settings.public_url, audience=self.service.settings.fhir_base,
                subject=who, client_id=self.client_id, session=session,
            )  # fmt: skip

        return self.service.ask(issue)

    def signed(self, **changed: Any) -> str:
        now = int(time.time())
        claims = {
            "iss": self.client_id,
            "aud": self.address,
            "iat": now,
            "exp": now + 120,
            "jti": str(uuid4()),
            **changed,
        }
        key = claims.pop("key", self.key)
        header = {"alg": "ES384", "typ": "JWT", "kid": self.key.kid}
        return jwt.encode(header, claims, key, algorithms=["ES384"])

    def question(self, patient: str, token: str, **more: Any) -> Tree:
        authorization = {"access_token": token, "token_type": "Bearer", "expires_in": 300, "scope": "user/*.rs", "subject": self.client_id}  # fmt: skip
        asked = {"hook": "patient-view", "hookInstance": str(uuid4()), "fhirServer": self.service.settings.fhir_base}
        context = {"userId": "Practitioner/x", "patientId": patient}
        return {**asked, "fhirAuthorization": authorization, "context": context, **more}

    def ask(self, question: Tree, signed: str | None = None) -> httpx.Response:
        headers = {"authorization": f"Bearer {signed or self.signed()}", "origin": "https://app.example"}
        return httpx.post(
            f"{self.service.url}/cds-services/liaison-patient-view", json=question, headers=headers, timeout=60
        )


@pytest.fixture(scope="module")
def software(service: Service) -> Software:
    key = ECKey.generate_key("P-384", {"kid": "cds-1", "use": "sig", "alg": "ES384"})

    async def register(house: House) -> int:
        async with house.database.writing.acquire() as connection:
            added = await clients.add(
                connection, client_id="cds-software", kind="app", name="Logiciel de cabinet", scope="user/*.rs launch",
                jwks={"keys": [key.as_dict(private=False)]}, algorithm="ES384", redirect_uris=["https://app.example/callback"],
                launch_url="https://app.example/launch",
            )  # fmt: skip
            return added.number

    return Software(service, service.ask(register), "cds-software", key)


@pytest.fixture(scope="module")
def patient(service: Service) -> str:
    """With a step that is late, one to come, one of psychiatry that is late, and an alert."""
    made = service.patient("gp", "nurse")
    entries = []
    for title, days, meta in (("Spirométrie annuelle", -12, {}), ("Consultation", 30, {}), ("Plan de crise", -40, PSY)):
        due = (date.today() + timedelta(days=days)).isoformat()
        entries.append(_task(made, title, STEP, "spirometry", due, meta))
    entries.append(_task(made, "Plus essoufflée que d'habitude", ALERT, "ORANGE", date.today().isoformat(), {}))
    service.write([{"resource": one, "request": {"method": "POST", "url": "Task"}} for one in entries])
    return made


def _task(patient: str, title: str, system: str, code: str, due: str, meta: Tree) -> Tree:
    task: Tree = {"resourceType": "Task", "status": "requested", "intent": "order", "description": title}
    task |= {"for": {"reference": f"Patient/{patient}"}, "code": {"coding": [{"system": system, "code": code}]}}
    return {
        **task,
        "authoredOn": "2026-11-01",
        "restriction": {"period": {"end": due}},
        **({"meta": meta} if meta else {}),
    }


def test_the_service_is_found_by_anybody(service: Service) -> None:
    answer = httpx.get(f"{service.url}/cds-services", headers={"origin": "https://app.example"})

    [told] = answer.json()["services"]
    assert (told["hook"], told["id"]) == ("patient-view", "liaison-patient-view")
    assert answer.headers["access-control-allow-origin"] == "https://app.example"
    elsewhere = httpx.get(f"{service.url}/cds-services", headers={"origin": "https://elsewhere.example"})
    assert "access-control-allow-origin" not in elsewhere.headers


def test_what_waits_is_told_to_whoever_may_see_it(software: Software, patient: str) -> None:
    before = _entries(software.service, patient)
    answer = software.ask(software.question(patient, software.token("gp")))

    assert answer.status_code == 200, answer.text
    assert answer.headers["access-control-allow-origin"] == "https://app.example"
    cards = answer.json()["cards"]
    assert [(one["indicator"], one["summary"]) for one in cards] == [
        ("warning", "Alerte ouverte : Plus essoufflée que d'habitude"),
        ("warning", "Étape en retard de 12 j : Spirométrie annuelle"),
    ]
    plan, app = cards[0]["links"]
    assert plan["url"] == f"{software.service.settings.public_url}/dossiers/{patient}/plan"
    assert (app["type"], app["url"]) == ("smart", "https://app.example/launch")
    assert _entries(software.service, patient) > before


def _entries(service: Service, patient: str) -> int:
    async def count(house: House) -> int:
        key = house.store.key("Patient", patient)
        assert key is not None
        return int(
            await house.database.reading.fetchval("select count(*) from journal_entry where patient = $1", key.patient)
        )

    return service.ask(count)


def test_a_class_that_changed_is_told_once_it_has_been_adopted(software: Software) -> None:
    """The plan was made at grade 2; the lung function measured since is of grade 4."""
    service = software.service
    patient = service.patient("gp", "nurse")
    subject = {"reference": f"Patient/{patient}"}
    fev1 = {"coding": [{"system": "http://loinc.org", "code": "20152-5"}]}
    measured = {"value": 25, "unit": "%", "system": "http://unitsofmeasure.org", "code": "%"}
    step = _task(patient, "Consultation du médecin traitant", STEP, "gp-review", "2999-01-04", {})
    step["instantiatesCanonical"] = f"https://liaison.example/fhir/PlanDefinition/bpco|{_version()}#gp-grade-2"
    spirometry = {"resourceType": "Observation", "status": "final", "code": fev1, "subject": subject,
                  "effectiveDateTime": "2026-11-02", "valueQuantity": measured}  # fmt: skip
    service.write(
        [{"resource": one, "request": {"method": "POST", "url": one["resourceType"]}} for one in (step, spirometry)]
    )

    def told() -> list[str]:
        cards = software.ask(software.question(patient, software.token("gp"))).json()["cards"]
        return [one["summary"] for one in cards]

    assert told() == []  # nobody has adopted the grade here

    async def declared(house: House) -> None:
        async with house.database.writing.acquire() as connection:
            await adoption.adopt(connection, house.vault, "bpco#computed", decided_by="Dr Essai", because="Comité")

    service.ask(declared)
    assert told() == ["Groupe modifié : le plan «\u00a0Suivi de la BPCO\u00a0» suit encore l’ancien"]


def _version() -> str:
    return str(shipped().tree("https://liaison.example/fhir/PlanDefinition/bpco")["version"])


def nothing_is_told(answer: httpx.Response) -> None:
    assert (answer.status_code, answer.json()) == (200, {"cards": []})


def test_nothing_in_a_question_widens_the_rights_of_its_person(software: Software, patient: str) -> None:
    token = software.token("gp_outside")
    nothing_is_told(software.ask(software.question(patient, token)))
    prefetch = {"patient": {"resourceType": "Patient", "id": patient}}
    nothing_is_told(software.ask(software.question(patient, token, prefetch=prefetch)))
    claimed = software.question(patient, token)
    claimed["context"]["userId"] = software.service.people["gp"].practitioner
    claimed["fhirAuthorization"]["scope"] = "system/*.cruds"
    nothing_is_told(software.ask(claimed))
    nothing_is_told(software.ask(software.question(str(uuid4()), token)))


def test_a_service_that_asked_with_other_rights_would_be_seen(
    software: Software, patient: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fault planted: the record is read as whoever made the territory."""
    question = software.question(patient, software.token("gp_outside"))

    async def leaking(house: House) -> httpx.Response:
        maker = await internal.open_session(house.database.writing, "sandbox")

        async def asked_by(*_anything: Any) -> Any:
            return maker

        monkeypatch.setattr(cds, "asked_by", asked_by)
        app = Starlette(routes=cds.routes())
        app.state.house = house
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://liaison.test") as client:
            return await client.post("/cds-services/liaison-patient-view", json=question)

    with pytest.raises(AssertionError):
        nothing_is_told(software.service.ask(leaking))


def test_a_call_is_taken_once_from_who_signed_it_for_this_service(software: Software, patient: str) -> None:
    question = software.question(patient, software.token("gp"))
    other = ECKey.generate_key("P-384", {"kid": "cds-1"})
    now = int(time.time())
    faults: list[dict[str, Any]] = [
        {"aud": "https://elsewhere.example/cds-services/liaison-patient-view"},
        {"aud": f"{software.service.settings.public_url}/oauth/token"},
        {"iss": "nobody"},
        {"exp": now - 60},
        {"exp": now + 86400},
        {"jti": ""},
        {"key": other},
    ]
    assert [software.ask(question, software.signed(**one)).status_code for one in faults] == [401] * len(faults)
    once = software.signed()
    assert [software.ask(question, once).status_code for _ in range(2)] == [200, 401]
    assert httpx.post(f"{software.service.url}/cds-services/liaison-patient-view", json=question).status_code == 401


@pytest.mark.parametrize(
    ("change", "status", "where"),
    [
        (lambda asked: asked.pop("fhirAuthorization"), 412, "fhirAuthorization"),
        (lambda asked: asked.update(fhirServer="https://elsewhere.example/fhir"), 412, "fhirServer"),
        (lambda asked: asked["fhirAuthorization"].update(access_token="x"), 401, ""),
        (lambda asked: asked["fhirAuthorization"].update(access_token=7), 400, "fhirAuthorization.access_token"),
        (lambda asked: asked.update(hook="order-sign"), 400, "hook"),
        (lambda asked: asked.pop("hookInstance"), 400, "hookInstance"),
        (lambda asked: asked.pop("context"), 400, "context.patientId"),
    ],
)
def test_what_is_missing_is_named(
    software: Software, patient: str, change: Callable[[Tree], Any], status: int, where: str
) -> None:
    question = software.question(patient, software.token("gp"))
    change(question)
    answer = software.ask(question)

    assert answer.status_code == status
    assert answer.json()["issue"][0].get("expression", [""]) == [where]


def test_a_token_of_other_software_or_of_a_session_that_is_over_opens_nothing(software: Software, patient: str) -> None:
    assert software.ask(software.question(patient, software.token("gp", client=0))).status_code == 403
    token = software.token("gp")

    async def end(house: House) -> None:
        async with house.database.writing.acquire() as connection:
            await end_session(connection, software.last)

    software.service.ask(end)
    assert software.ask(software.question(patient, token)).status_code == 401
