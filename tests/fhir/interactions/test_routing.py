"""Which interaction a method and a path name."""

import pytest

from liaison.fhir.errors import BadRequest, FhirError, MethodNotAllowed, UnknownPath
from liaison.fhir.interactions.routing import Route, route


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "Patient/1a", Route("read", "Patient", "1a")),
        ("HEAD", "Patient/1a", Route("read", "Patient", "1a")),
        ("PUT", "Patient/1a", Route("update", "Patient", "1a")),
        ("DELETE", "Patient/1a", Route("delete", "Patient", "1a")),
        ("PATCH", "Patient/1a", Route("patch", "Patient", "1a")),
        ("PATCH", "Patient", Route("conditional-patch", "Patient")),
        ("DELETE", "Patient", Route("conditional-delete", "Patient")),
        ("GET", "Patient/_history", Route("history-type", "Patient")),
        ("GET", "_history", Route("history-system")),
        ("GET", "Patient/1a/", Route("read", "Patient", "1a")),
        ("GET", "Patient", Route("search", "Patient")),
        ("POST", "Patient/_search", Route("search", "Patient")),
        ("POST", "Patient", Route("create", "Patient")),
        ("PUT", "Patient", Route("conditional-update", "Patient")),
        ("GET", "Patient/1a/_history", Route("history", "Patient", "1a")),
        ("GET", "Patient/1a/_history/2", Route("vread", "Patient", "1a", "2")),
        ("GET", "Patient/1a/Observation", Route("search", "Observation", compartment="Patient/1a")),
        ("GET", "Encounter/1a/Observation", Route("search", "Observation", compartment="Encounter/1a")),
        ("GET", "Patient/1a/*", Route("search", compartment="Patient/1a")),
        ("POST", "Patient/1a/*/_search", Route("search", compartment="Patient/1a")),
        ("POST", "Patient/1a/_search", Route("search", compartment="Patient/1a")),
        ("POST", "Device/1a/Observation/_search", Route("search", "Observation", compartment="Device/1a")),
        ("GET", "", Route("search")),
        ("POST", "_search", Route("search")),
        ("POST", "", Route("bundle")),
        ("GET", "metadata", Route("capabilities")),
        ("POST", "Patient/$register", Route("operation", "Patient", operation="register")),
        ("POST", "PlanDefinition/1a/$apply", Route("operation", "PlanDefinition", "1a", operation="apply")),
    ],
)
def test_a_path_names_its_interaction(method: str, path: str, expected: Route) -> None:
    assert route(method, path) == expected


@pytest.mark.parametrize(
    ("method", "path", "error"),
    [
        ("GET", "Pateint/1a", UnknownPath),
        ("GET", "Resource/1a", UnknownPath),
        ("POST", "fhir/Patient", UnknownPath),
        ("POST", "../Patient", UnknownPath),
        ("GET", "Patient/1a/2b", UnknownPath),
        ("GET", "Patient/1a/Nothing", UnknownPath),
        ("GET", "Organization/1a/Observation", UnknownPath),
        ("GET", "Organization/1a/*", UnknownPath),
        ("GET", "Patient/1a/Observation/2/3", UnknownPath),
        ("GET", "Patient/" + "a" * 65, BadRequest),
        ("GET", "Patient/a b", BadRequest),
        ("GET", "Patient/1a/_history/é", BadRequest),
        ("POST", "Patient/1a", MethodNotAllowed),
        ("PUT", "", MethodNotAllowed),
        ("GET", "_search", MethodNotAllowed),
        ("GET", "Patient/1a/_search", MethodNotAllowed),
        ("POST", "Patient/_history", MethodNotAllowed),
        ("DELETE", "_history", MethodNotAllowed),
        ("PATCH", "", MethodNotAllowed),
        ("GET", "Pateint/_history", UnknownPath),
        ("GET", "Patient/_search", MethodNotAllowed),
        ("BREW", "Patient", MethodNotAllowed),
        ("GET", "$Export!", UnknownPath),
    ],
)
def test_what_is_no_interaction_is_refused_by_kind(method: str, path: str, error: type[FhirError]) -> None:
    with pytest.raises(error):
        route(method, path)


def test_an_error_repeats_at_most_forty_printable_characters_of_the_path() -> None:
    with pytest.raises(UnknownPath) as caught:
        route("GET", "\x1b[31m" + "z" * 500)

    assert "\x1b" not in str(caught.value)
    assert len(str(caught.value)) < 100
