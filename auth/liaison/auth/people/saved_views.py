"""The looks at a list that somebody keeps under a name: the question, never an answer. A question may hold a person's name, and so
may what somebody calls it: both are sealed."""

import secrets
from typing import Final, NamedTuple

import asyncpg
import orjson

from liaison.fhir.vault import PatientKey, context

MOST: Final = 20
"""Of one account."""
LONGEST: Final = 60


class SavedView(NamedTuple):
    number: int
    name: str
    query: str


async def of(connection: "asyncpg.Connection | asyncpg.Pool", key: PatientKey, account: int) -> list[SavedView]:
    """By name."""
    rows = await connection.fetch("select saved_view, sealed from saved_view where account = $1", account)
    opened = [(number, orjson.loads(key.open(_bound_to(account, number), sealed))) for number, sealed in rows]
    return sorted((SavedView(number, *said) for number, said in opened), key=lambda one: one.name.casefold())


async def keep(connection: asyncpg.Connection, key: PatientKey, account: int, name: str, query: str) -> bool:
    """In the place of one of the same name. False when there are MOST already."""
    async with connection.transaction():
        known = await of(connection, key, account)
        same = [one.number for one in known if one.name == name]
        if len(known) - len(same) >= MOST:
            return False
        for number in same:
            await forget(connection, account, number)
        number = secrets.randbits(53) or 1
        await connection.execute(
            "insert into saved_view (saved_view, account, sealed) values ($1, $2, $3)",
            number,
            account,
            key.seal(_bound_to(account, number), orjson.dumps([name, query])),
        )
    return True


async def forget(connection: asyncpg.Connection, account: int, number: int) -> None:
    await connection.execute("delete from saved_view where saved_view = $1 and account = $2", number, account)


def _bound_to(account: int, number: int) -> bytes:
    return context("saved view", account, number)
