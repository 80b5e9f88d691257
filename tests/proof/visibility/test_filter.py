"""The SQL predicate against the one written again in Python, on random worlds; each of its conditions is needed.

Every method of the filter is asked of every session and row of a world. Then each conjunct is dropped in turn: some
answer must become wrong, or the conjunct is not tested.
"""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from liaison.auth.access.filter import CONJUNCTS, Filter
from liaison.fhir.store.rows import grants_of

from ..hole import Hole
from . import rows

NOW = datetime.now(UTC)
WORLDS = 40


def world(seed: int) -> Any:
    """Small enough that everything meets: few patients, principals, classes and owners; dates around now."""
    chance = random.Random(seed)
    made = rows.World(NOW)
    made.accounts = {
        1: (True, None), 2: (False, None), 3: (True, NOW + timedelta(minutes=5)), 4: (True, NOW - timedelta(days=9)),
    }  # fmt: skip
    made.clients = {1: True, 2: False}

    def moment() -> datetime:
        return NOW + timedelta(hours=chance.choice([-30, -2, 2, 30]))

    for number in range(1, 13):
        plain = chance.random() < 0.4
        made.sessions.append(
            rows.Session(
                number,
                chance.sample(range(1, 6), chance.choice([0, 1, 2, 3])),
                chance.choice([1, 1, 2]),
                NOW + timedelta(hours=1) if plain else moment(),
                NOW - timedelta(hours=1),
                None if plain or chance.random() < 0.7 else NOW - timedelta(minutes=5),
                None if plain else chance.choice([None, None, 1]),
                None if plain else chance.choice([None, 1, 2, 3, 4, 9]),
                None if plain else chance.choice([None, None, 1, 2, 9]),
                None if chance.random() < 0.9 else chance.sample([96, 28], chance.choice([0, 1])),
            )
        )
    for _ in range(60):
        made.grants.append(
            rows.Grant(
                chance.choice([1, 2, 3]), chance.choice(range(1, 6)), chance.choice([1, 1, 2]),
                set(chance.sample(range(6), chance.choice([1, 2, 4]))),
                chance.choice([0, 0, 0, 5, 6]), chance.choice([0, 0, 0, 7]), chance.choice([0, 0, 0, 8]),
                NOW + timedelta(hours=chance.choice([-30, -2, -2, 2])), NOW + timedelta(hours=chance.choice([-1, 3, 3])),
            )
        )  # fmt: skip
    for number in range(40):
        made.rows.append(
            rows.Row(
                chance.choice([1, 2, 3]), chance.choice([96, 28]), number + 1,
                set(chance.sample(range(6), chance.choice([0, 1, 1, 2]))),
                chance.choice([0, 5, 6]), chance.choice([0, 7]), chance.choice([0, 8]),
            )
        )  # fmt: skip
    return made


def mask(classes: set[int]) -> int:
    return sum(1 << one for one in classes)


async def store(connection: asyncpg.Connection, made: Any) -> None:
    await connection.execute(
        "truncate version, directory_version, access_session, access_grant, account, client, patient"
    )
    await connection.executemany(
        "insert into account (account, username, fhir_kind, fhir_res, active, not_before) values ($1::bigint, ($1::bigint)::text, 1, 1, $2, $3)",
        [(number, *rest) for number, rest in made.accounts.items()],
    )
    await connection.executemany(
        "insert into client (client, client_id, kind, name, scope, active) values ($1::bigint, ($1::bigint)::text, 'app', '', '', $2)",
        list(made.clients.items()),
    )
    await connection.executemany(
        "insert into patient (patient, shelf, wrapped) values ($1, 1, '')",
        [(row,) for row in {r.patient for r in made.rows}],
    )
    await connection.executemany(
        "insert into access_session (session, principals, purpose, expires_at, started_at, ended_at, only_patient, account,"
        " client, kinds, role_code) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'gp')",
        [
            (
                s.number,
                s.principals,
                s.purpose,
                s.expires,
                s.started,
                s.ended,
                s.only_patient,
                s.account,
                s.client,
                s.kinds,
            )
            for s in made.sessions
        ],
    )
    await connection.executemany(
        "insert into access_grant (patient, principal, purpose, mask, write_mask, author, service, addressee, rule, relation,"
        " valid_from, valid_to) values ($1, $2, $3, $4, 0, $5, $6, $7, 2, 4, $8, $9)",
        [
            (g.patient, g.principal, g.purpose, mask(g.classes), g.author, g.service, g.addressee, g.start, g.end)
            for g in made.grants
        ],
    )
    for table, patient in (("version", None), ("directory_version", 0)):
        await connection.executemany(
            f"insert into {table} (patient, kind, res, version, at, classes, author, service, addressee, sealed)"
            " values ($1, $2, $3, 1, now(), $4, $5, $6, $7, '')",
            [
                (r.patient if patient is None else 0, r.kind, r.res, mask(r.classes), r.author, r.service, r.addressee)
                for r in made.rows
            ],
        )


async def decisions(connection: asyncpg.Connection, filter_: Filter) -> dict[str, set[tuple[int, ...]]]:
    """What SQL says may be seen, for every session and row."""
    every = "access_session q, version v"
    visible = await connection.fetch(f"select q.session, v.res from {every} where {filter_.visible('v', 'q.session')}")
    decided = await connection.fetch(
        f"select q.session, v.res from {every} cross join {filter_.decided('v', 'q.session')} d where d.allowed"
    )
    covered = await connection.fetch(
        f"select q.session, v.res from {every} cross join lateral (with held as materialized"
        f" ({filter_.held('v.patient', 'q.session')}), summed as materialized ({filter_.summed('held')})"
        f" select {filter_.covered('v', 'held', 'summed')} as allowed) d where d.allowed"
    )
    found = {"visible": visible, "decided": decided, "covered": covered}
    return {name: {tuple(row) for row in rows} for name, rows in found.items()}


async def answers(connection: asyncpg.Connection, filter_: Filter) -> dict[str, set[tuple[int, ...]]]:
    """The same, by every method of the filter."""
    every = "access_session q, version v"
    owners = "v.author, v.service, v.addressee"
    evidence = await connection.fetch(
        f"select q.session, v.res, d.evidence, {owners} from {every} cross join lateral (with held as materialized"
        f" ({filter_.held('v.patient', 'q.session')}) select {filter_.evidence('held')} as evidence) d"
    )
    beside = await connection.fetch(
        f"select q.session, v.res, d.evidence, {owners} from {every} cross join {filter_.decided('v', 'q.session')} d"
    )
    patients = await connection.fetch(
        f"select q.session, p.patient from access_session q cross join lateral {filter_.patients('q.session')} p"
    )
    directory = await connection.fetch(
        "select q.session, v.res from access_session q, directory_version v"
        f" where {filter_.visible_directory('v', 'q.session')}"
    )
    standing = []
    for (session,) in await connection.fetch("select session from access_session"):
        found = await connection.fetch(filter_.standing("$1::bigint", "$2::bigint[]"), session, [1, 2, 3])
        standing += [(session, row["patient"] or 0, row["mask"] or 0) for row in found]
    return {
        **await decisions(connection, filter_),
        "evidence": {(session, res, len(grants_of(*found))) for session, res, *found in evidence},
        "evidence beside the decision": {(session, res, len(grants_of(*found))) for session, res, *found in beside},
        "patients": {tuple(row) for row in patients},
        "directory": {tuple(row) for row in directory},
        "standing": {tuple(row) for row in standing},
    }


def expected(made: Any) -> dict[str, set[tuple[int, ...]]]:
    pairs = [(session, row) for session in made.sessions for row in made.rows]
    visible: set[tuple[int, ...]] = {(s.number, r.res) for s, r in pairs if made.visible(s, r)}
    evidence: set[tuple[int, ...]] = {(s.number, r.res, len(made.applicable(s, r))) for s, r in pairs}
    standing: set[tuple[int, ...]] = set()
    for s in made.sessions:
        if made.alive(s):
            held = [(s.number, g.patient, mask(g.classes)) for p in (1, 2, 3) for g in made.grants_of(s, p)]
            standing |= set(held) or {(s.number, 0, 0)}
    return {
        "visible": visible,
        "decided": visible,
        "covered": visible,
        "evidence": evidence,
        "evidence beside the decision": evidence,
        "patients": {(s.number, patient) for s in made.sessions for patient in made.patients(s)},
        "directory": {(s.number, r.res) for s, r in pairs if made.alive(s) and r.classes},
        "standing": standing,
    }


async def test_sql_and_reference_agree_on_random_worlds(either_database: Any) -> None:
    """hfs#381: who may see a row was asked in the code alone, and forgotten in places."""
    seen = hidden = 0
    async with either_database.writing.acquire() as connection:
        for seed in range(WORLDS):
            made = world(seed)
            await store(connection, made)
            wanted = expected(made)
            assert await answers(connection, Filter()) == wanted, f"seed {seed}"
            seen += len(wanted["visible"])
            hidden += len(made.sessions) * len(made.rows) - len(wanted["visible"])
    assert seen > 500 and hidden > 500  # the worlds decide something


async def tells(connection: Any, name: str, made: Callable[[int], Any] = world) -> bool:
    """Whether some world shows that a condition is gone; the statements that decide rows in other ways must agree."""
    for seed in range(WORLDS):
        one = made(seed)
        await store(connection, one)
        found = await decisions(connection, Hole(name))
        if found["visible"] != expected(one)["visible"]:
            assert found["decided"] == found["covered"] == found["visible"]
            return True
    return False


@pytest.mark.parametrize("name", sorted(CONJUNCTS))
async def test_without_this_condition_some_answer_is_wrong(database: Any, name: str) -> None:
    async with database.writing.acquire() as connection:
        assert await tells(connection, name), f"nothing tells that the condition '{name}' is gone"


async def test_the_score_is_whole(database: Any, capsys: pytest.CaptureFixture[str]) -> None:
    async with database.writing.acquire() as connection:
        left = [name for name in CONJUNCTS if not await tells(connection, name)]
    with capsys.disabled():
        print(f"\n== mutants of the predicate: {len(CONJUNCTS) - len(left)} of {len(CONJUNCTS)} found")
    assert not left


def _without_dates(seed: int) -> Any:
    made = world(seed)
    made.grants = [one for one in made.grants if one.end > NOW]
    return made


async def test_a_world_that_says_less_lets_a_mutant_live(database: Any) -> None:
    """The sibling: where no grant is over, nobody misses that it may be."""
    async with database.writing.acquire() as connection:
        assert not await tells(connection, "not_over", _without_dates)


async def test_the_clock_is_the_databases(database: Any) -> None:
    """A right ends at its instant: seen a tenth of a second before, gone a tenth after."""
    made = rows.World(
        NOW, [rows.Session(1, [1], 1, NOW + timedelta(days=1), NOW)], [], [rows.Row(1, 96, 1, {1}, 0, 0, 0)]
    )
    async with database.writing.acquire() as connection:
        await store(connection, made)
        await connection.execute(
            "insert into access_grant (patient, principal, purpose, mask, write_mask, rule, relation, valid_from, valid_to)"
            " values (1, 1, 1, 2, 0, 2, 4, clock_timestamp(), clock_timestamp() + interval '400 milliseconds')"
        )
        query = f"select count(*) from version v where {Filter().visible('v', '1::bigint')}"
        assert await connection.fetchval(query) == 1
        await connection.execute("select pg_sleep(0.5)")
        assert await connection.fetchval(query) == 0
