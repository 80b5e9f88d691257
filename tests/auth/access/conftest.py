"""The territory of a test: shared by those of its module, or its own."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from liaison.fhir.store.database import Database

from .territory import Territory, opened


@pytest.fixture(scope="module")
async def shared_territory(
    module_database: Database, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Territory]:
    async with opened(module_database, tmp_path_factory.mktemp("territory")) as territory:
        yield territory


@pytest.fixture
async def empty_territory(database: Database, tmp_path: Path) -> AsyncIterator[Territory]:
    async with opened(database, tmp_path) as territory:
        yield territory


@pytest.fixture
def territory(request: pytest.FixtureRequest) -> Territory:
    """Shared by the tests of a module: other people and patients than one's own live there too. A test marked `alone`
    has one where nobody else lives: when it counts everyone, or looks for someone by their traits."""
    alone = request.node.get_closest_marker("alone") is not None
    found: Territory = request.getfixturevalue("empty_territory" if alone else "shared_territory")
    return found
