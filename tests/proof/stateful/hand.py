"""A database whose clock a test sets: `now()` and its like are found in a schema of the test before PostgreSQL's own.

The service is not touched: it asks the database for the time, as ever, and is told this one.
"""

from datetime import datetime

import asyncpg

_SCHEMA = """
    create schema clock;
    create table clock.hand (at timestamptz not null);
    insert into clock.hand values (now());
"""
_FUNCTION = """
    create function clock.{name}() returns timestamptz language sql stable parallel safe
    as 'select at from clock.hand'
"""


async def install(url: str) -> None:
    """Before the service connects: a session keeps the path it began with."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(_SCHEMA)
        for name in ("now", "statement_timestamp", "clock_timestamp", "transaction_timestamp"):
            await connection.execute(_FUNCTION.format(name=name))
        database = await connection.fetchval("select current_database()")
        await connection.execute(f"alter database {database} set search_path = clock, pg_catalog, public")
    finally:
        await connection.close()


async def set_to(pool: asyncpg.Pool, moment: datetime) -> None:
    await pool.execute("update clock.hand set at = $1", moment)
