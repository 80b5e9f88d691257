"""Looks for clear text where a thief of the database would: tables, WAL, temporary files, logs, statistics.

Shares no code with the vault or the store. `find_leaks` says every place where a planted text is found, in UTF-8, UTF-16
or base64, in any case, and for dates also as the moment PostgreSQL would store. A scan that finds nothing proves
something only beside one that finds what `plant` put into each of those places: the positive control.
"""

import asyncio
import base64
import io
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Literal, NamedTuple

import asyncpg

SHORTEST = 5
"""Shorter texts occur by chance in sealed bytes."""

ORDERS: Final[tuple[Literal["big", "little"], ...]] = ("big", "little")
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


class Leak(NamedTuple):
    place: str
    text: str
    form: str


def forms(text: str) -> Iterator[tuple[str, bytes]]:
    """(name, lower-case bytes) of everything a text may look like."""
    if len(text) < SHORTEST:
        raise ValueError(f"{text!r} is too short to be looked for")
    yield "UTF-8", text.lower().encode()
    yield "UTF-16LE", text.lower().encode("utf-16-le")
    yield "UTF-16BE", text.lower().encode("utf-16-be")
    for encoding in ("utf-8", "utf-16-le"):
        for shift in range(3):
            # Groups of three bytes that are the text's alone are the same wherever it starts within a group.
            content = bytes(shift) + text.encode(encoding)
            middle = base64.b64encode(content)[4 if shift else 0 : len(content) // 3 * 4].lower()
            if len(middle) >= SHORTEST:
                yield f"base64 of {encoding}", middle
    yield "hexadecimal", text.encode().hex().encode()
    yield from _moments(text)


def _moments(text: str) -> Iterator[tuple[str, bytes]]:
    try:
        day = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        return
    for hours in (0, -1, -2):  # midnight here, in winter and in summer
        micros = (day + timedelta(hours=hours) - _EPOCH) // timedelta(microseconds=1)
        for order in ORDERS:
            yield "timestamptz", _lower(micros.to_bytes(8, order, signed=True))


def _lower(content: bytes) -> bytes:
    return content.lower()


def search(place: str, content: bytes, texts: Iterable[str]) -> list[Leak]:
    content = _lower(content)
    return [Leak(place, text, form) for text in texts for form, needle in forms(text) if needle in content]


async def find_leaks(directory: Path, administrator_url: str, texts: Iterable[str]) -> list[Leak]:
    """Every place below the directory (all of PostgreSQL's files are there) and in every table of every database.

    The files are read as they are; the tables also through COPY, because large values are compressed in files.
    """
    texts = list(texts)
    found: list[Leak] = []
    connection = await asyncpg.connect(administrator_url)
    try:
        await connection.execute("checkpoint")
        names = [row[0] for row in await connection.fetch("select datname from pg_database where not datistemplate")]
    finally:
        await connection.close()
    for name in names:
        url = administrator_url.replace("/postgres?", f"/{name}?")
        found += await _in_tables(name, url, texts)
    for path in sorted(directory.rglob("*")):
        # base/1 and base/4 are PostgreSQL's own templates, to which nobody connects.
        if path.is_file() and path.parent.parts[-2:] not in (("base", "1"), ("base", "4")):
            found += await asyncio.to_thread(search, str(path.relative_to(directory)), _read(path), texts)
    return found


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes().rstrip(b"\0")  # a WAL segment is mostly still empty
    except FileNotFoundError:  # a temporary file, gone since it was listed
        return b""


async def _in_tables(name: str, url: str, texts: list[str]) -> list[Leak]:
    found: list[Leak] = []
    connection = await asyncpg.connect(url)
    try:
        tables = await connection.fetch(
            "select format('%I.%I', schemaname, tablename) from pg_tables where tablename <> 'pg_authid'"
            " and schemaname <> 'information_schema' and schemaname not like 'pg\\_temp%'"
        )
        for (table,) in tables:
            # Some columns of the catalogue have no binary form; text shows bytea in hexadecimal, hence both for ours.
            for form in ("text",) if table.startswith("pg_catalog.") else ("text", "binary"):
                out = io.BytesIO()
                await connection.copy_from_query(f"select * from {table}", output=out, format=form)
                found += search(f"{name}: {table}", out.getvalue(), texts)
        # Views over statistics and activity: what PostgreSQL itself remembers of values and statements.
        for view in ("pg_stats", "pg_stats_ext", "pg_stat_activity", "pg_prepared_statements"):
            rows = await connection.fetch(f"select t::text from {view} t")
            found += search(f"{name}: {view}", "\n".join(row[0] for row in rows).encode(), texts)
    finally:
        await connection.close()
    return found


async def plant(administrator_url: str, text: str) -> asyncpg.Connection:
    """Leaks the text everywhere a leak could be, in three encodings. The connection holds a temporary file; close it."""
    connection = await asyncpg.connect(administrator_url)
    await connection.execute("create table planted (clear text, wide bytea, encoded text, large text)")
    await connection.execute(
        "insert into planted select $1, $2, $3, repeat(md5(n::text), 200) || $1 from generate_series(1, 50) n",
        text,
        text.encode("utf-16-le"),
        base64.b64encode(text.encode()).decode(),
    )
    await connection.execute("analyze planted")
    await connection.execute(f"do $$ begin raise log '%', '{text}'; end $$")
    await connection.execute("set temp_buffers = '800kB'")  # so small that the table below reaches its file
    await connection.execute("create temp table planted_temporary (clear text)")
    await connection.execute("insert into planted_temporary select $1 from generate_series(1, 50000)", text)
    return connection
