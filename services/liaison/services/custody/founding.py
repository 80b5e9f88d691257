"""A new installation: its directory's first lines, its first administrator, and the link that lets them in once."""

import json
from dataclasses import dataclass
from typing import Any

from liaison.auth.access import internal, vocabulary
from liaison.auth.journal.acts import Act
from liaison.auth.journal.entry import Event, entry
from liaison.auth.people import accounts, invitations, recovery
from liaison.fhir.store.contract import Key, Request
from liaison.services.house import House
from liaison.services.installation import Kind, declare


class AlreadyFounded(RuntimeError):
    """This base has accounts already: it is not new."""


@dataclass(frozen=True, slots=True)
class Founder:
    """Who the first administrator is."""

    organization: str
    family: str
    given: str
    username: str


async def found(house: House, founder: Founder) -> tuple[str, str]:
    """Writes the organisation, the administrator and their role; returns the token of their one-time link, and the sealed
    code that lets a lone administrator in again."""
    async with house.database.writing.acquire() as connection:
        await declare(connection, house.vault, Kind.PRODUCTION)  # A sandbox never becomes one.
        if await connection.fetchval("select exists (select from account)"):
            raise AlreadyFounded("This installation has accounts already. Use liaison user.")
        await declare(connection, house.vault, Kind.PRODUCTION)
    person = await _directory(house, founder)
    caller = await internal.open_session(house.database.writing, "directory")
    async with house.database.writing.acquire() as connection, connection.transaction():
        account = await accounts.add(connection, founder.username, person, invited=True)
        token = await invitations.invite(connection, account.number)
        code = await recovery.seal(connection)
        await house.journal.record_within(
            connection,
            [entry(caller, Event.RIGHTS, detail={"account": account.number, "act": Act.FIRST_ADMINISTRATOR})],
        )
        await internal.close_session(connection, caller)
    return token, code


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
