"""Fifty visits a page, the latest first; `page` in the address says which."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from starlette.requests import Request

from liaison.auth.journal.visits import Visit

ON_A_PAGE: Final = 50


class Page(NamedTuple):
    """`first`: the number of the first visit shown. `before` and `after`: where the more recent and the older ones are, ''
    where there are none."""

    shown: Sequence[Visit]
    first: int
    before: str
    after: str


def paged(request: Request, visits: Sequence[Visit], address: str) -> Page:
    """`address` is that of the first page."""
    given = request.query_params.get("page", "1")
    number = max(1, int(given)) if given.isascii() and given.isdecimal() and len(given) < 6 else 1
    start = (number - 1) * ON_A_PAGE
    joined = f"{address}{'&' if '?' in address else '?'}page="
    return Page(
        visits[start : start + ON_A_PAGE],
        start + 1,
        f"{joined}{number - 1}" if number > 1 else "",
        f"{joined}{number + 1}" if len(visits) > start + ON_A_PAGE else "",
    )
