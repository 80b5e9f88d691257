"""Numbers of a made territory: in the ranges kept for tests, with right check digits."""

from datetime import date

import pytest

from liaison.fhir.model.check_digits import luhn_ok, nir_key
from liaison.services.sandbox.territory import identifiers


def test_made_numbers_stay_in_their_test_ranges_with_right_keys() -> None:
    assert identifiers.rpps(7).startswith("997")
    assert len(identifiers.rpps(7)) == 11
    assert len(identifiers.finess(101)) == 9
    for number in (identifiers.rpps(7), identifiers.finess(101), identifiers.siret(101), identifiers.siret(101)[:9]):
        assert luhn_ok(number)


def test_a_matricule_tells_sex_birth_place_and_a_rank_that_is_not_given_out() -> None:
    assert identifiers.ins("female", date(1948, 3, 9), "56178", 4) == "2480356178904" + nir_key("2480356178904")
    with pytest.raises(ValueError, match="900"):
        identifiers.ins("female", date(1948, 3, 9), "56178", 100)
