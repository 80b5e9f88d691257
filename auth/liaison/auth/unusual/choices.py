"""Which rules of unusual access are on, since when and how tuned; and the date of the notice to staff.

Nothing is on until somebody has turned it on. A rule that compares names, addresses or distances waits for the date of the
notice, and looks at nothing before it. Each choice is a row that is never changed; whoever calls journals it in the same
transaction.
"""

import json
from collections.abc import Mapping
from datetime import date, datetime
from typing import Final, NamedTuple

import asyncpg

from liaison.auth.access.adopted import Asks
from liaison.auth.unusual.table import Rule, rules

NOTICE: Final = ""
"""The name under which the date of the notice stands among the rules."""
_LOCK: Final = 0x11A172


class NotChosen(ValueError):
    """The choice is refused: `why` is 'unknown', 'notice', 'since', 'early' (before the notice) or the name of a parameter that is
    out of bounds."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Choice(NamedTuple):
    number: int
    rule: str
    active: bool
    since: date | None
    parameters: dict[str, int]
    by: int
    at: datetime


class Watched(NamedTuple):
    """A rule that is on: by which choice, as tuned, and the first day that it may look at."""

    rule: Rule
    choice: int
    values: dict[str, int]
    since: date


_CURRENT: Final = """
select distinct on (rule) choice, rule, active, since, parameters, chosen_by, at from unusual_choice
order by rule, choice desc
"""


async def current(base: Asks) -> dict[str, Choice]:
    """The newest choice of each rule that anybody chose about, and of NOTICE."""
    rows = await base.fetch(_CURRENT)
    found = [Choice(*row) for row in rows]
    return {
        one.rule: one._replace(parameters=json.loads(str(row["parameters"])))
        for one, row in zip(found, rows, strict=True)
    }


async def informed_since(base: Asks) -> date | None:
    """The day of the notice to staff; None until it is entered."""
    notice = (await current(base)).get(NOTICE)
    return notice.since if notice else None


async def choose(
    connection: asyncpg.Connection,
    rule: str,
    *,
    active: bool,
    since: date | None,
    parameters: Mapping[str, int],
    by: int,
) -> int:
    """The number of the choice, in the caller's transaction. Raises NotChosen."""
    if rule not in rules():
        raise NotChosen("unknown")
    known = rules()[rule]
    if set(parameters) - set(known.parameters):
        raise NotChosen("unknown")
    values = known.values(parameters)
    for name, one in known.parameters.items():
        if not one.least <= values[name] <= one.most:
            raise NotChosen(name)
    if active and since is None:
        raise NotChosen("since")
    if active and known.notice:
        informed = await informed_since(connection)
        if informed is None:
            raise NotChosen("notice")
        if since is not None and since < informed:
            raise NotChosen("early")
    number = await _insert(connection, rule, active, since, values, by)
    if active:
        assert since is not None
        await connection.execute(
            "insert into unusual_progress (choice, position) values ($1, $2)", number, await _first(connection, since)
        )
    return number


async def date_notice(connection: asyncpg.Connection, day: date, *, by: int) -> int:
    """The day on which the staff were told, or will be."""
    return await _insert(connection, NOTICE, True, day, {}, by)


async def _insert(
    connection: asyncpg.Connection, rule: str, active: bool, since: date | None, values: Mapping[str, int], by: int
) -> int:
    await connection.execute("select pg_advisory_xact_lock($1)", _LOCK)
    number = int(await connection.fetchval("select coalesce(max(choice), 0) + 1 from unusual_choice"))
    await connection.execute(
        "insert into unusual_choice (choice, rule, active, since, parameters, chosen_by) values ($1, $2, $3, $4, $5, $6)",
        number,
        rule,
        active,
        since,
        json.dumps(values),
        by,
    )
    return number


async def _first(connection: asyncpg.Connection, day: date) -> int:
    """The position of the first entry of that day, or the one that the next entry will have."""
    return int(
        await connection.fetchval(
            "select coalesce((select min(p.position) from journal_position p join journal_entry e using (worker, sequence)"
            " where e.at >= $1::date::timestamp at time zone 'Europe/Paris'),"
            " (select max(position) + 1 from journal_position), 0)",
            day,
        )
    )


async def watched(base: Asks) -> list[Watched]:
    """The rules that are on."""
    chosen = await current(base)
    notice = chosen.get(NOTICE)
    found = []
    for name, rule in rules().items():
        one = chosen.get(name)
        if (
            one is None
            or not one.active
            or one.since is None
            or (rule.notice and (notice is None or notice.since is None))
        ):
            continue
        since = max(one.since, notice.since) if rule.notice and notice is not None and notice.since else one.since
        found.append(Watched(rule, one.number, rule.values(one.parameters), since))
    return found
