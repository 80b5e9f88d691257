"""Results whose order no index gives: the ids in their order, sealed in a table for as long as a cursor lives."""

import os
import struct
from collections.abc import Sequence
from typing import Final

from liaison.fhir.search.page import dead
from liaison.fhir.store.contract import Key
from liaison.fhir.store.faults import reported
from liaison.fhir.store.store import Store
from liaison.fhir.vault import NotAuthentic, context

_KEY: Final = struct.Struct(">qhq")


async def save(store: Store, keys: Sequence[Key]) -> bytes:
    """Keeps the list; its name is random and travels in sealed cursors only."""
    name = os.urandom(16)
    plain = b"".join(_KEY.pack(*key) for key in keys)
    sealed = store.vault.cursor.seal(context("list", 2, name), plain)
    with reported():
        await store.database.writing.execute("insert into search_list (list, sealed) values ($1, $2)", name, sealed)
    return name


async def load(store: Store, name: bytes) -> list[Key]:
    """The list again, whichever worker made it. Gone once it was swept."""
    with reported():
        sealed = await store.database.reading.fetchval("select sealed from search_list where list = $1", name)
    if sealed is None:
        raise dead()
    try:
        plain = store.vault.cursor.open(context("list", 2, name), sealed)
    except NotAuthentic:
        raise dead() from None
    return [Key(*one) for one in _KEY.iter_unpack(plain)]
