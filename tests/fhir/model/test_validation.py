import copy
import importlib
import json
import random
from functools import cache
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class
from hypothesis import given
from hypothesis import strategies as st

from liaison.fhir.definitions import RESOURCE_TYPES, elements
from liaison.fhir.errors import BadRequest, Issue, Unprocessable
from liaison.fhir.model import problems, read, validate

Tree = dict[str, Any]


def observation(**more: Any) -> Tree:
    return {"resourceType": "Observation", "status": "final", "code": {"text": "x"}, **more}


def errors(tree: Tree) -> list[tuple[str, str]]:
    return [(one.expression, one.code) for one in problems(tree) if one.severity == "error"]


FAULTS: list[tuple[Tree, str, str]] = [
    ({}, "resourceType", "required"),
    ({"resourceType": 3}, "resourceType", "required"),
    ({"resourceType": "Nothing"}, "resourceType", "structure"),
    ({"resourceType": "Resource"}, "resourceType", "structure"),
    ({"resourceType": "Observation", "code": {"text": "x"}}, "Observation.status", "required"),
    (observation(status="done"), "Observation.status", "code-invalid"),
    (observation(status=3), "Observation.status", "code-invalid"),
    (observation(status=["final"]), "Observation.status", "structure"),
    (observation(status=None), "Observation.status", "code-invalid"),
    (observation(colour="red"), "Observation", "structure"),
    (observation(valueString="x", valueBoolean=True), "Observation.value", "structure"),
    (observation(valueString="x", _valueBoolean={"id": "a"}), "Observation.value", "structure"),
    (observation(valueAddress={"text": "x"}), "Observation", "structure"),
    (observation(value="x"), "Observation", "structure"),
    (observation(valueString=""), "Observation.value", "value"),
    (observation(valueString="a\x00"), "Observation.value", "value"),
    (observation(valueInteger=2**31), "Observation.value", "value"),
    (observation(valueInteger=True), "Observation.value", "value"),
    (observation(valueInteger=1.0), "Observation.value", "value"),
    (observation(valueQuantity={"value": "72"}), "Observation.value.value", "value"),
    (observation(valueQuantity={"value": True}), "Observation.value.value", "value"),
    (observation(valueQuantity={"value": 1, "comparator": "~"}), "Observation.value.comparator", "code-invalid"),
    (observation(effectiveDateTime="2024-02-30"), "Observation.effective", "value"),
    (observation(effectiveDateTime="2024-01-01T10:00:00"), "Observation.effective", "value"),
    (observation(effectiveDateTime="0000"), "Observation.effective", "value"),
    (observation(effectiveInstant="2024-01-01"), "Observation.effective", "value"),
    (observation(category={"text": "x"}), "Observation.category", "structure"),
    (observation(category=[]), "Observation.category", "structure"),
    (observation(category=[None]), "Observation.category[0]", "structure"),
    (observation(category=[{"text": "x"}, {}]), "Observation.category[1]", "structure"),
    (observation(category=[[{"text": "x"}]]), "Observation.category[0]", "structure"),
    (observation(code="x"), "Observation.code", "structure"),
    (observation(code={"resourceType": "CodeableConcept", "text": "x"}), "Observation.code", "structure"),
    (observation(subject={"reference": "Practitioner/1"}), "Observation.subject", "value"),
    (observation(subject={"type": "Practitioner", "identifier": {"value": "1"}}), "Observation.subject", "value"),
    (observation(subject={"reference": "#p"}), "Observation.subject", "value"),
    (observation(subject={"reference": "Patients/1"}), "Observation.subject", "value"),
    (observation(subject={"reference": "../Patient/1"}), "Observation.subject", "value"),
    (observation(subject={"reference": "Patient/1", "type": "Group"}), "Observation.subject", "value"),
    (observation(hasMember=[{"reference": "Observation?code=x", "type": "Patient"}]), "Observation.hasMember[0]", "value"),
    (observation(component=[{"valueString": "x"}]), "Observation.component[0].code", "required"),
    (observation(component=[{"code": {"text": "x"}, "referenceRange": [{"low": {"comparator": "<", "value": 1}}]}]),
     "Observation.component[0].referenceRange[0].low", "structure"),
    (observation(contained=[{"resourceType": "Patient", "id": "a", "gender": "x"}], subject={"reference": "#a"}),
     "Observation.contained[0].gender", "code-invalid"),
    (observation(id="a b"), "Observation.id", "value"),
    (observation(id="x" * 65), "Observation.id", "value"),
    (observation(meta={"profile": ["a b"]}), "Observation.meta.profile[0]", "value"),
    (observation(_status={"extension": []}), "Observation.status.extension", "structure"),
    (observation(_status={}), "Observation.status", "structure"),
    (observation(_code={"id": "x"}), "Observation", "structure"),
    (observation(extension=[{"valueString": "x"}]), "Observation.extension[0].url", "required"),
    (observation(text={"status": "generated", "div": "no div"}), "Observation.text.div", "value"),
    ({"resourceType": "Patient", "birthDate": "20-1"}, "Patient.birthDate", "value"),
    ({"resourceType": "Patient", "active": "true"}, "Patient.active", "value"),
    ({"resourceType": "Patient", "multipleBirthInteger": 1.5}, "Patient.multipleBirth", "value"),
    ({"resourceType": "Patient", "name": [{"given": ["a", None]}]}, "Patient.name[0].given[1]", "structure"),
    ({"resourceType": "Patient", "name": [{"given": ["a"], "_given": [None, {"id": "x"}]}]}, "Patient.name[0].given", "structure"),
    ({"resourceType": "Patient", "name": [{"_given": {"id": "x"}}]}, "Patient.name[0].given", "structure"),
    ({"resourceType": "Patient", "name": [{"_given": [3]}]}, "Patient.name[0].given[0]", "structure"),
    ({"resourceType": "Patient", "photo": [{"contentType": "image/png", "data": "QUJ"}]}, "Patient.photo[0].data", "value"),
    ({"resourceType": "Patient", "contact": [{"name": {"text": "x"}, "period": {"start": "x"}}]}, "Patient.contact[0].period.start", "value"),
    ({"resourceType": "Schedule", "actor": []}, "Schedule.actor", "structure"),
    ({"resourceType": "Schedule"}, "Schedule.actor", "required"),
    ({"resourceType": "Invoice", "status": "draft", "totalNet": {"currency": "euro"}}, "Invoice.totalNet.currency", "code-invalid"),
    ({"resourceType": "Condition", "subject": {"reference": "Patient/1"}, "clinicalStatus": {"text": "actif"}}, "Condition.clinicalStatus", "code-invalid"),
    ({"resourceType": "Condition", "subject": {"reference": "Patient/1"}, "clinicalStatus": {"coding": [{"code": "active"}]}}, "Condition.clinicalStatus", "code-invalid"),
    ({"resourceType": "Bundle", "type": "collection", "entry": [{"fullUrl": "u:a"}, {"resource": {"resourceType": "Patient", "birthDate": "x"}}]}, "Bundle.entry[1].resource.birthDate", "value"),
    ({"resourceType": "Bundle", "type": "collection", "entry": [{"resource": {"id": "x"}}]}, "Bundle.entry[0].resource.resourceType", "required"),
    ({"resourceType": "Bundle", "type": "collection", "entry": [{"resource": 3}]}, "Bundle.entry[0].resource", "structure"),
    ({"resourceType": "Parameters", "parameter": [{"name": "a", "part": [{"name": "b", "resource": {"resourceType": "Patient", "active": 1}}]}]}, "Parameters.parameter[0].part[0].resource.active", "value"),
    ({"resourceType": "Measure", "status": "draft", "library": "http://a"}, "Measure.library", "structure"),
    ({"resourceType": "Evidence", "status": "draft", "subjectReference": {"display": "x"}, "exposureBackground": {"display": "x"}}, "Evidence", "structure"),
]  # fmt: skip


@pytest.mark.parametrize(("tree", "path", "code"), FAULTS)
def test_a_fault_is_found_at_its_place(tree: Tree, path: str, code: str) -> None:
    assert (path, code) in errors(tree)


def test_every_fault_of_a_resource_is_told_at_once() -> None:
    tree = observation(
        status="x", valueInteger="1", subject={"reference": "Device/1", "display": 5}, note=[{}, {"text": 1}]
    )

    assert [path for path, _ in errors(tree)] == [
        "Observation.status",
        "Observation.value",
        "Observation.subject.display",
        "Observation.note[0]",
        "Observation.note[1].text",
    ]


def test_values_are_not_repeated_in_what_is_said() -> None:
    secret = "Jeanne-Dupont"
    tree = observation(
        status=secret,
        valueInteger=secret,
        id=secret * 9,
        subject={"reference": f"{secret} {secret}"},
        **{f"{secret}!": 1},
    )

    said = json.dumps([(one.diagnostics, one.expression) for one in problems(tree)])

    assert len(problems(tree)) == 5
    assert secret not in said


VALID: list[Tree] = [
    observation(),
    observation(subject={"reference": "Patient/1"}, focus=[{"reference": "Practitioner/1"}]),
    observation(subject={"reference": "urn:uuid:6f1b2d2c-5a6b-4d1e-9a11-0a4f7a9a1b2c"}),
    observation(subject={"reference": "Patient?identifier=a|b"}),
    observation(subject={"reference": "Patient/1", "type": "Patient"}),
    observation(subject={"reference": "Patient/1", "type": "http://hl7.org/fhir/StructureDefinition/Patient"}),
    observation(subject={"reference": "https://elsewhere.example/fhir/Patient/1"}),
    observation(subject={"display": "someone"}),
    observation(contained=[{"resourceType": "Patient", "id": "p"}], subject={"reference": "#p"}),
    {"resourceType": "Observation", "_status": {"extension": [{"url": "u", "valueCode": "x"}]}, "code": {"text": "x"}},
    {"resourceType": "Patient", "name": [{"given": ["a", None], "_given": [None, {"id": "x"}]}]},
    {"resourceType": "Patient", "_birthDate": {"extension": [{"url": "u", "valueDateTime": "2024-01-01T10:00:60Z"}]}},
    {"resourceType": "Patient", "birthDate": "2024-02-29", "multipleBirthBoolean": False},
    {"resourceType": "Binary", "contentType": "application/pdf", "data": "QUJD\nREVG\n"},
    {"resourceType": "Group", "type": "person", "actual": True, "member": [{"entity": {"reference": "Patient/1"}}]},
    {
        "resourceType": "EffectEvidenceSynthesis",
        "status": "draft",
        "population": {"display": "x"},
        "exposure": {"display": "x"},
        "exposureAlternative": {"display": "x"},
        "outcome": {"display": "x"},
    },
]


@pytest.mark.parametrize("tree", VALID)
def test_what_r4_allows_passes(tree: Tree) -> None:
    assert errors(tree) == []


def test_big_and_odd_numbers_are_judged_by_their_text() -> None:
    def number(text: str) -> list[tuple[str, str]]:
        return errors(read(json.dumps(observation(valueQuantity={"value": 9753})).replace("9753", text).encode()))

    for text in ("0.000000100", "1E3", "-0", "9" * 40, "1e400"):
        assert number(text) == []
    whole = json.dumps(observation(valueInteger=9753))
    for text in ("9" * 40, "1E3", "1.0"):
        assert errors(read(whole.replace("9753", text).encode())) == [("Observation.value", "value")]
    assert errors(read(whole.replace("9753", "-0").encode())) == []


def test_validate_raises_what_was_found() -> None:
    validate(observation(), "Observation")
    with pytest.raises(Unprocessable) as caught:
        validate(observation(status="x", valueInteger="y"))
    assert [one.expression for one in caught.value.issues] == ["Observation.status", "Observation.value"]
    with pytest.raises(BadRequest):
        validate(observation(), "Patient")
    with pytest.raises(BadRequest):
        validate({"resourceType": "Nothing"})
    with pytest.raises(BadRequest):
        validate({})


def test_warnings_alone_do_not_refuse() -> None:
    consent = {"resourceType": "Consent", "status": "active", "scope": {"text": "x"}, "category": [{"text": "x"}]}

    validate(consent)

    assert {one.severity for one in problems(consent)} == {"warning"}


@pytest.mark.parametrize("type_", sorted(RESOURCE_TYPES))
def test_made_up_resources_of_every_type_pass_but_for_invariants(type_: str, make: Any) -> None:
    for seed in range(12):
        tree = make(seed).resource(type_, seed / 12)
        assert [one for one in problems(tree) if one.code != "invariant"] == []


# ---- against fhir.resources: R4B models, where R4B did not change R4 ------------------------------------------------


@cache
def model_class(type_: str) -> Any:
    """The R4B model of a type whose elements, at every depth, are those of R4; None for others."""

    def same(name: str, seen: set[str]) -> bool:
        if name in seen:
            return True
        seen.add(name)
        try:
            module = importlib.import_module(f"fhir.resources.R4B.{name.partition('.')[0].lower()}")
        except ModuleNotFoundError:
            return False
        model = getattr(module, "".join(part[0].upper() + part[1:] for part in name.split(".")), None)
        if model is None:
            return False
        theirs = {
            (info.alias or field)
            for field, info in model.model_fields.items()
            if not field.endswith("__ext") and field not in ("resource_type", "fhir_comments")
        }
        ours = {e.name + t.suffix if e.choice else e.name for e in elements(name).values() for t in e.types}
        backbones = {t.code for e in elements(name).values() for t in e.types if "." in t.code}
        return ours == theirs and all(same(code, seen) for code in backbones)

    return get_fhir_model_class(type_) if same(type_, set()) else None


OTHER_IN_R4B = {
    "ActivityDefinition", "EffectEvidenceSynthesis", "Evidence", "EvidenceVariable", "MedicinalProduct",
    "MedicinalProductAuthorization", "MedicinalProductContraindication", "MedicinalProductIndication",
    "MedicinalProductIngredient", "MedicinalProductInteraction", "MedicinalProductManufactured",
    "MedicinalProductPackaged", "MedicinalProductPharmaceutical", "MedicinalProductUndesirableEffect",
    "PlanDefinition", "RiskEvidenceSynthesis", "SubstanceNucleicAcid", "SubstancePolymer", "SubstanceProtein",
    "SubstanceReferenceInformation", "SubstanceSourceMaterial", "SubstanceSpecification",
}  # fmt: skip
"""Written out, because building every model takes seconds, which each process of a test run would spend."""

COMPARED = sorted(RESOURCE_TYPES - OTHER_IN_R4B)


def accepted_there(tree: Tree) -> bool:
    try:
        model_class(tree["resourceType"]).model_validate_json(json.dumps(tree, default=str))
    except (ValueError, TypeError):  # TypeError: it looks a list or object up in a set
        return False
    return True


def damaged(tree: Tree, seed: int) -> Tree:
    """The same resource with one fault somewhere."""
    tree = copy.deepcopy(tree)
    shuffled = random.Random(seed)
    places: list[tuple[Any, Any]] = []

    def walk(node: Any) -> None:
        for key, child in list(node.items()) if isinstance(node, dict) else list(enumerate(node)):
            if key != "resourceType":
                places.append((node, key))
            if isinstance(child, dict | list):
                walk(child)

    walk(tree)
    node, key = shuffled.choice(places)
    match shuffled.randrange(5):
        case 0:
            node[key] = {"unknown": 1}
        case 1:
            node[key] = [node[key]]
        case 2 if isinstance(node, dict):
            node["unknownElement"] = "x"
        case 3:
            node[key] = "  "
        case _:
            if isinstance(node, dict):
                del node[key]
    return tree


def test_every_type_that_is_the_same_in_r4_and_r4b_is_compared() -> None:
    assert {name for name in RESOURCE_TYPES if model_class(name) is None} == OTHER_IN_R4B


@pytest.mark.parametrize("type_", COMPARED)
def test_what_fhir_resources_refuses_is_refused_here(type_: str, make: Any) -> None:
    faults = 0
    for seed in range(6):
        tree = make(seed).resource(type_, 0.3)
        assert accepted_there(tree), tree
        for number in range(10):
            bad = damaged(tree, number)
            if not accepted_there(bad):
                faults += 1
                assert errors(bad), bad

    assert faults > 5


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["resourceType", "id", "entry", "resource", "contained", "extension", "url", "code", "coding"]
                )
                | st.sampled_from(
                    ["subject", "reference", "value", "valueQuantity", "_status", "status", "item", "text", "div"]
                ),
                inner | st.sampled_from(["Observation", "Bundle", "Patient", "Questionnaire"]),
                max_size=5,
            )
        ),
        max_leaves=15,
    ).filter(lambda tree: isinstance(tree, dict)),
    st.sampled_from(["Observation", "Bundle", "Questionnaire", "Parameters", "Composition", "CodeSystem", "ValueSet"]),
)
def test_whatever_comes_gives_issues_not_a_crash(tree: Tree, type_: str) -> None:
    for one in problems({**tree, "resourceType": type_}) + problems(tree):
        assert isinstance(one, Issue)


def test_the_sample_data_is_valid(sample_bundles: dict[str, Tree]) -> None:
    warned = set()
    for name, tree in sample_bundles.items():
        found = problems(tree)
        assert [one for one in found if one.severity == "error"] == [], name
        warned |= {one.diagnostics.partition(":")[0] for one in found}
    assert warned == {"ppc-1", "dom-3", "dom-4"}
