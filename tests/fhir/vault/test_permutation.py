from hypothesis import given
from hypothesis import strategies as st

from liaison.fhir.vault.permutation import BITS, Permutation

masks = st.integers(0, 2**BITS - 1)
keys = st.binary(min_size=32, max_size=32)


@given(keys, masks)
def test_it_is_undone(key: bytes, mask: int) -> None:
    permutation = Permutation(key)
    assert permutation.unpermute(permutation.permute(mask)) == mask


@given(keys, masks, masks)
def test_masks_compare_as_they_would_in_clear(key: bytes, left: int, right: int) -> None:
    permute = Permutation(key).permute
    assert permute(left) & permute(right) == permute(left & right)
    assert permute(left) | permute(right) == permute(left | right)


def test_every_bit_lands_anywhere_about_equally_often() -> None:
    places = [0] * BITS
    for n in range(6300):
        places[Permutation(n.to_bytes(32, "big")).permute(1).bit_length() - 1] += 1

    assert min(places) > 50 and max(places) < 150  # 100 each expected
