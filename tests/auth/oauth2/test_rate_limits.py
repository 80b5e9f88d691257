"""How much one may ask: one count for all workers, that callers side by side do not outrun."""

import asyncio

import pytest

from liaison.auth.oauth2.rate_limits import Limit, TooMany, allowed, take, whose_address
from liaison.auth.oauth2.sweep import sweep
from liaison.fhir.store.database import Database

FIVE = Limit("five", 5, 100.0)
QUICK = Limit("quick", 2, 0.05)


async def passes(database: Database, limit: Limit, *whose: str) -> bool:
    try:
        await take(database.writing, limit, *whose)
    except TooMany as error:
        assert 0 < error.seconds <= limit.seconds_each
        return False
    return True


async def test_so_many_at_once_and_no_more(database: Database) -> None:
    assert [await passes(database, FIVE, "a") for _ in range(7)] == [True] * 5 + [False] * 2
    assert await passes(database, FIVE, "b")
    assert await passes(database, FIVE._replace(name="other"), "a")


async def test_twenty_side_by_side_do_not_outrun_the_count(database: Database) -> None:
    results = await asyncio.gather(*(passes(database, FIVE, "a") for _ in range(20)))

    assert results.count(True) == 5


async def test_with_time_it_is_allowed_again(database: Database) -> None:
    quick = QUICK._replace(seconds_each=5.0)
    assert [await passes(database, quick, "a") for _ in range(3)] == [True, True, False]
    await database.writing.execute("update rate_limit set full_at = full_at - interval '5 s'")

    assert [await passes(database, quick, "a") for _ in range(2)] == [True, False]


def test_who_is_refused_is_never_told_to_come_back_at_once() -> None:
    """The moment may have come between the refusal and the look at how long it lasts."""
    assert TooMany(0).seconds == 1
    assert str(TooMany(0)) == "Too many requests. Try again in 1 s."


async def test_looking_counts_nothing(database: Database) -> None:
    for _ in range(10):
        await allowed(database.writing, FIVE, "a")
    assert [await passes(database, FIVE, "a") for _ in range(5)] == [True] * 5
    with pytest.raises(TooMany):
        await allowed(database.writing, FIVE, "a")


async def test_names_do_not_run_into_each_other(database: Database) -> None:
    for whose in (("a", "b"), ("ab",), ("a", "", "b")):
        assert [await passes(database, FIVE, *whose) for _ in range(5)] == [True] * 5, whose


async def test_what_is_full_again_is_swept(database: Database) -> None:
    await take(database.writing, FIVE, "kept")
    await take(database.writing, QUICK, "gone")
    await database.writing.execute("update rate_limit set full_at = full_at - interval '1 minute'")

    await sweep(database.writing)

    assert await database.reading.fetchval("select count(*) from rate_limit") == 1


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::", "2001:db8:1:2::/64"),
        ("127.0.0.1", ""),
        ("::1", ""),
        ("", ""),
        ("testclient", ""),
    ],
)
def test_what_an_address_is_counted_by(address: str, counted: str) -> None:
    assert whose_address(address) == counted
