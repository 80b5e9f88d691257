"""What turns the numbers that the journal keeps into references, and software into the name it is registered under."""

from collections.abc import Callable, Collection, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

import asyncpg

from liaison.auth.access import vocabulary
from liaison.auth.people import accounts
from liaison.fhir.definitions import kind_of
from liaison.fhir.store.contract import Key

CLIENT_ID: Final = f"{vocabulary.LOCAL}/sid/client-id"
ENTITY_TYPES: Final = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
ENTITY_ROLES: Final = "http://terminology.hl7.org/CodeSystem/object-role"
JOURNAL_ENTITY: Final = f"{vocabulary.LOCAL}/CodeSystem/journal-entity"


class Software(NamedTuple):
    """A client as it is registered: what it is called, and by which id."""

    client_id: str
    name: str


class Names(NamedTuple):
    """What turns the journal's numbers into references and names: the id cipher, each patient's Patient, the log's name,
    the clients that are registered, the name of this server on the network, and whose each account is."""

    encode: Callable[[Key], str]
    patients: Mapping[int, int]  # patient number → res of its Patient
    origin: str
    kind_of: Callable[[str], int]
    software: Mapping[int, Software]
    host: str
    accounts: Mapping[int, Key] = MappingProxyType({})

    def reference(self, type_: str, patient: int, res: int) -> str:
        return f"{type_}/{self.encode(Key(patient, self.kind_of(type_), res))}"

    def patient(self, number: int) -> str:
        """'Patient/x', or '' when that patient has been erased."""
        res = self.patients.get(number)
        return "" if res is None else self.reference("Patient", number, res)


async def registered(
    connection: "asyncpg.Connection | asyncpg.Pool", clients: set[int], ids: Collection[str] = ()
) -> Mapping[int, Software]:
    """What these clients are registered as, by number and by client_id; suspended and ended ones too."""
    rows = await connection.fetch(
        "select client, client_id, name from client where client = any($1::bigint[]) or client_id = any($2::text[])",
        list(clients),
        list(ids),
    )
    return {row["client"]: Software(row["client_id"], row["name"]) for row in rows}


async def patients(connection: asyncpg.Connection, numbers: set[int]) -> Mapping[int, int]:
    """The Patient of each record that is there."""
    rows = await connection.fetch(
        "select patient, res from version where patient = any($1::bigint[]) and kind = $2 and superseded is null",
        list(numbers),
        kind_of("Patient"),
    )
    return {row["patient"]: row["res"] for row in rows}


async def holders(connection: asyncpg.Connection, numbers: set[int]) -> Mapping[int, Key]:
    """Whose each account is; none for one that is gone with its record."""
    if not numbers:
        return {}
    return {one.number: one.person for one in await accounts.numbered(connection, list(numbers))}
