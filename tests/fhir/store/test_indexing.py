from datetime import UTC, datetime
from typing import Any

import pytest

from liaison.fhir.store.indexing import NO_DATE, clinical


@pytest.mark.parametrize(
    ("type_", "tree", "expected"),
    [
        ("Observation", {"effectiveDateTime": "2026-03-01T10:00:00+01:00"}, datetime(2026, 3, 1, 9, tzinfo=UTC)),
        ("Observation", {"effectivePeriod": {"start": "2026-03-01"}}, datetime(2026, 2, 28, 23, tzinfo=UTC)),
        ("Observation", {"effectivePeriod": {"end": "2026-07"}}, datetime(2026, 6, 30, 22, tzinfo=UTC)),
        ("Observation", {"issued": "2026-03-01T10:00:00Z"}, datetime(2026, 3, 1, 10, tzinfo=UTC)),
        ("Observation", {"effectiveDateTime": "yesterday", "issued": "2026-03-01T10:00:00Z"}, datetime(2026, 3, 1, 10, tzinfo=UTC)),
        ("Specimen", {"collection": {"collectedDateTime": "2026-01-01T00:00:00Z"}}, datetime(2026, 1, 1, tzinfo=UTC)),
        ("Observation", {}, NO_DATE),
        ("Patient", {"birthDate": "1948-03-02"}, NO_DATE),
        ("RelatedPerson", {"birthDate": "1948-03-02", "period": {"start": "2020"}}, NO_DATE),
        ("Person", {"birthDate": "1948-03-02"}, NO_DATE),
    ],
)  # fmt: skip
def test_the_clinical_date_is_the_first_instant_of_the_first_one_present(
    type_: str, tree: Any, expected: datetime
) -> None:
    assert clinical(type_, tree) == expected
