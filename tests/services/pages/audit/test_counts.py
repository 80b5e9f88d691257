"""Reviews by structure: how many wait, how they ended, and the median of their delays."""

from datetime import UTC, datetime, timedelta

from liaison.services.pages.audit.counts import by_structure
from liaison.services.pages.audit.to_review import Line, Person


def line(structure: str, outcome: str = "", days: int = 0) -> Line:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    who = Person(organization=structure)
    settled = bool(outcome)
    return Line("1", "", "", at, None, None, who, "", "", "", outcome, settled, False, [],
                settled_at=at + timedelta(days=days) if settled else None)  # fmt: skip


def test_counts_and_the_median_of_delays() -> None:
    lines = [line("Organization/a", "justified", 1), line("Organization/a", "justified", 3),
             line("Organization/a", "reported", 20), line("Organization/a"), line("")]  # fmt: skip

    first, unknown = by_structure(lines, {"Organization/a": "A"})

    assert (first.structure, first.waiting, first.days, first.total) == ("A", 1, 3, 4)
    assert dict(first.outcomes) == {"justified": 2, "reported": 1}
    assert (unknown.structure, unknown.waiting, unknown.days) == ("", 1, None)
