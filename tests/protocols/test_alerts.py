"""Delays, standing, acknowledgement, closing and merging of alerts."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from liaison.protocols import library
from liaison.protocols.alerts import (
    Sign,
    Standing,
    acknowledge,
    answered_already,
    close,
    due_by,
    level_of,
    merge,
    raise_alert,
    same,
    standing,
)

PARIS = ZoneInfo("Europe/Paris")
NOON = datetime(2026, 11, 23, 12, tzinfo=PARIS)
AIDE = {"reference": "PractitionerRole/aide"}
NURSE = {"reference": "PractitionerRole/nurse"}


def _alert(
    level: str = "ORANGE", code: str = "breath-more", at: datetime = NOON, patient: str = "Patient/1"
) -> dict[str, Any]:
    sign = Sign(level, {"system": "s", "code": code}, f"Signe {code}", False)
    return raise_alert(library.shipped(), [sign], patient=patient, teams=[], by=AIDE, at=at)


@pytest.mark.parametrize(
    ("at", "delay", "due"),
    [
        ((23, 12, 0), {"value": 4, "code": "h"}, (23, 16, 0)),
        ((23, 18, 30), {"value": 4, "code": "h"}, (24, 10, 30)),
        ((23, 22, 0), {"value": 4, "code": "h"}, (24, 12, 0)),
        ((23, 3, 0), {"value": 4, "code": "h"}, (23, 12, 0)),
        ((23, 16, 0), {"value": 4, "code": "h"}, (23, 20, 0)),
        ((23, 22, 0), {"value": 30, "code": "min"}, (23, 22, 30)),
        ((23, 12, 0), {"value": 3, "code": "d"}, (26, 12, 0)),
    ],
)
def test_hours_count_by_day_minutes_at_any_time(
    at: tuple[int, int, int], delay: dict[str, Any], due: tuple[int, int, int]
) -> None:
    assert due_by(datetime(2026, 11, *at, tzinfo=PARIS), delay) == datetime(2026, 11, *due, tzinfo=PARIS)


def test_an_alert_nobody_saw_becomes_overdue() -> None:
    alert = _alert()

    assert standing(alert, NOON + timedelta(hours=3)) is Standing.WAITING
    assert standing(alert, NOON + timedelta(hours=5)) is Standing.OVERDUE


def test_an_alert_due_on_a_day_may_be_seen_all_that_day() -> None:
    alert = {**_alert(), "restriction": {"period": {"end": "2026-11-23"}}}

    assert standing(alert, NOON) is Standing.WAITING
    assert standing(alert, NOON + timedelta(days=1)) is Standing.OVERDUE


def test_an_alert_that_nobody_signed_is_seen_all_the_same() -> None:
    alert = {name: value for name, value in _alert().items() if name != "requester"}

    _seen, [message] = acknowledge(alert, "Task/1", NURSE, NOON, "Passez demain")

    assert "recipient" not in message


def test_an_alert_for_a_team_without_recipients_says_so() -> None:
    assert _alert()["owner"] == {"display": "À attribuer"}


def test_j_ai_vu_names_who_and_the_instruction_returns_to_the_aide() -> None:
    seen, [instruction] = acknowledge(_alert(), "Task/9", NURSE, NOON + timedelta(hours=1), " Je passe à 15 h. ")

    assert standing(seen, NOON + timedelta(days=9)) is Standing.SEEN
    assert seen["owner"] == NURSE
    assert instruction["recipient"] == [AIDE]
    assert instruction["about"] == [{"reference": "Task/9"}]
    assert instruction["payload"] == [{"contentString": "Vu. Je passe à 15 h."}]


def test_seen_without_a_word_sends_nothing_back() -> None:
    assert acknowledge(_alert(), "Task/9", NURSE, NOON)[1] == []


COLLEAGUE = {"reference": "PractitionerRole/aide2", "display": "Aide 2"}


@pytest.mark.parametrize(
    ("words", "told"),
    [("Je passe.", [(AIDE, "Vu. Je passe."), (COLLEAGUE, "Vu. Je passe.")]), ("", [(COLLEAGUE, "Vu.")])],
)
def test_what_is_answered_goes_back_to_everybody_whose_alert_went_into_it(
    words: str, told: list[tuple[dict[str, str], str]]
) -> None:
    """A colleague's own alert is closed as reported already: without a word of ours she would not know that it was read."""
    other = {**_alert(at=NOON + timedelta(hours=1)), "requester": COLLEAGUE}
    merged = merge(merge(_alert(), other), {**other, "authoredOn": (NOON + timedelta(hours=2)).isoformat()})
    own = merge(merged, _alert(at=NOON + timedelta(hours=3)))

    for alert in (merged, own):
        messages = acknowledge(alert, "Task/9", NURSE, NOON + timedelta(hours=4), words)[1]
        assert [(one["recipient"][0], one["payload"][0]["contentString"]) for one in messages] == told


def test_whose_alert_goes_into_one_that_was_seen_is_told_at_once() -> None:
    at = NOON + timedelta(hours=2)
    other = {**_alert(at=at), "requester": COLLEAGUE}
    seen, _ = acknowledge(_alert(), "Task/9", NURSE, NOON + timedelta(hours=1), "Je passe.")

    reply = answered_already(merge(seen, other), "Task/9", other, at)

    assert reply is not None
    assert (reply["recipient"], reply["sender"]) == ([COLLEAGUE], NURSE)
    assert reply["payload"] == [{"contentString": "Vu. Je passe."}]
    worse = {**_alert("RED", "breath-rest", at), "requester": COLLEAGUE}
    assert answered_already(merge(seen, worse), "Task/9", worse, at) is None  # it is to be seen again
    assert answered_already(merge(_alert(), other), "Task/9", other, at) is None
    assert answered_already(merge(seen, other), "Task/9", {**other, "requester": {"display": "Liaison"}}, at) is None


def test_closing_keeps_who_saw_it_and_says_why() -> None:
    seen, _ = acknowledge(_alert(), "Task/9", NURSE, NOON + timedelta(hours=1))
    closed = close(seen, "settled", "Réglé", NURSE, NOON + timedelta(hours=2))

    assert standing(closed, NOON + timedelta(days=9)) is Standing.CLOSED
    assert closed["executionPeriod"]["start"] == seen["executionPeriod"]["start"]
    assert closed["businessStatus"]["text"] == "Réglé"


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (_alert(at=NOON + timedelta(hours=5)), True),
        (_alert(at=NOON + timedelta(hours=25)), False),
        (_alert(code="fall-unhurt"), False),
        (_alert(patient="Patient/2"), False),
    ],
)
def test_two_alerts_are_the_same_when_a_sign_is_shared_within_a_day(other: dict[str, Any], expected: bool) -> None:
    assert same(_alert(), other) is expected


def test_a_closed_alert_is_never_merged_into() -> None:
    assert not same(close(_alert(), "settled", "Réglé", NURSE, NOON), _alert())


def test_a_more_serious_repeat_must_be_seen_again() -> None:
    seen, _ = acknowledge(_alert(), "Task/9", NURSE, NOON + timedelta(hours=1))
    merged = merge(seen, _alert("RED", "breath-rest", NOON + timedelta(hours=2)))

    assert level_of(merged) == "RED"
    assert standing(merged, NOON + timedelta(hours=2)) is Standing.WAITING
    assert [sign["valueCodeableConcept"]["coding"][0]["code"] for sign in merged["input"]] == [
        "breath-more",
        "breath-rest",
    ]


def test_a_repeat_at_the_same_level_does_not_disturb_who_is_on_it() -> None:
    seen, _ = acknowledge(_alert(), "Task/9", NURSE, NOON + timedelta(hours=1))
    merged = merge(seen, _alert(at=NOON + timedelta(hours=2)))

    assert standing(merged, NOON + timedelta(hours=9)) is Standing.SEEN
    assert len(merged["input"]) == 1
