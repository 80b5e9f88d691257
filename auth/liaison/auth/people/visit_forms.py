"""The forms of a home visit that a service has published: each version is written once, and none is changed or taken away.

A visit that was begun on one version is filed under it, however long the telephone was without a network.
"""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

import asyncpg


class Published(NamedTuple):
    """`model`: the address of the form of the library that it was made from; `content`: the Questionnaire, as JSON."""

    model: str
    version: int
    content: str
    published_at: datetime


_COLUMNS = "model, version, content, published_at"


async def in_force(connection: "asyncpg.Connection | asyncpg.Pool", organization: int) -> dict[str, Published]:
    """The latest of each model that this service has published, by model."""
    rows = await connection.fetch(
        f"select distinct on (model) {_COLUMNS} from visit_form where organization = $1 order by model, version desc",  # constants
        organization,
    )
    return {row["model"]: Published(*row) for row in rows}


async def versions(connection: "asyncpg.Connection | asyncpg.Pool", canonicals: Collection[str]) -> list[str]:
    """What was published under these addresses and versions ('url|version'); what was not is left out."""
    return [
        str(row["content"])
        for row in await connection.fetch(
            "select content from visit_form where address || '|' || version = any($1::text[])", list(canonicals)
        )
    ]


async def publish(
    connection: asyncpg.Connection, organization: int, address: str, one: Published, *, by: int
) -> datetime | None:
    """When that was; None where this version is there already: somebody else was faster."""
    found: datetime | None = await connection.fetchval(
        "insert into visit_form (organization, model, version, address, content, published_by)"
        " values ($1, $2, $3, $4, $5, $6) on conflict do nothing returning published_at",
        organization,
        one.model,
        one.version,
        address,
        one.content,
        by,
    )
    return found
