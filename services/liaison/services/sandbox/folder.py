"""A sandbox's folder: its database, its key, and sandbox.json, which tells everything about it to whoever may read it.

The folder says what it is by its marker file, before anything else is in it: only a folder with the marker is ever
emptied by --reset, and only an empty folder becomes one.
"""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import orjson

MARKER: Final = ".liaison-sandbox"
_SAYS: Final = "This folder holds a Liaison sandbox: synthetic data only. `liaison sandbox --reset` empties it.\n"
FILE: Final = "sandbox.json"
KEY: Final = "key"


class NotASandbox(RuntimeError):
    """The folder is something else, or not complete. The text says what to do."""


class Folder:
    """Nothing is created before `prepare`."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()

    @property
    def file(self) -> Path:
        return self.path / FILE

    @property
    def key(self) -> Path:
        return self.path / KEY

    @property
    def complete(self) -> bool:
        """Whether a territory was loaded to the end: sandbox.json is written last."""
        return self.file.exists()

    def prepare(self, *, reset: bool) -> None:
        """Makes the folder ours, or finds that it is. What an interrupted first start left is removed.

        Raises NotASandbox for a folder that holds anything else.
        """
        marker = self.path / MARKER
        if marker.exists():
            if reset or not self.complete:
                self._empty()
        elif self.path.exists() and any(self.path.iterdir()):
            raise NotASandbox(
                f"{self.path} is not a sandbox and is not empty: nothing in it was touched. Choose another folder with "
                "--data."
            )
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path.chmod(0o700)
        marker.write_text(_SAYS)

    def _empty(self) -> None:
        for child in self.path.iterdir():
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
                f"There is no sandbox in {self.path}. Start one: liaison sandbox --data {self.path}"
            ) from None
        except orjson.JSONDecodeError:
            raise NotASandbox(f"{self.file} cannot be read. Make it anew: liaison sandbox --reset") from None
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
