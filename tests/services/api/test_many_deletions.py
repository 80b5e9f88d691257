"""Conditional delete of several: for administrators, up to the number that is set (3 in the service of these tests)."""

import dataclasses
import json
import uuid
from typing import Any

import httpx
import pytest

from liaison.auth.access import internal
from liaison.fhir.store.contract import Request
from liaison.services.house import House

from ..conftest import Service


def places(client: httpx.Client, number: int) -> str:
    """So many Locations that one criterion matches; the criterion."""
    mark = uuid.uuid4().hex
    place = {"resourceType": "Location", "name": mark, "status": "active"}
    for _ in range(number):
        assert client.post("/Location", content=json.dumps(place)).status_code == 201
    return f"name={mark}"


def left(client: httpx.Client, query: str) -> int:
    return int(client.get(f"/Location?{query}&_summary=count").json()["total"])


@pytest.mark.http
@pytest.mark.parametrize("bundled", [False, True])
def test_an_administrator_deletes_up_to_the_number_that_is_set(service: Service, bundled: bool) -> None:
    def delete(client: httpx.Client, query: str) -> int:
        if not bundled:
            return client.delete(f"/Location?{query}").status_code
        one = {"request": {"method": "DELETE", "url": f"Location?{query}"}}
        return client.post("/", json={"resourceType": "Bundle", "type": "transaction", "entry": [one]}).status_code

    with service.client("admin") as admin:
        few, many = places(admin, 3), places(admin, 4)
        assert delete(admin, few) == (200 if bundled else 204)
        assert left(admin, few) == 0
        assert delete(admin, many) == 412
        assert left(admin, many) == 4
        statement = admin.get("/metadata").json()["rest"][0]["resource"]
        assert {one["conditionalDelete"] for one in statement if one["type"] != "AuditEvent"} == {"multiple"}


@pytest.mark.http
def test_anybody_else_deletes_one_at_most(service: Service, gp: httpx.Client, patient: str, weight: Any) -> None:
    mark = uuid.uuid4().hex
    for _ in range(2):
        made = gp.post("/Observation", content=weight(patient, identifier=[{"system": "urn:test", "value": mark}]))
        assert made.status_code == 201

    refused = gp.delete(f"/Observation?identifier=urn:test|{mark}")

    assert refused.status_code == 412
    assert gp.get(f"/Observation?identifier=urn:test|{mark}").json()["total"] == 2


async def test_it_is_off_unless_it_is_set(house: House) -> None:
    """The same administrator, on a service that says nothing of it."""
    maker = await internal.open_session(house.database.writing, "sandbox")
    admin = dataclasses.replace(maker, role_code="admin")
    for _ in range(2):
        answer = await house.engine.handle(
            maker, Request("POST", "Location", "", b'{"resourceType":"Location","name":"x"}')
        )
        assert answer.status == 201

    assert (await house.engine.handle(admin, Request("DELETE", "Location", "name=x"))).status == 412
    found = await house.engine.handle(maker, Request("GET", "Location", "name=x"))
    assert json.loads(found.body)["total"] == 2
