"""What was published, of the library or by a home service, is not changed, over FHIR either: for a change there is a new version."""

from collections.abc import Sequence
from typing import Final

import asyncpg

from liaison.fhir.errors import Conflict
from liaison.fhir.store.contract import Tree, Unit
from liaison.fhir.store.ids import Ids
from liaison.protocols.library.publication import TYPES

_PUBLISHERS: Final = frozenset({"internal:library", "internal:forms"})


async def refuse_changes(connection: asyncpg.Connection, ids: Ids, units: Sequence[Unit]) -> None:
    """Refuses each unit that changes or deletes a published resource, or makes another of its url and version."""
    for unit in units:
        concerned = [change for change in unit.changes if change.type_ in TYPES]
        if not concerned or unit.caller.role_code in _PUBLISHERS:
            continue
        named = [_canonical(tree) for change in concerned for tree in (change.tree, change.before) if tree]
        written = [f"{change.type_}/{ids.encode(change.key)}" for change in concerned]
        found = await connection.fetchval(
            "select url || '|' || version from published_definition"
            " where url || '|' || version = any($1) or resource = any($2)"
            " union all select address || '|' || version from visit_form where address || '|' || version = any($1) limit 1",
            named,
            written,
        )
        if found is not None and unit.refusal is None:
            unit.refusal = Conflict(f"{found} was published, and stays as it is: publish a new version.")


def _canonical(tree: Tree) -> str:
    return f"{tree.get('url', '')}|{tree.get('version', '')}"
