"""The accounts of the territory's people. Each base has secrets of its own; sandbox.json gives them away."""

import secrets
from typing import Any, Final

import asyncpg

from liaison.auth.people import accounts, designated, identity_checks
from liaison.auth.people.identity_checks import NotChecked
from liaison.fhir.store.contract import Key
from liaison.fhir.store.ids import Ids
from liaison.services.sandbox.load import Loaded
from liaison.services.sandbox.territory import Person, Territory

WITH_PIN: Final = frozenset({"aide", "aide2"})
"""Those who share the service's phone: a PIN is all they type."""

CHECKER: Final = "gp"
"""Who has seen the papers of those who are no professionals."""

READS_REPORTS: Final = "social_worker"
"""Whom the home service has designated to read reports of suspected abuse: not the manager, whom one may be about."""
NAMES_THEM: Final = "home_service_manager"


async def open_accounts(
    connection: asyncpg.Connection, ids: Ids, territory: Territory, loaded: Loaded
) -> list[dict[str, Any]]:
    """Opens an account for each person and returns what sandbox.json says of them. Professionals come first: one of them
    has seen the papers of the others."""
    opened = [await _open(connection, ids, person, loaded) for person in territory.people]
    return [person for person in opened if person is not None]


async def _open(connection: asyncpg.Connection, ids: Ids, person: Person, loaded: Loaded) -> dict[str, Any] | None:
    """None for somebody who represents nobody any more: the territory is of a day long past."""
    subject = loaded.references[person.subject]
    username = person.key.replace("_", "-")
    pin = accounts.made_pin() if person.key in WITH_PIN else ""
    password = "" if pin else secrets.token_urlsafe(12)
    key = key_of(ids, subject)
    if key.kind in identity_checks.OF_A_RECORD:
        checker = await accounts.by_username(connection, CHECKER)
        assert checker is not None  # opened before them
        try:
            await identity_checks.record(connection, key, by=checker.number, document="id-card")
        except NotChecked:
            return None
    await accounts.add(connection, username, key, password=password, pin=pin)
    return {
        "key": person.key,
        "name": person.name,
        "role": person.role_code,
        "role_name": person.role_name,
        "organization": loaded.references.get(person.organization, ""),
        "organization_name": person.organization_name,
        "practitioner": subject if person.kind == "Practitioner" else "",
        "practitioner_role": loaded.references.get(person.role, ""),
        "subject": subject,
        "username": username,
        **({"pin": pin} if pin else {"password": password}),
    }


async def designate(connection: asyncpg.Connection, ids: Ids, opened: list[dict[str, Any]]) -> None:
    """Who reads the reports of the home service, of the people that `open_accounts` gave."""
    by_key = {person["key"]: person for person in opened}
    reader, manager = by_key[READS_REPORTS], by_key[NAMES_THEM]
    account = await accounts.by_username(connection, manager["username"])
    assert account is not None  # opened just before
    service, said = key_of(ids, manager["organization"]).res, f"{reader['name']}, {reader['role_name']}"
    await designated.name(connection, service, reader["practitioner_role"], said, manages=False, by=account.number)


def key_of(ids: Ids, reference: str) -> Key:
    """The key behind 'Type/id'."""
    type_, _, id_ = reference.partition("/")
    key = ids.decode(type_, id_)
    assert key is not None  # it was just written
    return key
