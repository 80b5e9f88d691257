"""Signals: begun once, stopped before they begin again, by the same name whenever they are looked at."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liaison.protocols.library import shipped
from liaison.protocols.signals import Fired, fired, nearest, signals, watching

NOW = datetime(2026, 11, 30, 8, tzinfo=UTC)
KNOWN = signals(shipped().of_type("PlanDefinition"))
GAIN, ABSENT = KNOWN


def weight(days: float, kilos: float, **more: Any) -> dict[str, Any]:
    """So many days ago."""
    at = NOW - timedelta(days=days)
    tree = {
        "resourceType": "Observation",
        "id": f"o{days}",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]},
        "effectiveDateTime": at.isoformat(),
        "valueQuantity": {"value": kilos, "system": "http://unitsofmeasure.org", "code": "kg"},
    }
    return {**tree, **more}


def begun(*kilos: float) -> list[str]:
    """Which of these, a day apart and the last of them today, began a signal."""
    trees = [weight(len(kilos) - 1 - number, one) for number, one in enumerate(kilos)]
    return [one.by.tree["id"] for one in fired(GAIN, trees, NOW) if one.by]


@pytest.mark.parametrize(
    ("kilos", "which"),
    [
        ((70, 70, 70), []),
        ((70, 71, 72), ["o0"]),
        ((70, 71, 71.9), []),
        ((70, 72, 73, 74), ["o2"]),  # once, while it holds
        ((70, 72, 70.5, 72.6), ["o2", "o0"]),  # stopped in between
        ((70, 72, 71.2, 72.1), ["o2"]),  # never less than a kilo over the lowest: not stopped
        ((72, 70, 69), []),  # a loss is no gain
        ((70, 70.5, 71, 71.5, 72), []),  # two kilos in four days
        ((80,), []),  # one alone says nothing
    ],
    ids=str,
)
def test_a_gain_of_two_kilos_in_three_days_begins_once(kilos: tuple[float, ...], which: list[str]) -> None:
    assert begun(*kilos) == which


@pytest.mark.parametrize(
    "more",
    [
        {"status": "entered-in-error"},
        {"status": "cancelled"},
        {"valueQuantity": {"value": 75, "code": "[lb_av]"}},
        {"valueQuantity": {"value": 75, "code": "kg", "comparator": ">"}},
        {"valueQuantity": {"code": "kg"}},
        {"valueString": "75 kg", "valueQuantity": None},
        {"effectiveDateTime": (NOW + timedelta(hours=1)).isoformat()},
        {"effectiveDateTime": None},
        {"code": {"coding": [{"system": "http://loinc.org", "code": "8302-2"}]}},
    ],
    ids=str,
)
def test_what_is_no_weight_that_stands_is_not_read(more: dict[str, Any]) -> None:
    assert fired(GAIN, [weight(1, 70), weight(0, 75, **more)], NOW) == []


def test_decimals_are_exact() -> None:
    assert begun(70.1, 72.1) == ["o0"]


@given(st.lists(st.integers(60, 80), min_size=2, max_size=8), st.randoms())
def test_the_order_in_which_they_came_changes_nothing(kilos: list[int], chance: Any) -> None:
    trees = [weight(len(kilos) - number, one) for number, one in enumerate(kilos)]
    told = [one.name for one in fired(GAIN, trees, NOW)]
    chance.shuffle(trees)

    assert [one.name for one in fired(GAIN, trees, NOW)] == told


@given(st.lists(st.integers(60, 80), min_size=2, max_size=10))
def test_between_two_that_began_one_has_stopped(kilos: list[int]) -> None:
    trees = [weight(len(kilos) - number, one) for number, one in enumerate(kilos)]
    found = fired(GAIN, trees, NOW)

    for earlier, later in pairwise(found):
        assert earlier.by is not None
        assert later.by is not None
        between = [
            tree for tree in trees if earlier.by.at < datetime.fromisoformat(tree["effectiveDateTime"]) < later.by.at
        ]
        assert any(_over_the_lowest(tree, trees) < 1 for tree in between)


def _over_the_lowest(tree: dict[str, Any], trees: list[dict[str, Any]]) -> float:
    at = datetime.fromisoformat(tree["effectiveDateTime"])
    before = [
        one["valueQuantity"]["value"]
        for one in trees
        if at - timedelta(days=3) <= datetime.fromisoformat(one["effectiveDateTime"]) < at
    ]
    return float(tree["valueQuantity"]["value"] - min(before)) if before else 0.0


@pytest.mark.parametrize(
    ("begins", "kilos", "limits"),
    [
        ("", (70, 71, 70.5), [("72.0", True)]),
        ("", (70, 73), [("72.0", True)]),  # begun already: from where
        ("%value < 68", (70, 71), [("67.9", False)]),
        ("%value < 68", (70, 60), [("67.9", False)]),
        ("%value < 65 or %value > 75.5", (70, 71), [("64.9", False), ("75.6", True)]),
        ("%value > 900", (70, 71), []),
        ("%value >= 0", (70, 71), []),
    ],
)
def test_the_limits_are_the_nearest_values_that_would_begin_it_today(
    begins: str, kilos: tuple[float, ...], limits: list[tuple[str, bool]]
) -> None:
    signal = replace(GAIN, begins=begins) if begins else GAIN
    trees = [weight(len(kilos) - number, one) for number, one in enumerate(kilos)]

    found = nearest(signal, trees, NOW)

    assert [(str(one.value), one.rising) for one in found] == limits
    for value, rising in found:  # by what fires, not by what was looked for
        for change, is_begun in ((0, True), (-0.1 if rising else 0.1, False)):
            told = fired(signal, [*trees, weight(0, round(float(value) + change, 1))], NOW)
            assert any(one.by and one.by.at == NOW for one in told) is (is_begun and not fired(signal, trees, NOW))
    assert nearest(signal, [weight(9, 70)], NOW) == ([] if not begins else nearest(signal, [weight(1, 70)], NOW))
    assert nearest(ABSENT, trees, NOW) == []


def test_no_weight_for_three_days_is_told_with_the_last_one() -> None:
    (one,) = fired(ABSENT, [weight(9, 70), weight(4, 71)], NOW)

    assert one.by is not None
    assert one.by.tree["id"] == "o4"
    assert fired(ABSENT, [weight(4, 71), weight(2, 71)], NOW) == []
    (never,) = fired(ABSENT, [], NOW)
    assert never.by is None


def test_the_name_is_of_the_signal_and_the_measure_whatever_its_version() -> None:
    (one,) = fired(GAIN, [weight(1, 70), weight(0, 73)], NOW)

    later = Fired(
        GAIN.__class__(**{**_parts(GAIN), "canonical": GAIN.canonical.replace("|1.0.0", "|2.0.0")}), one.by, one.seen
    )
    assert one.name == later.name
    assert one.name.endswith("heart-failure-signals#weight-gain Observation/o0")


def _parts(signal: Any) -> dict[str, Any]:
    return {name: getattr(signal, name) for name in signal.__dataclass_fields__}


def test_a_protocol_is_watched_for_whose_plan_follows_it() -> None:
    plan = {"instantiatesCanonical": ["https://liaison.example/fhir/PlanDefinition/heart-failure|0.9.0"]}

    assert watching(KNOWN, [plan]) == [GAIN, ABSENT]
    assert (
        watching(
            KNOWN,
            [{"instantiatesCanonical": ["https://liaison.example/fhir/PlanDefinition/bpco|1.0.0"]}, {}],
        )
        == []
    )
    assert (GAIN.clinical, ABSENT.clinical) == (True, False)
