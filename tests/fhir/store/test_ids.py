import pytest
from hypothesis import given
from hypothesis import strategies as st

from liaison.fhir.definitions import kind_of
from liaison.fhir.store.contract import Key
from liaison.fhir.store.ids import PATIENT_BITS, Ids, new_patient, new_resource

OBSERVATION = kind_of("Observation")
ids = Ids(b"k" * 32)
patients = st.integers(0, 2**PATIENT_BITS - 1)
resources = st.integers(-(2**63), 2**63 - 1)


@given(patients, resources)
def test_an_id_decodes_to_the_key_it_was_made_from(patient: int, res: int) -> None:
    key = Key(patient, OBSERVATION, res)
    assert ids.decode("Observation", ids.encode(key)) == key


@given(patients, resources)
def test_an_id_is_a_fhir_id_in_one_spelling(patient: int, res: int) -> None:
    id_ = ids.encode(Key(patient, OBSERVATION, res))
    assert len(id_) == 32 and set(id_) <= set("0123456789abcdef")
    assert ids.decode("Observation", id_[:-1] + id_[-1].upper()) in (None, Key(patient, OBSERVATION, res))
    if id_.upper() != id_:
        assert ids.decode("Observation", id_.upper()) is None


@given(patients, resources, st.integers(0, 127))
def test_an_id_with_one_bit_changed_is_almost_never_valid(patient: int, res: int, bit: int) -> None:
    block = int(ids.encode(Key(patient, OBSERVATION, res)), 16) ^ (1 << bit)
    assert ids.decode("Observation", f"{block:032x}") is None  # wrong once in 16 million


@given(patients, resources)
def test_an_id_of_another_territory_is_not_valid_here(patient: int, res: int) -> None:
    assert Ids(b"o" * 32).decode("Observation", ids.encode(Key(patient, OBSERVATION, res))) is None


def test_ids_of_one_patient_share_nothing() -> None:
    made = [ids.encode(Key(7, OBSERVATION, res)) for res in range(200)]
    assert len({id_[:6] for id_ in made}) == len({id_[-6:] for id_ in made}) == 200


@pytest.mark.parametrize("id_", ["", "1", "example", "0" * 31, "0" * 33, "g" * 32, " " * 32, "0" * 31 + "\n", "../x"])
def test_what_is_not_one_of_our_ids_decodes_to_nothing(id_: str) -> None:
    assert ids.decode("Observation", id_) is None


def test_the_directory_is_patient_zero_and_nobody_else_is() -> None:
    assert all(0 < new_patient() < 2**PATIENT_BITS for _ in range(1000))
    assert all(-(2**63) <= new_resource() < 2**63 and new_resource() for _ in range(1000))


@given(st.lists(st.tuples(patients, resources), max_size=5))
def test_ids_made_together_are_those_made_one_by_one(named: list[tuple[int, int]]) -> None:
    keys = [Key(patient, OBSERVATION, res) for patient, res in named]
    assert ids.encode_all(keys) == [ids.encode(key) for key in keys]
