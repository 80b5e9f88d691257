"""fhirpy (PyPI, beda.software): sign in, read, search to the last page, write, patch, transaction."""

from typing import Any

import httpx
import pytest
from fhirpy import SyncFHIRClient
from fhirpy.base.exceptions import OperationOutcome, ResourceNotFound

from .conftest import Ground

pytestmark = pytest.mark.http


@pytest.fixture
def client(ground: Ground) -> SyncFHIRClient:
    return SyncFHIRClient(ground.fhir, authorization=f"Bearer {ground.backend_token()}")


def test_it_reads_and_follows_a_reference(client: Any, ground: Ground) -> None:
    patient = client.reference("Patient", ground.patient).to_resource()

    assert patient.id == ground.patient
    team = client.resources("CareTeam").search(patient=ground.patient, status="active").first()
    assert team is not None
    assert team.subject.to_resource().id == ground.patient


def test_it_searches_to_the_last_page(client: Any, ground: Ground) -> None:
    observations = client.resources("Observation").search(patient=ground.patient).sort("-date").limit(7)

    found = observations.fetch_all()

    asked = {"patient": ground.patient, "_total": "accurate", "_count": 1}
    total = client.execute("Observation", method="get", params=asked)["total"]
    assert len({one.id for one in found}) == len(found) == total > 14
    dates = [one.get_by_path("effectiveDateTime") or one.get_by_path("effectivePeriod.start") for one in found]
    assert dates[0] >= dates[-1]


def test_it_includes(client: Any, ground: Ground) -> None:
    bundle = (
        client.resources("Observation").search(patient=ground.patient).include("Observation", "patient").limit(2)
    ).fetch_raw()

    modes = [entry["search"]["mode"] for entry in bundle["entry"]]
    assert modes.count("include") == 1
    assert [e["resource"]["id"] for e in bundle["entry"] if e["search"]["mode"] == "include"] == [ground.patient]


def test_it_writes_and_changes(client: Any, ground: Ground) -> None:
    made = client.resource("Observation", **ground.observation()).create()
    assert made["meta"]["versionId"] == "1"

    made["valueQuantity"]["value"] = 72
    changed = made.update()
    assert changed["meta"]["versionId"] == "2"
    again = client.reference("Observation", made.id).to_resource()
    assert again["valueQuantity"]["value"] == 72
    assert again.refresh()["meta"]["versionId"] == "2"

    with pytest.raises(ResourceNotFound):
        client.reference("Observation", "0" * 32).to_resource()


def test_it_patches_with_a_fhirpath_patch(client: Any, ground: Ground) -> None:
    made = client.resource("Observation", **ground.observation()).create()
    patched: Any = client.execute(f"Observation/{made.id}", method="patch", data=ground.patch())

    assert (patched["meta"]["versionId"], patched["valueQuantity"]["value"]) == ("2", 73.5)


def test_its_own_patch_which_r4_does_not_know_is_refused_and_changes_nothing(client: Any, ground: Ground) -> None:
    """`patch()` sends a part of the resource to be merged, as Aidbox takes it."""
    made = client.resource("Observation", **ground.observation()).create()

    with pytest.raises(OperationOutcome) as refused:
        made.patch(status="amended")

    assert "Parameters" in refused.value.resource["issue"][0]["diagnostics"]
    assert made.refresh()["meta"]["versionId"] == "1"


def test_it_sends_a_transaction(client: Any, ground: Ground) -> None:
    answer: Any = client.execute("", data=ground.transaction())

    assert [entry["response"]["status"][:3] for entry in answer["entry"]] == ["201", "201"]
    written = client.reference("Observation", answer["entry"][1]["response"]["location"].split("/")[-3]).to_resource()
    assert written["encounter"]["reference"] in answer["entry"][0]["response"]["location"]


def test_a_refusal_reaches_it_as_an_outcome(client: Any, ground: Ground) -> None:
    with pytest.raises(OperationOutcome) as refused:
        client.resource("Observation", **(ground.observation() | {"status": "nonsense"})).create()

    assert refused.value.resource["issue"][0]["expression"] == ["Observation.status"]
    assert httpx.get(f"{ground.fhir}/Observation").status_code == 401
