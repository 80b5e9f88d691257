"""The criteria of conditional requests, as they are sent."""

import pytest

from liaison.fhir.errors import BadRequest
from liaison.fhir.interactions.create import criteria_of


@pytest.mark.parametrize(
    ("query", "criteria"),
    [
        ("identifier=a|1", "identifier=a|1"),
        ("?identifier=a|1", "identifier=a|1"),
        ("Patient?identifier=a|1", "identifier=a|1"),
        ("identifier=http://a.example/ids?code=b|1", "identifier=http://a.example/ids?code=b|1"),
        ("Patient?identifier=http://a.example/ids?code=b|1", "identifier=http://a.example/ids?code=b|1"),
        ("code:in=http://snomed.info/sct?fhir_vs=isa/1", "code:in=http://snomed.info/sct?fhir_vs=isa/1"),
    ],
)
def test_a_question_mark_within_a_value_begins_no_other_criteria(query: str, criteria: str) -> None:
    """Read as the end of a path, it had a request ask by what stands behind it: another resource was changed."""
    assert criteria_of(query, "If-None-Exist") == criteria


@pytest.mark.parametrize("query", ["", " ", "?", "Patient?"])
def test_criteria_that_are_none_are_refused(query: str) -> None:
    with pytest.raises(BadRequest, match="no search criteria"):
        criteria_of(query, "If-None-Exist")
