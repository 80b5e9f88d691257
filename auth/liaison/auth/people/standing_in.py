"""Who stands in for professionals at this moment, or will: substitutes, trainees and secretaries, with their dates."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

import asyncpg


class StandsIn(NamedTuple):
    """`answers` is the number, of the role or the person, for whom `practitioner` stands in, in `role`. `since` and `until`
    are None where the directory sets no bound."""

    answers: int
    practitioner: int
    role: int
    role_code: str
    since: datetime | None
    until: datetime | None


async def standing_in(connection: "asyncpg.Connection | asyncpg.Pool", answering: Iterable[int]) -> list[StandsIn]:
    """Those who act for these roles or people now or later; the replaced, or supervising, may be named either way."""
    rows = await connection.fetch(
        "select h.acts_for, h.practitioner, h.role, h.role_code,"
        " case when isfinite(h.valid_from) then h.valid_from end, case when isfinite(h.valid_to) then h.valid_to end"
        " from held_role h where h.active and h.valid_to > now() and (h.acts_for = any($1::bigint[]) or h.acts_for in"
        " (select practitioner from held_role where role = any($1::bigint[]) and practitioner <> 0))"
        " order by h.valid_from, h.role",
        sorted(set(answering) - {0}),
    )
    return [StandsIn(*row) for row in rows]
