"""Quantities: units converted by UCUM, the precision written carried along."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liaison.fhir.definitions import search_parameters
from liaison.fhir.model import Number as Written
from liaison.fhir.model import extract
from liaison.fhir.model.values import Value
from liaison.fhir.store.contract import Key

from .conftest import Territory, query_of
from .test_types import decided

UCUM = "http://unitsofmeasure.org"


def _written(value: str, code: str, system: str = UCUM, sign: str = "") -> dict[str, Any]:
    quantity = {"value": Written(value), "unit": f"<{code}>", "system": system, "code": code}
    return quantity | ({"comparator": sign} if sign else {})


def _measured(value: str, code: str, system: str = UCUM, sign: str = "") -> list[Value]:
    tree = {"resourceType": "Observation", "valueQuantity": _written(value, code, system, sign)}
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


async def test_sampled_data_is_found_by_its_bounds(team: tuple[Territory, Key]) -> None:
    territory, patient = team
    data = {"origin": {"value": 0, "system": UCUM, "code": "mg"}, "period": 10, "dimensions": 1, "data": "1 2 9"}
    whole: dict[str, Any] = {"valueSampledData": {**data, "lowerLimit": 1, "upperLimit": 9}}
    one = territory.id(await territory.observation(patient, **whole))
    part = territory.id(await territory.observation(patient, component=[{"code": {"text": "x"}, **whole}]))
    bare = territory.id(await territory.observation(patient, valueSampledData=data))
    for query, wanted in (
        ("value-quantity=gt0", {one}),
        ("value-quantity=gt8000|http://unitsofmeasure.org|ug", {one}),
        ("value-quantity=gt9", set()),
        ("value-quantity=5", set()),  # a curve from 1 to 9 does not lie within 4.5 and 5.5
        ("component-value-quantity=sa0.5", {part}),
        ("combo-value-quantity=eb10||mg", {one, part}),
        ("value-quantity:missing=true", {part, bare}),
    ):
        assert {*(await territory.search("Observation", query)).ids} == wanted, query


async def test_an_order_is_of_what_quantities_amount_to(team: tuple[Territory, Key]) -> None:
    """Side by side what can be compared, by its value in base units; a missing value is lower than any."""
    territory, patient = team
    given = {
        "5 g": ("5", "g"),
        "5.4 mg": ("5.4", "mg"),
        "5001 mg": ("5001", "mg"),
        "<5 g": ("5", "g", UCUM, "<"),
        "16 kPa": ("16", "kPa"),
        "121 mm[Hg]": ("121", "mm[Hg]"),
        "119 mm[Hg]": ("119", "mm[Hg]"),
        "98.7 [degF]": ("98.7", "[degF]"),
        "37.0 Cel": ("37.0", "Cel"),
        "7 {score}": ("7", "{score}"),
        "8 %": ("8", "%"),
        "2 boxes": ("2", "boxes", "http://other"),
        "10 boxes": ("10", "boxes", "http://other"),
        "1 nonsense": ("1", "nonsense"),
    }
    names = {}
    for name, one in given.items():
        key = await territory.observation(patient, valueQuantity=_written(*one))
        names[territory.id(key)] = name
    names[territory.id(await territory.observation(patient))] = "none"
    names[territory.id(await territory.observation(patient, valueQuantity={"value": Written("3")}))] = "3"
    order = [
        "none", "8 %", "3", "7 {score}", "37.0 Cel", "98.7 [degF]", "<5 g", "5.4 mg", "5 g", "5001 mg",
        "119 mm[Hg]", "16 kPa", "121 mm[Hg]", "2 boxes", "10 boxes", "1 nonsense",
    ]  # fmt: skip
    for sort, wanted in (("value-quantity", order), ("-value-quantity", order[::-1])):
        for query in (f"_sort={sort}&_count=50", f"_sort={sort}&_count=3", f"_sort=status,{sort}&_count=5"):
            found = await territory.all_pages("Observation", query)
            assert [names[one] for one in found] == wanted, query
        last = await territory.search("Observation", f"_sort={sort}&_count=3")
        while last.next:
            last = await territory.search("Observation", last.next_query)
        back = list(last.ids)
        while last.previous:
            last = await territory.search("Observation", query_of(last.previous))
            back = last.ids + back
        assert [names[one] for one in back] == wanted, sort


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
