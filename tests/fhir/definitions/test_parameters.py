import pytest

from liaison.fhir.definitions import RESOURCE_TYPES, parameter_by_id, parameter_by_number, search_parameters

EVERY = {p.number: p for name in RESOURCE_TYPES for p in search_parameters(name).values()}


def test_none_of_the_published_parameters_is_left_out() -> None:
    assert len(EVERY) == 1377  # search-parameters.json of 4.0.1


def test_numbers_fit_a_smallint_and_lead_back() -> None:
    assert set(EVERY) == set(range(1, 1378))
    assert all(parameter_by_number(number) is parameter for number, parameter in EVERY.items())


def test_numbers_already_written_in_stores_do_not_change() -> None:
    known = {"Resource-id": 3, "Resource-lastUpdated": 4, "Observation-value-string": 960, "clinical-code": 55}

    assert {id_: parameter_by_id(id_).number for id_ in known} == known


def test_common_parameters_belong_to_every_type() -> None:
    for name in RESOURCE_TYPES:
        assert {"_id", "_lastUpdated", "_profile", "_security", "_source", "_tag"} <= set(search_parameters(name))
    assert "_text" in search_parameters("Observation")
    assert "_text" not in search_parameters("Binary")


def test_one_definition_serves_its_types_under_one_number() -> None:
    assert search_parameters("Condition")["code"] is search_parameters("Observation")["code"]
    assert search_parameters("Condition")["code"].id == "clinical-code"


@pytest.mark.parametrize("number", sorted(n for n, p in EVERY.items() if p.components))
def test_components_name_parameters_that_exist(number: int) -> None:
    assert all(parameter_by_id(part.parameter).type != "composite" for part in EVERY[number].components)


def test_a_type_that_is_none_is_refused() -> None:
    with pytest.raises(KeyError):
        search_parameters("Observations")
