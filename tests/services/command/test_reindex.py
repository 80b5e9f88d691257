"""`liaison reindex` beside a running service."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import asyncpg
import pytest

pytestmark = pytest.mark.http


def run(service_base: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [str(Path(sys.executable).with_name("liaison")), "reindex"],
        env={**os.environ, **{f"LIAISON_{name}": value for name, value in service_base.items()}},
        check=False,
        capture_output=True,
        text=True,
        timeout=300,
    )


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

        done = run(service_base)

        assert done.returncode == 0, done.stderr
        assert done.stdout.endswith("the search index is up to date.\n")
        assert gp.get("/Patient", params=found).json()["total"] == 1
