"""Required bindings. http://hl7.org/fhir/R4/terminologies.html#required

A CodeableConcept needs one coding from the value set; others may stand beside it. Where R4's definitions do not list
the codes, what can be checked is: currencies have three capitals; MIME types and UCUM units are taken as they are.
"""

import re
from collections.abc import Callable
from typing import Any

from liaison.fhir.definitions import required_codes
from liaison.fhir.model.validation.primitives import TESTS, Test

_CURRENCY = re.compile(r"[A-Z]{3}")
_SHOWN = 12


def _expected(value_set: str, codes: list[str]) -> str:
    few = f": {', '.join(codes)}" if len(codes) <= _SHOWN else ""
    return f"Not a code of {value_set}, which is required here{few}."


def code_test(value_set: str) -> Test:
    """The test of a `code` element bound to this value set."""
    is_code = TESTS["code"]
    if value_set == "http://hl7.org/fhir/ValueSet/currencies":
        return lambda value: (
            None
            if type(value) is str and _CURRENCY.fullmatch(value) is not None
            else "Expected a currency of ISO 4217."
        )
    listed = required_codes(value_set)
    if listed is None:
        return is_code
    codes = frozenset().union(*listed.values())
    wrong = _expected(value_set, sorted(codes))

    def test(value: Any) -> str | None:
        if type(value) is str and value in codes:
            return None
        return is_code(value) or wrong

    return test


def concept_test(value_set: str, type_: str) -> Callable[[dict[str, Any]], str | None] | None:
    """The test of a Coding or CodeableConcept bound to this value set; None when R4 does not list its codes."""
    listed = required_codes(value_set)
    if listed is None:
        return None
    wrong = _expected(value_set, sorted(frozenset().union(*listed.values())))

    def within(coding: Any) -> bool:
        return (
            type(coding) is dict
            and type(system := coding.get("system")) is str
            and type(code := coding.get("code")) is str
            and code in listed.get(system, ())
        )

    if type_ == "Coding":
        return lambda coding: None if within(coding) else wrong

    def test(concept: dict[str, Any]) -> str | None:
        codings = concept.get("coding")
        return None if type(codings) is list and any(map(within, codings)) else wrong

    return test
