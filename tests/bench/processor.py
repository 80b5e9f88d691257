"""Processor time, of this process and of the database's together: what a busy machine does not stretch as it does the clock."""

import time
from pathlib import Path

import asyncpg

_PROC = Path("/proc")


class Processor:
    """Of a database on this machine; Linux counts it in nanoseconds for each process."""

    def __init__(self, postmaster: int) -> None:
        self._postmaster = postmaster

    @classmethod
    async def beside(cls, pool: asyncpg.Pool) -> "Processor":
        return cls(_parent(int(await pool.fetchval("select pg_backend_pid()"))))

    def used(self) -> float:
        """Seconds since the start, of this process and of each process of the database that is still there."""
        of_database = sum(_ran(one) for one in _numbers() if _parent(one) == self._postmaster)
        return time.process_time() + of_database


def _numbers() -> list[int]:
    return [int(one.name) for one in _PROC.iterdir() if one.name.isdigit()]


def _parent(process: int) -> int:
    try:
        return int((_PROC / f"{process}/stat").read_text().rpartition(")")[2].split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return 0


def _ran(process: int) -> float:
    try:
        return int((_PROC / f"{process}/schedstat").read_text().split()[0]) / 1e9
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
