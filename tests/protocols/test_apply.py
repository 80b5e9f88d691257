"""The BPCO protocol applied to small records: which steps, when, by whom. Expected dates are written by hand."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from liaison.protocols import library
from liaison.protocols.apply import Proposal, propose
from liaison.protocols.carry_out import carry_out

BPCO = "https://liaison.example/fhir/PlanDefinition/bpco"
ETP = "https://liaison.example/fhir/PlanDefinition/bpco-etp"
AFTER_STAY = "https://liaison.example/fhir/PlanDefinition/bpco-after-stay"
MONDAY = date(2026, 11, 23)
ROLE = "https://liaison.example/fhir/CodeSystem/role"
FUNCTION = "https://mos.esante.gouv.fr/NOS/TRE_R259-HL7ParticipationFunction/FHIR/TRE-R259-HL7ParticipationFunction"

Tree = dict[str, Any]


def _spirometry(percent: float, on: str) -> Tree:
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "20152-5"}]},
        "effectiveDateTime": on,
        "valueQuantity": {"value": percent},
    }


def _mmrc(degree: int, on: str = "2026-11-02") -> Tree:
    code = {"coding": [{"system": "http://snomed.info/sct", "code": "870179002"}]}
    return {"resourceType": "Observation", "code": code, "effectiveDateTime": on, "valueInteger": degree}


def _member(reference: str, code: str, system: str = ROLE, **period: str) -> Tree:
    return {
        "role": [{"coding": [{"system": system, "code": code}]}],
        "member": {"reference": reference},
        "period": period,
    }


def _team(*members: Tree) -> Tree:
    return {"resourceType": "CareTeam", "status": "active", "participant": list(members)}


def _proposal(canonical: str, *record: Tree, on: date = MONDAY, **more: Any) -> Proposal:
    return propose(library.shipped(), canonical, "Patient/1", record, on, **more)


def _dates(proposal: Proposal, code: str) -> list[str]:
    return [step.due.isoformat() for step in proposal.steps if step.code["coding"][0]["code"] == code]


@pytest.mark.parametrize(
    ("percent", "grade", "gp", "specialist"),
    [
        (92, 1, ["2027-11-23"], []),
        (80, 1, ["2027-11-23"], []),
        (79.9, 2, ["2027-05-24", "2027-11-23"], ["2027-11-23"]),
        (50, 2, ["2027-05-24", "2027-11-23"], ["2027-11-23"]),
        (49.9, 3, ["2027-03-23", "2027-07-23", "2027-11-23"], ["2027-08-23"]),
        (30, 3, ["2027-03-23", "2027-07-23", "2027-11-23"], ["2027-08-23"]),
        (
            29.9,
            4,
            ["2027-01-25", "2027-03-23", "2027-05-24", "2027-07-23", "2027-09-23", "2027-11-23"],
            ["2027-03-23", "2027-07-23", "2027-11-23"],
        ),
    ],
)
def test_reviews_are_spaced_by_the_grade(percent: float, grade: int, gp: list[str], specialist: list[str]) -> None:
    proposal = _proposal(BPCO, _spirometry(percent, "2026-11-02"))

    assert proposal.variables["grade"] == grade
    assert _dates(proposal, "gp-review") == gp
    assert _dates(proposal, "specialist-review") == specialist


def test_the_latest_spirometry_decides_whatever_the_order_of_the_record() -> None:
    assert _proposal(BPCO, _spirometry(35, "2026-10-01"), _spirometry(85, "2021-03-01")).variables["grade"] == 3


def test_without_spirometry_the_diagnosis_stays_to_be_confirmed() -> None:
    proposal = _proposal(BPCO)

    assert proposal.variables["grade"] is None
    assert _dates(proposal, "spirometry") == ["2026-12-23"]
    assert _dates(proposal, "gp-review") == ["2027-05-24", "2027-11-23"]
    assert "spirometry-yearly" in {skipped.action for skipped in proposal.skipped}


def test_a_yearly_spirometry_that_was_missed_is_late_with_its_true_date() -> None:
    assert _dates(_proposal(BPCO, _spirometry(60, "2025-09-10")), "spirometry") == ["2026-09-10", "2027-11-23"]


def test_rehabilitation_is_proposed_from_mmrc_2_and_tobacco_help_to_smokers() -> None:
    smoking = {
        "resourceType": "Observation",
        "code": {"coding": [{"code": "72166-2"}]},
        "effectiveDateTime": "2026-11-01",
        "valueCodeableConcept": {"coding": [{"code": "77176002"}]},
    }
    proposal = _proposal(BPCO, _mmrc(2), smoking)

    assert _dates(proposal, "rehabilitation") == ["2027-01-07"]
    assert _dates(proposal, "tobacco") == ["2026-12-23", "2027-01-25", "2027-02-23"]
    assert [goal["id"] for goal in proposal.goals] == ["tobacco", "breath", "exacerbations"]
    assert _dates(_proposal(BPCO, _mmrc(1)), "rehabilitation") == []


@pytest.mark.parametrize(
    ("on", "vaccinated", "opens", "due"),
    [
        (date(2026, 11, 23), None, date(2026, 10, 15), "2027-01-13"),
        (date(2026, 11, 23), "2026-10-20", date(2027, 10, 15), "2028-01-13"),
        (date(2026, 6, 1), "2025-11-02", date(2026, 10, 15), "2027-01-13"),
    ],
)
def test_the_influenza_vaccine_opens_each_autumn(on: date, vaccinated: str | None, opens: date, due: str) -> None:
    record = [
        {
            "resourceType": "Immunization",
            "vaccineCode": {"coding": [{"code": "J07BB02"}]},
            "occurrenceDateTime": vaccinated,
        }
    ]
    proposal = _proposal(BPCO, *(record if vaccinated else ()), on=on)

    step = next(step for step in proposal.steps if step.action == "vaccine-influenza")
    assert (step.opens, step.due.isoformat()) == (opens, due)


def test_after_a_stay_steps_count_from_the_discharge() -> None:
    stay = {
        "resourceType": "Encounter",
        "status": "finished",
        "class": {"code": "IMP"},
        "period": {"start": "2026-11-10", "end": "2026-11-18T11:00:00+01:00"},
    }
    proposal = _proposal(AFTER_STAY, stay)

    assert [(step.action, step.due.isoformat()) for step in proposal.steps] == [
        ("after-stay-7-days", "2026-11-25"),
        ("after-stay-medication", "2026-11-25"),
        ("rehabilitation-4-weeks", "2026-12-16"),
        ("specialist-2-months", "2027-01-18"),
    ]


def test_the_education_cycle_follows_its_own_steps() -> None:
    assert [(step.action, step.due.isoformat()) for step in _proposal(ETP).steps] == [
        ("assessment", "2026-12-14"),
        ("programme", "2026-12-28"),
        ("session-1", "2027-01-11"),
        ("session-2", "2027-01-25"),
        ("session-3", "2027-02-08"),
        ("session-4", "2027-02-22"),
        ("session-5", "2027-03-08"),
        ("evaluation", "2027-04-07"),
        ("follow-up", "2027-10-07"),
    ]


@pytest.mark.parametrize(
    ("members", "owner"),
    [
        ((_member("PractitionerRole/a", "PCP", FUNCTION), _member("PractitionerRole/b", "gp")), "PractitionerRole/a"),
        ((_member("PractitionerRole/b", "gp"),), "PractitionerRole/b"),
        ((_member("PractitionerRole/b", "gp", end="2026-11-22"),), None),
        ((_member("PractitionerRole/b", "gp", start="2026-11-24"),), None),
        ((_member("Organization/c", "gp"),), None),
        ((_member("PractitionerRole/d", "physio"),), None),
        ((), None),
    ],
)
def test_the_owner_is_a_member_in_force_with_the_first_role_that_fits(
    members: tuple[Tree, ...], owner: str | None
) -> None:
    proposal = _proposal(BPCO, _team(*members))

    step = next(step for step in proposal.steps if step.action == "gp-grade-2")
    assert (step.owner or {}).get("reference") == owner


def test_clinical_decisions_can_be_switched_off() -> None:
    proposal = _proposal(BPCO, _spirometry(25, "2026-11-02"), undecided={"computed"})

    assert proposal.variables["grade"] is None
    assert _dates(proposal, "gp-review") == ["2027-05-24", "2027-11-23"]
    assert _dates(proposal, "state-grade") == ["2026-11-30"]


def test_what_a_doctor_has_said_of_the_grade_goes_before_what_is_computed() -> None:
    said = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "https://liaison.example/fhir/CodeSystem/copd-grade", "code": "stated"}]},
        "effectiveDateTime": "2026-11-20",
        "valueInteger": 3,
    }
    for undecided in ((), ("computed",)):
        proposal = _proposal(BPCO, _spirometry(85, "2026-11-02"), said, undecided=undecided)

        assert proposal.variables["grade"] == 3
        assert _dates(proposal, "gp-review") == ["2027-03-23", "2027-07-23", "2027-11-23"]
        assert _dates(proposal, "state-grade") == []


def test_an_unknown_protocol_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        _proposal("https://liaison.example/fhir/PlanDefinition/none")


def test_carrying_out_makes_one_plan_its_goals_and_a_task_a_step() -> None:
    proposal = _proposal(ETP, _team(_member("PractitionerRole/n", "nurse")))
    author = {"reference": "PractitionerRole/n"}

    bundle = carry_out(proposal, author, datetime(2026, 11, 23, 9, tzinfo=UTC), care_teams=["CareTeam/t"])

    trees = {entry["fullUrl"]: entry["resource"] for entry in bundle["entry"]}
    plan = next(tree for tree in trees.values() if tree["resourceType"] == "CarePlan")
    *tasks, group = [trees[activity["reference"]["reference"]] for activity in plan["activity"]]
    assert plan["instantiatesCanonical"] == [f"{ETP}|1.0.0"]
    assert [trees[goal["reference"]]["resourceType"] for goal in plan["goal"]] == ["Goal"] * 3
    assert len(tasks) == 9
    assert group["resourceType"] == "RequestGroup"
    assert tasks[0]["restriction"]["period"]["end"] == "2026-12-14"
    assert tasks[0]["owner"] == {"reference": "PractitionerRole/n"}
    assert {task["for"]["reference"] for task in tasks} == {"Patient/1"}
    assert bundle == carry_out(proposal, author, datetime(2026, 11, 23, 9, tzinfo=UTC), care_teams=["CareTeam/t"])


def test_a_step_nobody_can_do_is_to_be_assigned() -> None:
    bundle = carry_out(_proposal(ETP), {"reference": "PractitionerRole/n"}, datetime(2026, 11, 23, 9, tzinfo=UTC))

    task = next(entry["resource"] for entry in bundle["entry"] if entry["resource"]["resourceType"] == "Task")
    assert task["owner"] == {"display": "À attribuer"}
