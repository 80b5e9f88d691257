"""Prefer, by RFC 7240."""

from datetime import UTC, datetime

import pytest

from liaison.fhir.interactions import prefer


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", "representation"),
        ("return=minimal", "minimal"),
        ("return=representation", "representation"),
        ("return=OperationOutcome", "OperationOutcome"),
        ('RETURN="minimal"', "minimal"),
        ("handling=lenient, return=minimal; x=1", "minimal"),
        ("return=minimal, return=representation", "minimal"),
        ("return=everything", "representation"),
    ],
)
def test_the_wish_is_understood(header: str, expected: str) -> None:
    assert prefer.returns({"prefer": header}) == expected


@pytest.mark.parametrize(
    ("wish", "body"),
    [("minimal", b""), ("representation", b"{...}"), ("OperationOutcome", None)],
)
def test_a_write_answers_in_the_form_asked_for(wish: str, body: bytes | None) -> None:
    at = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
    answer = prefer.written({"prefer": f"return={wish}"}, 201, b"{...}", 1, at, "https://x/Flag/1/_history/1")
    headers = dict(answer.headers)

    assert answer.status == 201
    assert answer.modified == at
    assert headers["etag"] == 'W/"1"'
    assert headers["location"] == "https://x/Flag/1/_history/1"
    assert headers["preference-applied"] == f"return={wish}"
    assert headers.get("content-location") == ("https://x/Flag/1/_history/1" if wish == "representation" else None)
    if body is None:
        assert b'"OperationOutcome"' in answer.body
    else:
        assert answer.body == body


@pytest.mark.parametrize("header", ["", "return=everything", "respond-async"])
def test_a_wish_that_was_not_followed_is_not_said_to_be(header: str) -> None:
    answer = prefer.written({"prefer": header}, 200, b"{}", 1, datetime(2026, 3, 2, tzinfo=UTC), "u")

    assert "preference-applied" not in dict(answer.headers)
