"""The OpenAPI document of the operations says what is registered, and the registry says what is described."""

from typing import Any

import httpx
import pytest

from liaison.fhir.interactions.routing import route
from liaison.services.api.openapi import document
from liaison.services.house import House
from liaison.services.operation_definitions import DESCRIBED

from ..conftest import Service

BASE = "https://liaison.test/fhir"


async def test_what_is_served_is_what_is_described(house: House) -> None:
    statement: dict[str, Any] = document(BASE, DESCRIBED)
    for path in statement["paths"]:
        concrete = path.lstrip("/").replace("{type}", "Observation").replace("{id}", "none")
        methods = {name.upper() for name in statement["paths"][path]} - {"PARAMETERS"}
        assert set(house.engine.allowed(concrete)) == methods, path
    assert house.engine.described.keys() == house.engine.operations.keys()


def test_each_operation_has_a_name_of_its_own_and_says_every_answer() -> None:
    statement = document(BASE, DESCRIBED)
    each = [
        (path, method, found)
        for path, item in statement["paths"].items()
        for method, found in item.items()
        if method != "parameters"
    ]
    names = [found["operationId"] for _, _, found in each]

    assert len(names) == len(set(names)) > len(DESCRIBED)
    for path, method, found in each:
        assert {"401", "404", "503"} < set(found["responses"]), path
        assert route(method.upper(), path[1:].replace("{type}", "Flag").replace("{id}", "a")).name == "operation"
    assert statement["servers"] == [{"url": BASE}]


def test_what_must_be_given_is_said_to_be_required() -> None:
    paths = document(BASE, DESCRIBED)["paths"]

    assert paths["/Patient/$register"]["post"]["requestBody"]["required"] is True
    assert set(paths["/Patient/$register"]) == {"parameters", "post"}
    everything = {one["name"] for one in paths["/Patient/{id}/$everything"]["get"]["parameters"]}
    assert everything == {"start", "end", "_since", "_type", "_count"}


@pytest.mark.http
def test_anybody_may_read_it(service: Service) -> None:
    answer = httpx.get(f"{service.url}/openapi.json")

    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.json() == document(service.settings.fhir_base, DESCRIBED)
