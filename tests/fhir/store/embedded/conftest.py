"""A directory for a server of a test's own, which does fsync, and a process that supervises it."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from liaison.fhir.store.embedded import Embedded

SCRIPT = """
import sys, time
from pathlib import Path
from liaison.fhir.store.embedded import Embedded
server = Embedded(Path(sys.argv[1])).start()
print(server.pid, server.url, flush=True)
time.sleep(600) if len(sys.argv) > 2 else server.stop()
"""


def query(url: str, *statements: str) -> Any:
    """The value of the last statement."""

    async def run() -> Any:
        connection = await asyncpg.connect(url, timeout=10)
        try:
            for statement in statements[:-1]:
                await connection.execute(statement)
            return await connection.fetchval(statements[-1])
        finally:
            await connection.close()

    return asyncio.run(run())


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "data"
    yield path
    leftover = Embedded(path)
    if leftover.pid is not None:
        os.kill(leftover.pid, signal.SIGKILL)


def supervised(directory: Path) -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(directory), "stay"], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None and process.stdout.readline()
    return process


def end(process: "subprocess.Popen[str]") -> None:
    process.kill()
    process.wait()
    assert process.stdout is not None
    process.stdout.close()
