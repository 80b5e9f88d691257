"""Versions in headers, by RFC 9110 §8.8 and §13."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from liaison.fhir.errors import BadRequest, PreconditionFailed
from liaison.fhir.interactions import etag

AT = datetime(2026, 1, 31, 8, 0, 0, 123000, tzinfo=UTC)


def test_the_answer_names_its_version_and_moment() -> None:
    assert etag.meta(3, AT.astimezone(timezone(timedelta(hours=1)))) == (
        ("etag", 'W/"3"'),
        ("last-modified", "Sat, 31 Jan 2026 08:00:00 GMT"),
    )


@pytest.mark.parametrize("value", ['W/"3"', '"3"', '"1", W/"3"', "*", "3"])
def test_if_match_that_names_the_version_passes(value: str) -> None:
    etag.require_match({"if-match": value}, 3)


@pytest.mark.parametrize("value", ['W/"2"', '"x"', 'W/"33"', '"3x"'])
def test_if_match_that_names_another_version_fails(value: str) -> None:
    with pytest.raises(PreconditionFailed):
        etag.require_match({"if-match": value}, 3)


@pytest.mark.parametrize("value", ["x", "3x", 'W/3"', ""])
def test_what_is_no_entity_tag_is_refused(value: str) -> None:
    with pytest.raises(BadRequest):
        etag.require_match({"if-match": value}, 3)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, False),
        ({"if-none-match": 'W/"3"'}, True),
        ({"if-none-match": 'W/"2"'}, False),
        ({"if-none-match": "*"}, True),
        ({"if-none-match": "3"}, True),  # as fhirpy sends it
        ({"if-none-match": "2"}, False),
        ({"if-modified-since": "Sat, 31 Jan 2026 08:00:00 GMT"}, True),
        ({"if-modified-since": "Sat, 31 Jan 2026 07:59:59 GMT"}, False),
        ({"if-modified-since": "not a date"}, False),
        ({"if-modified-since": f"Sat, 31 Jan {'9' * 20} 08:00:00 GMT"}, False),
        ({"if-modified-since": f"Sat, 31 Jan 2026 08:00:00 +{'9' * 20}"}, False),
        # RFC 9110 §13.1.3: If-Modified-Since is ignored beside If-None-Match.
        ({"if-none-match": 'W/"2"', "if-modified-since": "Sat, 31 Jan 2026 09:00:00 GMT"}, False),
    ],
)
def test_a_copy_that_still_stands_is_not_sent_again(headers: dict[str, str], expected: bool) -> None:
    assert etag.not_modified(headers, 3, AT) is expected
