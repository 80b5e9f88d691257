"""One supervisor a directory: the file lock that says so ends with its process, however that dies."""

import fcntl
import os
import time
from pathlib import Path
from typing import IO


class Held(Exception):
    """Another process has the lock; the text names it."""


class Lock:
    """`supervisor.lock` of a directory."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / "supervisor.lock"
        self._file: IO[str] | None = None

    @property
    def ours(self) -> bool:
        return self._file is not None

    def take(self) -> None:
        """Raises Held."""
        file = self._open()
        for _ in range(25):  # for half a second: `taken` holds it for an instant
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                time.sleep(0.02)
        else:
            holder = file.read().strip()
            file.close()
            raise Held(f"process {holder}" if holder else "another process")
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        self._file = file

    def release(self) -> None:
        if self._file is not None:
            self._file.truncate(0)
            self._file.close()
            self._file = None

    def taken(self) -> bool:
        """Whether some process supervises the directory now."""
        with self._open() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False

    def _open(self) -> IO[str]:
        return os.fdopen(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600), "r+")
