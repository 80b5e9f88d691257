"""_summary and _elements: what R4 marks as a summary, digits kept, tagged, and never stored again."""

import orjson
import pytest

from liaison.fhir.definitions import RESOURCE_TYPES, elements, summary_elements
from liaison.fhir.model import read, validate
from liaison.fhir.model.subset import Subset, element_named, subsetted
from liaison.fhir.search.subset import elements_of

BODY = (
    b'{"resourceType":"Observation","id":"a","meta":{"versionId":"3","lastUpdated":"2026-01-05T10:00:00.000Z",'
    b'"tag":[{"system":"urn:t","code":"x"}]},"text":{"status":"generated","div":"<div>x</div>"},'
    b'"contained":[{"resourceType":"Patient","id":"c"}],"extension":[{"url":"urn:e","valueString":"e"}],'
    b'"modifierExtension":[{"url":"urn:m","valueBoolean":true}],"status":"final","_status":{"id":"s"},'
    b'"category":[{"text":"vital"}],"code":{"extension":[{"url":"urn:e","valueString":"e"}],"text":"Poids"},'
    b'"subject":{"extension":[{"url":"urn:absent","valueCode":"masked"}]},'
    b'"valueQuantity":{"value":72.50,"unit":"kg"},"note":[{"text":"n"}],'
    b'"component":[{"code":{"text":"c"},"valueQuantity":{"value":0.000000100},"interpretation":[{"text":"i"}]}]}'
)
TAG = b'{"system":"http://terminology.hl7.org/CodeSystem/v3-ObservationValue","code":"SUBSETTED","display":"subsetted"}'


def shown(subset: Subset, body: bytes = BODY) -> list[str]:
    tree = orjson.loads(subset.of(body, orjson.loads(body)["resourceType"]))
    return [name for name in tree if name not in ("resourceType", "id", "meta")]


@pytest.mark.parametrize(
    ("subset", "wanted"),
    [
        (
            Subset("true"),
            ["modifierExtension", "status", "_status", "code", "subject", "valueQuantity", "component"],
        ),
        (Subset("text"), ["text", "modifierExtension", "status", "_status", "code"]),
        (
            Subset("data"),
            [
                "contained",
                "extension",
                "modifierExtension",
                "status",
                "_status",
                "category",
                "code",
                "subject",
                "valueQuantity",
                "note",
                "component",
            ],
        ),
        (Subset(None, frozenset({"value"})), ["modifierExtension", "status", "_status", "code", "valueQuantity"]),
        (Subset(None, frozenset({"note"})), ["modifierExtension", "status", "_status", "code", "note"]),
        (
            Subset(None, frozenset(), {"Observation": frozenset({"text"})}),
            ["text", "modifierExtension", "status", "_status", "code"],
        ),
    ],
)
def test_what_is_left_is_what_r4_says_in_its_order(subset: Subset, wanted: list[str]) -> None:
    assert shown(subset) == wanted
    stays_valid(subset)


def stays_valid(subset: Subset) -> None:
    """Mandatory elements are kept: what is left is a valid resource still."""
    tree = read(subset.of(BODY, "Observation"))
    tree["subject"] = {"display": "x"}
    tree.pop("contained", None)
    tree.pop("text", None)
    validate(tree, "Observation")


def test_digits_and_other_tags_are_kept_and_the_subset_says_what_it_is() -> None:
    cut = Subset("true").of(BODY, "Observation")
    assert b'"value":72.50,' in cut
    assert b'"value":0.000000100}' in cut
    assert b'"tag":[{"system":"urn:t","code":"x"},' + TAG + b"]" in cut
    assert subsetted(read(cut)) == "Observation.meta.tag[1]"
    assert subsetted(read(BODY)) == ""
    assert Subset("true").of(cut, "Observation") == cut


def test_a_summary_goes_into_the_data_types() -> None:
    tree = orjson.loads(Subset("true").of(BODY, "Observation"))
    assert tree["component"] == [{"code": {"text": "c"}, "valueQuantity": {"value": 1e-7}}]
    assert tree["code"] == {"text": "Poids"}
    assert tree["subject"] == {"extension": [{"url": "urn:absent", "valueCode": "masked"}]}, "nothing else is in it"
    document = {
        "resourceType": "DocumentReference",
        "status": "current",
        "content": [{"attachment": {"contentType": "text/plain", "data": "aGk=", "title": "t"}}],
    }
    tree = orjson.loads(Subset("true").of(orjson.dumps(document), "DocumentReference"))
    assert tree["content"] == [{"attachment": {"contentType": "text/plain", "title": "t"}}]


def test_a_bundle_is_a_summary_of_summaries() -> None:
    bundle = b'{"resourceType":"Bundle","type":"collection","entry":[{"resource":%b}]}' % BODY
    tree = orjson.loads(Subset("true").of(bundle, "Bundle"))
    inner = tree["entry"][0]["resource"]
    assert "note" not in inner
    assert subsetted(inner) and subsetted(tree)


def test_what_is_included_is_cut_only_by_its_own_type() -> None:
    assert Subset("true").of(BODY, "Observation", match=False) == BODY
    assert Subset(None, frozenset({"note"})).of(BODY, "Observation", match=False) == BODY
    typed = Subset(None, frozenset(), {"Observation": frozenset({"note"})})
    assert shown(typed) == ["modifierExtension", "status", "_status", "code", "note"]
    assert typed.of(BODY, "Observation", match=False) == typed.of(BODY, "Observation")
    patient = b'{"resourceType":"Patient","id":"a"}'
    assert typed.of(patient, "Patient") == patient


@pytest.mark.parametrize("name", ["value", "value[x]", "valueQuantity", "valueString"])
def test_a_choice_has_several_names(name: str) -> None:
    assert element_named("Observation", name) == "value"
    assert elements_of(name, ("Observation",)) == Subset(None, frozenset({"value"}))


def test_names_of_several_types_are_read() -> None:
    found = elements_of("status, Patient.name,Patient.birthDate", ("Observation", "Encounter"))
    assert found == Subset(None, frozenset({"status"}), {"Patient": frozenset({"name", "birthDate"})})


def test_the_flags_are_those_of_r4() -> None:
    assert {"identifier", "active", "name", "link"} <= summary_elements("Patient")
    assert summary_elements("Patient").isdisjoint({"contact", "communication", "photo", "text", "extension"})
    assert {"id", "meta", "implicitRules"} <= summary_elements("Patient")
    assert "data" not in summary_elements("Attachment")
    for type_ in RESOURCE_TYPES:
        assert summary_elements(type_) <= set(elements(type_))
