"""What means nothing to a request is refused, alone and in a Bundle; and a transaction is whole, its reads too."""

import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

pytestmark = pytest.mark.http


@pytest.fixture(scope="module")
def gp(service: Any) -> Iterator[httpx.Client]:
    with service.client("gp") as client:
        yield client


@pytest.fixture(scope="module")
def patient(service: Any) -> str:
    made: str = service.patient()
    return made


def observation(patient: str, **more: Any) -> dict[str, Any]:
    subject = {"reference": f"Patient/{patient}"}
    return {"resourceType": "Observation", "status": "final", "code": {"text": "x"}, "subject": subject, **more}


def entry(method: str, url: str, resource: dict[str, Any] | None = None, **conditions: str) -> dict[str, Any]:
    found: dict[str, Any] = {"request": {"method": method, "url": url, **conditions}}
    return found if resource is None else {**found, "resource": resource}


def send(client: httpx.Client, type_: str, *entries: dict[str, Any]) -> httpx.Response:
    return client.post("/", json={"resourceType": "Bundle", "type": type_, "entry": entries})


def statuses(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [one["response"]["status"][:3] for one in answer.json()["entry"]]


def counted(client: httpx.Client, patient: str) -> int:
    return int(client.get("/Observation", params={"patient": patient, "_summary": "count"}).json()["total"])


CASES = [
    ("POST", "Observation?code=zz", {}, "400"),
    ("PUT", "Observation/{id}?foo=1", {}, "400"),
    ("DELETE", "Observation/{id}?foo=1", {}, "400"),
    ("POST", "Observation", {"ifMatch": 'W/"9"'}, "412"),
    ("PUT", "Observation/{id}", {"ifNoneExist": "code=x"}, "400"),
    ("DELETE", "Observation/{id}", {"ifNoneExist": "code=x"}, "400"),
]
HEADERS = {"ifMatch": "if-match", "ifNoneExist": "if-none-exist"}


@pytest.mark.parametrize(("method", "url", "conditions", "status"), CASES)
def test_what_means_nothing_to_a_write_is_refused(
    gp: httpx.Client, patient: str, method: str, url: str, conditions: dict[str, str], status: str
) -> None:
    made = gp.post("/Observation", json=observation(patient)).json()
    there = counted(gp, patient)
    url = url.format(id=made["id"])
    body = observation(patient, **({"id": made["id"]} if method == "PUT" else {})) if method != "DELETE" else None

    alone = gp.request(method, f"/{url}", json=body, headers={HEADERS[name]: text for name, text in conditions.items()})
    batch = send(gp, "batch", entry(method, url, body, **conditions))
    transaction = send(gp, "transaction", entry(method, url, body, **conditions))

    assert (str(alone.status_code), statuses(batch), str(transaction.status_code)) == (status, [status], status)
    assert transaction.json()["issue"][0]["diagnostics"].startswith("Bundle.entry[0]")
    assert counted(gp, patient) == there
    assert gp.get(f"/Observation/{made['id']}").json()["meta"]["versionId"] == "1"


def test_a_parameter_that_is_refused_is_named_with_what_to_do(gp: httpx.Client, patient: str) -> None:
    said = gp.post("/Observation?code=zz", json=observation(patient)).json()["issue"][0]["diagnostics"]
    assert "'code'" in said
    assert "If-None-Exist" in said
    assert gp.post("/?foo=1", json={"resourceType": "Bundle", "type": "batch"}).status_code == 400
    assert gp.post("/Observation?_format=json&_pretty=true", json=observation(patient)).status_code == 201


@pytest.mark.parametrize(
    "url", ["Observation?foo=1", "Observation/nope", "Observation/0123456789abcdef0123456789abcdef"]
)
def test_a_read_that_fails_fails_its_transaction(gp: httpx.Client, patient: str, url: str) -> None:
    there = counted(gp, patient)

    answer = send(gp, "transaction", entry("POST", "Observation", observation(patient)), entry("GET", url))

    assert answer.status_code in (400, 404)
    assert answer.json()["issue"][0]["diagnostics"].startswith("Bundle.entry[1]")
    assert counted(gp, patient) == there
    assert statuses(send(gp, "batch", entry("GET", url)))[0] in ("400", "404")


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("how", ["PUT", "POST"])
def test_an_identifier_that_criteria_ask_for_is_made_by_no_other_entry(
    gp: httpx.Client, patient: str, how: str, turned: bool
) -> None:
    value = str(uuid.uuid4())
    resource = observation(patient, identifier=[{"system": "urn:test", "value": value}])
    criteria = f"identifier=urn:test|{value}"
    conditional = (
        entry("PUT", f"Observation?{criteria}", resource)
        if how == "PUT"
        else entry("POST", "Observation", resource, ifNoneExist=criteria)
    )
    both = [entry("POST", "Observation", resource), conditional]

    answer = send(gp, "transaction", *(reversed(both) if turned else both))

    assert answer.status_code == 400
    assert gp.get("/Observation", params={"identifier": f"urn:test|{value}", "_summary": "count"}).json()["total"] == 0


def test_what_is_deleted_first_may_be_made_anew(gp: httpx.Client, patient: str) -> None:
    value = str(uuid.uuid4())
    resource = observation(patient, identifier=[{"system": "urn:test", "value": value}])
    old = gp.post("/Observation", json=resource).json()

    delete = entry("DELETE", f"Observation?identifier=urn:test|{value}")
    answer = send(gp, "transaction", entry("POST", "Observation", resource), delete)

    assert statuses(answer) == ["201", "204"]
    assert gp.get(f"/Observation/{old['id']}").status_code == 410


@pytest.mark.parametrize("type_", ["batch", "transaction"])
def test_a_search_entry_has_its_parameters_in_the_url_and_no_resource(
    gp: httpx.Client, patient: str, type_: str
) -> None:
    url = f"Observation/_search?patient={patient}&_summary=count"

    assert statuses(send(gp, type_, entry("POST", url))) == ["200"]
    for refused in (entry("POST", url, observation(patient)), entry("GET", f"Patient/{patient}", observation(patient))):
        answer = send(gp, type_, refused)
        assert answer.status_code == 400 if type_ == "transaction" else statuses(answer) == ["400"]


def test_a_version_has_one_address(gp: httpx.Client, patient: str) -> None:
    made = gp.post("/Observation", json=observation(patient)).json()

    assert gp.get(f"/Observation/{made['id']}/_history/1").status_code == 200
    for other in ("01", "0", "2"):
        assert gp.get(f"/Observation/{made['id']}/_history/{other}").status_code == 404
