"""Prefer, by RFC 7240."""

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
    answer = prefer.written({"prefer": f"return={wish}"}, 201, b"{...}", (("etag", 'W/"1"'),))

    assert answer.status == 201
    assert answer.headers == (("etag", 'W/"1"'),)
    if body is None:
        assert b'"OperationOutcome"' in answer.body
    else:
        assert answer.body == body
