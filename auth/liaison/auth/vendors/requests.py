"""A vendor's request, from its reception to its registration. Two people say yes: an administrator and the DPO.

The vendor follows it at an address of its own, whose secret is kept as a hash only.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

import asyncpg
import orjson

from liaison.auth.access.roles import ROLES
from liaison.auth.digests import digest
from liaison.auth.oauth2 import clients
from liaison.auth.oauth2.clients import ClientProblem
from liaison.auth.people import notices
from liaison.auth.people.notices import Kind
from liaison.auth.safe_fetch import Fetcher
from liaison.auth.vendors.checking import check
from liaison.auth.vendors.conformance import Report, read_report
from liaison.auth.vendors.life import REVIEW_EVERY
from liaison.auth.vendors.request_file import Problem, RequestFile, read_file

PARTS: Final = ("admin", "dpo")
"""Who has to approve, by their role."""


class State(StrEnum):
    TO_CORRECT = "to-correct"
    TO_APPROVE = "to-approve"
    REFUSED = "refused"
    REGISTERED = "registered"


class NotNow(ValueError):
    """What is asked does not fit the state of the request. The text says what does."""


@dataclass(frozen=True, slots=True)
class VendorRequest:
    number: int
    client_id: str
    file: RequestFile
    state: State
    problems: tuple[Problem, ...]
    received_at: datetime
    approved_by: frozenset[str]
    conformance: Report | None = None


_SELECT: Final = """
select r.request, r.client_id, r.content, r.state, r.problems, r.received_at, r.conformance,
       array(select part from client_approval a where a.request = r.request) as parts
from client_request r
"""


def _request(row: Any) -> VendorRequest:
    return VendorRequest(
        row["request"],
        row["client_id"],
        read_file(row["content"].encode(), private=True, kept=True),  # it was read strictly when it came
        State(row["state"]),
        tuple(Problem(*one) for one in orjson.loads(row["problems"])),
        row["received_at"],
        frozenset(row["parts"]),
        read_report(row["conformance"].encode()) if row["conformance"] else None,
    )


async def receive(
    connection: asyncpg.Connection, content: bytes, fetcher: Fetcher, *, private: bool = False
) -> tuple[VendorRequest, str]:
    """The request, technically checked, and the secret of the vendor's own address. A later file for the same client_id
    replaces one that is not decided.

    Raises BadFile for a file that cannot be taken at all, NotNow for a client_id that is taken."""
    file = read_file(content, private=private)
    problems = await check(file, fetcher, ROLES)
    link = secrets.token_urlsafe(32)
    async with connection.transaction():
        if await connection.fetchval("select exists (select from client where client_id = $1)", file.client_id):
            raise NotNow(f"The client_id {file.client_id} is taken. New keys of a client: liaison client keys.")
        await connection.execute(
            "delete from client_request where client_id = $1 and state = any($2)",
            file.client_id,
            [State.TO_CORRECT, State.TO_APPROVE],
        )
        number = secrets.randbits(62) or 1
        await connection.execute(
            "insert into client_request (request, client_id, content, state, link, problems) values ($1, $2, $3, $4, $5, $6)",
            number,
            file.client_id,
            content.decode(),
            State.TO_CORRECT if problems else State.TO_APPROVE,
            digest(link),
            orjson.dumps([list(one) for one in problems]).decode(),
        )
        if not problems:
            await notices.tell(connection, Kind.SOFTWARE, number)
    found = await by_number(connection, number)
    assert found is not None
    return found, link


async def by_number(connection: "asyncpg.Connection | asyncpg.Pool", number: int) -> VendorRequest | None:
    row = await connection.fetchrow(f"{_SELECT} where r.request = $1", number)
    return None if row is None else _request(row)


async def by_link(connection: "asyncpg.Connection | asyncpg.Pool", secret: str) -> VendorRequest | None:
    """What the vendor's own address shows."""
    row = await connection.fetchrow(f"{_SELECT} where r.link = $1", digest(secret))
    return None if row is None else _request(row)


async def waiting(connection: "asyncpg.Connection | asyncpg.Pool") -> Sequence[VendorRequest]:
    """Those that are not decided, the oldest first."""
    rows = await connection.fetch(
        f"{_SELECT} where r.state = any($1) order by r.received_at, r.request", [State.TO_CORRECT, State.TO_APPROVE]
    )
    return [_request(row) for row in rows]


async def approve(connection: asyncpg.Connection, number: int, part: str, person: int) -> State:
    """One of the two says yes; with the second the client is registered, active nowhere yet. In a transaction.

    Raises NotNow when the request does not wait for it, when the software was not looked at in a sandbox (vendors.conformance)
    or did nothing right there, or when one person would say yes for both."""
    await _lock(connection, number)
    found = await by_number(connection, number)
    if found is None or found.state is not State.TO_APPROVE:
        raise NotNow("The request does not wait for an approval.")
    if part not in PARTS:
        raise NotNow("A request is approved by an administrator and by the DPO.")
    if found.conformance is None or not found.conformance.passed:
        raise NotNow(
            "Nobody has looked at the software itself yet: make conformance APP=its file, then liaison client conformance"
            " with the report."
        )
    others = await connection.fetch("select part, person from client_approval where request = $1", number)
    if any(row["person"] == person for row in others):
        raise NotNow("An administrator and the DPO approve it: two different people.")
    if any(row["part"] == part for row in others):
        raise NotNow("This approval was given before.")
    await connection.execute(
        "insert into client_approval (request, part, person) values ($1, $2, $3)", number, part, person
    )
    if part == "dpo":
        await notices.read(connection, Kind.SOFTWARE, number)
    if {row["part"] for row in others} | {part} != set(PARTS):
        return State.TO_APPROVE
    await _register(connection, found)
    return await _decided(connection, number, State.REGISTERED)


async def refuse(connection: asyncpg.Connection, number: int) -> State:
    """Either says no. In a transaction. Raises NotNow for a request that is decided."""
    await _lock(connection, number)
    found = await by_number(connection, number)
    if found is None or found.state not in (State.TO_APPROVE, State.TO_CORRECT):
        raise NotNow("The request is decided.")
    await notices.read(connection, Kind.SOFTWARE, number)
    return await _decided(connection, number, State.REFUSED)


async def _lock(connection: asyncpg.Connection, number: int) -> None:
    await connection.execute("select from client_request where request = $1 for update", number)


async def _decided(connection: asyncpg.Connection, number: int, state: State) -> State:
    await connection.execute(
        "update client_request set state = $2, decided_at = now() where request = $1", number, state
    )
    return state


async def _register(connection: asyncpg.Connection, found: VendorRequest) -> None:
    file = found.file
    try:
        made = await clients.add(
            connection,
            client_id=file.client_id,
            kind=file.kind,
            name=file.name,
            scope=file.scope,
            jwks=file.jwks,
            jwks_uri=file.jwks_uri,
            algorithm=file.algorithm,
            binding=file.binding,
            certificate_subject=file.certificate_subject,
            redirect_uris=file.redirect_uris,
            launch_url=file.launch_url,
            role_code=file.role,
            by_activation=True,
            private=True,  # the address was judged when the file came
        )
    except ClientProblem as error:
        raise NotNow(str(error)) from None
    await connection.execute(
        "update client set review_due = now() + make_interval(days => $2) where client = $1", made.number, REVIEW_EVERY
    )
