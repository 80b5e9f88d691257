"""A sandbox's folder: its database, its key, and sandbox.json, which tells everything about it to whoever may read it.

The folder says what it is by its marker file, before anything else is in it: only a folder with the marker is ever
emptied by --reset, and only an empty folder becomes one. One process at a time serves it, since sandbox.json names one
address: who that is stands in a file that it keeps locked (flock) for as long as it lives, however it dies.
"""

import fcntl
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final

import orjson

from liaison.fhir.store.embedded import Embedded

MARKER: Final = ".liaison-sandbox"
_SAYS: Final = "This folder holds a Liaison sandbox: synthetic data only. `liaison sandbox --reset` empties it.\n"
FILE: Final = "sandbox.json"
KEY: Final = "key"
DATABASE: Final = "database"
RUNNING: Final = "running"


class NotASandbox(RuntimeError):
    """The folder is something else, or not complete. The text says what to do."""


class AlreadyRunning(RuntimeError):
    """Another process serves this folder, or is about to. The text names it, its address, and how to stop it."""


class Folder:
    """Nothing is created before `held`."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()

    @property
    def file(self) -> Path:
        return self.path / FILE

    @property
    def key(self) -> Path:
        return self.path / KEY

    @property
    def marked(self) -> bool:
        """Whether it is a sandbox's."""
        return (self.path / MARKER).exists()

    @property
    def complete(self) -> bool:
        """Whether a territory was loaded to the end: sandbox.json is written last."""
        return self.file.exists()

    @property
    def abandoned(self) -> bool:
        """Whether who served it last was killed: its workers may keep its port for a moment. Not so of a copy of one that
        runs."""
        if not self._running.exists() or not (process := self._running.read_text().partition(" ")[0]):
            return False
        command = Path(f"/proc/{process}/cmdline")
        return not command.exists() or not command.read_bytes()  # a zombie's is empty

    @property
    def _running(self) -> Path:
        return self.path / RUNNING

    def refuse(self) -> None:
        """Raises NotASandbox for a folder that holds anything else, AlreadyRunning for one in use. Touches nothing."""
        inside = {child.name for child in self.path.iterdir()} if self.path.exists() else set()
        if inside and MARKER not in inside:
            raise NotASandbox(
                f"{self.path} is not a sandbox and is not empty: nothing in it was touched. Choose another folder with "
                "--data."
            )
        if RUNNING in inside:
            with self._running.open() as file:
                self._lock(file, fcntl.LOCK_SH)

    @contextmanager
    def held(self, address: str, *, reset: bool) -> Iterator[None]:
        """Ours alone, to serve at this address. What an interrupted first start left is removed; `reset` removes all.

        Raises what `refuse` does, and EmbeddedError when another command uses the database that would be removed."""
        self.refuse()
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path.chmod(0o700)
        (self.path / MARKER).write_text(_SAYS)
        with os.fdopen(os.open(self._running, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600), "r+") as file:
            self._lock(file, fcntl.LOCK_EX)
            file.truncate(0)
            file.write(f"{os.getpid()} {address}\n")
            file.flush()
            try:
                if reset or not self.complete:
                    self._empty()
                yield
            finally:
                file.truncate(0)

    def _lock(self, file: IO[str], how: int) -> None:
        for _ in range(25):  # for half a second: who only looks holds it for an instant
            try:
                fcntl.flock(file, how | fcntl.LOCK_NB)
            except BlockingIOError:
                time.sleep(0.02)
            else:
                return
        process, _, address = file.read().strip().partition(" ")
        raise AlreadyRunning(
            f"The sandbox in {self.path} is running or starting, at {address or 'an address of its own'}: nothing was "
            f"touched. Stop it first, with Ctrl-C where it was started or: kill {process or 'its process'}"
        )

    def _empty(self) -> None:
        database = self.path / DATABASE
        if database.exists():
            Embedded(database).vacate()
        for child in self.path.iterdir():
            if child.name in (MARKER, RUNNING):
                continue
            if child.is_dir() and not child.is_symlink():
                shutil.rmtree(child)
            else:
                child.unlink()

    def read(self) -> dict[str, Any]:
        """What sandbox.json says. Raises NotASandbox when there is none."""
        try:
            found: dict[str, Any] = orjson.loads(self.file.read_bytes())
        except FileNotFoundError:
            raise NotASandbox(
                f"There is no sandbox in {self.path}, or its first start has not ended. Start one: liaison sandbox "
                f"--data {self.path}"
            ) from None
        except orjson.JSONDecodeError:
            raise NotASandbox(
                f"{self.file} cannot be read. Make it anew: liaison sandbox --reset --data {self.path}"
            ) from None
        return found

    def write(self, content: Mapping[str, Any]) -> None:
        """Replaces sandbox.json in one step; nobody but its owner can read it, at no moment."""
        beside = self.path / f"{FILE}.new"
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(orjson.dumps(content, option=orjson.OPT_INDENT_2) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self.file)
