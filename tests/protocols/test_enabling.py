"""Which questions are asked: R4's operators one by one, any and all, and what hangs on what is not asked."""

from typing import Any

import pytest

from liaison.protocols.enabling import OPERATORS, enabled

CODING = {"system": "urn:x", "code": "yes"}
KILOS = {"value": 70, "system": "http://unitsofmeasure.org", "code": "kg"}
TABLE: list[tuple[str, dict[str, Any], Any, bool]] = [
    ("exists", {"answerBoolean": True}, 3, True),
    ("exists", {"answerBoolean": True}, None, False),
    ("exists", {"answerBoolean": False}, None, True),
    ("exists", {"answerBoolean": False}, 0, False),
    ("=", {"answerCoding": CODING}, "yes", True),
    ("=", {"answerCoding": CODING}, "no", False),
    ("=", {"answerCoding": CODING}, ["no", "yes"], True),
    ("=", {"answerCoding": CODING}, None, False),
    ("!=", {"answerCoding": CODING}, "no", True),
    ("!=", {"answerCoding": CODING}, "yes", False),
    ("!=", {"answerCoding": CODING}, ["no", "yes"], True),  # at least one is another
    ("!=", {"answerCoding": CODING}, None, False),
    ("=", {"answerBoolean": True}, True, True),
    ("=", {"answerBoolean": False}, True, False),
    ("=", {"answerString": "a"}, "a", True),
    (">", {"answerInteger": 3}, 4, True),
    (">", {"answerInteger": 3}, 3, False),
    (">=", {"answerInteger": 3}, 3, True),
    ("<", {"answerDecimal": 92.5}, 92.4, True),
    ("<", {"answerDecimal": 92.5}, 92.5, False),
    ("<=", {"answerDecimal": 92.5}, 92.5, True),
    ("<=", {"answerDecimal": 92.5}, 93, False),
    (">", {"answerQuantity": KILOS}, 70.5, True),
    (">", {"answerQuantity": KILOS}, "soixante", False),
    ("<", {"answerDate": "2026-11-30"}, "2026-11-29", True),
    (">=", {"answerDate": "2026-11-30"}, "2026-11-29", False),
]


def _form(*items: dict[str, Any]) -> dict[str, Any]:
    return {"item": list(items)}


def _item(link: str, *conditions: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"linkId": link, "type": "string", **({"enableWhen": list(conditions)} if conditions else {}), **more}


@pytest.mark.parametrize(("how", "wanted", "given", "asked"), TABLE)
def test_an_operator(how: str, wanted: dict[str, Any], given: Any, asked: bool) -> None:
    form = _form(_item("a"), _item("b", {"question": "a", "operator": how, **wanted}))

    assert ("b" in enabled(form, {} if given is None else {"a": given})) is asked


def test_the_table_has_every_operator_both_ways() -> None:
    assert {(how, asked) for how, _, _, asked in TABLE} == {
        (how, asked) for how in OPERATORS for asked in (True, False)
    }


@pytest.mark.parametrize(("behavior", "asked"), [("any", True), ("all", False)])
def test_one_of_two_conditions_is_enough_for_any(behavior: str, asked: bool) -> None:
    one = {"question": "a", "operator": "=", "answerInteger": 1}
    other = {"question": "b", "operator": "=", "answerInteger": 2}
    form = _form(_item("a"), _item("b"), _item("c", one, other, enableBehavior=behavior))

    assert ("c" in enabled(form, {"a": 1, "b": 0})) is asked
    assert "c" in enabled(form, {"a": 1, "b": 2})


def test_what_is_not_asked_counts_for_nothing_and_closes_its_group() -> None:
    shut = {"question": "a", "operator": "=", "answerBoolean": True}
    group = {"linkId": "g", "type": "group", "enableWhen": [shut], "item": [_item("in")]}
    form = _form(_item("a"), group, _item("after", {"question": "in", "operator": "exists", "answerBoolean": True}))

    assert enabled(form, {"a": True, "in": "x"}) == {"a", "g", "in", "after"}
    assert enabled(form, {"a": False, "in": "x"}) == {"a"}
