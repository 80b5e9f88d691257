"""What in a Bundle leads to its entries is led to what they became: R4 http.html#trules, bundle.html#references."""

import json
from typing import Any

import httpx
import pytest

from .bundles import entry, observation, send
from .test_bundles import urn

pytestmark = pytest.mark.http

ELSEWHERE = "https://elsewhere.example/base"


def resources(answer: httpx.Response) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.text
    return [one["resource"] for one in answer.json()["entry"]]


def test_an_absolute_full_url_names_its_entry(gp: httpx.Client, patient: str) -> None:
    """By itself, relatively to the base of the entry that says it, and by a version, which becomes the one written."""
    first = observation(f"Patient/{patient}", id="1")
    said = [
        f"{ELSEWHERE}/Observation/1",
        "Observation/1",
        "Observation/1/_history/7",
        f"{ELSEWHERE}/Observation/1/_history/7",
    ]
    derived = observation(f"Patient/{patient}", derivedFrom=[{"reference": text} for text in said])
    other = observation(f"Patient/{patient}", derivedFrom=[{"reference": f"{ELSEWHERE}/Observation/2"}])

    made, after, outside = resources(
        send(
            gp,
            "transaction",
            entry(first, f"{ELSEWHERE}/Observation/1"),
            entry(derived, f"{ELSEWHERE}/Observation/9"),
            entry(other, f"{ELSEWHERE}/Observation/8"),
        )
    )

    here = f"Observation/{made['id']}"
    versioned = f"{here}/_history/1"
    assert [one["reference"] for one in after["derivedFrom"]] == [here, here, versioned, versioned]
    assert outside["derivedFrom"][0]["reference"] == f"{ELSEWHERE}/Observation/2"


def test_a_relative_reference_is_not_meant_below_another_entrys_base(gp: httpx.Client, patient: str) -> None:
    derived = observation(f"Patient/{patient}", derivedFrom=[{"reference": "Observation/1"}])

    refused = send(
        gp,
        "transaction",
        entry(observation(f"Patient/{patient}"), f"{ELSEWHERE}/Observation/1"),
        entry(derived, "https://third.example/Observation/9"),
    )

    assert refused.status_code == 422
    assert refused.json()["issue"][0]["expression"] == ["Bundle.entry[1].resource.derivedFrom[0]"]


def test_an_update_is_named_by_its_full_url_and_its_new_version(gp: httpx.Client, patient: str) -> None:
    old = gp.post("/Observation", content=json.dumps(observation(f"Patient/{patient}"))).json()
    put = {
        "fullUrl": f"{ELSEWHERE}/Observation/{old['id']}",
        "resource": old,
        "request": {"method": "PUT", "url": f"Observation/{old['id']}"},
    }
    derived = observation(
        f"Patient/{patient}", derivedFrom=[{"reference": f"{ELSEWHERE}/Observation/{old['id']}/_history/1"}]
    )

    _, after = resources(send(gp, "transaction", put, entry(derived, f"{ELSEWHERE}/Observation/9")))

    assert after["derivedFrom"][0]["reference"] == f"Observation/{old['id']}/_history/2"


@pytest.mark.parametrize("full_url", ["urn", f"{ELSEWHERE}/Binary/1"])
def test_addresses_lead_to_the_entry_and_canonicals_stay(gp: httpx.Client, patient: str, full_url: str) -> None:
    url = urn() if full_url == "urn" else full_url
    xhtml = 'xmlns="http://www.w3.org/1999/xhtml"'
    document = {
        "resourceType": "DocumentReference",
        "status": "current",
        "text": {"status": "additional", "div": f'<div {xhtml}><p>Voir <a href="{url}#p2">la page</a></p></div>'},
        "meta": {"profile": [url]},
        "identifier": [{"system": "urn:ietf:rfc:3986", "value": url}],
        "subject": {"reference": f"Patient/{patient}"},
        "extension": [{"url": "https://liaison.example/x", "valueUri": f"{url}#p1"}],
        "content": [{"attachment": {"contentType": "text/plain", "url": url}}],
    }
    context = {"securityContext": {"reference": f"Patient/{patient}"}}
    binary = {"resourceType": "Binary", "contentType": "text/plain", "data": "QQ==", **context}

    stored, kept = resources(send(gp, "transaction", entry(document, urn()), entry(binary, url)))

    here = f"Binary/{kept['id']}"
    assert stored["content"][0]["attachment"]["url"] == here
    assert stored["extension"][0]["valueUri"] == f"{here}#p1"
    assert f'<a href="{here}#p2">' in stored["text"]["div"]
    assert stored["identifier"][0]["value"] == url
    assert stored["meta"]["profile"] == [url]
    assert gp.get(f"/DocumentReference/{stored['id']}").json() == stored


def test_entries_of_a_batch_do_not_name_each_other_by_an_absolute_url_either(gp: httpx.Client, patient: str) -> None:
    derived = observation(f"Patient/{patient}", derivedFrom=[{"reference": f"{ELSEWHERE}/Observation/1"}])

    answer = send(gp, "batch", entry(observation(f"Patient/{patient}"), f"{ELSEWHERE}/Observation/1"), entry(derived))

    assert [one["response"]["status"][:3] for one in answer.json()["entry"]] == ["201", "400"]


@pytest.mark.parametrize(
    "type_",
    [
        "document",
        "message",
        "transaction-response",
        "batch-response",
        "history",
        "searchset",
        "collection",
        "",
        "nonsense",
    ],
)
def test_a_bundle_of_any_other_type_is_refused_with_what_to_do(gp: httpx.Client, patient: str, type_: str) -> None:
    refused = send(gp, type_, entry(observation(f"Patient/{patient}")))

    assert refused.status_code == 400
    issue = refused.json()["issue"][0]
    assert issue["expression"] == ["Bundle.type"]
    assert "batch or transaction" in issue["diagnostics"]


@pytest.mark.parametrize(
    "bundle", [{}, {"type": None}, {"type": ["transaction"]}, {"type": "transaction", "entry": {}}]
)
def test_a_bundle_without_a_type_or_with_another_shape_is_refused(gp: httpx.Client, bundle: dict[str, Any]) -> None:
    assert gp.post("/", json={"resourceType": "Bundle", **bundle}).status_code == 400
