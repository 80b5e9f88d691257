"""One JSON line a request on standard error, without query, id or name. Written in groups, off the request's path."""

import asyncio
import time
from typing import Final

import orjson

from liaison.services.api.incoming import shape
from liaison.services.logs import STANDARD_ERROR

_EVERY_SECONDS: Final = 0.25


class AccessLog:
    """Cheap enough for the hot path: a line is appended to a list, and the list is written a few times a second."""

    def __init__(self, *, enabled: bool) -> None:
        self._enabled = enabled
        self._lines: list[bytes] = []
        self._timer: asyncio.TimerHandle | None = None

    def add(self, method: str, path: str, status: int, started: float, request_id: str) -> None:
        """`path` is written with its ids left out: 'Patient/{id}'. `started` is of time.perf_counter()."""
        if not self._enabled:
            return
        line = {
            "at": round(time.time(), 3),
            "method": method,
            "path": shape(path),
            "status": status,
            "ms": round((time.perf_counter() - started) * 1000, 2),
            "request": request_id,
        }
        self._lines.append(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_EVERY_SECONDS, self.flush)

    def flush(self) -> None:
        self._timer = None
        lines, self._lines = self._lines, []
        STANDARD_ERROR.write(b"".join(lines))
        STANDARD_ERROR.flush()
