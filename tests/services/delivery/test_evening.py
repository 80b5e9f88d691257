"""Many telephones that bring their visits in the same evening: each is filed, and none is twice in the record."""

from pathlib import Path

import pytest
from tests.bench import telephones, territory

pytestmark = [pytest.mark.http, pytest.mark.proof]


def test_every_visit_of_an_evening_is_filed_once(tmp_path: Path) -> None:
    rows, sent, held = telephones.measure(territory.settings_in(tmp_path), count=10, visits=15, within=20)

    assert sent.states == {"filed": 150}, rows
    assert held == 150
    assert sent.repeated > 0
    assert sent.other_receipt == 0
