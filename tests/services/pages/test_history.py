"""Dates at their own precision, and forms in their own words, as the page of documents and notes shows them."""

from datetime import UTC, date, datetime

import pytest

from liaison.protocols.forms import FORM
from liaison.services.pages.layout import environment
from liaison.services.pages.reading.contact import contact
from liaison.services.pages.reading.kinds import kind
from liaison.services.pages.reading.questionnaire import answers
from liaison.services.pages.reading.sentences import sentence

NOW = datetime(2026, 11, 29, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    ("stated", "said"),
    [
        ("2026-11-03", "3 nov. 2026"),
        ("2026-11", "nov. 2026"),
        ("2026", "2026"),
        ("2026-11-03T08:05:00+01:00", "3 nov. 2026, 08:05"),
        ("2026-11-03T07:05:00Z", "3 nov. 2026, 08:05"),
    ],
)
def test_a_date_is_told_no_more_precisely_than_it_is_known(stated: str, said: str) -> None:
    when = environment("fr").filters["when"]

    assert when({"resourceType": "Immunization", "occurrenceDateTime": stated}) == said
    assert when({"resourceType": "Immunization"}) == ""


def test_a_form_other_than_the_visits_is_told_question_by_question() -> None:
    tree = {
        "resourceType": "QuestionnaireResponse",
        "questionnaire": "https://example.org/Questionnaire/other|1",
        "item": [
            {
                "text": "Ce que vous vivez",
                "item": [
                    {"text": "Confiance, de 0 à 10", "answer": [{"valueInteger": 5}]},
                    {"text": "Sans réponse", "answer": []},
                ],
            },
            {"text": "Objectifs", "answer": [{"valueString": "Marcher"}, {"valueString": "Appeler tôt"}]},
        ],
    }

    assert kind(tree) == "Questionnaire"
    assert sentence(tree) == "Ce que vous vivez, Objectifs"
    assert answers(tree) == [("Confiance, de 0 à 10", "5"), ("Objectifs", "Marcher ; Appeler tôt")]
    assert kind({**tree, "questionnaire": f"{FORM}|1.0.0"}) == "Visite à domicile"


def test_a_goal_says_whether_it_is_reached() -> None:
    goal = {"resourceType": "Goal", "description": {"text": "Marcher"}}

    assert sentence(goal) == "Marcher"
    assert sentence({**goal, "achievementStatus": {"coding": [{"display": "Atteint"}]}}) == "Marcher, atteint"


def test_contact_details_leave_out_what_was_replaced() -> None:
    patient = {
        "address": [
            {"use": "old", "line": ["1 rue Haute"], "city": "Ailleurs"},
            {"use": "home", "line": ["3 rue Basse"], "postalCode": "56998", "city": "Kervanec"},
        ],
        "telecom": [
            {"system": "phone", "value": "06 39 98 10 06"},
            {"system": "phone", "use": "old", "value": "02 00 00 00 00"},
            {"system": "fax", "value": "02 00 00 00 01"},
        ],
        "birthDate": date(1953, 4, 22).isoformat(),
    }

    assert contact(patient, NOW) == [("3 rue Basse, 56998 Kervanec", ""), ("06 39 98 10 06", "tel:0639981006")]
