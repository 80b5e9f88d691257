"""The authenticator of the FHIR edge: who an Authorization header belongs to."""

import asyncio

from liaison.auth.caller import Caller
from liaison.auth.oauth2.keys import SigningKeys
from liaison.auth.oauth2.rfc6750 import Bearer
from liaison.fhir.store import faults
from liaison.fhir.store.database import Database
from liaison.fhir.vault import Vault
from liaison.services.settings import Settings


class TokenAuthenticator:
    """One a worker. The signing keys are opened at the first use: a new database then gets its own."""

    def __init__(self, database: Database, vault: Vault, settings: Settings) -> None:
        self._database = database
        self._vault = vault
        self._settings = settings
        self._opening = asyncio.Lock()
        self._keys: SigningKeys | None = None
        self._bearer: Bearer | None = None

    async def keys(self) -> SigningKeys:
        """The keys that sign what this service issues. Raises Unavailable without a database."""
        if self._keys is None:
            async with self._opening:
                if self._keys is None:
                    with faults.reported():
                        self._keys = await SigningKeys.open(self._database, self._vault.territory)
        return self._keys

    async def caller(self, authorization: str) -> Caller:
        """Raises Unauthorized, or Unavailable. See Bearer.caller for what is remembered and what never is."""
        if self._bearer is None:
            settings = self._settings
            self._bearer = Bearer(self._database, await self.keys(), settings.public_url, settings.fhir_base)
        return await self._bearer.caller(authorization)
