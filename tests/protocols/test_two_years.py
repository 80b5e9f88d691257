"""Two years of each protocol for somebody new to it, somebody late, somebody who has done things: each date written by hand."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from liaison.protocols import library
from liaison.protocols.apply import propose
from liaison.protocols.carry_out import carry_out

LOCAL = "https://liaison.example/fhir"
MONDAY = date(2026, 11, 30)
Tree = dict[str, Any]


def dates(protocol: str, *record: Tree) -> dict[str, list[str]]:
    """The due dates by action."""
    made = propose(library.shipped(), f"{LOCAL}/PlanDefinition/{protocol}", "Patient/1", record, MONDAY, horizon=24)
    found: dict[str, list[str]] = {}
    for step in made.steps:
        found.setdefault(step.action, []).append(step.due.isoformat())
    return found


def measured(code: str, on: str) -> Tree:
    coding = {"system": "http://loinc.org", "code": code}
    return {"resourceType": "Observation", "status": "final", "code": {"coding": [coding]}, "effectiveDateTime": on}


def done(code: str, on: str) -> Tree:
    coding = {"system": f"{LOCAL}/CodeSystem/protocol-step", "code": code}
    period = {"start": on, "end": on}
    return {"resourceType": "Task", "status": "completed", "code": {"coding": [coding]}, "executionPeriod": period}


def vaccinated(on: str) -> Tree:
    coding = {"system": "http://www.whocc.no/atc", "code": "J07BB02"}
    return {"resourceType": "Immunization", "vaccineCode": {"coding": [coding]}, "occurrenceDateTime": on}


def stay(end: str, class_: str = "IMP") -> Tree:
    return {"resourceType": "Encounter", "status": "finished", "class": {"code": class_}, "period": {"end": end}}


# 28 February 2027 is a Sunday, 28 August a Saturday, 28 November a Sunday, 28 May 2028 a Sunday.
EACH_QUARTER = [
    "2027-03-01",
    "2027-05-28",
    "2027-08-30",
    "2027-11-29",
    "2028-02-28",
    "2028-05-29",
    "2028-08-28",
    "2028-11-28",
]
EACH_HALF = ["2027-05-31", "2027-11-30", "2028-05-30", "2028-11-30"]
EACH_YEAR = ["2027-11-30", "2028-11-30"]
IN_SEASON = ["2027-01-13"]
NEXT_SEASON = ["2028-01-13"]


def test_diabetes_for_somebody_new() -> None:
    yearly = ("kidney", "lipids", "ecg", "dental", "eye")

    assert dates("diabetes") == {
        "gp": EACH_QUARTER,
        "hba1c": EACH_QUARTER,
        **dict.fromkeys(yearly, EACH_YEAR),
        "vaccine-influenza": IN_SEASON,
    }


def test_diabetes_for_somebody_late_and_somebody_who_did_things() -> None:
    late = dates("diabetes", measured("4548-4", "2026-05-04"), done("eye-fundus", "2025-03-10"))
    assert late["hba1c"] == ["2026-08-04", *EACH_QUARTER]  # late with its true date, then counted from today
    assert late["eye"] == ["2026-03-10", *EACH_YEAR]

    good = dates(
        "diabetes",
        measured("4548-4", "2026-11-03"),
        measured("33914-3", "2026-06-15"),
        done("gp-review", "2026-11-05"),
        vaccinated("2026-10-20"),
    )
    assert good["hba1c"][:3] == ["2027-02-03", "2027-05-03", "2027-08-03"]
    assert good["kidney"] == ["2027-06-15", "2028-06-15"]
    assert good["gp"][:2] == ["2027-02-05", "2027-05-05"]
    assert good["vaccine-influenza"] == NEXT_SEASON


def test_heart_failure_for_somebody_new() -> None:
    assert dates("heart-failure") == {
        "gp": EACH_QUARTER,
        "cardiologist": ["2027-05-31", "2027-11-30", "2028-05-30", "2028-11-30"],
        "epof": ["2026-12-14"],
        "vaccine-influenza": IN_SEASON,
    }


@pytest.mark.parametrize(
    ("encounter", "week", "fortnight"),
    [
        (stay("2026-11-25T10:00:00+01:00"), ["2026-12-02"], ["2026-12-09"]),
        (stay("2026-11-28"), ["2026-12-07"], ["2026-12-14"]),  # a Saturday: the Monday after
        (stay("2026-10-31"), ["2026-11-09"], ["2026-11-16"]),  # thirty days ago: late, with its true date
        (stay("2026-10-30"), [], []),
        (stay("2026-11-25", "AMB"), [], []),
        ({**stay("2026-11-25"), "status": "in-progress"}, [], []),
    ],
    ids=["five days ago", "on a Saturday", "thirty days ago", "longer ago", "no stay", "still there"],
)
def test_after_a_stay_somebody_comes_within_a_week(encounter: Tree, week: list[str], fortnight: list[str]) -> None:
    found = dates("heart-failure", encounter)

    assert found.get("after-stay-7-days", []) == week
    assert found.get("cardiologist-2-weeks", []) == fortnight


def noted(code: str, value: int, on: str) -> Tree:
    coding = {"system": f"{LOCAL}/CodeSystem/frailty", "code": code}
    return {"resourceType": "Observation", "status": "final", "code": {"coding": [coding]}, "effectiveDateTime": on, "valueInteger": value}  # fmt: skip


def answered(questionnaire: str, on: str) -> Tree:
    return {"resourceType": "QuestionnaireResponse", "questionnaire": f"{LOCAL}/Questionnaire/{questionnaire}", "authored": on}  # fmt: skip


def test_frailty_for_somebody_new() -> None:
    assert dates("frail-older-person") == {
        "icope-first": ["2026-12-30"],
        "fried-first": ["2027-01-29"],
        "aggir-first": ["2027-01-29"],
        "icope": EACH_HALF,
        "fried": EACH_YEAR,
        "aggir": EACH_YEAR,
        "ppcs-first": ["2026-12-30"],
        "ppcs-review": EACH_HALF,
        "gp": EACH_QUARTER,
        "medication": EACH_YEAR,
        "vaccine-influenza": IN_SEASON,
        "home-safety": ["2027-01-29"],
        "caregiver": EACH_HALF,
    }


def test_frailty_for_somebody_late_dependent_and_back_from_hospital() -> None:
    late = dates("frail-older-person", noted("gir", 3, "2025-10-06"), done("ppcs-writing", "2026-05-12"))
    assert late["aggir"] == ["2026-10-06", *EACH_YEAR]
    assert late["ppcs-review"] == ["2026-11-12", *EACH_HALF]
    assert late["apa"] == ["2026-12-30"]
    assert not {"aggir-first", "ppcs-first"} & set(late)

    good = dates(
        "frail-older-person",
        noted("gir", 5, "2026-11-03"),
        noted("fried", 2, "2026-11-03"),
        answered("icope-etape-1", "2026-11-03"),
        done("home-safety", "2026-06-01"),
        vaccinated("2026-10-20"),
    )
    assert good["fried"] == good["aggir"] == ["2027-11-03", "2028-11-03"]
    assert good["icope"] == ["2027-05-03", "2027-11-03", "2028-05-03", "2028-11-03"]
    assert good["vaccine-influenza"] == NEXT_SEASON
    assert not {"icope-first", "fried-first", "aggir-first", "apa", "home-safety"} & set(good)

    back = dates("frail-older-person", stay("2026-11-25T10:00:00+01:00"))
    assert back["after-stay-7-days"] == ["2026-12-02"]
    assert back["ppcs-after-stay"] == ["2026-12-28"]  # not at Christmas, nor on the weekend after it


# Counted from the 28th since February; the Sunday of Easter 2027 gives way to the Tuesday.
EACH_MONTH = [
    *("2026-12-30", "2027-02-01", "2027-03-01", "2027-03-30", "2027-04-28", "2027-05-28", "2027-06-28", "2027-07-28"),
    *("2027-08-30", "2027-09-28", "2027-10-28", "2027-11-29", "2027-12-28", "2028-01-28", "2028-02-28", "2028-03-28"),
    *("2028-04-28", "2028-05-29", "2028-06-28", "2028-07-28", "2028-08-28", "2028-09-28", "2028-10-30", "2028-11-28"),
]


def test_a_crisis_plan_for_somebody_new() -> None:
    assert dates("mental-health-crisis-plan") == {
        "crisis-plan": ["2026-12-30"],
        "crisis-plan-review": EACH_HALF,
        "psychiatrist": EACH_QUARTER,
        "continuity": EACH_MONTH,
        "somatic": EACH_HALF,
        "metabolic": EACH_YEAR,
    }


def test_a_crisis_plan_that_is_late_kept_up_or_follows_a_stay() -> None:
    late = dates(
        "mental-health-crisis-plan", answered("plan-de-crise", "2026-03-10"), done("psychiatrist-review", "2026-06-15")
    )
    assert late["crisis-plan-review"] == ["2026-09-10", *EACH_HALF]
    assert late["psychiatrist"] == ["2026-09-15", *EACH_QUARTER]
    assert "crisis-plan" not in late

    good = dates(
        "mental-health-crisis-plan", done("metabolic-yearly", "2026-11-05"), done("somatic-review", "2026-11-05")
    )
    assert good["metabolic"] == ["2027-11-05", "2028-11-06"]  # 5 November 2028 is a Sunday
    assert good["somatic"][:2] == ["2027-05-05", "2027-11-05"]

    out = dates("mental-health-crisis-plan", stay("2026-11-27"))
    assert out["psy-after-stay"] == ["2026-12-04"]
    assert out["plan-after-stay"] == ["2026-12-28"]  # the 27th is a Sunday


@pytest.mark.parametrize(
    ("protocol", "labels"), [("mental-health-crisis-plan", {"PSY"}), ("frail-older-person", set())]
)
def test_all_that_a_crisis_plan_writes_is_psychiatric(protocol: str, labels: set[str]) -> None:
    made = propose(library.shipped(), f"{LOCAL}/PlanDefinition/{protocol}", "Patient/1", (), MONDAY)
    bundle = carry_out(made, {"display": "Dr Essai"}, datetime(2026, 11, 30, 9, tzinfo=UTC))

    said = [{one["code"] for one in entry["resource"].get("meta", {}).get("security", ())} for entry in bundle["entry"]]
    assert {entry["resource"]["resourceType"] for entry in bundle["entry"]} == {
        "CarePlan",
        "Goal",
        "RequestGroup",
        "Task",
    }
    assert all(one == labels for one in said)
