"""What an account is opened with."""

import secrets

import pytest

from liaison.auth.people import accounts


def test_a_pin_that_is_made_is_none_of_those_that_are_tried_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nearly three in a thousand are: a sandbox that drew one did not start."""
    drawn = iter([111111, 123456, 121212, 7, 304958])
    monkeypatch.setattr(secrets, "randbelow", lambda below: next(drawn))

    assert accounts.made_pin() == "304958"
