"""The second wall by itself: what SQL might let through wrongly does not leave."""

from typing import Any

import pytest

from liaison.auth.access import second_wall
from liaison.auth.access.classes import Class
from liaison.auth.access.filter import Filter
from liaison.auth.caller import Caller
from liaison.auth.smart.scopes import EVERYTHING
from liaison.fhir.definitions import kind_of
from liaison.fhir.store.contract import Grant, Key, Row

PERSON, ROLE, CLIENT = 11, 12, 13


def caller(code: str = "gp", **more: Any) -> Caller:
    parts: dict[str, Any] = {
        "session": 1,
        "bound": EVERYTHING,
        "purpose": 1,
        "practitioner": PERSON,
        "role": ROLE,
        **more,
    }
    return Caller(role_code=code, **parts)


def grant(mask: int, principal: int = ROLE, **owners: int) -> Grant:
    whose = {"author": 0, "service": 0, "addressee": 0, **owners}
    return Grant(mask, 0, whose["author"], whose["service"], whose["addressee"], 20, 4, principal)


def row(classes: int, *grants: Grant, patient: int = 5, type_: str = "Observation", author: int = 0) -> Row:
    key = Key(patient, kind_of(type_), 9)
    return Row(key, 1, None, False, classes, author, 0, 0, b"", grants)  # type: ignore[arg-type]  # no date is looked at


CLIN, VITAL = int(Class.CLIN), int(Class.VITAL)


def test_every_class_must_be_allowed_by_some_grant() -> None:
    both = CLIN | VITAL
    assert second_wall.allows(caller(), row(both, grant(CLIN), grant(VITAL)), both)
    assert not second_wall.allows(caller(), row(both, grant(CLIN)), both)
    assert not second_wall.allows(caller(), row(CLIN), CLIN)


@pytest.mark.parametrize("principal", [0, 99])
def test_a_grant_of_somebody_else_counts_for_nothing(principal: int) -> None:
    assert not second_wall.allows(caller(), row(CLIN, grant(CLIN, principal)), CLIN)
    # 0 is nobody, also for a caller who has no client
    assert second_wall.allows(caller(), row(CLIN, grant(CLIN, PERSON)), CLIN)


@pytest.mark.parametrize("owner", ["author", "service", "addressee"])
def test_a_grant_on_ones_own_counts_for_ones_own(owner: str) -> None:
    assert not second_wall.allows(caller(), row(CLIN, grant(CLIN, **{owner: 7})), CLIN)


def test_a_row_without_a_class_never_leaves() -> None:
    assert not second_wall.allows(caller(), row(0, grant(CLIN)), 0)


def test_classes_that_do_not_fit_their_permutation_never_leave() -> None:
    assert not second_wall.allows(caller(), row(CLIN, grant(CLIN | VITAL)), CLIN | VITAL)


def test_another_patient_than_the_sessions_never_leaves() -> None:
    """hfs#1618: a scope of one patient bounded one operation and nothing else."""
    assert not second_wall.allows(caller(only_patient=6), row(CLIN, grant(CLIN)), CLIN)
    assert second_wall.allows(caller(only_patient=5), row(CLIN, grant(CLIN)), CLIN)


def test_without_a_session_nothing_leaves() -> None:
    assert not second_wall.allows(caller(session=0), row(CLIN, grant(CLIN)), CLIN)
    assert not second_wall.allows(caller(session=0), row(CLIN, patient=0, type_="Organization"), CLIN)


def test_the_directory_holds_directory_types_only() -> None:
    assert second_wall.allows(caller(), row(1, patient=0, type_="Organization"), 1)
    assert not second_wall.allows(caller(), row(1, patient=0, type_="Observation"), 1)


@pytest.mark.parametrize(
    ("code", "name"),
    [
        *[("home-aide", name) for name in ("CLIN", "MEDS", "LAB", "PSY", "SENS", "SOC")],
        *[("secretary", name) for name in ("CLIN", "SOC", "PSY", "PROT")],
        *[("guardian", name) for name in ("MINOR", "NOTE3P", "PROT", "HELD")],
        *[("patient", name) for name in ("NOTE3P", "PROT", "HELD")],
        *[("caregiver", name) for name in ("CLIN", "PSY", "SENS", "MASKED")],
        *[("auditor", name) for name in ("ADM", "CLIN", "COORD")],
        *[(code, "ADM") for code in ("admin", "coordinator-admin", "referent", "patient-educator", "")],
    ],
)
def test_no_grant_opens_what_the_law_closes_to_a_role(code: str, name: str) -> None:
    mask = int(Class[name])
    assert not second_wall.allows(caller(code), row(mask, grant(mask)), mask)
    assert second_wall.allows(caller("gp"), row(mask, grant(mask)), mask)


@pytest.mark.parametrize("role", ["trainee", "substitute"])
def test_who_stands_in_sees_a_report_of_abuse_when_they_wrote_it_and_not_otherwise(role: str) -> None:
    report = int(Class.PROT)
    theirs = grant(report, author=7)
    assert second_wall.allows(caller(role), row(report, theirs, author=7), report)
    assert not second_wall.allows(caller(role), row(report, grant(report)), report)


def test_a_trainee_sees_what_is_masked_when_they_wrote_it_and_not_otherwise() -> None:
    masked = CLIN | int(Class.MASKED)
    theirs = grant(int(Class.MASKED), author=7)
    assert second_wall.allows(caller("trainee"), row(masked, grant(CLIN), theirs, author=7), masked)
    assert not second_wall.allows(caller("trainee"), row(masked, grant(CLIN), theirs, author=8), masked)
    assert not second_wall.allows(caller("trainee"), row(masked, grant(masked)), masked)
    assert second_wall.allows(caller("gp"), row(masked, grant(masked)), masked)


def test_an_internal_principal_reads_its_types_and_no_others() -> None:
    cell = caller("internal:identity")
    assert second_wall.allows(cell, row(CLIN, type_="Patient"), CLIN)
    assert not second_wall.allows(cell, row(CLIN, type_="Observation"), CLIN)
    assert not second_wall.allows(caller("internal:unknown"), row(CLIN, type_="Patient"), CLIN)


def test_the_filter_asks_this_wall() -> None:
    assert not Filter().second_wall(caller(), row(CLIN), CLIN)
