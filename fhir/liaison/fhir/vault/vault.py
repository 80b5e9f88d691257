"""The keys of a territory: provider → shelf (one a month) → patient keys and territory keys.

Shelf keys are unwrapped once, when the vault opens or first meets them. Patient keys are unwrapped when needed, and the
most recently used ones are kept. Nothing here decides who may see what.
"""

import os
from collections import OrderedDict
from collections.abc import Container, Iterable
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple, Protocol, Self

import asyncpg
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from liaison.fhir.vault.context import context
from liaison.fhir.vault.keys import KEY_BYTES, NotAuthentic, PatientKey
from liaison.fhir.vault.mac import Mac
from liaison.fhir.vault.provider import KeyProvider

TERRITORY = 0
PURPOSES = ("territory", "id", "identity", "cursor", "journal")
_LOCK = 0x11A0EE  # one process at a time makes shelves and territory keys
_KEPT = 10_000  # about 3 kB each; fewer than a coordinator follows, and each look at the cohort would unwrap them all


class Source(Protocol):
    """What rows are fetched from: an asyncpg connection or pool, or liaison.fhir.store's Database."""

    async def fetch(self, statement: str, *arguments: Any) -> list[Any]: ...


class Wrapped(NamedTuple):
    """A new patient's key, as the `patient` table keeps it."""

    patient: int
    shelf: int
    wrapped: bytes


_NOW: Final = "select clock_timestamp()"


class Vault:
    """Open once a process. Its methods may be called from one event loop."""

    def __init__(self, provider: KeyProvider) -> None:
        """Use `open`."""
        self._provider = provider
        self._shelves: dict[int, AESGCM] = {}
        self._current: tuple[str, int] = ("", 0)
        self._secrets: dict[str, bytes] = {}
        self._patients: OrderedDict[int, PatientKey] = OrderedDict()

    @classmethod
    async def open(cls, connection: asyncpg.Connection, provider: KeyProvider) -> Self:
        """Raises ProviderError if the provider does not open this database's shelves. Makes the keys of a new one."""
        vault = cls(provider)
        async with connection.transaction():
            await connection.execute("select pg_advisory_xact_lock($1)", _LOCK)
            await vault._load_shelves(connection)
            vault._current = await vault._shelf_of_month(connection, await connection.fetchval(_NOW))
            await vault._load_territory(connection)
        vault.territory = PatientKey(TERRITORY, vault._secrets["territory"])
        vault.cursor = PatientKey(TERRITORY, vault._secrets["cursor"])
        vault.journal = PatientKey(TERRITORY, vault._secrets["journal"])
        vault.id_key = vault._secrets["id"]
        vault._identity = Mac(vault._secrets["identity"])
        return vault

    territory: PatientKey
    """Seals the resources of no patient; its tokens serve directory search."""
    cursor: PatientKey
    """Seals what a client carries for us, such as the cursor of a page."""
    journal: PatientKey
    id_key: bytes
    """For liaison.fhir.store.ids."""
    _identity: Mac

    # ---- patients --------------------------------------------------------------------------------------------------

    def patient_key(self, patient: int, wrapped: bytes, shelf: int) -> PatientKey:
        """Raises NotAuthentic if `wrapped` is not this patient's, KeyError if the shelf is newer than this process:
        `patient_keys` is what loads shelves."""
        if patient == TERRITORY:
            return self.territory
        if (known := self.cached(patient)) is not None:
            return known
        try:
            key = self._shelves[shelf].decrypt(wrapped[:12], wrapped[12:], _patient_context(patient, shelf))
        except InvalidTag:
            raise NotAuthentic from None
        return self._keep(PatientKey(patient, key))

    def cached(self, patient: int) -> PatientKey | None:
        """The key if it is at hand."""
        if patient == TERRITORY:
            return self.territory
        key = self._patients.get(patient)
        if key is not None:
            self._patients.move_to_end(patient)
        return key

    async def patient_keys(
        self, connection: Source, patients: Iterable[int], *, anew: Container[int] = ()
    ) -> dict[int, PatientKey]:
        """The keys of the patients, in one query for those not at hand. Erased and unknown patients are left out. `anew`: whose
        key is asked for though it is at hand, so that it does not show whether it is."""
        found: dict[int, PatientKey] = {}
        missing = []
        for patient in set(patients):
            key = None if patient in anew else self.cached(patient)
            if key is None:
                missing.append(patient)
            else:
                found[patient] = key
        if missing:
            rows = await connection.fetch(
                "select patient, shelf, wrapped from patient where patient = any($1::bigint[]) and wrapped is not null",
                missing,
            )
            if any(shelf not in self._shelves for _, shelf, _ in rows):
                await self._load_shelves(connection)
            for patient, shelf, wrapped in rows:
                found[patient] = self.patient_key(patient, wrapped, shelf)
        return found

    def due(self, now: datetime) -> bool:
        """Whether a month has begun that this process knows no shelf of. `now` by the database's clock."""
        return self._current[0] != _month(now)

    async def turn(self, connection: asyncpg.Connection, now: datetime) -> None:
        """Makes or finds the shelf of this month by the database's clock, and wraps new keys with it once it is committed.

        Never within somebody's transaction (RuntimeError): rolled back, the shelf would live in memory alone, and every
        key it wraps would be lost with the process.
        """
        if connection.is_in_transaction():
            raise RuntimeError("A shelf is made in a transaction of its own.")
        async with connection.transaction():
            await connection.execute("select pg_advisory_xact_lock($1)", _LOCK)
            shelf = await self._shelf_of_month(connection, now)
        self._current = shelf

    def new_patient(self, patient: int) -> Wrapped:
        """Makes the key of a new patient; the caller stores it. Forget it if that fails."""
        shelf = self._current[1]
        key = os.urandom(KEY_BYTES)
        self._keep(PatientKey(patient, key))
        nonce = os.urandom(12)
        return Wrapped(
            patient, shelf, nonce + self._shelves[shelf].encrypt(nonce, key, _patient_context(patient, shelf))
        )

    def forget(self, patient: int) -> None:
        """Drops the key from memory: after an erasure, or when a new patient was not stored."""
        self._patients.pop(patient, None)

    def identity_token(self, space: int, value: bytes) -> bytes:
        """Sixteen bytes, the same for equal values in the whole territory: for what must be found across patients
        (INS, business identifiers, name and birth date) and nothing else."""
        return self._identity.digest(space.to_bytes(2, "big") + value)[:16]

    def _keep(self, key: PatientKey) -> PatientKey:
        self._patients[key.patient] = key
        if len(self._patients) > _KEPT:
            self._patients.popitem(last=False)
        return key

    # ---- shelves and territory -------------------------------------------------------------------------------------

    async def _load_shelves(self, connection: Source) -> None:
        for shelf, month, wrapped in await connection.fetch("select shelf, month, wrapped from shelf order by shelf"):
            if shelf not in self._shelves:
                self._shelves[shelf] = AESGCM(await self._provider.unwrap(wrapped, _shelf_context(month)))
                self._current = month, shelf

    async def _shelf_of_month(self, connection: asyncpg.Connection, now: datetime) -> tuple[str, int]:
        """Within a transaction that holds the lock; in use when that is committed."""
        month = _month(now)
        await self._load_shelves(connection)
        if self._current[0] == month:
            return self._current
        wrapped = await self._provider.wrap(key := AESGCM.generate_key(256), _shelf_context(month))
        shelf: int = await connection.fetchval(
            "insert into shelf (month, wrapped) values ($1, $2) returning shelf", month, wrapped
        )
        self._shelves[shelf] = AESGCM(key)
        return month, shelf

    async def _load_territory(self, connection: asyncpg.Connection) -> None:
        rows = await connection.fetch("select purpose, shelf, wrapped from territory_key order by generation")
        for purpose, shelf, wrapped in rows:
            try:
                opened = self._shelves[shelf].decrypt(wrapped[:12], wrapped[12:], _territory_context(purpose, shelf))
            except InvalidTag:
                raise NotAuthentic from None
            self._secrets[purpose] = opened
        for purpose in PURPOSES:
            if purpose not in self._secrets:
                shelf, key, nonce = self._current[1], os.urandom(KEY_BYTES), os.urandom(12)
                wrapped = nonce + self._shelves[shelf].encrypt(nonce, key, _territory_context(purpose, shelf))
                await connection.execute(
                    "insert into territory_key (purpose, generation, shelf, wrapped) values ($1, 1, $2, $3)",
                    purpose,
                    shelf,
                    wrapped,
                )
                self._secrets[purpose] = key


def _month(now: datetime) -> str:
    return now.astimezone(UTC).strftime("%Y-%m")


def _shelf_context(month: str) -> bytes:
    return context("shelf", month)


def _patient_context(patient: int, shelf: int) -> bytes:
    return context("patient key", patient, shelf)


def _territory_context(purpose: str, shelf: int) -> bytes:
    return context("territory key", purpose, shelf)
