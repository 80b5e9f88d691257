"""Check digits against vectors that were computed elsewhere."""

from datetime import date

import pytest

from liaison.services.sandbox.territory import identifiers


@pytest.mark.parametrize("number", ["10100000008", "290000017", "750712184", "732829320", "73282932000074"])
def test_known_numbers_pass_the_luhn_check(number: str) -> None:
    assert identifiers.luhn_ok(number)
    assert not identifiers.luhn_ok(number[:-1] + str((int(number[-1]) + 1) % 10))


@pytest.mark.parametrize(("thirteen", "key"), [("2600588154002", "33"), ("147042A004001", "84")])
def test_nir_keys_are_right(thirteen: str, key: str) -> None:
    assert identifiers.nir_key(thirteen) == key


def test_made_numbers_stay_in_their_test_ranges_with_right_keys() -> None:
    assert identifiers.rpps(7).startswith("997")
    assert len(identifiers.rpps(7)) == 11
    assert len(identifiers.finess(101)) == 9
    for number in (identifiers.rpps(7), identifiers.finess(101), identifiers.siret(101), identifiers.siret(101)[:9]):
        assert identifiers.luhn_ok(number)


def test_a_matricule_tells_sex_birth_place_and_a_rank_that_is_not_given_out() -> None:
    assert identifiers.ins("female", date(1948, 3, 9), "56178", 4) == "2480356178904" + identifiers.nir_key(
        "2480356178904"
    )
    with pytest.raises(ValueError, match="900"):
        identifiers.ins("female", date(1948, 3, 9), "56178", 100)
