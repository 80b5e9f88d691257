"""The compiled search expressions against fhirpathpy, which shares no code with them."""

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from decimal import Decimal
from functools import cache
from typing import Any

import fhirpathpy
import pytest
from fhirpathpy.models import models

from liaison.fhir.definitions import RESOURCE_TYPES, SearchParameter, search_parameters
from liaison.fhir.model.fhirpath import ParseError, compile_expression, evaluate

Tree = dict[str, Any]

# fhirpathpy cannot follow references; the sample's say their type, so the same question can be asked of the text.
_RESOLVE = re.compile(r"where\(resolve\(\) is (\w+)\)")


@cache
def reference_reader(expression: str) -> Callable[..., list[Any]]:
    asked = _RESOLVE.sub(r"where(reference.matches('(.*/)?\1[/?].*'))", expression)
    # R4 writes `as` where a list may stand, which FHIRPath forbids; ofType means the same for lists.
    asked = re.sub(r" as (\w+)\)", r".ofType(\1))", asked).replace(".as(", ".ofType(")
    return fhirpathpy.compile(asked, model=models["r4"])


def canonical(values: Iterable[Any]) -> list[str]:
    def default(value: Any) -> str:
        return str(value.normalize()) if isinstance(value, Decimal) else str(value)

    def number(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: number(child) for key, child in value.items()}
        if isinstance(value, list):
            return [number(child) for child in value]
        if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
            return f"{Decimal(str(value)).normalize():f}"
        return value

    # A union drops what is equal.
    return sorted({json.dumps(number(value), default=default, sort_keys=True) for value in values})


def compare(type_: str, tree: Tree) -> int:
    compared = 0
    for parameter in search_parameters(type_).values():
        if not parameter.expression:
            continue
        # Only the alternatives for this type: elsewhere they give nothing, slowly.
        own = " | ".join(
            re.sub(r"^(Resource|DomainResource)\b", type_, part.strip())  # fhirpathpy knows no base types
            for part in parameter.expression.split("|")
            if re.match(rf"\s*\(?([a-z]|({type_}|Resource|DomainResource)\b)", part)
        )
        expected = reference_reader(own)(tree)
        found = [
            hit for branch in compile_expression(parameter.expression, type_) for hit in evaluate(branch, tree, tree)
        ]
        assert canonical(found) == canonical(expected), (type_, parameter.code, own)
        compared += len(found)
    return compared


@pytest.mark.parametrize("type_", sorted(RESOURCE_TYPES))
def test_expressions_find_what_the_other_implementation_finds(type_: str, make: Any) -> None:
    found = sum(compare(type_, make(seed).resource(type_, chance)) for seed, chance in ((1, 0.3), (2, 0.9), (3, 0.9)))

    assert found > 3


def test_on_the_sample_data_too(sample_resources: list[Tree]) -> None:
    by_type: dict[str, list[Tree]] = defaultdict(list)
    for resource in sample_resources:
        by_type[resource["resourceType"]].append(resource)

    for type_, resources in by_type.items():
        for resource in resources[:: max(1, len(resources) // 6)]:
            if len(resource.get("target", ())) < 500:  # fhirpathpy takes minutes on the largest Provenance
                text = json.dumps(resource, default=str)
                for inner in resource.get("contained", ()):
                    text = text.replace(f'"#{inner["id"]}"', f'"{inner["resourceType"]}/{inner["id"]}"')
                compare(type_, json.loads(text))


def test_every_published_expression_compiles_for_every_type_it_names() -> None:
    compiled = 0
    for type_ in RESOURCE_TYPES:
        for parameter in search_parameters(type_).values():
            if parameter.expression:
                branches = compile_expression(parameter.expression, type_)
                assert branches, (type_, parameter.code)
                compiled += 1
                for component in parameter.components:
                    for branch in branches:
                        assert compile_expression(component.expression, type_, branch.type)

    assert compiled == 2_575


def test_only_three_parameters_have_no_expression() -> None:
    without = {p.code for type_ in RESOURCE_TYPES for p in search_parameters(type_).values() if not p.expression}

    assert without == {"_text", "_content", "_query"}


@pytest.mark.parametrize(
    "expression",
    [
        "Observation.value.as(",
        "Observation..code",
        "Observation.code[",
        "Observation.nothing",
        "Observation.code.where(coding.matches('x'))",
        "Observation.code.trace('x')",
        "Observation.value > 5",
        "",
        "Observation.code 'x'",
        "Observation.subject.resolve()",
        "Observation.status.extension('u').value",
        "Observation.identifier.value.extension('u').exists()",
    ],
)
def test_what_lies_outside_the_subset_is_refused_not_guessed(expression: str) -> None:
    with pytest.raises(ParseError):
        compile_expression(expression, "Observation")


@pytest.mark.parametrize(
    ("expression", "tree", "found"),
    [
        ("Patient.name[1].family", {"name": [{"family": "A"}, {"family": "B"}]}, ["B"]),
        ("Patient.name.given", {"name": [{"given": ["A", None, "B"]}, {}]}, ["A", "B"]),
        ("Patient.extension('u').value as string", {"extension": [{"url": "u", "valueString": "x"}, {"url": "v"}]}, ["x"]),
        ("Patient.name.where(use='official' and family.exists()).family", {"name": [{"use": "official", "family": "A"}]}, ["A"]),
        ("Patient.name.where(use='old' or family.empty()).given", {"name": [{"given": ["G"]}]}, ["G"]),
        ("Patient.name.where(family.exists().not()).given", {"name": [{"given": ["G"]}, {"family": "x", "given": ["H"]}]}, ["G"]),
        ("Patient.deceased.exists() and Patient.deceased != false", {"deceasedDateTime": "2024"}, [True]),
        ("Patient.deceased.exists() and Patient.deceased != false", {"deceasedBoolean": False}, [False]),
        ("Patient.name", {"name": "not a list of objects"}, ["not a list of objects"]),
        ("Patient.name.family", {"name": ["damaged", 3, None]}, []),
    ],
)  # fmt: skip
def test_paths_conditions_and_damaged_input(expression: str, tree: Tree, found: list[Any]) -> None:
    branches = compile_expression(expression, "Patient")

    assert [hit for branch in branches for hit in evaluate(branch, tree, tree)] == found


@pytest.mark.parametrize(
    ("reference", "matches"),
    [
        ({"reference": "Patient/1"}, True),
        ({"reference": "https://example.org/fhir/Patient/1/_history/2"}, True),
        ({"reference": "Patient?identifier=x"}, True),
        ({"reference": "#p"}, True),
        ({"reference": "#d"}, False),
        ({"reference": "#none"}, False),
        ({"type": "Patient", "identifier": {"value": "1"}}, True),
        ({"reference": "urn:uuid:6f1b2d2c-5a6b-4d1e-9a11-0a4f7a9a1b2c"}, False),
        ({"reference": "Group/Patient"}, False),
        ({"display": "Patient/1"}, False),
    ],
)
def test_the_type_of_a_reference_is_read_from_what_it_says(reference: Tree, matches: bool) -> None:
    contained = [{"resourceType": "Patient", "id": "p"}, {"resourceType": "Device", "id": "d"}]
    tree = {"resourceType": "Observation", "contained": contained, "subject": reference}
    (branch,) = compile_expression("Observation.subject.where(resolve() is Patient)", "Observation")

    assert bool(evaluate(branch, tree, tree)) == matches


def test_the_numbers_of_a_definition_are_kept_in_composites() -> None:
    parameter: SearchParameter = search_parameters("DocumentReference")["relationship"]

    assert [(part.parameter, part.expression) for part in parameter.components] == [
        ("DocumentReference-relation", "code"),
        ("DocumentReference-relatesto", "target"),
    ]
