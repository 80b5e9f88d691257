"""What happens to registered software: new keys, suspension, the yearly review, its end; and what it was refused."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final, NamedTuple

import asyncpg
import orjson

from liaison.auth.oauth2.clients import ClientProblem, public
from liaison.auth.oauth2.registration import key_set_problem
from liaison.auth.sessions import end_client

REVIEW_EVERY: Final = 365
"""Days until somebody looks again whether the software is still used, by whom, and still needs its scopes."""
ERRORS_KEPT: Final = 30


async def change_keys(
    connection: asyncpg.Connection,
    client_id: str,
    *,
    jwks: Mapping[str, Any] | None = None,
    jwks_uri: str = "",
    algorithm: str = "",
    private: bool = False,
) -> int:
    """Replaces the keys of a registration, and of all that acts by it. In a transaction; the client's number.

    What it holds open ends: whoever has the old key may have used it. Raises ClientProblem."""
    row = await connection.fetchrow(
        "select client, algorithm, certificate_subject, registration, ended_at from client where client_id = $1 for update",
        client_id,
    )
    if row is None or row["registration"] is not None:
        raise ClientProblem(f"{client_id} is no registration.")
    if row["ended_at"] is not None:
        raise ClientProblem(f"{client_id} has ended for good.")
    if row["certificate_subject"] or not row["algorithm"]:
        raise ClientProblem(f"{client_id} has no keys.")
    signing = algorithm or row["algorithm"]
    if (jwks is None) == (not jwks_uri):
        raise ClientProblem("New keys are a key set, or the address of one.")
    if problem := key_set_problem(jwks, jwks_uri, signing, private=private):
        raise ClientProblem(problem)
    await connection.execute(
        "update client set jwks = $2, jwks_uri = nullif($3, ''), algorithm = $4 where client = $1 or registration = $1",
        row["client"],
        orjson.dumps({"keys": [public(key) for key in jwks["keys"]]}).decode() if jwks else None,
        jwks_uri,
        signing,
    )
    for acting in await connection.fetch(
        "select client from client where client = $1 or registration = $1", row["client"]
    ):
        await end_client(connection, acting["client"])
    return int(row["client"])


async def reviewed(connection: asyncpg.Connection, client_id: str) -> bool:
    """Someone has looked: the next review is a year from now. False for a client that has none."""
    number = await connection.fetchval(
        "update client set review_due = now() + make_interval(days => $2)"
        " where client_id = $1 and registration is null and ended_at is null returning client",
        client_id,
        REVIEW_EVERY,
    )
    return number is not None


async def end(connection: asyncpg.Connection, client_id: str) -> bool:
    """The end: everything is closed, for good; the name stays taken, so that the journal stays clear. In a transaction."""
    number = await connection.fetchval(
        "update client set active = false, ended_at = now(), review_due = null"
        " where client_id = $1 and registration is null and ended_at is null returning client",
        client_id,
    )
    if number is None:
        return False
    for row in await connection.fetch(
        "update client set active = false where registration = $1 returning client", number
    ):
        await end_client(connection, row["client"])
    await connection.execute("update client_activation set active = false where client = $1", number)
    await end_client(connection, number)
    return True


async def count_error(connection: "asyncpg.Connection | asyncpg.Pool", client_id: str, error: str) -> None:
    """For the vendor's page. Nothing for a client that does not exist."""
    await connection.execute(
        """
        insert into client_error as e (client, day, error, count)
        select client, (now() at time zone 'Europe/Paris')::date, $2, 1 from client where client_id = $1
        on conflict (client, day, error) do update set count = e.count + 1
        """,
        client_id,
        error,
    )


class Refused(NamedTuple):
    day: date
    client_id: str
    error: str
    times: int


async def errors_of(connection: "asyncpg.Connection | asyncpg.Pool", client_id: str) -> Sequence[Refused]:
    """The last 30 days, of the registration and of all that acts by it, the newest first."""
    rows = await connection.fetch(
        """
        select e.day, c.client_id, e.error, e.count from client_error e join client c on c.client = e.client
        where (c.client_id = $1 or c.registration = (select client from client where client_id = $1))
        and e.day > (now() at time zone 'Europe/Paris')::date - $2::integer order by e.day desc, c.client_id, e.error
        """,
        client_id,
        ERRORS_KEPT,
    )
    return [Refused(*row) for row in rows]
