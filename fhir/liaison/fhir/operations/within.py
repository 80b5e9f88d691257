"""Rows opened for an answer: past the second wall, and within the criteria of the caller's scopes."""

import asyncio
from collections.abc import Sequence
from typing import Final

from liaison.fhir.definitions import type_of
from liaison.fhir.search.scopes import lets_include, letter_for
from liaison.fhir.store import Store
from liaison.fhir.store.contract import Caller, Opened, Row

_BREATH: Final = 250  # bodies between two turns of the event loop


class Within:
    """For one caller. What the scopes leave out is not there, as if it did not exist."""

    def __init__(self, store: Store, caller: Caller, base_url: str) -> None:
        self._store, self._caller, self._base_url = store, caller, base_url
        self._whole: dict[int, bool] = {}

    async def opened(self, rows: Sequence[Row]) -> list[Opened]:
        """Those that may be shown, in order."""
        found: list[Opened] = []
        for start in range(0, len(rows), _BREATH):
            if start:
                await asyncio.sleep(0)
            opened = await self._store.open_rows(self._caller, rows[start : start + _BREATH])
            found += [one for one in opened if self.lets(one)]
        return found

    def lets(self, one: Opened) -> bool:
        kind = one.row.key.kind
        whole = self._whole.get(kind)
        if whole is None:
            type_ = type_of(kind)
            letter = letter_for(self._caller, type_)
            whole = self._whole[kind] = letter is not None and not self._caller.bound.criteria(letter, type_)
        return whole or lets_include(self._caller, one, self._base_url)
