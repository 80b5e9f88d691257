"""What a home service may make of a form: what is refused, item by item and with its reason, and what a change looks like."""

import json
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from liaison.fhir.model import read, validate
from liaison.protocols import library
from liaison.protocols.answers import items, problems, responded, value_of
from liaison.protocols.forms import READY, arranged, as_shown, form_of, is_visit, model_of, of_service, wanted
from liaison.protocols.publishing import Why, changes, moved, refusals, whole, without, worded

from .every_type import ANSWERS, EXTRA, every_type

Tree = dict[str, Any]
LIBRARY = library.shipped()
MODELS = [LIBRARY.tree(model) for model in READY.values()]
DAILY = MODELS[0]


def _read(tree: Tree) -> Tree:
    """As it comes in: decimals with their digits."""
    return read(json.dumps(tree).encode())


def _refused(form: Tree) -> set[tuple[str, Why]]:
    return {(one.link, one.why) for one in refusals(form, DAILY, LIBRARY)}


def _added(**item: Any) -> Callable[[Tree], None]:
    return lambda form: form["item"].append({"linkId": "more", "text": "Autre", **item})


def _item(form: Tree, link: str) -> Tree:
    return next(one for one in form["item"] if one["linkId"] == link)


def _gone(link: str) -> Callable[[Tree], None]:
    return lambda form: form["item"].remove(_item(form, link))


def _set(link: str, **values: Any) -> Callable[[Tree], None]:
    return lambda form: _item(form, link).update(values)


def _option(number: int) -> Tree:
    return {"valueCoding": {"system": "urn:x", "code": f"c{number}", "display": f"Réponse {number}"}}


def _levelled(form: Tree) -> None:
    _item(form, "fall")["answerOption"][2]["extension"][0]["valueCoding"]["code"] = "YELLOW"


def _when(**condition: Any) -> dict[str, Any]:
    return {"enableWhen": [{"question": "pain", "operator": "=", "answerInteger": 1, **condition}]}


LEAST, MOST = (f"http://hl7.org/fhir/StructureDefinition/{one}Value" for one in ("min", "max"))
REFUSED: list[tuple[str, Callable[[Tree], None], str, Why]] = [
    ("attachment", _added(type="attachment"), "more", Why.TYPE),
    ("open choice", _added(type="open-choice", answerOption=[_option(1)]), "more", Why.TYPE),
    ("an hour of its own", _added(type="dateTime"), "more", Why.TYPE),
    ("the same linkId twice", _added(type="text", linkId="meal"), "meal", Why.NO_LINK),
    ("a name of the page's own", _added(type="text", linkId="csrf"), "csrf", Why.NO_LINK),
    ("no words", _set("meal", text=" "), "meal", Why.NO_WORDS),
    ("long words", _set("meal", text="x" * 201), "meal", Why.TOO_LONG),
    ("no choices", _added(type="choice"), "more", Why.NO_CHOICES),
    ("a code of ours that is none", _added(type="choice", answerOption=[{"valueCoding": {
        "system": "https://liaison.example/fhir/CodeSystem/home-care", "code": "none", "display": "Rien"}}]), "more", Why.UNKNOWN_CODE),
    ("six choices", _added(type="choice", answerOption=[_option(n) for n in range(6)]), "more", Why.TOO_MANY_CHOICES),
    ("eleven to tick", _added(type="choice", repeats=True, answerOption=[_option(n) for n in range(11)]), "more",
     Why.TOO_MANY_CHOICES),
    ("forty-one items", lambda form: form["item"].extend({"linkId": f"n{n}", "type": "text", "text": "x"} for n in range(30)), "",
     Why.TOO_MANY_ITEMS),
    ("several texts", _added(type="text", repeats=True), "more", Why.REPEATS),
    ("a group in a group", _added(type="group", item=[{"linkId": "g", "type": "group", "text": "x", "item": [
        {"linkId": "in", "type": "text", "text": "x"}]}]), "g", Why.NESTED),
    ("a question below a question", _added(type="boolean", item=[{"linkId": "in", "type": "text", "text": "x"}]), "in", Why.NESTED),
    ("an empty group", _added(type="group"), "more", Why.EMPTY),
    ("a quantity without a unit", _added(type="quantity"), "more", Why.UNIT),
    ("bounds the wrong way round", _added(type="integer", extension=[
        {"url": LEAST, "valueInteger": 5}, {"url": MOST, "valueInteger": 3}]), "more", Why.BOUNDS),
    ("a condition on nothing", _added(type="text", **_when(question="nothing")), "more", Why.CONDITION_ON_NOTHING),
    ("a condition on itself", _added(type="text", **_when(question="more")), "more", Why.CONDITION_ON_NOTHING),
    ("a condition on an hour", _added(type="text", enableWhen=[
        {"question": "start", "operator": ">", "answerDateTime": "2026-11-30T08:00:00Z"}]), "more", Why.CONDITION),
    ("the order of codes", _added(type="text", enableWhen=[
        {"question": "meal", "operator": ">", "answerCoding": {"code": "meal-all"}}]), "more", Why.CONDITION),
    ("two conditions, neither all nor any", _added(type="text", enableWhen=2 * _when()["enableWhen"]), "more", Why.BEHAVIOR),
    *((f"no {link}", _gone(link), link, Why.MISSING) for link in ("start", "presence", "note", "alert", "called")),
    *((f"no {link}, which raises red alerts", _gone(link), link, Why.RED_REMOVED) for link in ("fall", "breath", "mood")),
    ("another alert level", _levelled, "fall", Why.LEVEL),
    ("another code", _set("weight", code=[{"system": "http://loinc.org", "code": "8302-2"}]), "weight", Why.CHANGED),
    ("another type", _set("pain", type="decimal"), "pain", Why.CHANGED),
]  # fmt: skip


@pytest.mark.parametrize(("change", "link", "why"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_an_item_is_refused_by_name_and_with_its_reason(change: Callable[[Tree], None], link: str, why: Why) -> None:
    form = deepcopy(DAILY)
    change(form)

    assert (link, why) in _refused(form)


def test_every_reason_but_that_of_levels_that_do_not_exist_is_in_the_table() -> None:
    assert {row[3] for row in REFUSED} == set(Why) - {Why.ALERT}


@pytest.mark.parametrize("form", [*MODELS, every_type(DAILY)], ids=[*READY, "every type"])
def test_what_is_shipped_and_a_form_of_every_type_can_be_published(form: Tree) -> None:
    model = next(one for one in MODELS if one["url"] == form["url"])

    assert refusals(form, model, LIBRARY) == []
    validate(_read(form), "Questionnaire")


BAD: dict[str, list[Any]] = {
    "x-choice": ["none", ["c1", "c2"], True],
    "x-several": [["c1", "none"]],
    "x-boolean": ["true", 1, "c1"],
    "x-integer": [1.5, 11, -1, True, "3"],
    "x-decimal": [34.9, 42.1, "37", False],
    "x-quantity": [0.1, 6, "2"],
    "x-date": ["2026-02-30", "2019-12-31", "hier", 3],
    "x-text": ["x" * 4001, 3],
    "x-string": [3],
}


def test_each_type_is_filed_in_r4_s_shape_and_what_does_not_fit_is_refused_by_name() -> None:
    form = every_type(DAILY)
    whole_visit = {"start": "2026-11-30T09:00:00+01:00", "presence": "present", **ANSWERS}
    response: Tree = {
        "resourceType": "QuestionnaireResponse",
        "status": "completed",
        "item": responded(form, whole_visit),
    }

    assert problems(form, whole_visit) == {}
    validate(_read(response), "QuestionnaireResponse")
    told = {one["linkId"]: one for one in response["item"]}
    group = {one["linkId"]: one["answer"][0] for one in told["x-group"]["item"]}
    assert {link: next(iter(told[link]["answer"][0])) for link in told if link.startswith("x-") and link != "x-group"} == {
        "x-choice": "valueCoding", "x-several": "valueCoding", "x-boolean": "valueBoolean", "x-integer": "valueInteger",
        "x-decimal": "valueDecimal", "x-date": "valueDate", "x-text": "valueString", "x-string": "valueString",
    }  # fmt: skip
    assert group["x-quantity"] == {
        "valueQuantity": {"value": 1.5, "unit": "L", "system": "http://unitsofmeasure.org", "code": "L"}
    }
    assert set(BAD) == {item["linkId"] for item in EXTRA if item["type"] != "group"} | {"x-quantity"}
    for link, values in BAD.items():
        for value in values:
            assert set(problems(form, {**whole_visit, link: value})) - {"x-text"} | {link} == {link}, (link, value)
            assert link in problems(form, {**whole_visit, link: value}), (link, value)


def test_an_observation_comes_of_what_asks_for_one_alone_in_the_shape_of_its_type() -> None:
    form = every_type(DAILY)
    found = {item.link: item for item in items(form) if item.link in ANSWERS}
    litres = {"value": 1.5, "unit": "L", "system": "http://unitsofmeasure.org", "code": "L"}

    assert [link for link, item in found.items() if item.extract] == ["x-quantity"]
    assert {link: value_of(item, ANSWERS[link]) for link, item in found.items() if not item.choices} == {
        "x-integer": {"valueQuantity": {"value": 4, "unit": "1", "system": "http://unitsofmeasure.org", "code": "1"}},
        "x-quantity": {"valueQuantity": litres},
        "x-decimal": {"valueQuantity": {**litres, "value": 37.2, "unit": "Cel", "code": "Cel"}},
        "x-date": {"valueDateTime": "2026-11-28"},
        "x-text": {"valueString": "La purée"},
        "x-string": {"valueString": "Une pomme"},
    }
    assert value_of(found["x-boolean"], True) == {"valueBoolean": True}
    assert value_of(found["x-choice"], "c2") == {
        "valueCodeableConcept": {
            "coding": [{"system": "urn:x", "code": "c2", "display": "Deux fois"}],
            "text": "Deux fois",
        }
    }


def test_a_required_question_is_missed_only_where_it_is_asked() -> None:
    form = every_type(DAILY)
    _item(form, "x-text")["required"] = True
    start = {"start": "2026-11-30T09:00:00+01:00"}

    assert problems(form, {**start, "presence": "present", "x-boolean": True}) == {"x-text": "an answer is required"}
    assert problems(form, {**start, "presence": "present", "x-boolean": False}) == {}
    assert problems(form, {**start, "presence": "door-closed", "x-text": "x"}) == {"x-text": "not asked"}


# What the manager changes.


def test_a_question_moves_among_those_without_a_fixed_place_and_stops_at_the_ends() -> None:
    def order(form: Tree) -> list[str]:
        return [one["linkId"] for one in form["item"]]

    shown = as_shown(DAILY)
    assert [item.link for item in arranged(DAILY).state] == ["general", "meal", "drink", "fall", "breath"]
    assert order(moved(shown, "meal", -1))[4:6] == ["meal", "general"]
    assert moved(shown, "general", -1) == shown
    assert moved(shown, "hospital", 1) == shown
    assert moved(shown, "note", -1) == shown
    assert sorted(order(moved(shown, "fall", 1))) == sorted(order(shown))


def test_the_words_change_and_neither_codes_nor_levels_do() -> None:
    told = worded(DAILY, {"fall": "Est-elle tombée ?"}, {("fall", "fall-hurt"): "Oui, elle s'est blessée"})

    assert refusals(told, DAILY, LIBRARY) == []
    assert [(one.what, one.link, one.before, one.now) for one in changes(DAILY, told)] == [
        ("words", "fall", "Chute depuis la dernière visite ?", "Est-elle tombée ?"),
        ("answer", "fall", "Oui, avec blessure", "Oui, elle s'est blessée"),
    ]


def test_what_is_switched_off_can_be_switched_on_again() -> None:
    less = without(DAILY, {"sleep", "skin"})
    again, off = whole(less, DAILY)

    assert off == {"sleep", "skin"}
    assert {item.link for item in items(again)} == {item.link for item in items(DAILY)}
    assert [(one.what, one.link) for one in changes(DAILY, less)] == [("removed", "skin"), ("removed", "sleep")]
    assert [(one.what, one.link) for one in changes(less, DAILY)] == [("added", "skin"), ("added", "sleep")]
    assert [(one.what, one.link) for one in changes(DAILY, moved(DAILY, "meal", -1))] == [("moved", "general")]


def test_a_form_is_known_by_its_address_whichever_service_published_it() -> None:
    own = of_service(READY["visit-short"], "abc")

    assert model_of(f"{own}|3") == READY["visit-short"]
    assert is_visit(f"{DAILY['url']}|1.0.0")
    assert not is_visit("https://liaison.example/fhir/Questionnaire/bilan-educatif-partage")
    assert form_of(LIBRARY, f"{own}|3")["url"] == READY["visit-short"]
    assert form_of(LIBRARY, "")["url"] == READY["visit"]


def test_the_tour_line_says_which_form_then_the_plan_then_it_is_the_daily_one() -> None:
    def line(code: str) -> Tree:
        system = "https://liaison.example/fhir/CodeSystem/home-care"
        return {"serviceType": [{"coding": [{"system": system, "code": code}]}]}

    plan = {"status": "active", "activity": [{"detail": {"instantiatesCanonical": [f"{READY['visit-breath']}|1.0.0"]}}]}

    assert wanted(line("visit-short"), [plan]) == READY["visit-short"]
    assert wanted(line("visit"), [plan]) == READY["visit-breath"]
    assert wanted(line("visit"), [{**plan, "status": "revoked"}]) == READY["visit"]
    assert wanted({}, []) == READY["visit"]
