"""« Rien à signaler » by team: what counts, and of whom nothing is told."""

from typing import Any

import pytest

from liaison.protocols.forms import FORM
from liaison.services.pages.home_service.shares import counted

CODES = "https://liaison.example/fhir/CodeSystem/home-care"


def answered(link: str, code: str) -> dict[str, Any]:
    return {"linkId": link, "answer": [{"valueCoding": {"system": CODES, "code": code}}]}


QUIET = [answered("presence", "present"), answered("tasks", "wash"), answered("general", "usual")]


def visit(number: int, aide: int, items: list[dict[str, Any]], team: str = "CCAS") -> list[dict[str, Any]]:
    return [
        {"resourceType": "Encounter", "id": f"e{number}", "serviceProvider": {"display": team}},
        {
            "resourceType": "QuestionnaireResponse",
            "questionnaire": f"{FORM}|1.0.0",
            "status": "completed",
            "encounter": {"reference": f"Encounter/e{number}"},
            "author": {"reference": f"PractitionerRole/{aide}"},
            "item": items,
        },
    ]


@pytest.mark.parametrize(
    ("items", "percent"),
    [
        (QUIET, 100),
        ([*QUIET, answered("breath", "breath-more")], 67),
        ([*QUIET, answered("alert", "alert-house")], 67),
        ([*QUIET, {"linkId": "note", "answer": [{"valueString": "Un mot."}]}], 67),
        ([answered("presence", "door-closed")], 67),
    ],
    ids=["as usual", "a sign", "an alert", "a word", "nobody opened"],
)
def test_the_share_is_of_visits_with_nothing_to_report(items: list[dict[str, Any]], percent: int) -> None:
    [share] = counted([*visit(1, 1, QUIET), *visit(2, 2, QUIET), *visit(3, 3, items)])

    assert (share.team, share.visits, share.percent) == ("CCAS", 3, percent)


def test_a_team_of_two_aides_is_not_told_since_its_share_would_be_theirs() -> None:
    small = [*visit(1, 1, QUIET, "Nord"), *visit(2, 2, QUIET, "Nord"), *visit(3, 2, QUIET, "Nord")]
    large = [one for number in (4, 5, 6) for one in visit(number, number, QUIET, "Sud")]

    shares = counted([*small, *large])

    assert [(one.team, one.percent, one.quiet) for one in shares] == [("Nord", None, 0), ("Sud", 100, 3)]
