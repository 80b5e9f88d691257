"""Sealed envelopes: any three of five give the key back, two give nothing, a mistyped code is found."""

import itertools
import secrets

import pytest

from liaison.services.custody import shares
from liaison.services.custody.shares import BadShare


def test_any_three_of_five_give_the_secret_back() -> None:
    secret = secrets.token_bytes(32)
    codes = shares.split(secret, 5, 3)
    assert len(set(codes)) == 5
    for chosen in itertools.permutations(codes, 3):
        assert shares.join(chosen) == secret
    assert shares.join(codes) == secret


def test_two_are_refused_and_say_nothing() -> None:
    codes = shares.split(b"k" * 32, 5, 3)
    with pytest.raises(BadShare, match="3 codes"):
        shares.join(codes[:2])
    with pytest.raises(BadShare, match="3 codes"):
        shares.join([codes[0]] * 3)


def test_fewer_shares_than_needed_fit_every_secret() -> None:
    """With two points of a parabola the constant is free: every value of a byte stays possible."""
    seen = {shares._at((secret, *secrets.token_bytes(2)), 1) for secret in (0, 255) for _ in range(4000)}
    assert len(seen) == 256


def test_codes_of_two_handings_out_do_not_mix() -> None:
    first, second = shares.split(b"a" * 32), shares.split(b"b" * 32)
    with pytest.raises(BadShare, match="même remise"):
        shares.join([first[0], first[1], second[2]])


def test_a_code_is_read_however_it_is_typed() -> None:
    code = shares.split(b"a" * 32)[3]
    assert shares.check(code) == 4
    for typed in (code.lower(), code.replace("-", " "), f"  {code}\n", code.replace("O", "0").replace("I", "1")):
        assert shares.check(typed) == 4


def test_every_single_mistake_is_found() -> None:
    code = shares.split(b"a" * 32)[0]
    for position in range(len("LIAISON-"), len(code)):
        for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567":
            if code[position] not in ("-", letter):
                with pytest.raises(BadShare):
                    shares.check(code[:position] + letter + code[position + 1 :])
    for wrong in ("", "LIAISON", code[:-4], code + "AAAA", "é" * 40):
        with pytest.raises(BadShare):
            shares.check(wrong)


@pytest.mark.parametrize(("count", "needed"), [(1, 1), (3, 4), (17, 3), (5, 1)])
def test_impossible_numbers_are_refused(count: int, needed: int) -> None:
    with pytest.raises(ValueError, match="From 2 to 16"):
        shares.split(b"a", count, needed)
