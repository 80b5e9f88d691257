"""Each piece of work that one process at a time does has a lock of its own: two with one number would wait for each other for ever."""

import re
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[3]
NUMBER = re.compile(r"^\w*LOCK(?:: Final)? = (0x[0-9A-Fa-f]+|\d+)\b", re.MULTILINE)


def test_no_two_locks_have_one_number() -> None:
    found = [
        int(number, 0)
        for area in ("services", "auth", "fhir", "protocols")
        for path in (ROOT / area).rglob("*.py")
        for number in NUMBER.findall(path.read_text())
    ]

    assert len(found) > 15  # they are found at all
    assert [number for number, times in Counter(found).items() if times > 1] == []
