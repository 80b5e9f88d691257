"""The links of a page lead to pages in the same form (R4 http.html#parameters, #paging)."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

pytestmark = pytest.mark.http


def links(page: httpx.Response) -> dict[str, str]:
    assert page.status_code == 200, page.text
    return {one["relation"]: one["url"] for one in page.json()["link"]}


def followed(client: httpx.Client, link: str) -> httpx.Response:
    """The service of the tests is not at its public address."""
    return client.get(link.partition("/fhir")[2])


@pytest.fixture(scope="module")
def weighed(service: Any, gp: httpx.Client, weight: Any) -> str:
    patient: str = service.patient()
    for value in ("70.1", "70.2", "70.3"):
        assert gp.post("/Observation", content=weight(patient, value)).status_code == 201
    return patient


@pytest.mark.parametrize(
    "path",
    [
        "/Observation?patient={}&_count=1&_elements=status",
        "/Patient/{}/Observation?_count=1&_elements=status",
        "/?_type=Observation&patient={}&_count=1&_elements=status",
        "/Observation/_history?_count=1&_elements=status",
    ],
)
def test_the_next_page_has_the_form_of_this_one(gp: httpx.Client, weighed: str, path: str) -> None:
    form = {"_format": ["application/json"], "_pretty": ["true"]}
    first = gp.get(path.format(weighed) + "&_format=application/json&_pretty=true")

    following = followed(gp, links(first)["next"])

    assert following.headers["content-type"].startswith("application/json")
    assert following.text.startswith('{\n  "')
    shown = following.json()["entry"][0]["resource"]
    assert "valueQuantity" not in shown, "the part that was asked for"
    assert shown["meta"]["tag"][0]["code"] == "SUBSETTED"
    for one in (*links(first).values(), *links(following).values()):
        asked = parse_qs(urlsplit(one).query)
        assert {name: asked.get(name) for name in form} == form
    back = links(following).get("previous")
    assert back is None or followed(gp, back).text.startswith('{\n  "')


def test_a_form_in_the_body_is_that_of_the_links(gp: httpx.Client, weighed: str) -> None:
    asked = {"patient": weighed, "_count": "1", "_format": "application/json"}

    page = gp.post("/Observation/_search", data=asked, headers={"content-type": "application/x-www-form-urlencoded"})

    assert parse_qs(urlsplit(links(page)["next"]).query)["_format"] == ["application/json"]


def test_the_journal_too(service: Any, auditor: httpx.Client, weighed: str) -> None:
    page = auditor.get(f"/AuditEvent?patient=Patient/{weighed}&_count=1&_pretty=true")

    assert "_pretty=true" in links(page)["next"]
    assert followed(auditor, links(page)["next"]).text.startswith('{\n  "')


def test_without_a_form_the_links_have_none(gp: httpx.Client, weighed: str) -> None:
    page = gp.get(f"/Observation?patient={weighed}&_count=1")

    assert not any("_format" in one or "_pretty" in one for one in links(page).values())
