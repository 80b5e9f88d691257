"""fhirclient (PyPI, SMART Health IT): as a backend and as an app that a person signs in to. Its models are R4's."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from fhirclient.client import FHIRClient
from fhirclient.models.bundle import Bundle
from fhirclient.models.observation import Observation
from fhirclient.models.patient import Patient
from fhirclient.server import FHIRNotFoundException
from requests import HTTPError

from .conftest import BACKEND, BROWSER_APP, REDIRECT, Ground

pytestmark = pytest.mark.http


@pytest.fixture
def backend(ground: Ground) -> Iterator[FHIRClient]:
    """Signed in with private_key_jwt; it found the token endpoint in the CapabilityStatement."""
    settings = {
        "app_id": BACKEND,
        "api_base": ground.fhir,
        "scope": "system/*.cruds",
        "jwt_token": ground.assertion(),
    }
    client = FHIRClient(settings=settings)
    client.wants_patient = False
    client.prepare()
    client.authorize()
    assert client.ready
    with closing(client.server.session):
        yield client


def test_a_backend_reads_and_searches_to_the_last_page(backend: FHIRClient, ground: Ground) -> None:
    patient = Patient.read(ground.patient, backend.server)
    assert patient.id == ground.patient

    asked = {"patient": ground.patient, "_count": "7", "_sort": "-date"}
    found = [one.id for one in Observation.where(asked).perform_resources_iter(backend.server)]

    total = backend.server.request_json(f"Observation?patient={ground.patient}&_summary=count")["total"]
    assert len(found) == len(set(found)) == total > 14


def test_a_backend_writes_and_changes(backend: FHIRClient, ground: Ground) -> None:
    made = Observation(Observation(ground.observation()).create(backend.server))
    assert made.meta.versionId == "1"

    made.valueQuantity.value = 72
    changed: dict[str, Any] = made.update(backend.server)

    assert (changed["meta"]["versionId"], changed["valueQuantity"]["value"]) == ("2", 72)
    with pytest.raises(FHIRNotFoundException):
        Observation.read("0" * 32, backend.server)


def test_a_backend_sends_a_transaction(backend: FHIRClient, ground: Ground) -> None:
    answer = Bundle(Bundle(ground.transaction()).create(backend.server))

    assert [entry.response.status[:3] for entry in answer.entry] == ["201", "201"]


def test_a_backend_patches_by_an_entry_of_a_transaction(backend: FHIRClient, ground: Ground) -> None:
    """The library has no PATCH of its own; R4 has it as an entry, with Parameters."""
    made = Observation(Observation(ground.observation()).create(backend.server))
    entry = {"resource": ground.patch(), "request": {"method": "PATCH", "url": f"Observation/{made.id}"}}

    answer = Bundle(Bundle({"type": "transaction", "entry": [entry]}).create(backend.server))

    assert [one.response.status[:3] for one in answer.entry] == ["200"]
    patched = Observation.read(made.id, backend.server)
    assert (patched.meta.versionId, patched.valueQuantity.value) == ("2", 73.5)


def test_a_person_signs_in_with_pkce_writes_and_deletes(ground: Ground) -> None:
    settings = {
        "app_id": BROWSER_APP,
        "api_base": ground.fhir,
        "redirect_uri": REDIRECT,
        "scope": "openid fhirUser offline_access user/*.cruds",
    }
    client = FHIRClient(settings=settings)
    client.prepare()

    client.handle_callback(ground.consent(client.authorize_url, "gp", ground.patient))

    assert client.patient.id == ground.patient
    first = client.server.auth.access_token
    assert client.reauthorize()
    assert client.server.auth.access_token != first
    assert Patient.read(ground.patient, client.server).id == ground.patient
    noted = Observation(Observation(ground.observation()).create(client.server))
    noted.delete(client.server)
    with pytest.raises(HTTPError, match="410"):
        Observation.read(noted.id, client.server)
    client.server.session.close()
