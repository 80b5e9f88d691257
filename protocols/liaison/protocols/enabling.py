"""Which questions of a form are asked, given what was answered: Questionnaire.item.enableWhen and enableBehavior.

https://hl7.org/fhir/R4/questionnaire-definitions.html#Questionnaire.item.enableWhen. What stands in a group that is not asked is
not asked, and the answer to a question that is not asked counts for nothing. The page does the same in static/visit_form.js.
"""

import operator
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

Tree = dict[str, Any]

_COMPARED: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    ">": operator.gt,
    "<": operator.lt,
    ">=": operator.ge,
    "<=": operator.le,
}
OPERATORS: Final = frozenset({"exists", "=", "!=", *_COMPARED})
ORDERED: Final = frozenset(_COMPARED)


def enabled(form: Tree, answers: Mapping[str, Any]) -> frozenset[str]:
    """The linkIds of what is asked, groups among them."""
    given = dict(answers)
    while True:
        asked = frozenset(_asked(form, given))
        kept = {link: answer for link, answer in given.items() if link in asked}
        if kept == given:
            return asked
        given = kept


def expected(condition: Tree) -> Any:
    """The answer that a condition names: of a Coding its code, of a Quantity its value."""
    value = next((found for name, found in condition.items() if name.startswith("answer")), None)
    if isinstance(value, dict):
        return value.get("code") if "answerCoding" in condition else float(value["value"])
    return float(value) if isinstance(value, Decimal) else value


def _asked(form: Tree, given: Mapping[str, Any]) -> Iterator[str]:
    for item in form.get("item", ()):
        if _holds(item, given):
            yield str(item["linkId"])
            yield from _asked(item, given)


def _holds(item: Tree, given: Mapping[str, Any]) -> bool:
    conditions = [_met(one, given.get(one["question"])) for one in item.get("enableWhen", ())]
    if not conditions:
        return True
    return all(conditions) if item.get("enableBehavior", "all") == "all" else any(conditions)


def _met(condition: Tree, answer: Any) -> bool:
    wanted, how = expected(condition), condition["operator"]
    if how == "exists":
        return (answer is not None) is wanted
    given = answer if isinstance(answer, list) else [] if answer is None else [answer]
    return any(_compares(how, one, wanted) for one in given)


def _compares(how: str, one: Any, wanted: Any) -> bool:
    if how in ("=", "!="):
        return (one == wanted) is (how == "=")
    # What is no number yet is compared with none: its own question refuses it.
    return isinstance(one, str) is isinstance(wanted, str) and _COMPARED[how](one, wanted)
