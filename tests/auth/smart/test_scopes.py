"""The upper bound that a token's scopes set."""

import pytest

from liaison.auth.smart.grammar import ScopeError
from liaison.auth.smart.scopes import EVERYTHING, Scopes, read_scopes
from liaison.fhir.errors import Forbidden

VITALS = "category=http://terminology.hl7.org/CodeSystem/observation-category|vital-signs"


def test_only_the_letters_granted_are_allowed() -> None:
    bound = read_scopes("user/Observation.rs user/Patient.c")

    assert bound.allows("r", "Observation")
    assert bound.allows("s", "Observation")
    assert not bound.allows("u", "Observation")
    assert bound.allows("c", "Patient")
    assert not bound.allows("r", "Patient")
    assert not bound.allows("r", "Condition")


def test_a_wildcard_covers_every_type_and_the_system_level() -> None:
    assert EVERYTHING.allows("s", "Observation")
    assert EVERYTHING.allows("s", "*")
    assert not read_scopes("user/Observation.s").allows("s", "*")


def test_criteria_are_those_of_the_scopes_that_allow_the_interaction() -> None:
    bound = read_scopes(f"system/Observation.rs?{VITALS} system/Observation.c")

    assert bound.criteria("r", "Observation") == (VITALS,)
    assert bound.criteria("c", "Observation") == ()


def test_a_scope_without_criteria_lifts_those_of_the_others() -> None:
    bound = read_scopes(f"user/Observation.rs?{VITALS} user/*.r")

    assert bound.criteria("r", "Observation") == ()
    assert bound.criteria("s", "Observation") == (VITALS,)


def test_two_criteria_are_two_ways_in() -> None:
    bound = read_scopes("user/Observation.rs?category=laboratory user/Observation.rs?category=vital-signs")

    assert bound.criteria("r", "Observation") == ("category=laboratory", "category=vital-signs")


def test_criteria_of_a_refused_interaction_are_never_any() -> None:
    with pytest.raises(Forbidden):
        read_scopes("user/Observation.rs").criteria("c", "Observation")


def test_no_scope_allows_nothing() -> None:
    assert not read_scopes("").allows("r", "Patient")
    assert not read_scopes("openid launch").allows("r", "Patient")


def test_patient_scopes_bind_to_one_patient_even_beside_user_scopes() -> None:
    assert read_scopes("patient/*.rs").binds_patient
    assert read_scopes("patient/*.rs user/Practitioner.rs").binds_patient
    assert not read_scopes("user/*.rs").binds_patient


def test_system_scopes_stand_alone() -> None:
    with pytest.raises(ScopeError):
        read_scopes("system/*.rs user/*.rs")


def test_unknown_names_are_left_out_and_malformed_scopes_refused() -> None:
    assert str(read_scopes("openid email user/Patient.r")) == "openid user/Patient.r"
    with pytest.raises(ScopeError):
        read_scopes("user/Patient.x")


def test_a_request_is_cut_to_what_is_registered() -> None:
    asked = read_scopes("openid user/*.cruds launch/patient")
    registered = read_scopes("user/Observation.rs?category=laboratory user/Patient.r openid")

    granted = asked.intersection(registered)

    assert str(granted) == "openid user/Observation.rs?category=laboratory user/Patient.r"
    assert granted.within(registered)
    assert granted.within(asked)
    assert not asked.within(registered)


def test_a_grant_prints_and_reads_back() -> None:
    granted = read_scopes("user/Patient.rs openid patient/Observation.rs?status=final")

    assert read_scopes(str(granted)) == granted
    assert isinstance(granted, Scopes)
