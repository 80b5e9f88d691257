"""Prometheus metrics of this process and, through shared files, of all workers. No label ever comes from a record."""

import asyncio
import contextlib
import os
import shutil
import tempfile
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from liaison.fhir.definitions import RESOURCE_TYPES

_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_EVERY_SECONDS: Final = 0.25
_FOLDER: Final = "PROMETHEUS_MULTIPROC_DIR"
_MEMORY: Final = Path("/dev/shm")  # noqa: S108  # a folder of our own is made in it, with a name nobody can foresee
_NAMED: Final = "liaison-metrics-"
CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"


@contextlib.contextmanager
def shared() -> Iterator[None]:
    """Entered by the parent before it starts workers: their counters are added up through files in a folder of this
    parent's own, so that two services on one data folder leave each other's counts alone.

    The files are mapped: where there is no room for a page of them the kernel kills who writes it (SIGBUS). They are in
    memory, so that a full disk does not end the workers.
    """
    where = _MEMORY if _MEMORY.is_dir() else Path(tempfile.gettempdir())
    for old in where.glob(f"{_NAMED}*"):
        if not Path("/proc", old.name.removeprefix(_NAMED).partition("-")[0]).exists():
            shutil.rmtree(old, ignore_errors=True)  # of a parent that was killed; others' are not ours to remove
    with tempfile.TemporaryDirectory(prefix=f"{_NAMED}{os.getpid()}-", dir=where, ignore_cleanup_errors=True) as own:
        os.environ[_FOLDER] = own
        try:
            yield
        finally:
            del os.environ[_FOLDER]


class _Durations(Histogram):
    """A histogram that takes what was counted elsewhere."""

    def observe_counted(self, counts: Iterable[int], seconds: float) -> None:
        """So many more in each bucket, in the order of `buckets` and then above the last, `seconds` in all."""
        self._sum.inc(seconds)
        for bucket, count in zip(self._buckets, counts, strict=True):
            if count:
                bucket.inc(count)


class Metrics:
    """Requests by method, type and status class, and their durations.

    Counting in a shared file costs 5 µs a request, which is felt on the hot path: requests are noted, and counted together a few
    times a second. Another worker's are at most that old."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "liaison_fhir_requests", "FHIR requests answered", ("method", "type", "status"), registry=self._registry
        )
        self._seconds = _Durations(
            "liaison_fhir_request_seconds",
            "From the request's first byte to the answer's last",
            ("method",),
            buckets=_BUCKETS,
            registry=self._registry,
        )
        self._noted: dict[tuple[str, str, int], list[float]] = {}
        self._timer: asyncio.TimerHandle | None = None

    def observe(self, method: str, path: str, status: int, seconds: float) -> None:
        """One request. Called from the event loop."""
        first = path.partition("/")[0]
        key = (method if method in _METHODS else "other", first if first in RESOURCE_TYPES else "", status)
        noted = self._noted.get(key)
        if noted is None:
            noted = self._noted[key] = []
        noted.append(seconds)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_EVERY_SECONDS, self.flush)

    def flush(self) -> None:
        """Counts what was noted."""
        self._timer = None
        noted, self._noted = self._noted, {}
        for (method, type_, status), durations in noted.items():
            self._requests.labels(method, type_, str(status)).inc(len(durations))
            durations.sort()
            below = [0, *(bisect_right(durations, bound) for bound in _BUCKETS), len(durations)]
            self._seconds.labels(method).observe_counted((b - a for a, b in pairwise(below)), sum(durations))

    def render(self) -> bytes:
        """The text format, over all workers when their files are shared."""
        self.flush()
        if _FOLDER not in os.environ:
            return generate_latest(self._registry)
        together = CollectorRegistry()
        MultiProcessCollector(together)  # type: ignore[no-untyped-call]  # the library leaves it untyped
        return generate_latest(together)


_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"})
