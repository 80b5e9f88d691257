"""A home visit in one line, told once."""

from typing import Any

import pytest

from liaison.protocols.filing import SYSTEM
from liaison.protocols.forms import FORM
from liaison.services.pages.audit.lines import main_rule
from liaison.services.pages.clinician.news import told_once
from liaison.services.pages.reading.home_visit import told
from liaison.services.pages.reading.identity import identity
from liaison.services.pages.reading.moments import happened, moment


def item(link: str, text: str, *answers: tuple[str, str]) -> dict[str, Any]:
    return {"linkId": link, "text": text, "answer": [{"valueCoding": {"code": c, "display": d}} for c, d in answers]}


USUAL = item("meal", "Le repas", ("meal-all", "Tout mangé"))
SHORT = item("breath", "Le souffle", ("breath-more", "Plus court que d'habitude"))


def test_only_what_is_out_of_the_ordinary_is_spelt_out() -> None:
    note = {"linkId": "note", "answer": [{"valueString": "Fatiguée."}]}
    tasks = item("tasks", "Ce qui est fait", ("wash", "Toilette"), ("bed", "Coucher"))

    said = told({"item": [USUAL, SHORT, tasks, note]})

    assert said == (
        "Le souffle : Plus court que d'habitude. Le reste comme d'habitude. Fait : Toilette, Coucher. « Fatiguée. »"
    )
    assert told({"item": [USUAL]}) == "Comme d'habitude."
    assert told({"item": []}) == ""


def filed(type_: str, id_: str, part: str, visit: str = "v", **more: Any) -> dict[str, Any]:
    """A resource of a visit, as protocols/visit.py files it."""
    identifier = {"system": SYSTEM, "value": f"{visit}#{part}"}
    single = type_ == "QuestionnaireResponse"
    return {"resourceType": type_, "id": id_, "identifier": identifier if single else [identifier], **more}


FORM_SENT = filed(
    "QuestionnaireResponse",
    "q",
    "response",
    questionnaire=f"{FORM}|1.0.0",
    status="completed",
    encounter={"reference": "Encounter/e"},
    authored="2026-03-01T10:00:00Z",
)
ELSEWHERE: dict[str, Any] = {
    **FORM_SENT,
    "id": "r",
    "questionnaire": "https://example.org/Questionnaire/other",
    "identifier": {"system": "urn:other", "value": "1"},
}


def test_what_was_drawn_from_a_form_is_told_by_the_form_alone() -> None:
    drawn = [
        filed("Observation", "o", "meal", derivedFrom=[{"reference": "QuestionnaireResponse/q"}]),
        filed("DocumentReference", "c", "note", context={"encounter": [{"reference": "Encounter/e"}]}),
        filed("Encounter", "e", "encounter"),
    ]
    other: dict[str, Any] = {"resourceType": "Observation", "id": "p", "effectiveDateTime": "2026-03-02"}

    assert told_once([FORM_SENT, *drawn, other]) == [other, FORM_SENT]
    later = [{**tree, "effectiveDateTime": "2026-03-01"} for tree in drawn]
    assert told_once([*later, other])[0] == other  # a reader who does not see the form sees its parts
    assert len(told_once([*later, other])) == 4


OF_ANOTHER: list[dict[str, Any]] = [
    {"resourceType": "Observation", "id": "troponin", "encounter": {"reference": "Encounter/e"}},
    {"resourceType": "Encounter", "id": "e"},
    {"resourceType": "DocumentReference", "id": "d", "encounter": {"reference": "Encounter/e"}},
    {"resourceType": "Observation", "id": "score", "derivedFrom": [{"reference": "QuestionnaireResponse/r"}]},
    {"resourceType": "Observation", "id": "aside", "derivedFrom": [{"reference": "QuestionnaireResponse/q"}]},
    filed("Observation", "of-another-visit", "meal", "w"),
    filed("Observation", "amended", "meal", status="amended"),
    filed("Observation", "changed", "meal", meta={"versionId": "2"}),
    {"resourceType": "Observation", "id": "same-number", "identifier": [{"system": "urn:lab", "value": "v#meal"}]},
]


@pytest.mark.parametrize("tree", OF_ANOTHER, ids=lambda tree: str(tree["id"]))
@pytest.mark.parametrize("form", [FORM_SENT, ELSEWHERE], ids=["a visit", "a form of other software"])
def test_a_form_hides_nothing_that_its_visit_did_not_file(form: dict[str, Any], tree: dict[str, Any]) -> None:
    tree = {**tree, "effectiveDateTime": "2026-03-01"}

    assert tree in told_once([form, tree])


def test_another_form_that_bears_the_number_of_a_visit_tells_nothing_for_it() -> None:
    weight = filed("Observation", "o", "weight", effectiveDateTime="2026-03-01")

    assert weight in told_once([{**FORM_SENT, "questionnaire": "https://example.org/Questionnaire/other"}, weight])


def test_a_form_filled_in_by_mistake_tells_nothing_for_its_visit() -> None:
    weight = filed("Observation", "o", "weight", effectiveDateTime="2026-03-01")

    assert weight in told_once([{**FORM_SENT, "status": "entered-in-error"}, weight])


def test_an_appointment_happens_when_it_starts_not_when_it_was_made() -> None:
    tree = {"created": "2026-03-01T09:00:00Z", "start": "2026-03-04T08:00:00Z"}

    assert happened(tree) == moment("2026-03-04T08:00:00Z")


def test_a_used_name_that_is_the_birth_name_is_not_said_twice() -> None:
    names = [{"use": "official", "family": "LE MÔUEL", "given": ["Jean"]}, {"use": "usual", "family": "Le Môuel"}]

    assert identity({"name": names}).full == "Jean Le Môuel"


def test_the_rule_shown_is_the_first_and_never_the_one_on_abuse() -> None:
    assert main_rule({"26b", "25", "3", "10b"}) == "3"
    assert main_rule({"26b"}) == ""
