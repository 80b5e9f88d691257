"""What asyncpg has to know of PostgreSQL's own types, asked once for all the connections of a process."""

from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

import asyncpg

_FIRST_OF_A_DATABASE = 16384
"""Types with a smaller number are PostgreSQL's own, alike in every database (FirstNormalObjectId in access/transam.h)."""

_told: dict[frozenset[int], Any] = {}


class Connection(asyncpg.Connection):  # type: ignore[misc]  # asyncpg is untyped
    """asyncpg asks the catalogue about each type that it has no codec for, such as any array of numbers, and does so on
    each connection: some 8 ms of the server, more than most of our statements. What it was told of PostgreSQL's own
    types holds on every other connection too."""

    async def _introspect_types(self, typeoids: Iterable[int], timeout: Any) -> Any:  # noqa: ASYNC109  # asyncpg's own
        # Private to asyncpg: tests/fhir/store/test_known_types.py would tell if it were no longer called.
        wanted = frozenset(typeoids)
        if max(wanted) >= _FIRST_OF_A_DATABASE:
            return await super()._introspect_types(typeoids, timeout)
        if wanted not in _told:
            _told[wanted], _ = await super()._introspect_types(typeoids, timeout)
        # The second is the statement that asked. With a name, it has taken the place of none that is being prepared.
        return _told[wanted], SimpleNamespace(name="told")
