"""The permit of a tour: small enough to go with each visit, and nobody else's to make."""

import base64
from dataclasses import asdict
from datetime import UTC, datetime
from uuid import uuid4

import orjson
import pytest

from liaison.auth.people import permits
from liaison.auth.people.permits import NoPermit, Permit
from liaison.fhir.vault import PatientKey, context

KEY = PatientKey(0, b"k" * 32)
PEOPLE = tuple(uuid4().hex for _ in range(15))
PERMIT = Permit(
    *(2**61,) * 5,
    {"reference": f"PractitionerRole/{uuid4().hex}", "display": "Kévin Briand (aide à domicile)"},
    {"reference": f"Organization/{uuid4().hex}", "display": "Service autonomie à domicile du CCAS"},
    PEOPLE,
    datetime(2026, 11, 29, 6, tzinfo=UTC),
    datetime(2026, 12, 1, 12, tzinfo=UTC),
    "x" * 43,
)


def test_that_of_fifteen_people_leaves_room_for_a_visit() -> None:
    given = permits.given(KEY, PERMIT)

    assert permits.read(KEY, given) == PERMIT
    assert len(given) <= 900  # of the 3 KB of a visit, twice in base64


def test_one_of_before_permits_were_made_small_is_read_still() -> None:
    sealed = KEY.seal(context("visit permit"), orjson.dumps(asdict(PERMIT)))

    assert permits.read(KEY, base64.urlsafe_b64encode(sealed).decode()) == PERMIT


@pytest.mark.parametrize("content", [b"", b"\x78\x9c", b"[]", b"{"], ids=["nothing", "cut", "a list", "no JSON"])
def test_what_is_none_is_refused(content: bytes) -> None:
    sealed = KEY.seal(context("visit permit"), content)

    with pytest.raises(NoPermit):
        permits.read(KEY, base64.urlsafe_b64encode(sealed).decode())
