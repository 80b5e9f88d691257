"""The interactions over HTTP, on the real service."""

import json
import uuid
from collections.abc import Callable
from typing import Any

import httpx
import pytest

pytestmark = pytest.mark.http


def observation(patient: str, value: str = "72.50", **more: Any) -> bytes:
    """A weight, whose value keeps its digits."""
    tree = {
        "resourceType": "Observation",
        "status": "final",
        "category": [
            {
                "coding": [
                    {"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "vital-signs"}
                ]
            }
        ],
        "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]},
        "subject": {"reference": f"Patient/{patient}"},
        "effectiveDateTime": "2026-01-31T08:00:00+01:00",
        "valueQuantity": {"value": "VALUE", "unit": "kg", "system": "http://unitsofmeasure.org", "code": "kg"},
        **more,
    }
    return json.dumps(tree).replace('"VALUE"', value).encode()


OTHER = [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "exam"}]}]


def issue(response: httpx.Response) -> str:
    """The first diagnostics of the OperationOutcome that every error is."""
    tree = response.json()
    assert tree["resourceType"] == "OperationOutcome", tree
    text: str = tree["issue"][0]["diagnostics"]
    return text


def test_a_created_resource_is_read_back_byte_for_byte(gp: httpx.Client, patient: str) -> None:
    created = gp.post("/Observation", content=observation(patient))

    assert created.status_code == 201, created.text
    assert created.headers["etag"] == 'W/"1"'
    where = created.headers["location"]
    assert where.startswith("https://liaison.test/fhir/Observation/")
    assert where.endswith("/_history/1")
    assert b'"value":72.50,' in created.content
    read = gp.get(f"/Observation/{created.json()['id']}")
    assert read.content == created.content
    assert read.headers["etag"] == 'W/"1"'
    assert read.headers["cache-control"] == "no-store"
    assert read.headers["x-content-type-options"] == "nosniff"
    assert read.headers["content-type"] == "application/fhir+json; charset=utf-8"


def test_head_gives_the_headers_of_the_read(gp: httpx.Client, patient: str) -> None:
    id_ = gp.post("/Observation", content=observation(patient)).json()["id"]

    read, head = gp.get(f"/Observation/{id_}"), gp.head(f"/Observation/{id_}")

    assert head.status_code == 200
    assert head.content == b""
    assert head.headers["content-length"] == read.headers["content-length"]


def test_versions_are_kept(gp: httpx.Client, patient: str) -> None:
    first = gp.post("/Observation", content=observation(patient, "70")).json()
    second = gp.put(f"/Observation/{first['id']}", content=observation(patient, "71", id=first["id"]))

    assert second.status_code == 200, second.text
    assert second.headers["etag"] == 'W/"2"'
    old = gp.get(f"/Observation/{first['id']}/_history/1")
    assert old.json() == first
    history = gp.get(f"/Observation/{first['id']}/_history").json()
    assert [entry["resource"]["meta"]["versionId"] for entry in history["entry"]] == ["2", "1"]
    assert history["type"] == "history"


def test_history_pages_newest_first_without_repeating(gp: httpx.Client, patient: str) -> None:
    id_ = gp.post("/Observation", content=observation(patient, "1")).json()["id"]
    for value in range(2, 6):
        assert gp.put(f"/Observation/{id_}", content=observation(patient, str(value), id=id_)).status_code == 200

    seen = []
    url = f"/Observation/{id_}/_history?_count=2"
    while url:
        page = gp.get(url.replace("https://liaison.test/fhir", "")).json()
        seen += [entry["resource"]["meta"]["versionId"] for entry in page["entry"]]
        url = next((link["url"] for link in page["link"] if link["relation"] == "next"), "")

    assert seen == ["5", "4", "3", "2", "1"]


def test_if_match_of_an_old_version_changes_nothing(gp: httpx.Client, patient: str) -> None:
    id_ = gp.post("/Observation", content=observation(patient, "70")).json()["id"]
    gp.put(f"/Observation/{id_}", content=observation(patient, "71", id=id_))

    refused = gp.put(f"/Observation/{id_}", content=observation(patient, "72", id=id_), headers={"if-match": 'W/"1"'})

    assert refused.status_code == 412
    issue(refused)
    assert gp.get(f"/Observation/{id_}").json()["valueQuantity"]["value"] == 71
    taken = gp.put(f"/Observation/{id_}", content=observation(patient, "72", id=id_), headers={"if-match": 'W/"2"'})
    assert taken.status_code == 200


def test_deleted_is_gone_and_its_history_stays(gp: httpx.Client, patient: str) -> None:
    id_ = gp.post("/Observation", content=observation(patient)).json()["id"]

    assert gp.delete(f"/Observation/{id_}").status_code == 204

    assert gp.get(f"/Observation/{id_}").status_code == 410
    assert gp.get(f"/Observation/{id_}/_history/1").status_code == 200
    assert gp.put(f"/Observation/{id_}", content=observation(patient, id=id_)).status_code == 410
    methods = [entry["request"]["method"] for entry in gp.get(f"/Observation/{id_}/_history").json()["entry"]]
    assert methods == ["DELETE", "POST"]


def test_deleting_what_is_deleted_already_does_nothing(gp: httpx.Client, outside: httpx.Client, patient: str) -> None:
    """R4 http.html#delete: a client that repeats after a lost answer gets no error, and no other version is made."""
    id_ = gp.post("/Observation", content=observation(patient)).json()["id"]
    assert gp.delete(f"/Observation/{id_}").status_code == 204

    again = gp.delete(f"/Observation/{id_}")
    told = gp.delete(f"/Observation/{id_}", headers={"prefer": "return=OperationOutcome"})
    entries = [{"request": {"method": "DELETE", "url": f"Observation/{id_}"}}]
    for type_ in ("batch", "transaction"):
        answer = gp.post("/", json={"resourceType": "Bundle", "type": type_, "entry": entries})
        assert answer.status_code == 200, answer.text
        assert answer.json()["entry"][0]["response"]["status"][:3] == "204"

    assert (again.status_code, told.status_code) == (204, 200)
    assert again.content == b""
    assert gp.delete(f"/Observation/{id_}", headers={"if-match": 'W/"1"'}).status_code == 412
    assert outside.delete(f"/Observation/{id_}").status_code == 404
    assert gp.get(f"/Observation/{id_}").status_code == 410
    methods = [entry["request"]["method"] for entry in gp.get(f"/Observation/{id_}/_history").json()["entry"]]
    assert methods == ["DELETE", "POST"]


@pytest.mark.parametrize("wish", ["minimal", "representation", "OperationOutcome"])
def test_a_write_answers_as_preferred(gp: httpx.Client, patient: str, wish: str) -> None:
    created = gp.post("/Observation", content=observation(patient), headers={"prefer": f"return={wish}"})

    assert created.status_code == 201
    types = {"minimal": "", "representation": "Observation", "OperationOutcome": "OperationOutcome"}
    assert (created.json()["resourceType"] if created.content else "") == types[wish]
    assert "location" in created.headers


def test_outside_the_team_everything_is_as_if_absent(gp: httpx.Client, outside: httpx.Client, patient: str) -> None:
    """MS#2934: whoever knew an id read it."""
    id_ = gp.post("/Observation", content=observation(patient)).json()["id"]
    absent = "0123456789abcdef0123456789abcdef"

    ways: list[Callable[[str], httpx.Response]] = [
        lambda one: outside.get(f"/Observation/{one}"),
        lambda one: outside.get(f"/Observation/{one}/_history"),
        lambda one: outside.get(f"/Observation/{one}/_history/1"),
        lambda one: outside.put(f"/Observation/{one}", content=observation(absent, id=one)),
        lambda one: outside.delete(f"/Observation/{one}"),
        lambda one: outside.get(f"/Observation/{one}", headers={"if-none-match": 'W/"1"'}),
    ]
    for ask in ways:
        hidden, missing = ask(id_), ask(absent)
        assert hidden.status_code == missing.status_code == 404
        assert hidden.content.replace(id_.encode(), b"") == missing.content.replace(absent.encode(), b"")


def test_a_reference_to_a_hidden_patient_is_one_to_nothing(outside: httpx.Client, patient: str) -> None:
    absent = "0123456789abcdef0123456789abcdef"

    hidden = outside.post("/Observation", content=observation(patient))
    missing = outside.post("/Observation", content=observation(absent))

    assert hidden.status_code == missing.status_code == 422
    assert hidden.text.replace(patient, "") == missing.text.replace(absent, "")
    assert f"Patient/{patient}" in issue(hidden)
    assert hidden.json()["issue"][0]["expression"] == ["Observation.subject"]


def test_a_resource_of_no_patient_is_refused_by_its_rule(gp: httpx.Client) -> None:
    refused = gp.post("/Medication", content=b'{"resourceType":"Medication"}')
    orphan = gp.post("/Observation", content=b'{"resourceType":"Observation","status":"final","code":{"text":"x"}}')

    assert refused.status_code == orphan.status_code == 422
    assert "refers to it" in issue(refused)
    assert "Observation.subject" in issue(orphan)


def test_an_update_cannot_carry_a_resource_over_to_another_patient(
    gp: httpx.Client, service: Any, patient: str
) -> None:
    other = service.patient()
    id_ = gp.post("/Observation", content=observation(patient)).json()["id"]

    moved = gp.put(f"/Observation/{id_}", content=observation(other, id=id_))

    assert moved.status_code == 422
    assert gp.get(f"/Observation/{id_}").json()["subject"]["reference"] == f"Patient/{patient}"


def test_a_conditional_create_makes_one_and_finds_it_again(gp: httpx.Client, patient: str) -> None:
    value = str(uuid.uuid4())
    body = observation(patient, identifier=[{"system": "urn:test", "value": value}])
    asked = {"if-none-exist": f"identifier=urn:test|{value}"}

    first = gp.post("/Observation", content=body, headers=asked)
    again = gp.post("/Observation", content=body, headers=asked)

    assert (first.status_code, again.status_code) == (201, 200), again.text
    assert first.json()["id"] == again.json()["id"]


def test_a_conditional_update_changes_the_one_match_or_creates(gp: httpx.Client, patient: str) -> None:
    identifiers = [{"system": "urn:test", "value": str(uuid.uuid4())}]
    asked = {"identifier": f"urn:test|{identifiers[0]['value']}"}

    first = gp.put("/Observation", params=asked, content=observation(patient, "1", identifier=identifiers))
    second = gp.put("/Observation", params=asked, content=observation(patient, "2", identifier=identifiers))

    assert (first.status_code, second.status_code) == (201, 200), second.text
    assert first.json()["id"] == second.json()["id"]
    assert second.json()["meta"]["versionId"] == "2"
    gp.post("/Observation", content=observation(patient, "3", identifier=identifiers))
    third = gp.put("/Observation", params=asked, content=observation(patient, "4", identifier=identifiers))
    assert third.status_code == 412


def test_a_form_is_searched_like_a_query(gp: httpx.Client, patient: str) -> None:
    gp.post("/Observation", content=observation(patient))

    by_query = gp.get("/Observation", params={"patient": patient, "_count": "1"})
    by_form = gp.post(
        "/Observation/_search",
        content=f"patient={patient}&_count=1",
        headers={"content-type": "application/x-www-form-urlencoded"},
    )

    assert by_query.status_code == by_form.status_code == 200, by_query.text
    assert by_query.json()["entry"][0]["resource"] == by_form.json()["entry"][0]["resource"]


def test_the_request_id_comes_back(gp: httpx.Client) -> None:
    assert gp.get("/metadata", headers={"x-request-id": "abc-1"}).headers["x-request-id"] == "abc-1"
    assert gp.get("/metadata", headers={"x-request-id": "a b<c>"}).headers["x-request-id"] != "a b<c>"


def test_a_scope_is_an_upper_bound(service: Any, patient: str) -> None:
    with service.client("gp", "user/Observation.rs") as client:
        assert client.post("/Observation", content=observation(patient)).status_code == 403
        assert client.get(f"/Patient/{patient}").status_code == 403
        assert client.get("/Observation", params={"patient": patient}).status_code == 200
        batch = {
            "resourceType": "Bundle",
            "type": "batch",
            "entry": [{"request": {"method": "GET", "url": f"Patient/{patient}"}}],
        }
        answer = client.post("/", json=batch)
        assert answer.json()["entry"][0]["response"]["status"].startswith("403")


def test_a_scope_with_criteria_bounds_reads_and_writes(service: Any, gp: httpx.Client, patient: str) -> None:
    vital = "http://terminology.hl7.org/CodeSystem/observation-category|vital-signs"
    weight = gp.post("/Observation", content=observation(patient)).json()["id"]
    other = gp.post("/Observation", content=observation(patient, category=OTHER)).json()["id"]

    with service.client("gp", f"user/Observation.cru?category={vital}") as client:
        assert client.get(f"/Observation/{weight}").status_code == 200
        assert client.get(f"/Observation/{other}").status_code == 404
        assert client.post("/Observation", content=observation(patient)).status_code == 201
        assert client.post("/Observation", content=observation(patient, category=OTHER)).status_code == 403
        assert client.put(f"/Observation/{other}", content=observation(patient, id=other)).status_code == 404


@pytest.mark.parametrize("matching", [True, False])
def test_a_deletion_is_shown_to_a_scope_with_criteria_by_its_last_content(
    service: Any, gp: httpx.Client, patient: str, matching: bool
) -> None:
    vital = "http://terminology.hl7.org/CodeSystem/observation-category|vital-signs"
    mine, changed = observation(patient), observation(patient, category=OTHER)
    first, last = (changed, mine) if matching else (mine, changed)
    id_ = gp.post("/Observation", content=first).json()["id"]
    again = json.loads(last) | {"id": id_}
    assert gp.put(f"/Observation/{id_}", content=json.dumps(again)).status_code == 200
    assert gp.delete(f"/Observation/{id_}").status_code == 204
    never = gp.post("/Observation", content=changed).json()["id"]
    assert gp.delete(f"/Observation/{never}").status_code == 204

    with service.client("gp", f"user/Observation.r?category={vital}") as client:
        read = client.get(f"/Observation/{id_}").status_code
        versions = [client.get(f"/Observation/{id_}/_history/{number}").status_code for number in (1, 2, 3)]
        entries = client.get(f"/Observation/{id_}/_history").json()["entry"]
        assert client.get(f"/Observation/{never}/_history").status_code == 404

    methods = [entry["request"]["method"] for entry in entries]
    assert read == (410 if matching else 404)
    assert versions == ([404, 200, 410] if matching else [200, 404, 404])
    assert methods == (["DELETE", "PUT"] if matching else ["POST"])


def test_a_part_of_a_resource_is_read_and_cannot_be_put_back(gp: httpx.Client, patient: str) -> None:
    made = gp.post("/Observation", content=observation(patient, note=[{"text": "n"}]))
    id_ = made.json()["id"]
    for path in (f"/Observation/{id_}", f"/Observation/{id_}/_history/1"):
        part = gp.get(path, params={"_summary": "true"})
        assert "note" not in part.json()
        assert '"value":72.50' in part.text
        assert part.json()["meta"]["tag"][-1]["code"] == "SUBSETTED"
        assert part.headers["etag"] == 'W/"1"'
        assert "note" in gp.get(path, params={"_elements": "note"}).json()
    history = gp.get(f"/Observation/{id_}/_history", params={"_elements": "Observation.subject"}).json()
    assert "note" not in history["entry"][0]["resource"]
    said = gp.put(f"/Observation/{id_}", content=part.content)
    assert said.status_code == 422
    assert "SUBSETTED" in issue(said)
    assert said.json()["issue"][0]["expression"][0].startswith("Observation.meta.tag[")
    assert gp.post("/Observation", content=part.content).status_code == 422
    assert gp.get(f"/Observation/{id_}").headers["etag"] == 'W/"1"'


def test_the_same_search_by_get_and_post_in_every_place(gp: httpx.Client, patient: str, service: Any) -> None:
    base, public = service.fhir, gp.get("/metadata").json()["implementation"]["url"]
    gp.post("/Observation", content=observation(patient))
    form = {"content-type": "application/x-www-form-urlencoded"}
    for path, query in (
        ("/Observation", f"patient={patient}&_count=2"),
        ("", f"_type=Observation,Condition&patient={patient}&_count=2"),
        (f"/Patient/{patient}/Observation", "status=final&_count=2"),
        (f"/Patient/{patient}/*", "_count=2&_lastUpdated=ge2000"),
    ):
        got = gp.get(f"{base}{path}?{query}").json()
        assert got["entry"], path
        posted = gp.post(f"{path}/_search", content=query, headers=form).json()
        first, _, rest = query.partition("&")
        both = gp.post(f"{path}/_search?{first}&_format=json", content=f"_format=json&{rest}", headers=form).json()
        for other, kept in ((posted, ""), (both, "&_format=json")):
            assert [one["fullUrl"] for one in other["entry"]] == [one["fullUrl"] for one in got["entry"]], path
            assert other["link"][0]["url"] == got["link"][0]["url"] + kept, path
            assert other.get("total") == got.get("total"), path
        assert got["link"][0]["url"].startswith(f"{public}{path}?"), "the self link is the search as it was asked"
        for link in got["link"][1:]:
            assert gp.get(link["url"].replace(public, base)).status_code == 200
    unknown = gp.post(f"/Patient/{patient}/Observation/_search?nonsense=1", content="status=final", headers=form)
    assert unknown.status_code == 400 and "nonsense" in issue(unknown)


def test_the_compartment_of_another_teams_patient_is_empty(
    gp: httpx.Client, outside: httpx.Client, patient: str
) -> None:
    gp.post("/Observation", content=observation(patient))
    for path in (f"/Patient/{patient}/*", f"/Patient/{patient}/Observation"):
        assert gp.get(path).json()["entry"]
        hidden, made_up = outside.get(path), outside.get(path.replace(patient, "0" * 32))
        assert hidden.status_code == made_up.status_code == 200
        assert hidden.text.replace(patient, "0" * 32) == made_up.text
        assert "entry" not in hidden.json()


def test_leniency_is_echoed(gp: httpx.Client, patient: str) -> None:
    asked = f"/Observation?patient={patient}&nonsense=1"
    assert gp.get(asked).status_code == 400
    assert gp.get(asked, headers={"prefer": "handling=strict"}).status_code == 400
    told = gp.get(asked, headers={"prefer": "handling=lenient"})
    assert told.headers["preference-applied"] == "handling=lenient"
    assert "nonsense" not in told.json()["link"][0]["url"]
    assert gp.get(f"/Observation?patient={patient}", headers={"prefer": "handling=strict"}).headers[
        "preference-applied"
    ] == ("handling=strict")


def test_the_id_of_another_resource_names_no_patient(
    gp: httpx.Client, patient: str, weight: Callable[..., bytes]
) -> None:
    """Ids tell whose record they are of: that a caller has rights there does not make a Patient of each of them."""
    one = gp.post("/Observation", content=weight(patient)).json()["id"]

    refused = gp.post("/Observation", content=weight(one))

    assert refused.status_code == 422
    assert f"Patient/{one} does not exist" in refused.text
