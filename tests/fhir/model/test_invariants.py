"""The compiled invariants against fhirpathpy, which shares no code with them."""

import json
from collections.abc import Callable
from functools import cache
from typing import Any

import fhirpathpy
import pytest
from fhirpathpy.models import models

from liaison.fhir.definitions import PRIMITIVES, RESOURCE_TYPES, constraints, elements
from liaison.fhir.model import problems
from liaison.fhir.model.fhirpath.logic import compile_condition, resource_of
from liaison.fhir.model.fhirpath.operators import Around
from liaison.fhir.model.validation.invariants import LEFT_OUT, WARN, invariants

Tree = dict[str, Any]

# What fhirpathpy cannot say, or says otherwise: `trace` prints; an element's own type; `in` of a list; quantities; dates
# of two precisions; a pattern that need not match the whole.
NOT_COMPARED = {
    "que-1",
    "sdf-16",
    "sdf-17",
    "que-7",
    "ras-2",
    "ctm-1",
    "eld-2",
    "tim-9",
    "rng-2",
    "mdd-1",
    "inv-1",
    "eld-19",
    "eld-20",
}


@cache
def reference_reader(expression: str) -> Callable[..., list[Any]]:
    return fhirpathpy.compile(expression, model=models["r4"])


def every_type() -> list[str]:
    found: set[str] = set()
    waiting = set(RESOURCE_TYPES)
    while waiting:
        name = waiting.pop()
        found.add(name)
        for element in elements(name).values():
            waiting |= {type_.code for type_ in element.types} - found - PRIMITIVES
    return sorted(found - {"Resource", "SimpleQuantity"})


def test_every_invariant_of_r4_is_compiled_or_left_out_by_name() -> None:
    published = {row.key for name in every_type() for row in constraints(name)}
    compiled = {one.text.partition(":")[0] for name in every_type() for one in invariants(name)}

    assert len(published) == 237
    assert published - compiled == set(LEFT_OUT) - {"dom-3"}
    assert set(WARN) <= compiled


@pytest.mark.parametrize(
    "type_", [name for name in every_type() if any(r.key not in LEFT_OUT for r in constraints(name))]
)
def test_invariants_agree_with_the_other_implementation(type_: str, make: Any) -> None:
    resource = resource_of(type_)
    for row in constraints(type_):
        if row.key in LEFT_OUT or row.key in NOT_COMPARED or row.element or row.key.startswith("dom-"):
            continue
        if "hasValue" in row.expression:  # not in fhirpathpy
            continue
        holds = compile_condition(row.expression, type_, resource)
        for seed in range(8):
            maker = make(seed)
            node = json.loads(json.dumps(maker.complex(type_, 0.15 * (1 + seed), 0), default=float))
            root = {"resourceType": resource, **node} if resource == type_ else {}
            around = Around(root or {"resourceType": resource}, root or {"resourceType": resource}, node)
            subject = {"resourceType": type_, **node} if type_ in RESOURCE_TYPES else node
            asked = row.expression.replace(f"{type_}.", "")
            environment = {"resource": around.resource, "context": subject, "ucum": "http://unitsofmeasure.org"}
            for choice in [e.name for e in elements(type_).values() if e.choice]:
                # fhirpathpy knows the choices of whole resources only.
                if type_ not in RESOURCE_TYPES:
                    subject = {choice if k.startswith(choice) and k != choice else k: v for k, v in subject.items()}
            expected = reference_reader(asked)(subject, environment) == [True]
            assert holds(node, around) == expected, (row.key, row.expression, node)


def keys(tree: Tree, severity: str = "error") -> set[tuple[str, str]]:
    return {
        (one.diagnostics.partition(":")[0], one.expression)
        for one in problems(tree)
        if one.code == "invariant" and one.severity == severity
    }


def observation(**more: Any) -> Tree:
    return {"resourceType": "Observation", "status": "final", "code": {"text": "x"}, **more}


BROKEN: list[tuple[Tree, str, str]] = [
    (observation(valueString="x", dataAbsentReason={"text": "y"}), "obs-6", "Observation"),
    (observation(referenceRange=[{"age": {"low": {"value": 1}}}]), "obs-3", "Observation.referenceRange[0]"),
    (
        {
            **observation(valueString="x", component=[{"code": {"coding": [{"code": "c"}]}, "valueString": "y"}]),
            "code": {"coding": [{"code": "c"}]},
        },
        "obs-7",
        "Observation",
    ),
    (observation(effectivePeriod={"start": "2024-02", "end": "2024-01-31"}), "per-1", "Observation.effective"),
    (observation(valueQuantity={"value": 1, "code": "mg"}), "qty-3", "Observation.value"),
    (observation(valueRange={"low": {"value": 3}, "high": {"value": 2}}), "rng-2", "Observation.value"),
    (observation(extension=[{"url": "u"}]), "ext-1", "Observation.extension[0]"),
    (
        observation(extension=[{"url": "u", "valueString": "x", "extension": [{"url": "v", "valueString": "y"}]}]),
        "ext-1",
        "Observation.extension[0]",
    ),
    (
        {"resourceType": "Patient", "contained": [{"resourceType": "Patient", "id": "a", "contained": [{"resourceType": "Basic"}]}]},
        "dom-2",
        "Patient",
    ),
    ({"resourceType": "Patient", "contact": [{"gender": "male"}]}, "pat-1", "Patient.contact[0]"),
    ({"resourceType": "Patient", "telecom": [{"value": "01"}]}, "cpt-2", "Patient.telecom[0]"),
    ({"resourceType": "Patient", "photo": [{"data": "QUJD"}]}, "att-1", "Patient.photo[0]"),
    ({"resourceType": "Organization", "name": "x", "telecom": [{"use": "work"}, {"use": "home"}]}, "org-3", "Organization.telecom[1]"),
    ({"resourceType": "Organization", "active": True}, "org-1", "Organization"),
    ({"resourceType": "Bundle", "type": "batch", "entry": [{"resource": {"resourceType": "Basic"}}]}, "bdl-3", "Bundle"),
    (
        {"resourceType": "Bundle", "type": "document", "entry": [{"resource": {"resourceType": "Patient"}}]},
        "bdl-11",
        "Bundle",
    ),
    ({"resourceType": "Bundle", "type": "collection", "entry": [{"fullUrl": "u:a"}, {"fullUrl": "u:a"}]}, "bdl-7", "Bundle"),
    (
        {"resourceType": "Questionnaire", "status": "draft", "item": [{"linkId": "1", "type": "group", "item": [{"linkId": "1", "type": "string"}]}]},
        "que-2",
        "Questionnaire",
    ),
    (
        {"resourceType": "RiskAssessment", "prediction": [{"probabilityRange": {"low": {"value": 1}}}]},
        "ras-1",
        "RiskAssessment.prediction[0].probability",
    ),
    ({"resourceType": "RiskAssessment", "prediction": [{"probabilityDecimal": 101}]}, "ras-2", "RiskAssessment.prediction[0]"),
    ({"resourceType": "Questionnaire", "status": "draft", "item": [{"linkId": "1", "type": "string", "enableWhen": [{"question": "1", "operator": "exists", "answerString": "x"}]}]}, "que-7", "Questionnaire.item[0].enableWhen[0]"),
]  # fmt: skip


@pytest.mark.parametrize(("tree", "key", "path"), BROKEN, ids=[key for _, key, _ in BROKEN])
def test_a_broken_rule_is_named_where_it_is_broken(tree: Tree, key: str, path: str) -> None:
    assert (key, path) in keys(tree)


@pytest.mark.parametrize(
    "tree",
    [
        observation(effectivePeriod={"start": "2024-01-31T10:00:00Z", "end": "2024-01-31"}),  # cannot be compared
        observation(effectivePeriod={"start": "2024"}),
        observation(valueRange={"low": {"value": 3, "unit": "a"}, "high": {"value": 2, "unit": "b"}}),
        observation(_valueString={"extension": [{"url": "u", "valueCode": "x"}]}),
        {"resourceType": "RiskAssessment", "prediction": [{"probabilityDecimal": 100}, {"rationale": "x"}]},
        {"resourceType": "Patient", "contact": [{"name": {"text": "x"}}]},
    ],
)
def test_what_cannot_be_said_to_be_broken_is_not(tree: Tree) -> None:
    assert keys(tree) == set()


def test_an_empty_answer_breaks_a_rule() -> None:
    prediction = {"probabilityRange": {"low": {"value": 1}}}  # low.code is neither % nor not %

    assert keys({"resourceType": "RiskAssessment", "prediction": [prediction]})


def test_three_rules_of_r4_only_warn() -> None:
    consent = {"resourceType": "Consent", "status": "active", "scope": {"text": "x"}, "category": [{"text": "x"}]}
    inner = {"resourceType": "Patient", "id": "p", "meta": {"versionId": "1"}}
    patient = {"resourceType": "Patient", "contained": [inner]}

    assert keys(consent) == keys(patient) == set()
    assert keys(consent, "warning") == {("ppc-1", "Consent")}
    assert keys(patient, "warning") == {("dom-3", "Patient"), ("dom-4", "Patient")}
    for link in ({"reference": "#p"}, {"display": "none"}):
        found = keys({**patient, "managingOrganization": link}, "warning")
        assert (("dom-3", "Patient") in found) == ("reference" not in link)
