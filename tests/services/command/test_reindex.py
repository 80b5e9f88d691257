"""`liaison reindex` beside a running service."""

import os
from typing import Any

import asyncpg
import pytest

from ..console import typed

pytestmark = pytest.mark.http


async def test_what_the_index_lost_is_found_again(service: Any, service_base: dict[str, str]) -> None:
    patient = service.patient(gender="female")
    with service.client("gp") as gp:
        found = {"_id": patient, "gender": "female", "_summary": "count"}
        assert gp.get("/Patient", params=found).json()["total"] == 1
        one = await asyncpg.connect(service_base["DATABASE_URL"])
        try:
            await one.execute("delete from index_token where kind in (select kind from version) and param > 0")
        finally:
            await one.close()
        assert gp.get("/Patient", params=found).json()["total"] == 0

        environment = {**os.environ, **{f"LIAISON_{name}": value for name, value in service_base.items()}}
        done = typed(environment, "reindex")

        assert done.returncode == 0, done.stderr
        assert done.stdout.endswith("the search index is up to date.\n")
        assert gp.get("/Patient", params=found).json()["total"] == 1
