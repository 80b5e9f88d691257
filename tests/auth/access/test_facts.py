"""Facts as they are read from resources; above all, that what cannot be understood gives nothing and lifts nothing."""

from typing import Any

import pytest

from liaison.auth.access import vocabulary
from liaison.auth.access.classes import EVERYTHING, Class
from liaison.auth.access.facts import Reading, facts_of
from liaison.auth.access.intervals import ALWAYS
from liaison.auth.access.relations import Relation
from liaison.auth.access.world import Fact
from liaison.fhir.definitions import kind_of
from liaison.fhir.store.contract import Key

Tree = dict[str, Any]
PATIENT = 7


def decode(type_: str, id_: str) -> Key | None:
    """Ids of these tests are numbers; those of the directory belong to patient 0."""
    directory = type_ in ("Practitioner", "PractitionerRole", "Organization")
    return Key(0 if directory else PATIENT, kind_of(type_), int(id_)) if id_.isdigit() else None


def facts(type_: str, classes: Class = EVERYTHING, **tree: Any) -> list[Fact]:
    key = Key(PATIENT, kind_of(type_), 1)
    whole = {"resourceType": type_, "meta": {"lastUpdated": "2026-03-01T10:00:00.000Z"}, **tree}
    return facts_of(type_, Reading(whole, key, decode, classes))


def relations(found: list[Fact]) -> list[tuple[int, Relation]]:
    return [(fact.principal, fact.relation) for fact in found]


def consent(provision: Tree, status: str = "active") -> list[Fact]:
    scope = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"}]}
    return facts("Consent", status=status, scope=scope, provision=provision)


def actor(*numbers: int) -> list[Tree]:
    return [{"reference": {"reference": f"PractitionerRole/{number}"}} for number in numbers]


@pytest.mark.parametrize("period", [{"start": "soon"}, {"start": "2026-02-02", "end": "2026-01-01"}, "always", 3])
def test_a_period_that_cannot_be_read_gives_no_right_and_lifts_no_opposition(period: Any) -> None:
    assert consent({"type": "permit", "actor": actor(5), "period": period}) == []
    [denial] = consent({"type": "deny", "actor": actor(5), "period": period})
    assert (denial.principal, denial.relation, denial.during) == (5, Relation.DENY, ALWAYS)
    team: Tree = {
        "status": "active",
        "participant": [{"member": {"reference": "PractitionerRole/5"}, "period": period}],
    }
    assert facts("CareTeam", **team) == []
    assert (
        facts(
            "CareTeam", **{**team, "period": period, "participant": [{"member": {"reference": "PractitionerRole/5"}}]}
        )
        == []
    )


def test_a_denial_of_classes_that_are_not_understood_denies_all() -> None:
    [denial] = consent({"type": "deny", "actor": actor(5), "securityLabel": [{"system": "urn:x", "code": "y"}]})
    assert not denial.detail


def test_an_exception_to_an_opposition_does_not_lift_it() -> None:
    found = consent({"type": "deny", "provision": [{"type": "permit", "actor": actor(5)}]})
    assert relations(found) == [(0, Relation.DENY), (5, Relation.CONSENT)]


def test_a_denial_nested_in_a_permit_is_read() -> None:
    found = consent({"type": "permit", "actor": actor(5), "provision": [{"type": "deny", "actor": actor(6)}]})
    assert relations(found) == [(5, Relation.CONSENT), (6, Relation.DENY)]


@pytest.mark.parametrize(
    "reference", ["PractitionerRole/x", "https://elsewhere.example/Practitioner/5", "Device/5", "#p"]
)
def test_an_actor_who_is_not_here_is_not_everyone(reference: str) -> None:
    for type_ in ("permit", "deny"):
        found = consent({"type": type_, "actor": [{"reference": {"reference": reference}}]})
        assert all(fact.principal == -1 for fact in found)


@pytest.mark.parametrize("status", ["draft", "rejected", "inactive", "entered-in-error"])
def test_a_consent_that_is_not_in_force_states_nothing(status: str) -> None:
    assert consent({"type": "deny", "actor": actor(5)}, status) == []
    assert consent({"type": "permit", "actor": actor(5)}, status) == []


def test_a_permit_that_is_only_proposed_gives_nothing_an_opposition_does() -> None:
    assert consent({"type": "permit", "actor": actor(5)}, "proposed") == []
    assert relations(consent({"type": "deny", "actor": actor(5)}, "proposed")) == [(5, Relation.DENY)]


def test_a_consent_of_another_scope_says_nothing_about_sharing() -> None:
    scope = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "research"}]}
    assert facts("Consent", status="active", scope=scope, provision={"type": "deny"}) == []


def test_an_item_of_another_patient_is_not_masked() -> None:
    def of(type_: str, id_: str) -> Key | None:
        return Key(8, kind_of(type_), int(id_))

    scope = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"}]}
    provision = {"type": "deny", "data": [{"reference": {"reference": "Observation/3"}}]}
    tree: Tree = {"resourceType": "Consent", "status": "active", "scope": scope, "provision": provision}
    assert facts_of("Consent", Reading(tree, Key(PATIENT, kind_of("Consent"), 1), of, EVERYTHING)) == []


def test_a_legal_basis_that_is_not_in_the_law_counts_as_an_invitation() -> None:
    extension = [{"url": vocabulary.LEGAL_BASIS, "valueCode": "friendship"}]
    member = {"extension": extension, "member": {"reference": "Practitioner/5"}}
    [fact] = facts("CareTeam", status="active", participant=[member])
    assert fact.detail == {"basis": "invited", "informed": False}


@pytest.mark.parametrize("status", ["planned", "cancelled", "entered-in-error", "unknown", None])
def test_an_encounter_that_is_not_open_nor_finished_opens_nothing(status: str | None) -> None:
    individual = [{"individual": {"reference": "PractitionerRole/5"}}]
    assert facts("Encounter", status=status, participant=individual, period={"start": "2026-01-01"}) == []


def test_a_home_visit_classified_as_coordination_opens_nothing() -> None:
    individual = [{"individual": {"reference": "PractitionerRole/5"}}]
    tree: Tree = {"status": "in-progress", "participant": individual, "period": {"start": "2026-01-01"}}
    assert facts("Encounter", Class.COORD, **tree) == []
    assert relations(facts("Encounter", Class.STAY, **tree)) == [(5, Relation.STAY)]


@pytest.mark.parametrize(
    ("code", "unit"), [("IMP", True), ("EMER", True), ("AMB", False), ("HH", False), ("VR", False)]
)
def test_only_an_admission_opens_to_the_whole_unit(code: str, unit: bool) -> None:
    tree: Tree = {"status": "in-progress", "class": {"code": code}, "serviceProvider": {"reference": "Organization/9"}}
    assert relations(facts("Encounter", **tree)) == ([(9, Relation.STAY)] if unit else [])


@pytest.mark.parametrize("status", ["requested", "rejected", "cancelled", "draft"])
def test_a_referral_that_is_not_accepted_gives_nothing(status: str) -> None:
    tree: Tree = {"focus": {"reference": "ServiceRequest/2"}, "owner": {"reference": "PractitionerRole/5"}}
    assert facts("Task", status=status, **tree) == []
    assert relations(facts("Task", status="accepted", **tree)) == [(5, Relation.REFERRAL)]
    assert facts("Task", status="accepted", **{**tree, "focus": {"reference": "Condition/2"}}) == []


def test_an_emergency_access_without_an_end_gives_nothing() -> None:
    code = {"coding": [{"system": vocabulary.REVIEW, "code": "emergency-access"}]}
    tree: Tree = {"code": code, "requester": {"reference": "PractitionerRole/5"}}
    assert facts("Task", **tree) == []
    assert facts("Task", **tree, restriction={"period": {"start": "2026-01-01"}}) == []
    period = {"start": "2026-01-01T10:00:00Z", "end": "2026-01-01T14:00:00Z"}
    [fact] = facts("Task", **tree, restriction={"period": period})
    assert (fact.principal, fact.relation) == (5, Relation.EMERGENCY)


def test_a_tour_line_runs_from_18_h_in_paris_the_evening_before() -> None:
    people = [{"actor": {"reference": "PractitionerRole/5"}, "status": "accepted"},
              {"actor": {"reference": "PractitionerRole/6"}, "status": "declined"}]  # fmt: skip
    tree: Tree = {
        "status": "booked",
        "participant": people,
        "start": "2026-07-15T06:30:00Z",
        "end": "2026-07-15T07:00:00Z",
    }
    [fact] = facts("Appointment", **tree)
    assert fact.principal == 5
    assert fact.during.start.isoformat() == "2026-07-14T16:00:00+00:00"
    assert fact.during.end.isoformat() == "2026-07-16T07:00:01+00:00"
    # One that pauses for a stay in hospital stays a line of the tour; one that was called off for anything else does not.
    why = {"coding": [{"system": vocabulary.ALERT_CLOSING, "code": "hospitalised"}]}
    assert facts("Appointment", **{**tree, "status": "cancelled", "cancelationReason": why}) == [fact]
    other = {"coding": [{"system": vocabulary.REVIEW, "code": "hospitalised"}], "text": "Hospitalisation"}
    for status, reason in (("cancelled", {}), ("cancelled", other), ("noshow", why), ("entered-in-error", why)):
        assert facts("Appointment", **{**tree, "status": status, "cancelationReason": reason}) == []
