"""Everything one process holds open: database, keys, store, rights, journal, and the engine over them.

Workers, commands and tests open it the same way: `async with House.opened(settings) as house`.
"""

import contextlib
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable
from dataclasses import dataclass
from typing import Any

from liaison.auth.access.filter import Filter
from liaison.auth.journal.audit_reader import AuditReader
from liaison.auth.journal.commit import Journal, could_write
from liaison.auth.journal.integrator import Integrator
from liaison.auth.journal.keys import JournalKeys
from liaison.auth.oauth2.keys import SigningKeys
from liaison.auth.oauth2.rfc6750 import Bearer
from liaison.auth.oauth2.rfc7517 import KeySets
from liaison.auth.oauth2.rfc9449 import Nonces
from liaison.auth.people.pro_sante_connect.provider import Provider, Registration
from liaison.auth.safe_fetch import Fetcher
from liaison.auth.smart.discovery import capability_security
from liaison.fhir.errors import Unavailable
from liaison.fhir.interactions.capabilities import Stated
from liaison.fhir.store import Store
from liaison.fhir.store.database import Database, connection
from liaison.fhir.vault import FileKeyProvider, KeyProvider, Vault
from liaison.services import base, operations
from liaison.services.api.audit_events import SERVED, audit_events
from liaison.services.calls import Calls
from liaison.services.custody import outside
from liaison.services.deaths.noting import Ending
from liaison.services.emergency_access import EmergencyAccess
from liaison.services.engine import Engine
from liaison.services.installation import Kind, WrongInstallation, declared
from liaison.services.jobs.ending import keep_ended
from liaison.services.jobs.following import keep_followed
from liaison.services.jobs.indexing import keep_indexed
from liaison.services.jobs.messaging import keep_messaging
from liaison.services.jobs.regranting import keep_regranted
from liaison.services.jobs.signalling import keep_signalling
from liaison.services.jobs.sweeping import keep_swept
from liaison.services.jobs.verifying import keep_verified
from liaison.services.jobs.watching import keep_watching
from liaison.services.messages.carriers import Carriers, carriers
from liaison.services.operation_definitions import DESCRIBED
from liaison.services.settings import Settings
from liaison.services.urgent_tokens import Issuer

Check = Callable[[], Awaitable[object]]
Job = Callable[[], Coroutine[Any, Any, None]]
"""Runs until it is cancelled."""


class NoKey(RuntimeError):
    """The secret that opens the keys is not configured. The text names the setting."""


def key_provider(settings: Settings) -> KeyProvider:
    """The provider that the settings name. Raises NoKey or ProviderError, saying which file and what is wrong."""
    if settings.key_file is None:
        raise NoKey("No key file is set: LIAISON_KEY_FILE names the 0600 file that holds the provider's secret.")
    return FileKeyProvider(settings.key_file)


def _pro_sante_connect(settings: Settings) -> Provider | None:
    """The provider that the settings name. Raises NoKey when its secret cannot be read, or may be read by others."""
    if not settings.psc_issuer or settings.psc_secret_file is None:
        return None
    try:
        if settings.psc_secret_file.stat().st_mode & 0o077:
            raise NoKey(f"{settings.psc_secret_file} may be read by others: chmod 600.")
        secret = settings.psc_secret_file.read_text().strip()
    except OSError as error:
        raise NoKey(f"LIAISON_PSC_SECRET_FILE: {settings.psc_secret_file} cannot be read: {error.strerror}.") from None
    return Provider(
        Registration(
            issuer=settings.psc_issuer,
            client_id=settings.psc_client_id,
            secret=secret,
            accepted=tuple(one.strip() for one in settings.psc_acr.split(",") if one.strip()),
            redirect_uri=f"{settings.public_url}/psc/retour",
            after_logout=f"{settings.public_url}/connexion",
        )
    )


@dataclass(slots=True)
class House:
    """Open; closed by leaving `opened`. Nothing here is global: a process may open several, as tests do."""

    settings: Settings
    database: Database
    vault: Vault
    store: Store
    journal: Journal
    journal_keys: JournalKeys
    audit: AuditReader
    signing_keys: SigningKeys
    key_sets: KeySets
    nonces: Nonces
    engine: Engine
    authenticator: Bearer
    pro_sante_connect: Provider | None
    carriers: Carriers

    @classmethod
    @contextlib.asynccontextmanager
    async def opened(cls, settings: Settings) -> AsyncIterator["House"]:
        """Raises UnknownSchema, Unavailable, NoKey, ProviderError or WrongInstallation when the service cannot serve."""
        provider = key_provider(settings)
        async with contextlib.AsyncExitStack() as stack:
            database = await stack.enter_async_context(await Database.connect(base.url(settings)))
            async with database.writing.acquire() as one:
                vault = await Vault.open(one, provider)
                if settings.fetch_private_addresses and await declared(one, vault) is not Kind.SANDBOX:
                    raise WrongInstallation("LIAISON_FETCH_PRIVATE_ADDRESSES is for a sandbox: unset it here.")
                if settings.message_spool and await declared(one, vault) is not Kind.SANDBOX:
                    raise WrongInstallation(
                        "LIAISON_MESSAGE_SPOOL keeps alerts in clear: it is for a sandbox. Unset it here."
                    )
                keys = await JournalKeys.load(one, vault)
            journal = await Journal.open(database, keys)
            stack.push_async_callback(journal.close)
            signing_keys = await SigningKeys.open(database, vault.territory)
            key_sets = KeySets(Fetcher(private=settings.fetch_private_addresses))
            store = await stack.enter_async_context(Store(database, vault, Filter(), Ending(vault, journal)))
            journal.gathers(store.reader.back)
            audit = AuditReader(database, vault, keys, store.filter, settings.fhir_base)
            elsewhere = {**operations.ELSEWHERE, "AuditEvent": audit_events(audit)}
            issuer = Issuer(signing_keys, settings.public_url)
            served = {**operations.OPERATIONS, **EmergencyAccess(issuer).operations, **Calls(issuer).operations}
            most = settings.conditional_delete_most
            security = capability_security(settings.public_url, cors=bool(settings.cors_origins))
            stated = Stated(security, {"AuditEvent": SERVED}, many_deletions=most > 1)
            engine = Engine(
                store, journal, settings.fhir_base, served, elsewhere, stated, described=DESCRIBED, most_deletions=most
            )
            nonces = Nonces(vault.territory, required=settings.dpop_nonce)
            bearer = Bearer(database, signing_keys, settings.public_url, settings.fhir_base, nonces)
            psc = _pro_sante_connect(settings)
            on = carriers(settings)
            yield cls(
                settings,
                database,
                vault,
                store,
                journal,
                keys,
                audit,
                signing_keys,
                key_sets,
                nonces,
                engine,
                bearer,
                psc,
                on,
            )

    def jobs(self) -> Iterable[Job]:
        """What a worker runs beside its requests, until it is cancelled."""
        kept = self.settings.outside_folder
        return [
            lambda: Integrator(self.journal_keys, kept / outside.CHECKPOINT).run(self._connect),
            lambda: outside.keep(self._connect, self.journal_keys, kept),
            lambda: keep_swept(self._connect),
            lambda: keep_indexed(self._connect, self.store, self.journal),
            lambda: keep_regranted(self._connect, self.vault, self.journal),
            lambda: keep_verified(self._connect, self.vault, self.journal_keys, kept),
            lambda: keep_signalling(self._connect, self.engine),
            lambda: keep_ended(self._connect, self.engine),
            lambda: keep_followed(self._connect, self.engine, self.carriers.channels),
            lambda: keep_messaging(self._connect, self.engine, self.carriers),
            lambda: keep_watching(self._connect, self.store, self.journal, self.journal_keys, self.settings.fhir_base),
        ]

    async def _connect(self) -> Any:
        return await connection(base.url(self.settings))

    def checks(self) -> dict[str, Check]:
        """What must pass for the service to be ready."""
        checks: dict[str, Check] = {
            "database": lambda: self.database.reading.fetchval("select 1"),
            "journal": self._journal_ready,
        }
        if not self.settings.database_url:
            checks["disk"] = self._has_room
        return checks

    async def _has_room(self) -> None:
        """Raises Unavailable for an embedded database whose disk is full: what is small may still be written where tables
        have room left, the journal's entries above all, and what is read be answered, while a record's writes are refused."""
        if shutil.disk_usage(base.folder(self.settings)).free < base.LEAST_FREE:
            raise Unavailable("The disk of the service is full.")

    async def _journal_ready(self) -> None:
        await could_write(self.database.writing)
        await self.journal.recovered()
