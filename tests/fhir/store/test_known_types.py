"""What PostgreSQL's own types are is asked once, not by each connection."""

from liaison.fhir.store import known_types
from liaison.fhir.store.database import connection


async def _asked(url: str, statement: str, *arguments: object) -> tuple[list[str], object]:
    """What a new connection sends besides the statement, and what the statement gives."""
    one, sent = await connection(url), []
    with one.query_logger(lambda record: sent.append(record.query)):
        [[found]] = await one.fetch(statement, *arguments)
    await one.close()
    return [query for query in sent if query != statement], found


async def test_a_second_connection_does_not_ask_what_an_array_of_numbers_is(database_url: str) -> None:
    known_types._told.clear()
    statement = "select array_agg(n + 1) from unnest($1::bigint[]) as n"

    first, found = await _asked(database_url, statement, [1, 2])
    assert found == [2, 3]
    assert any("typeinfo" in query for query in first)
    assert await _asked(database_url, statement, [3]) == ([], [4])


async def test_a_type_of_the_database_s_own_is_asked_for_each_time(database_url: str) -> None:
    one = await connection(database_url)
    await one.execute("create type place as (room text, seats bigint[])")
    await one.close()

    for _ in range(2):
        queries, found = await _asked(database_url, "select row('salle', '{3}')::place")
        assert found == ("salle", [3])
        assert any("typeinfo" in query for query in queries)


async def test_a_statement_without_a_name_is_still_there(database_url: str) -> None:
    known_types._told.clear()
    for _ in range(2):
        one = await connection(database_url, statement_cache_size=0)
        assert await one.fetchval("select $1::smallint[]", [7]) == [7]
        await one.close()
