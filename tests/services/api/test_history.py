"""History of an instance, a type and the base, over HTTP on the real service."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from liaison.fhir.model.dates import ZONE

from .crowd import bundle

pytestmark = pytest.mark.http

Weight = Callable[..., bytes]

BASE = "https://liaison.test/fhir"
ABSENT = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def alone(service: Any) -> str:
    """A patient of a test's own."""
    made: str = service.patient()
    return made


def pages(client: httpx.Client, url: str) -> Iterator[Any]:
    while url:
        answer = client.get(url.replace(BASE, ""))
        assert answer.status_code == 200, answer.text
        page = answer.json()
        yield page
        url = next((link["url"] for link in page["link"] if link["relation"] == "next"), "")


def versions(client: httpx.Client, url: str) -> list[tuple[str, str, str]]:
    """(method, type/id, version) of every entry of every page."""
    return [
        (
            entry["request"]["method"],
            entry["fullUrl"].removeprefix(f"{BASE}/"),
            entry["response"]["etag"].removeprefix('W/"').removesuffix('"'),
        )
        for page in pages(client, url)
        for entry in page.get("entry", ())
    ]


def written(gp: httpx.Client, weight: Weight, patient: str, times: int = 3) -> list[Any]:
    """The versions of a new observation, oldest first."""
    found = [gp.post("/Observation", content=weight(patient, "70")).json()]
    for value in range(1, times):
        answer = gp.put(f"/Observation/{found[0]['id']}", content=weight(patient, str(70 + value), id=found[0]["id"]))
        assert answer.status_code == 200, answer.text
        found.append(answer.json())
    return found


def of(id_: str, found: list[tuple[str, str, str]]) -> list[tuple[str, str]]:
    return [(method, version) for method, reference, version in found if reference.endswith(id_)]


def test_each_history_has_every_version_newest_first(gp: httpx.Client, weight: Weight, patient: str) -> None:
    made = written(gp, weight, patient)
    id_, since = made[0]["id"], made[0]["meta"]["lastUpdated"]
    gp.delete(f"/Observation/{id_}")
    expected = [("DELETE", "4"), ("PUT", "3"), ("PUT", "2"), ("POST", "1")]

    assert of(id_, versions(gp, f"/Observation/{id_}/_history")) == expected
    assert of(id_, versions(gp, f"/Observation/_history?_since={since}")) == expected
    assert of(id_, versions(gp, f"/_history?_since={since}")) == expected
    page = gp.get(f"/Observation/_history?_since={since}").json()
    moments = [entry["response"]["lastModified"] for entry in page["entry"]]
    assert moments == sorted(moments, reverse=True)
    deletion = page["entry"][0]
    assert "resource" not in deletion
    assert deletion["response"]["status"].startswith("204")


def test_a_type_history_holds_that_type_alone(gp: httpx.Client, weight: Weight, patient: str) -> None:
    since = written(gp, weight, patient)[0]["meta"]["lastUpdated"]
    flag = {"resourceType": "Flag", "status": "active", "code": {"text": "x"}}
    assert gp.post("/Flag", json={**flag, "subject": {"reference": f"Patient/{patient}"}}).status_code == 201

    types = {reference.partition("/")[0] for _, reference, _ in versions(gp, f"/Observation/_history?_since={since}")}
    system = {reference.partition("/")[0] for _, reference, _ in versions(gp, f"/_history?_since={since}")}

    assert types == {"Observation"}
    assert {"Observation", "Flag"} <= system


@pytest.mark.parametrize("level", ["Observation/{id}/_history", "Observation/_history", "_history"])
def test_pages_repeat_and_miss_nothing_while_others_write(
    gp: httpx.Client, weight: Weight, patient: str, level: str
) -> None:
    """hapi-fhir#2114: a history of a type had no next link. blaze#1509: what was written between two pages moved them."""
    made = written(gp, weight, patient, 5)
    id_, since = made[0]["id"], made[0]["meta"]["lastUpdated"]
    url = f"/{level.format(id=id_)}?_count=2&_since={since}"
    whole = versions(gp, url.replace("_count=2", "_count=500"))

    seen: list[tuple[str, str, str]] = []
    for page in pages(gp, url):
        assert len(page["entry"]) <= 2
        seen += [
            (e["request"]["method"], e["fullUrl"].removeprefix(f"{BASE}/"), e["response"]["etag"][3:-1])
            for e in page["entry"]
        ]
        gp.put(f"/Observation/{id_}", content=weight(patient, "99", id=id_))  # meanwhile
        gp.post("/Observation", content=weight(patient, "98"))

    assert seen == whole


def test_a_total_is_right_or_absent(gp: httpx.Client, weight: Weight, alone: str) -> None:
    """blaze#2357: totals of histories were wrong, even negative."""
    id_ = written(gp, weight, alone, 3)[0]["id"]
    url = f"/Observation/{id_}/_history"

    assert gp.get(url).json()["total"] == 3
    assert gp.get(f"{url}?_count=0").json()["total"] == 3
    assert "total" not in gp.get(f"{url}?_count=2").json()
    first, second = pages(gp, f"{url}?_count=2")
    assert "total" not in first and "total" not in second
    future = (datetime.now().astimezone() + timedelta(days=1)).isoformat()
    assert gp.get(url, params={"_since": future}).json()["total"] == 0
    gp.delete(f"/Observation/{id_}")
    assert gp.get(url).json()["total"] == 4
    for level in ("/Observation/_history", "/_history"):
        counted = gp.get(f"{level}?_count=0").json()
        assert counted["total"] == len(versions(gp, f"{level}?_count=500"))
        assert "entry" not in counted


def test_since_takes_what_was_written_from_then_on(gp: httpx.Client, weight: Weight, patient: str) -> None:
    made = written(gp, weight, patient)
    id_, since = made[0]["id"], made[1]["meta"]["lastUpdated"]

    for level in (f"/Observation/{id_}/_history", "/Observation/_history", "/_history"):
        assert of(id_, versions(gp, f"{level}?_since={since}")) == [("PUT", "3"), ("PUT", "2")]
        assert of(id_, versions(gp, f"{level}?_since={since.replace('Z', '+00:00')}")) == [("PUT", "3"), ("PUT", "2")]


def test_who_asks_since_the_newest_seen_misses_nothing(service: Any, gp: httpx.Client) -> None:
    """lastUpdated is taken before the commit: what a large transaction wrote appears after what others wrote later."""
    one, other = service.patient(), service.patient()
    headers = {"authorization": f"Bearer {service.token('gp')}", "content-type": "application/fhir+json"}

    def observation(patient: str) -> dict[str, Any]:
        tree = {"resourceType": "Observation", "status": "final", "code": {"text": "essai"}}
        return {**tree, "subject": {"reference": f"Patient/{patient}"}}

    def large() -> set[str]:
        sent = bundle(*[(observation(one), {"method": "POST", "url": "Observation"})] * 150)
        made: set[str] = set()
        for _ in range(3):
            answer = httpx.post(f"{service.fhir}/", content=sent, headers=headers, timeout=120)
            assert answer.status_code == 200, answer.text
            made.update(entry["response"]["location"].split("/")[-3] for entry in answer.json()["entry"])
        return made

    seen: set[str] = set()
    since: str = gp.post("/Observation", json=observation(other)).json()["meta"]["lastUpdated"]

    def poll() -> str:
        shown = [
            entry
            for page in pages(gp, f"/Observation/_history?_count=500&_since={since}")
            for entry in page.get("entry", ())
        ]
        seen.update(entry["resource"]["id"] for entry in shown)
        newest: str = max([since, *(entry["response"]["lastModified"] for entry in shown)])
        return newest

    with ThreadPoolExecutor(2) as threads, httpx.Client(headers=headers, timeout=120) as client:
        writing = threads.submit(large)

        def small() -> set[str]:
            made: set[str] = set()
            while not writing.done():
                answer = client.post(f"{service.fhir}/Observation", json=observation(other))
                assert answer.status_code == 201, answer.text
                made.add(answer.json()["id"])
            return made

        beside = threads.submit(small)
        while not beside.done():
            since = poll()
        made = writing.result() | beside.result()
    poll()

    assert len(made) > 450
    assert not made - seen


def test_at_takes_what_was_current_then(gp: httpx.Client, weight: Weight, patient: str) -> None:
    made = written(gp, weight, patient)
    id_ = made[0]["id"]
    first, second, third = (one["meta"]["lastUpdated"] for one in made)
    early = (datetime.fromisoformat(first) - timedelta(seconds=1)).isoformat()
    that_day = datetime.fromisoformat(first).astimezone(ZONE).date().isoformat()  # a day without an offset is one here
    url = f"/Observation/{id_}/_history"

    def at(moment: str) -> list[tuple[str, str]]:
        return of(id_, versions(gp, f"{url}?_at={moment.replace('+', '%2B')}"))

    assert at(first) == [("POST", "1")]
    assert at(second) == [("PUT", "2")]
    assert at(third) == [("PUT", "3")]
    assert at(early) == []
    assert at(that_day) == [("PUT", "3"), ("PUT", "2"), ("POST", "1")]
    assert at("2020") == []
    gp.delete(f"/Observation/{id_}")
    later = (datetime.now().astimezone() + timedelta(seconds=5)).isoformat()
    assert at(later) == []  # deleted before: nothing of it was current then
    assert at(that_day)[0] == ("DELETE", "4")


@pytest.mark.parametrize("level", ["Observation/{id}/_history", "Observation/_history", "_history"])
@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("_list=List/1", "_list"),
        ("_sort=_lastUpdated", "_sort"),
        ("_count=-1", "_count"),
        ("_count=x", "_count"),
        ("_since=yesterday", "_since"),
        ("_at=x", "_at"),
        ("_since=2026&_since=2027", "_since"),
        ("colour=red", "colour"),
        ("before=2", "before"),
    ],
)
def test_what_a_history_does_not_know_is_refused_by_name(
    gp: httpx.Client, weight: Weight, patient: str, level: str, query: str, named: str
) -> None:
    answer = gp.get(f"/{level.format(id=ABSENT)}?{query}")

    assert answer.status_code == 400
    assert named in answer.json()["issue"][0]["diagnostics"]


def test_a_cursor_is_of_one_caller_and_one_history(
    service: Any, gp: httpx.Client, weight: Weight, patient: str
) -> None:
    id_ = written(gp, weight, patient)[0]["id"]
    page = gp.get(f"/Observation/{id_}/_history?_count=1").json()
    url = next(link["url"] for link in page["link"] if link["relation"] == "next").replace(BASE, "")
    cursor = url.partition("?")[2]

    with service.client("nurse") as nurse:
        assert nurse.get(url).status_code == 410
    assert gp.get(f"/Observation/_history?{cursor}").status_code == 410
    assert gp.get(f"{url}x").status_code == 410
    assert gp.get(f"{url}&_count=1").status_code == 400
    assert gp.get(url).status_code == 200


def test_outside_the_team_there_is_no_history(
    gp: httpx.Client, outside: httpx.Client, weight: Weight, patient: str
) -> None:
    made = written(gp, weight, patient)
    id_, since = made[0]["id"], made[0]["meta"]["lastUpdated"]

    for query in ("", "?_since=2020-01-01", "?_at=2026", "?_count=0"):
        hidden = outside.get(f"/Observation/{id_}/_history{query}")
        missing = outside.get(f"/Observation/{ABSENT}/_history{query}")
        assert hidden.status_code == missing.status_code == 404
        assert hidden.content == missing.content
    for level in ("/Observation/_history", "/_history"):
        assert of(id_, versions(outside, f"{level}?_since={since}")) == []
    assert outside.get("/Observation/_history?_count=0").json()["total"] == 0


def test_a_scope_bounds_a_history(service: Any, gp: httpx.Client, weight: Weight, patient: str) -> None:
    category = "http://terminology.hl7.org/CodeSystem/observation-category"

    def of_category(code: str) -> dict[str, Any]:
        return {"category": [{"coding": [{"system": category, "code": code}]}]}

    mine = gp.post("/Observation", content=weight(patient, **of_category("vital-signs"))).json()
    other = gp.post("/Observation", content=weight(patient, **of_category("exam"))).json()
    gp.delete(f"/Observation/{mine['id']}")
    since = mine["meta"]["lastUpdated"]

    with service.client("gp", f"user/Observation.rs?category={category}|vital-signs") as client:
        for level in ("/Observation/_history", "/_history"):
            found = versions(client, f"{level}?_since={since}&_count=1")
            assert of(mine["id"], found) == [("DELETE", "2"), ("POST", "1")]
            assert of(other["id"], found) == []
            assert {reference.partition("/")[0] for _, reference, _ in found} == {"Observation"}
        assert client.get("/Patient/_history").status_code == 403
    with service.client("gp", "user/Observation.r") as client:
        assert client.get("/Observation/_history").status_code == 403
        assert client.get("/_history").status_code == 403


def test_the_directory_has_a_history_too(service: Any, gp: httpx.Client) -> None:
    with service.client("admin") as admin:
        made = admin.post("/Location", json={"resourceType": "Location", "name": "Cabinet"}).json()
        admin.put(f"/Location/{made['id']}", json={**made, "name": "Maison"})
    since = made["meta"]["lastUpdated"]

    for level in ("/Location/_history", "/_history"):
        assert of(made["id"], versions(gp, f"{level}?_since={since}")) == [("PUT", "2"), ("POST", "1")]


def test_a_history_over_two_families_of_tables_is_one_order(
    service: Any, gp: httpx.Client, weight: Weight, patient: str
) -> None:
    first = gp.post("/Observation", content=weight(patient)).json()
    with service.client("admin") as admin:
        second = admin.post("/Location", json={"resourceType": "Location", "name": "Cabinet"}).json()
    third = gp.post("/Observation", content=weight(patient)).json()

    found = versions(gp, f"/_history?_since={first['meta']['lastUpdated']}&_count=1")

    ids = [reference.partition("/")[2] for _, reference, _ in found]
    wanted = [third["id"], second["id"], first["id"]]
    assert [one for one in ids if one in wanted] == wanted


def test_history_entries_have_the_bytes_of_their_versions(gp: httpx.Client, weight: Weight, patient: str) -> None:
    id_ = gp.post("/Observation", content=weight(patient, "72.50")).json()["id"]

    page = gp.get(f"/Observation/{id_}/_history")

    assert gp.get(f"/Observation/{id_}/_history/1").content in page.content
    assert json.loads(page.content)["entry"][0]["resource"]["id"] == id_
