"""Keys kept between the pages of an operation, sealed, for as long as a cursor lives (search_list, swept like a search's)."""

import os
import struct
from collections.abc import Sequence
from typing import Final

from liaison.fhir.search.page import dead
from liaison.fhir.store import Store
from liaison.fhir.store.contract import Key
from liaison.fhir.store.faults import reported
from liaison.fhir.vault import NotAuthentic, context

_KEY: Final = struct.Struct(">qhq")


async def save(store: Store, keys: Sequence[Key]) -> bytes:
    """Keeps the keys; the name is random and travels in sealed cursors only."""
    name = os.urandom(16)
    sealed = store.vault.cursor.seal(context("keys", name), b"".join(_KEY.pack(*key) for key in keys))
    with reported():
        await store.database.writing.execute("insert into search_list (list, sealed) values ($1, $2)", name, sealed)
    return name


async def load(store: Store, name: bytes) -> list[Key]:
    """The keys again, in their order, whichever worker kept them; b'' names none. Gone once it was swept."""
    if not name:
        return []
    with reported():
        sealed = await store.database.reading.fetchval("select sealed from search_list where list = $1", name)
    if sealed is None:
        raise dead()
    try:
        plain = store.vault.cursor.open(context("keys", name), sealed)
    except NotAuthentic:
        raise dead() from None
    return [Key(*key) for key in _KEY.iter_unpack(plain)]
