"""The entries of a Bundle as requests."""

from typing import Any

import pytest

from liaison.fhir.errors import BadRequest, TooLarge
from liaison.fhir.interactions.entries import MOST_ENTRIES, Entry, full_urls, read_entries
from liaison.fhir.store.contract import Request

BASE = "https://liaison.test/fhir"
OUTER = Request("POST", "", "", b"", {"prefer": "return=minimal", "if-match": "x"}, "id-1", "192.0.2.1")


def read(*entries: Any) -> list[Entry]:
    return read_entries({"resourceType": "Bundle", "type": "batch", "entry": list(entries)}, OUTER, BASE)


def test_an_entry_becomes_a_request_of_its_own() -> None:
    (entry,) = read(
        {
            "fullUrl": "urn:uuid:1",
            "resource": {"resourceType": "Flag", "id": "f"},
            "request": {"method": "PUT", "url": f"{BASE}/Flag/f", "ifMatch": 'W/"2"'},
        }
    )

    request = entry.request(OUTER)

    assert (request.method, request.path, request.body) == ("PUT", "Flag/f", b'{"resourceType":"Flag","id":"f"}')
    # The outer If-Match is about the Bundle; the wish for an answer is about all of it.
    assert request.headers == {"if-match": 'W/"2"', "prefer": "return=minimal"}
    assert (request.request_id, request.address) == ("id-1", "192.0.2.1")


def test_the_instant_of_an_entry_is_the_date_of_a_header() -> None:
    asked = {"method": "GET", "url": "Flag/f", "ifModifiedSince": "2026-03-02T10:30:00.250+01:00"}
    (entry,) = read({"request": asked})

    assert entry.headers["if-modified-since"] == "Mon, 02 Mar 2026 09:30:00 GMT"


def test_criteria_are_kept() -> None:
    (entry,) = read({"request": {"method": "GET", "url": "Flag?patient=1&_count=2"}})

    assert (entry.path, entry.query) == ("Flag", "patient=1&_count=2")


@pytest.mark.parametrize(
    "entry",
    [
        None,
        {},
        {"request": []},
        {"request": {"method": "BREW", "url": "Flag"}},
        {"request": {"method": "GET", "url": 1}},
        {"request": {"method": "GET", "url": "Nothing/1"}},
        {"request": {"method": "GET", "url": "Flag/1", "ifModifiedSince": "yesterday"}},
        {"request": {"method": "GET", "url": "Flag/1", "ifModifiedSince": "0001-01-01T00:00:00+14:00"}},
        {"request": {"method": "GET", "url": "Flag/1", "ifModifiedSince": "2026-03-02T10:30:00"}},
        {"request": {"method": "POST", "url": ""}, "resource": {"resourceType": "Bundle"}},
        {"request": {"method": "POST", "url": "Flag"}},
        {"request": {"method": "POST", "url": "Flag"}, "resource": {"resourceType": "Goal"}},
        {"request": {"method": "POST", "url": "Flag/1"}, "resource": {"resourceType": "Flag"}},
    ],
)
def test_what_cannot_be_understood_is_named(entry: Any) -> None:
    good = {"request": {"method": "GET", "url": "Flag"}}

    _, bad = read(good, entry)

    assert bad.problem is not None
    assert all(issue.diagnostics.startswith("Bundle.entry[1]: ") for issue in bad.problem.issues)
    assert all(issue.expression.startswith("Bundle.entry[1]") for issue in bad.problem.issues)


@pytest.mark.parametrize(
    ("entry", "expression"),
    [
        ("a text", "Bundle.entry[1]"),
        ({"request": []}, "Bundle.entry[1].request"),
        ({"request": {"method": "GET"}}, "Bundle.entry[1].request.url"),
        ({"fullUrl": 7, "request": {"method": "GET", "url": "Flag"}}, "Bundle.entry[1].fullUrl"),
        # What is misspelt would be done without: here a create of what is there already.
        ({"request": {"method": "GET", "url": "Flag", "ifNonExist": "identifier=1"}}, "Bundle.entry[1].request"),
        ({"request": {"method": "GET", "url": "Flag", "ifNoneExist": ""}}, "Bundle.entry[1].request.ifNoneExist"),
        ({"request": {"method": "GET", "url": "Flag"}, "ressource": {}}, "Bundle.entry[1]"),
        ({"request": {"method": "GET", "url": "Flag"}, "link": [{"relation": "self"}]}, "Bundle.entry[1].link[0].url"),
    ],
)
def test_each_problem_of_an_entry_has_its_place(entry: Any, expression: str) -> None:
    _, bad = read({"request": {"method": "GET", "url": "Flag"}}, entry)

    assert bad.problem is not None
    assert [issue.expression for issue in bad.problem.issues] == [expression]


@pytest.mark.parametrize(
    ("wrong", "expression"),
    [({"type": "bach"}, "Bundle.type"), ({"entries": []}, "Bundle"), ({"timestamp": "today"}, "Bundle.timestamp")],
)
def test_a_bundle_that_is_none_of_r4_is_refused(wrong: dict[str, Any], expression: str) -> None:
    with pytest.raises(BadRequest) as caught:
        read_entries({"resourceType": "Bundle", "type": "batch", **wrong}, OUTER, BASE)
    assert [issue.expression for issue in caught.value.issues] == [expression]


def test_what_an_entry_holds_is_looked_at_by_itself() -> None:
    held = {"resourceType": "Flag", "status": "nonsense", "subject": {}}
    (entry,) = read({"resource": held, "request": {"method": "POST", "url": "Flag"}})

    assert entry.problem is None
    assert entry.resource is held


def test_two_entries_with_one_full_url_are_refused() -> None:
    one = {"fullUrl": "urn:uuid:1", "resource": {"resourceType": "Flag"}, "request": {"method": "POST", "url": "Flag"}}

    with pytest.raises(BadRequest) as caught:
        full_urls(read(one, one))
    assert caught.value.issues[0].expression == "Bundle.entry[1].fullUrl"


def test_too_many_entries_are_refused_at_once() -> None:
    with pytest.raises(TooLarge):
        read(*[None] * (MOST_ENTRIES + 1))


def test_entries_that_are_no_list_are_refused() -> None:
    with pytest.raises(BadRequest):
        read_entries({"entry": {}}, OUTER, BASE)
