"""When each action is due, one row a behaviour. Expected dates are written by hand; 23 November 2026 is a Monday."""

import pytest

from .definitions import BASED, PATIENT, A, Tree, a_plan, after, applied, dates, days, do, when

TIMINGS = [
    ({"timingDateTime": "2027-02-03"}, ["2027-02-03"]),
    ({"timingAge": days(67, "a")}, ["2027-03-15"]),
    ({"timingPeriod": {"start": "2027-01-04", "end": "2027-01-29"}}, ["2027-01-29"]),
    ({"timingDuration": days(2, "wk")}, ["2026-12-07"]),
    ({"timingRange": {"low": days(7), "high": days(14)}}, ["2026-12-07"]),
    ({"timingTiming": {"event": ["2027-03-01", "2027-02-01"]}}, ["2027-02-01", "2027-03-01"]),
    ({"timingTiming": {"repeat": {"period": 1, "periodUnit": "wk", "count": 3}}},
     ["2026-11-30", "2026-12-07", "2026-12-14"]),
    ({"timingTiming": {"repeat": {"frequency": 2, "period": 2, "periodUnit": "wk", "count": 3}}},
     ["2026-11-30", "2026-12-07", "2026-12-14"]),
    ({"timingTiming": {"repeat": {"period": 1, "periodUnit": "wk", "count": 2, "dayOfWeek": ["thu"]}}},
     ["2026-12-03", "2026-12-10"]),
    ({"timingTiming": {"repeat": {"period": 1, "periodUnit": "mo", "boundsDuration": days(3, "mo")}}},
     ["2026-12-23", "2027-01-25", "2027-02-23"]),
    ({"timingTiming": {"repeat": {"period": 1, "periodUnit": "mo",
                                  "boundsPeriod": {"start": "2027-01-01", "end": "2027-03-02"}}}},
     ["2027-02-01", "2027-03-01"]),
    ({"timingTiming": {"repeat": {"period": 1, "periodUnit": "mo",
                                  "boundsPeriod": {"start": "2027-02", "end": "2027-04"}}}},
     ["2027-03-01", "2027-04-01"]),
    ({"timingTiming": {"repeat": {"period": 1, "periodUnit": "mo", "boundsPeriod": {"end": "2026-10"}}}}, []),
    ({"timingTiming": {"repeat": {"period": 0.5, "periodUnit": "wk", "count": 3}}},
     ["2026-11-27", "2026-12-01", "2026-12-07"]),
    ({"timingTiming": {"repeat": {"period": 8, "periodUnit": "h", "boundsDuration": days(3)}}},
     ["2026-11-24", "2026-11-25", "2026-11-26"]),
    ({"timingTiming": {"repeat": {"period": 1, "periodUnit": "wk", "count": 4, "dayOfWeek": ["mon", "wed", "fri"]}}},
     ["2026-11-25", "2026-11-27", "2026-11-30", "2026-12-02"]),
    ({"timingTiming": {"repeat": {"period": 1, "periodUnit": "d", "count": 4, "dayOfWeek": ["tue", "thu"]}}},
     ["2026-11-24", "2026-11-26", "2026-12-01", "2026-12-03"]),
    ({"timingTiming": {"repeat": {"frequency": 2, "period": 1, "periodUnit": "wk", "count": 4, "dayOfWeek": ["tue", "fri"]}}},
     ["2026-11-27", "2026-12-01", "2026-12-04", "2026-12-08"]),
    ({"timingTiming": {"repeat": {"count": 1}}}, ["2026-11-23"]),
    ({"timingDuration": days(1.5, "wk")}, ["2026-12-03"]),
    ({"timingDuration": days(0.5, "a")}, ["2027-05-24"]),
    ({}, ["2026-11-30"]),  # the ActivityDefinition's own
    ({"timingDateTime": "2026-12-25"}, ["2026-12-28"]),  # Christmas is a Friday
]  # fmt: skip


@pytest.mark.parametrize(("timing", "due"), TIMINGS, ids=[str(timing) for timing, _ in TIMINGS])
def test_timing_of_every_kind(timing: Tree, due: list[str]) -> None:
    assert dates(a_plan({**A, **timing})) == ({"a": due} if due else {})


def test_the_days_on_which_the_person_does_not_come_are_left_out() -> None:
    url = "https://liaison.example/fhir/StructureDefinition/not-on"
    patient = {**PATIENT, "extension": [{"url": url, "valueCode": code} for code in ("mon", "wed")]}

    assert dates(a_plan({**A, "timingDateTime": "2026-12-07"}), record=(patient,)) == {"a": ["2026-12-08"]}


RELATIONS = [
    ("before-start", {"offsetDuration": days(1)}, (None, "2026-11-30")),
    ("before", {"offsetDuration": days(4)}, (None, "2026-11-27")),
    ("before-end", {"offsetDuration": days(1)}, (None, "2026-12-10")),
    ("concurrent-with-start", {}, (None, "2026-12-01")),
    ("concurrent", {}, ("2026-12-01", "2026-12-11")),
    ("concurrent-with-end", {}, (None, "2026-12-11")),
    ("after-start", {"offsetDuration": days(1, "wk")}, (None, "2026-12-08")),
    ("after", {"offsetDuration": days(3)}, (None, "2026-12-14")),
    ("after-end", {"offsetDuration": days(1, "mo")}, (None, "2027-01-11")),
    ("after-end", {"offsetRange": {"low": days(3), "high": days(10)}}, ("2026-12-14", "2026-12-21")),
    ("before-start", {"offsetRange": {"low": days(1), "high": days(5)}}, ("2026-11-26", "2026-11-30")),
]


@pytest.mark.parametrize(("relation", "offset", "window"), RELATIONS, ids=[f"{r} {o}" for r, o, _ in RELATIONS])
@pytest.mark.parametrize("first", [True, False], ids=["after it in the file", "before it"])
def test_related_actions(relation: str, offset: Tree, window: tuple[str | None, str], first: bool) -> None:
    related = {**A, "relatedAction": [{"actionId": "base", "relationship": relation, **offset}]}

    [step] = [
        one for one in applied(a_plan(*((BASED, related) if first else (related, BASED)))).steps if one.action == "a"
    ]

    assert (step.opens.isoformat() if step.opens else None, step.due.isoformat()) == window


def test_after_several_the_latest_counts_and_after_a_group_its_last() -> None:
    early, late = do("early", timingDateTime="2026-12-01"), do("late", timingDateTime="2026-12-15")
    group = {"id": "group", "action": [early, late]}

    assert dates(a_plan(group, after("a", "early", "late"), after("b", "group")))["a"] == ["2026-12-15"]
    assert dates(a_plan(group, after("b", "group")))["b"] == ["2026-12-15"]
    assert dates(a_plan(group, after("b", "late", relation="before"), after("a", "early")))["b"] == ["2026-12-15"]


LATER = [{"actionId": "base", "relationship": "after", "offsetDuration": days(2, "wk")}]  # 15 December, and two weeks
GROUPS: list[tuple[Tree, dict[str, list[str]]]] = [
    ({"relatedAction": LATER}, {"in": ["2027-01-05"], "next": ["2027-01-12"]}),
    ({"timingDateTime": "2027-01-11"}, {"in": ["2027-01-18"], "next": ["2027-01-25"]}),
    ({"timingPeriod": {"start": "2027-01", "end": "2027-02"}}, {"in": ["2027-01-08"], "next": ["2027-01-15"]}),
    ({}, {"in": ["2026-11-30"], "next": ["2026-12-07"]}),
    ({"relatedAction": [{"actionId": "never", "relationship": "after"}]}, {}),
]


@pytest.mark.parametrize(("more", "expected"), GROUPS, ids=[str(more) for more, _ in GROUPS])
@pytest.mark.parametrize("deep", [False, True], ids=["itself", "a group in it"])
def test_what_is_in_a_group_counts_from_when_the_group_is(
    more: Tree, expected: dict[str, list[str]], deep: bool
) -> None:
    """But for what has a date of its own. Recurrences too: the first is a month after its beginning."""
    inner: Tree = {"id": "inner", "action": [A, after("b", "a"), do("fixed", timingDateTime="2026-12-02")]}
    inner["action"][1]["relatedAction"][0]["offsetDuration"] = days(7)
    group = {**({"id": "group", "action": [inner]} if deep else inner), **more}
    plan = a_plan(do("base", timingDateTime="2026-12-15"), {**do("never"), **when("false")}, group)

    found = dates(plan)

    assert {"in": found["a"], "next": found["b"]} == expected if expected else "a" not in found
    assert found.get("fixed") == (["2026-12-02"] if expected else None)
