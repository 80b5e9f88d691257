"""Where the answer of an entry stands in the response Bundle."""

import json
from datetime import UTC, datetime

import pytest

from liaison.fhir.interactions.entries import Entry
from liaison.fhir.interactions.responses import response_bundle
from liaison.fhir.store.contract import Answer, Request

OUTCOME = b'{"resourceType":"OperationOutcome","issue":[]}'
SHOWN = (("content-location", "https://x/OperationOutcome/1/_history/1"),)


@pytest.mark.parametrize(
    ("answer", "place"),
    [
        (Answer(200, b'{"resourceType":"Flag"}'), "resource"),
        (Answer(200, OUTCOME), "outcome"),
        (Answer(404, OUTCOME), "outcome"),
        (Answer(201, OUTCOME, SHOWN), "resource"),
        (Answer(200, OUTCOME, SHOWN), "resource"),
        (Answer(204), ""),
    ],
)
def test_a_stored_outcome_is_a_resource_and_another_tells_how_it_went(answer: Answer, place: str) -> None:
    entry = Entry("Bundle.entry[0]", "", "GET", "Flag/1", "", {}, None, None, None)

    [found] = json.loads(response_bundle("batch-response", [entry], [answer], Request("POST", "")).body)["entry"]

    assert ("resource" in found) is (place == "resource")
    assert ("outcome" in found["response"]) is (place == "outcome")


def test_an_entry_says_when_its_version_was_written() -> None:
    entry = Entry("Bundle.entry[0]", "", "PUT", "Flag/1", "", {}, None, None, None)
    answer = Answer(200, b"", (("etag", 'W/"2"'),), modified=datetime(2026, 3, 2, 9, 30, 0, 123000, UTC))

    [found] = json.loads(response_bundle("transaction-response", [entry], [answer], Request("POST", "")).body)["entry"]

    assert found["response"] == {"status": "200 OK", "etag": 'W/"2"', "lastModified": "2026-03-02T09:30:00.123Z"}
