"""Reviews in numbers, for each structure of those who acted: outcomes, what waits, and how long a review took."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from statistics import median

from starlette.requests import Request
from starlette.responses import Response

from liaison.services.pages.audit.reviews import every_line
from liaison.services.pages.audit.to_review import OUTCOMES, Line, names
from liaison.services.pages.layout import render
from liaison.services.pages.record import Record
from liaison.services.pages.signed_in import address_of, signed_in

PATH = "/journal/chiffres"


@dataclass(slots=True)
class Row:
    """`outcomes` counts what is settled, by the code of its outcome; `days` is the median of what was settled."""

    structure: str
    waiting: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    took: list[float] = field(default_factory=list)

    @property
    def total(self) -> int:
        return self.waiting + self.outcomes.total()

    @property
    def days(self) -> int | None:
        return round(median(self.took)) if self.took else None


async def counts(request: Request) -> Response:
    caller, _me = await signed_in(request)
    lines = await every_line(request, counted=True)
    record = Record(request.app.state.house.engine, caller, address_of(request))
    known = await names(record, [line.who.organization for line in lines], "Organization")
    return render(request, "audit/counts.html", rows=by_structure(lines, known), outcomes=OUTCOMES)


def by_structure(lines: Iterable[Line], known: dict[str, str]) -> list[Row]:
    """By name; those whose structure the directory does not say come last, under ''."""
    rows: dict[str, Row] = {}
    for line in lines:
        name = known.get(line.who.organization, "")
        row = rows.setdefault(name, Row(name))
        if not line.settled:
            row.waiting += 1
            continue
        row.outcomes[line.code] += 1
        if line.at is not None and line.settled_at is not None:
            row.took.append((line.settled_at - line.at).total_seconds() / 86_400)
    return sorted(rows.values(), key=lambda row: (not row.structure, row.structure))
