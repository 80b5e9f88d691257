from liaison.fhir.definitions import DIRECTORY_TYPES, RESOURCE_TYPES, kind_of, type_of


def test_r4_has_146_concrete_types() -> None:
    assert len(RESOURCE_TYPES) == 146
    assert not RESOURCE_TYPES & {"Resource", "DomainResource", "SubscriptionStatus", "MetadataResource"}


def test_numbers_lead_back_to_their_types_and_fit_a_smallint() -> None:
    assert {type_of(kind_of(name)) for name in RESOURCE_TYPES} == RESOURCE_TYPES
    assert {kind_of(name) for name in RESOURCE_TYPES} == set(range(1, 147))


def test_numbers_already_written_in_stores_do_not_change() -> None:
    known = {"Account": 1, "Observation": 96, "Patient": 103, "VisionPrescription": 146}

    assert {name: kind_of(name) for name in known} == known


def test_every_directory_type_is_a_type() -> None:
    assert DIRECTORY_TYPES <= RESOURCE_TYPES
