"""What the resources of an answer refer to, read through the same visible set: each once, and only what is there.

References are found in the stored bytes, which are compact JSON written by ourselves; inside a string the quotes of one
are escaped, so that nothing but a property `reference` looks like it. References below our own base were made relative
when they were written. Others lead elsewhere and are not followed.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Final

from liaison.fhir.definitions import DIRECTORY_TYPES, RESOURCE_TYPES
from liaison.fhir.operations.within import Within
from liaison.fhir.search.scopes import letter_for
from liaison.fhir.search.sql import Compiler, Family
from liaison.fhir.store import Store
from liaison.fhir.store.contract import Caller, Key, Opened
from liaison.fhir.store.rows import rows_of

_REFERENCE: Final = re.compile(rb'"reference":"([A-Z][A-Za-z]+)/([0-9a-f]{32})(?=["/])').findall
_BY_REFERENCE: Final = frozenset({"Medication", "Substance", "Binary", "Device", "Media", "Specimen"})
SUPPORTING: Final = DIRECTORY_TYPES | _BY_REFERENCE
"""Types that are followed from what was itself only referred to: who and what stands behind a resource."""


class Referred:
    """Follows references for one caller, at one snapshot: `snapshot`, or that of the first rows it reads."""

    def __init__(self, store: Store, caller: Caller, base_url: str, snapshot: str | None) -> None:
        self.store, self.caller, self.snapshot = store, caller, snapshot
        self._within = Within(store, caller, base_url)

    def named(self, bodies: Iterable[bytes], types: frozenset[str] = DIRECTORY_TYPES) -> dict[Key, None]:
        """The keys that these bodies name, of the types that are wanted and that the scopes allow, in their order."""
        seen: dict[tuple[bytes, bytes], None] = {}
        for body in bodies:
            seen.update(dict.fromkeys(_REFERENCE(body)))
        found: dict[Key, None] = {}
        for named, id_ in seen:
            type_ = named.decode()
            if type_ in types and type_ in RESOURCE_TYPES and letter_for(self.caller, type_):
                key = self.store.key(type_, id_.decode())
                if key is not None:
                    found[key] = None
        return found

    async def closure(
        self, opened: Sequence[Opened], seen: set[Key], types: frozenset[str] = DIRECTORY_TYPES
    ) -> list[Opened]:
        """What these refer to, and in turn what that refers to among `SUPPORTING`, without those in `seen`."""
        found: list[Opened] = []
        bodies: Iterable[bytes] = (one.body for one in opened)
        while keys := [key for key in self.named(bodies, types) if key not in seen]:
            seen.update(keys)
            fresh = await self.rows(keys)
            found += fresh
            bodies = [one.body for one in fresh]
            types = types & SUPPORTING
        return found

    async def rows(self, keys: Sequence[Key]) -> list[Opened]:
        """The visible ones of these resources, within the scopes, in this order."""
        families: dict[Family, list[Key]] = {
            "patient": [key for key in keys if key.patient],
            "directory": [key for key in keys if not key.patient],
        }
        found: dict[Key, Opened] = {}
        for family, some in families.items():
            if not some:
                continue
            statement = Compiler(self.store.filter, family, self.caller.session, self.snapshot).rows(some)
            records = await self.store.lanes.fetch(statement.text, *statement.arguments)
            if records and self.snapshot is None:
                self.snapshot = records[0]["snapshot"]
            for one in await self._within.opened(rows_of(records)):
                found[one.row.key] = one
        return [found[key] for key in keys if key in found]
