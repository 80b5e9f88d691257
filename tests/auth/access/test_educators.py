"""Whom the law lets in as a patient educator: what the directory does not say, or does not date, is lacking."""

from datetime import UTC, datetime
from typing import Any

import pytest

from liaison.auth.access import vocabulary
from liaison.auth.access.educators import lacking

AT = datetime(2026, 12, 8, 14, tzinfo=UTC)
ROLE = {
    "active": True,
    "period": {"start": "2026-01-01", "end": "2026-12-31"},
    "code": [{"coding": [{"system": vocabulary.ROLE, "code": "patient-educator"}]}],
}
TRAINED = {"coding": [{"system": vocabulary.DIRECTORY, "code": "etp-40h"}]}
PERSON = {"active": True, "qualification": [{"code": TRAINED, "period": {"start": "2025-05-01"}}]}
APPROVED = {"active": True, "extension": [{"url": vocabulary.APPROVED, "valuePeriod": {"start": "2024-01-01"}}]}


def approved(period: Any) -> dict[str, Any]:
    return {**APPROVED, "extension": [{"url": vocabulary.APPROVED, "valuePeriod": period}]}


@pytest.mark.parametrize(
    ("role", "person", "association", "why"),
    [
        (ROLE, PERSON, APPROVED, ""),
        ({**ROLE, "active": False}, PERSON, APPROVED, "role"),
        ({**ROLE, "period": {"end": "2026-12-07"}}, PERSON, APPROVED, "role"),
        ({**ROLE, "code": [{"coding": [{"system": vocabulary.ROLE, "code": "nurse"}]}]}, PERSON, APPROVED, "role"),
        ({}, PERSON, APPROVED, "role"),
        (ROLE, PERSON, {}, "approval"),
        (ROLE, PERSON, {"active": True}, "approval"),
        (ROLE, PERSON, {**APPROVED, "active": False}, "approval"),
        (ROLE, PERSON, approved({"end": "2030-01-01"}), "approval"),  # no beginning
        (ROLE, PERSON, approved({"start": "2021-01-01", "end": "2026-01-01"}), "approval"),
        (ROLE, PERSON, approved({"start": "hier"}), "approval"),
        (ROLE, {"active": True}, APPROVED, "training"),
        (ROLE, {**PERSON, "active": False}, APPROVED, "training"),
        (ROLE, {"active": True, "qualification": [{"code": TRAINED}]}, APPROVED, "training"),  # no day
        (
            ROLE,
            {"active": True, "qualification": [{"code": TRAINED, "period": {"start": "2027"}}]},
            APPROVED,
            "training",
        ),
    ],
)
def test_what_is_lacking(role: Any, person: Any, association: Any, why: str) -> None:
    assert lacking(role, person, association, AT) == why
