"""Bundles to send, and what is in them."""

from typing import Any

import httpx


def entry(resource: dict[str, Any], url: str = "", **request: Any) -> dict[str, Any]:
    found = {"resource": resource, "request": {"method": "POST", "url": resource["resourceType"], **request}}
    return {"fullUrl": url, **found} if url else found


def send(client: httpx.Client, type_: str, *entries: dict[str, Any]) -> httpx.Response:
    return client.post("/", json={"resourceType": "Bundle", "type": type_, "entry": entries})


def observation(subject: str, **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]},
        "subject": {"reference": subject},
        **more,
    }
