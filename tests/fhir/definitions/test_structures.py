import pytest

from liaison.fhir.definitions import PRIMITIVES, RESOURCE_TYPES, elements, required_codes


def every_type() -> set[str]:
    found: set[str] = set()
    waiting = set(RESOURCE_TYPES)
    while waiting:
        name = waiting.pop()
        found.add(name)
        for element in elements(name).values():
            waiting |= {type_.code for type_ in element.types} - found - PRIMITIVES
    return found


def test_every_type_that_an_element_names_is_known() -> None:
    assert {"Observation.component", "Quantity", "SimpleQuantity", "Resource", "Timing.repeat"} <= every_type()


def test_every_target_is_a_type() -> None:
    for name in every_type():
        for element in elements(name).values():
            for type_ in element.types:
                assert set(type_.targets) <= RESOURCE_TYPES


def test_elements_are_r4s_own() -> None:
    observation = elements("Observation")
    assert list(observation)[:3] == ["id", "meta", "implicitRules"]
    assert observation["status"][2:] == (1, 1, (("code", ()),), "http://hl7.org/fhir/ValueSet/observation-status")
    assert observation["effective"].choice
    assert {type_.suffix for type_ in observation["effective"].types} == {"DateTime", "Period", "Timing", "Instant"}
    assert observation["subject"].types[0].targets == ("Patient", "Group", "Device", "Location")
    assert "triggeredBy" not in observation  # R5
    assert "subject" not in elements("Evidence")  # R4B
    assert "studyDesign" not in elements("ResearchStudy")  # R5
    assert set(elements("Meta")) == {
        "id", "extension", "versionId", "lastUpdated", "source", "profile", "security", "tag"
    }  # fmt: skip


def test_a_recursive_element_leads_back_to_itself() -> None:
    assert elements("Questionnaire.item")["item"].types[0].code == "Questionnaire.item"
    assert elements("Observation.component")["referenceRange"].types[0].code == "Observation.referenceRange"


def test_a_quantity_without_comparator_keeps_its_name() -> None:
    (type_,) = elements("Observation.referenceRange")["low"].types
    assert (type_.code, type_.suffix) == ("SimpleQuantity", "Quantity")
    assert "comparator" not in elements("SimpleQuantity")
    assert "comparator" in elements("Age")


def test_required_codes_are_listed_for_all_but_four_value_sets() -> None:
    urls = {e.binding for name in every_type() for e in elements(name).values() if e.binding}

    assert {url for url in urls if required_codes(url) is None} == {
        "http://hl7.org/fhir/ValueSet/currencies",
        "http://hl7.org/fhir/ValueSet/mimetypes",
        "http://hl7.org/fhir/ValueSet/ucum-units",
        "http://loinc.org/vs/LL379-9",
    }
    gender: object = required_codes("http://hl7.org/fhir/ValueSet/administrative-gender")
    assert gender == {"http://hl7.org/fhir/administrative-gender": {"male", "female", "other", "unknown"}}


def test_an_unknown_type_is_refused() -> None:
    with pytest.raises(KeyError):
        elements("Observations")
