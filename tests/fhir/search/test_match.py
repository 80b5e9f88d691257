"""A query asked of one resource, without a database."""

from liaison.fhir.search import match


def test_match_evaluates_a_query_on_one_resource() -> None:
    tree = {
        "resourceType": "Observation",
        "id": "1",
        "meta": {"lastUpdated": "2026-01-01T10:00:00Z"},
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]},
        "valueQuantity": {"value": 72, "unit": "bpm"},
    }
    for query, expected in (
        ("code=http://loinc.org|8867-4", True),
        ("code=http%3A%2F%2Floinc.org%7C8867-4&status=final", True),
        ("code=8867-4&status=draft", False),
        ("value-quantity=gt70", True),
        ("_id=1", True),
        ("_id=2", False),
        ("_lastUpdated=2026-01-01", True),
        ("category:missing=true", True),
        ("", True),
    ):
        assert match("Observation", tree, query) is expected, query
