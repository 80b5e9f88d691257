"""schemathesis calls every operation of the OpenAPI document with what the document allows and what it does not.

No answer may be an error of the service, or of a status, type or shape that the document does not give. `make test` takes
a few calls of each, the same each time; `make proof` many.
"""

import contextlib
import copy
from collections import Counter
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable

from ..conftest import Service

pytestmark = pytest.mark.http

UNKNOWN = "0123456789abcdef0123456789abcdef"


# schemathesis is imported where it is called: that takes seconds, which every process of a test run would spend.


def operations_of(document: Any) -> list[Any]:
    import schemathesis
    from schemathesis.core.result import Ok

    found = list(schemathesis.openapi.from_dict(document).get_all_operations())
    assert all(isinstance(one, Ok) for one in found)
    return [one.ok() for one in found if isinstance(one, Ok)]


@pytest.fixture(scope="module")
def operations(service: Service) -> list[Any]:
    """The operations, their ids those of a patient and of nobody."""
    given_ = httpx.get(f"{service.url}/openapi.json").json()
    known = {"Patient": service.patient("stranger")}
    document = copy.deepcopy(given_)
    del document["security"]  # with it schemathesis tries tokens of its own; who calls without one is tested elsewhere
    for path, item in document["paths"].items():
        for parameter in item["parameters"]:
            if parameter["name"] == "id":
                type_ = path.split("/")[1]
                parameter["schema"] = {"type": "string", "enum": [known.get(type_, UNKNOWN), UNKNOWN, "a"]}
            elif parameter["name"] == "type":
                parameter["schema"]["enum"] = ["Patient", "Observation", "Organization", "Medication"]
    return operations_of(document)


def call_all(service: Service, operations: list[Any], most: int, *, few: bool = False) -> Counter[int]:
    """How often each status was answered. `few`: the same calls each time, without HEAD, allowed and not allowed ones in
    turn. A token is good for five minutes: otherwise each operation has one of its own."""
    from schemathesis import GenerationMode
    from schemathesis.checks import not_a_server_error
    from schemathesis.specs.openapi import checks as of_openapi

    checks = [
        not_a_server_error,
        of_openapi.status_code_conformance,
        of_openapi.content_type_conformance,
        of_openapi.response_schema_conformance,
    ]
    answered: Counter[int] = Counter()
    headers = {"authorization": f"Bearer {service.token('stranger')}"}
    modes = [GenerationMode.POSITIVE, GenerationMode.NEGATIVE]
    for number, operation in enumerate(operations):
        if few and operation.method == "head":
            continue
        if not few:
            headers["authorization"] = f"Bearer {service.token('stranger')}"
        for mode in modes[number % 2 :][:1] if few else modes:

            @settings(
                max_examples=most,
                deadline=None,
                derandomize=few,
                database=None,
                suppress_health_check=list(HealthCheck),
            )
            @given(case=operation.as_strategy(generation_mode=mode))
            def call(case: Any) -> None:
                response = case.call_and_validate(base_url=service.fhir, headers=headers, checks=checks)
                answered[response.status_code] += 1

            with contextlib.suppress(Unsatisfiable):  # what takes no parameters cannot be called with wrong ones
                call()
    return answered


def test_no_operation_answers_what_the_document_does_not_say(service: Service, operations: list[Any]) -> None:
    answered = call_all(service, operations, 2, few=True)

    assert answered.total() > len(operations) / 2
    assert {200, 400, 404} <= set(answered)
    assert 401 not in answered


@pytest.mark.proof
def test_no_operation_does_after_many_calls(service: Service, operations: list[Any]) -> None:
    answered = call_all(service, operations, 40)

    # How many of the made-up calls mean something is chance: 137 of a run in which nothing was wrong.
    assert answered[200] > 60
    assert {200, 400, 404} <= set(answered)
    assert 401 not in answered


def test_an_answer_that_the_document_does_not_say_is_told(service: Service) -> None:
    """The same calls, with a document that says of $everything what is not so."""
    from schemathesis.core.failures import FailureGroup

    document = httpx.get(f"{service.url}/openapi.json").json()
    item = copy.deepcopy(document["paths"]["/Patient/$everything"])
    item["get"]["responses"] = {"204": {"description": "Nothing."}}
    document["paths"] = {"/Patient/$everything": item}
    [first, *_] = operations_of(document)

    with pytest.raises(FailureGroup, match="Undocumented status code"):
        call_all(service, [first], 2)
