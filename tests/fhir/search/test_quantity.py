"""Quantities: units converted by UCUM, the precision written carried along."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liaison.fhir.definitions import search_parameters
from liaison.fhir.model import Number as Written
from liaison.fhir.model import extract
from liaison.fhir.model.values import Value

from .test_types import decided

UCUM = "http://unitsofmeasure.org"


def _measured(value: str, code: str, system: str = UCUM, sign: str = "") -> list[Value]:
    quantity = {"value": Written(value), "unit": f"<{code}>", "system": system, "code": code}
    tree = {"resourceType": "Observation", "valueQuantity": quantity | ({"comparator": sign} if sign else {})}
    return extract("Observation", tree)[search_parameters("Observation")["value-quantity"].number]


@pytest.mark.parametrize(
    ("text", "value", "code", "expected"),
    [
        (f"5.4|{UCUM}|mg", "5400", "ug", True),
        (f"5.4|{UCUM}|mg", "5350", "ug", True),
        (f"5.4|{UCUM}|mg", "5349.9", "ug", False),
        (f"5.4|{UCUM}|mg", "5449.999999", "ug", True),
        (f"5.4|{UCUM}|mg", "5450", "ug", False),
        (f"5.40e-3|{UCUM}|g", "5.4", "mg", True),
        (f"5.40e-3|{UCUM}|g", "5.405", "mg", False),
        (f"5.4|{UCUM}|mg", "5.4", "mg/dL", False),
        (f"5.4|{UCUM}|mg/dL", "54", "mg/L", True),
        (f"5.4|{UCUM}|mg/dL", "54", "ug/mL", True),
        (f"ge100|{UCUM}|mg/dL", "1", "g/L", True),
        (f"gt100|{UCUM}|mg/dL", "1", "g/L", False),
        (f"gt100|{UCUM}|mg/dL", "1.0000001", "g/L", True),
        (f"37.0|{UCUM}|Cel", "98.6", "[degF]", True),
        (f"37.0|{UCUM}|Cel", "310.15", "K", True),
        (f"ne37.0|{UCUM}|Cel", "98.6", "[degF]", False),
        (f"sa100|{UCUM}|Cel", "211", "[degF]", False),
        (f"120|{UCUM}|mm[Hg]", "16.0", "kPa", True),
        (f"ap5|{UCUM}|h", "320", "min", True),
        (f"ap5|{UCUM}|h", "331", "min", False),
        (f"7|{UCUM}|[iU]/L", "7", "/L", False),
        (f"7|{UCUM}|[iU]/L", "0.007", "k[iU]/L", True),
        (f"7|{UCUM}|{{score}}", "7", "{nominal}", True),
        (f"7.4|{UCUM}|pH", "7.4", "pH", True),
        (f"7|{UCUM}|nonsense", "7", "nonsense", True),
        (f"7|{UCUM}|nonsense", "7", "mg", False),
        (f"7|{UCUM}|", "7", "mg", True),
        ("7|http://other|", "7", "mg", False),
        ("7|http://other|mg", "7", "mg", False),
        ("7||mg", "7", "mg", True),
        ("7||<mg>", "7", "mg", True),
        ("7||mg", "7000", "ug", False),
        ("7", "7", "mg", True),
        ("7||", "7", "mg", True),
    ],
)
def test_quantities_are_compared_in_ucum(text: str, value: str, code: str, expected: bool) -> None:
    assert decided("Observation", "value-quantity", text, *_measured(value, code)) is expected


@pytest.mark.parametrize(
    ("sign", "met"),
    [
        ("<", {"lt4", "le4", "gt4", "ge4", "lt5", "le5", "eb5", "lt6", "le6", "eb6"}),
        ("<=", {"lt4", "le4", "gt4", "ge4", "lt5", "le5", "ge5", "lt6", "le6", "eb6"}),
        (">", {"gt4", "ge4", "sa4", "gt5", "ge5", "sa5", "gt6", "ge6", "lt6", "le6"}),
        (">=", {"gt4", "ge4", "sa4", "gt5", "ge5", "le5", "gt6", "ge6", "lt6", "le6"}),
    ],
)
def test_a_comparator_opens_one_end(sign: str, met: set[str]) -> None:
    asked = {f"{prefix}{n}" for prefix in ("eq", "lt", "le", "gt", "ge", "sa", "eb") for n in (4, 5, 6)}
    found = {one for one in asked if decided("Observation", "value-quantity", one, *_measured("5", "mg", sign=sign))}
    assert found == met


@given(
    st.decimals(-1000, 1000, places=3),
    st.sampled_from(["g", "mg", "ug", "kg"]),
    st.decimals(-1000, 1000, places=2),
    st.sampled_from(["eq", "ne", "gt", "lt", "ge", "le", "sa", "eb"]),
)
def test_a_unit_of_the_record_changes_nothing(held: Decimal, code: str, asked: Decimal, prefix: str) -> None:
    size = {"g": 0, "mg": 3, "ug": 6, "kg": -3}[code]
    text = f"{prefix}{asked:f}|{UCUM}|g"
    same = decided("Observation", "value-quantity", text, *_measured(f"{held:f}", "g"))
    assert decided("Observation", "value-quantity", text, *_measured(f"{held.scaleb(size):f}", code)) is same
