"""A new installation: its directory's first lines, its first administrator, and the link that lets them in once."""

import hashlib
import json
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import asyncpg

from liaison.auth.access import internal, vocabulary
from liaison.auth.journal.entry import Event, entry
from liaison.auth.people import accounts
from liaison.fhir.store.contract import Key, Request
from liaison.services.house import House
from liaison.services.installation import Kind, declare

LINK_LIFE: Final = timedelta(hours=24)


class AlreadyFounded(RuntimeError):
    """This base has accounts already: it is not new."""


@dataclass(frozen=True, slots=True)
class Founder:
    """Who the first administrator is."""

    organization: str
    family: str
    given: str
    username: str


async def found(house: House, founder: Founder) -> str:
    """Writes the organisation, the administrator and their role; returns the token of their one-time link."""
    async with house.database.writing.acquire() as connection:
        await declare(connection, house.vault, Kind.PRODUCTION)  # A sandbox never becomes one.
        if await connection.fetchval("select exists (select from account)"):
            raise AlreadyFounded("This installation has accounts already. Use liaison user.")
        await declare(connection, house.vault, Kind.PRODUCTION)
    person = await _directory(house, founder)
    caller = await internal.open_session(house.database.writing, "directory")
    async with house.database.writing.acquire() as connection, connection.transaction():
        # Nobody knows this password: the link sets one.
        account = await accounts.add(connection, founder.username, person, password=secrets.token_urlsafe(32))
        token = await give_link(connection, account.number)
        await house.journal.record_within(
            connection, [entry(caller, Event.RIGHTS, detail={"account": account.number, "act": "first administrator"})]
        )
        await internal.close_session(connection, caller)
    return token


async def _directory(house: House, founder: Founder) -> Key:
    maker = await internal.open_session(house.database.writing, "directory")
    resources: dict[str, dict[str, Any]] = {
        "organization": {"resourceType": "Organization", "active": True, "name": founder.organization},
        "practitioner": {
            "resourceType": "Practitioner",
            "active": True,
            "name": [{"family": founder.family, "given": [founder.given]}],
        },
        "role": {
            "resourceType": "PractitionerRole",
            "active": True,
            "practitioner": {"reference": "urn:uuid:practitioner"},
            "organization": {"reference": "urn:uuid:organization"},
            "code": [{"coding": [{"system": vocabulary.ROLE, "code": "admin"}]}],
        },
    }
    bundle = {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {
                "fullUrl": f"urn:uuid:{name}",
                "resource": resource,
                "request": {"method": "POST", "url": resource["resourceType"]},
            }
            for name, resource in resources.items()
        ],
    }
    answer = await house.engine.handle(maker, Request("POST", "", "", json.dumps(bundle).encode()))
    if answer.status != 200:
        raise RuntimeError(f"The directory could not be written: {answer.body.decode()[:300]}")
    location = json.loads(answer.body)["entry"][1]["response"]["location"]
    id_ = location.split("/")[-3]
    key = house.store.key("Practitioner", id_)
    assert isinstance(key, Key)
    return key


# ---- the link -----------------------------------------------------------------------------------------------------


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


async def give_link(connection: asyncpg.Connection, account: int) -> str:
    """A token good for one use within a day. Only its hash is kept; an earlier one of the account ends."""
    token = secrets.token_urlsafe(24)
    await connection.execute("delete from first_access where account = $1 or expires_at < now()", account)
    await connection.execute(
        "insert into first_access (token, account, expires_at) values ($1, $2, now() + $3)",
        _hash(token),
        account,
        LINK_LIFE,
    )
    return token


async def username_of_link(connection: asyncpg.Connection, token: str) -> str | None:
    """Whose link it is; None for one that is used, too old or made up."""
    name: str | None = await connection.fetchval(
        "select a.username from first_access f join account a using (account)"
        " where f.token = $1 and f.expires_at > now() and a.active",
        _hash(token),
    )
    return name


async def use_link(connection: asyncpg.Connection, token: str, password: str) -> str | None:
    """Sets the password and ends the link, in the caller's transaction. None when the link is no longer good.

    Raises AccountProblem for a password that is too short; the link then stays.
    """
    name = await username_of_link(connection, token)
    if name is not None and await accounts.set_secret(connection, name, password=password):
        status = await connection.execute("delete from first_access where token = $1", _hash(token))
        if status != "DELETE 1":  # two at once: one of them wins
            return None
    return name
