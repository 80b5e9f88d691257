"""What was published is not changed, over FHIR either: for a change there is a new version."""

from collections.abc import Sequence
from typing import Final

import asyncpg

from liaison.fhir.errors import Conflict
from liaison.fhir.store.contract import Change, Unit
from liaison.fhir.store.ids import Ids
from liaison.protocols.library.publication import TYPES

_PUBLISHER: Final = "internal:library"


async def refuse_changes(connection: asyncpg.Connection, ids: Ids, units: Sequence[Unit]) -> None:
    """Refuses each unit that changes or deletes a published resource, or makes another of its url and version."""
    for unit in units:
        concerned = [change for change in unit.changes if change.type_ in TYPES]
        if not concerned or unit.caller.role_code == _PUBLISHER:
            continue
        named = [_canonical(change) for change in concerned]
        written = [f"{change.type_}/{ids.encode(change.key)}" for change in concerned]
        found = await connection.fetchval(
            "select url || '|' || version from published_definition"
            " where url || '|' || version = any($1) or resource = any($2) limit 1",
            named,
            written,
        )
        if found is not None and unit.refusal is None:
            unit.refusal = Conflict(f"{found} was published, and stays as it is: publish a new version.")


def _canonical(change: Change) -> str:
    tree = change.tree or {}
    return f"{tree.get('url', '')}|{tree.get('version', '')}"
