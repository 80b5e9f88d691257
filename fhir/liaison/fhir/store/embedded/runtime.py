"""The folder of the socket: mode 0700, with a short path whatever the length of the data's, recorded in server.json.

A socket's path holds 107 bytes, a data directory may have more; and the data's folder may be one that the account which
runs PostgreSQL cannot reach.
"""

import json
import os
import shutil
import stat
import tempfile
from pathlib import Path
from typing import Final

from liaison.fhir.store.embedded.cluster import PORT, write_private
from liaison.fhir.store.embedded.confinement import Account

_PREFIX: Final = "liaison-"
_LONGEST: Final = (
    80  # sockaddr_un holds 107 bytes; the folder's and the socket's own names, and its lock file's, follow
)


def recorded(directory: Path) -> Path | None:
    """The folder of the server that runs or ran on the directory, if it is still there. Not one that a copy of another
    directory names: a server still runs there."""
    try:
        said = json.loads((directory / "server.json").read_text())
        runtime = Path(said["runtime"])
        if said.get("of", _identity(directory)) != _identity(directory):
            return None
    except (OSError, ValueError, KeyError):
        return None
    # It will be removed one day: nothing but what mkdtemp made here.
    return runtime if runtime.name.startswith(_PREFIX) and runtime.is_dir() else None


def with_socket(directory: Path) -> Path | None:
    """The recorded folder, if a server's socket is in it."""
    runtime = recorded(directory)
    return runtime if runtime is not None and (runtime / f".s.PGSQL.{PORT}").exists() else None


def record(directory: Path, runtime: Path) -> None:
    write_private(directory / "server.json", json.dumps({"runtime": str(runtime), "of": _identity(directory)}))


def _identity(directory: Path) -> list[int]:
    """What a move within its disk keeps, and a copy does not have."""
    status = directory.stat()
    return [status.st_dev, status.st_ino]


def folder(directory: Path, account: Account) -> Path:
    """The same as before when there is one: clients of a server that died find its successor there."""
    former = recorded(directory)
    if former is not None:
        status = former.stat()
        if stat.S_IMODE(status.st_mode) == 0o700 and status.st_uid == account.uid:
            return former
        shutil.rmtree(former, ignore_errors=True)
    # systemd's own folder for the unit comes first: /tmp may be the unit's alone (PrivateTmp), and the server is shared
    # with commands that run outside of it, `liaison backup` and `liaison doctor`.
    candidates = [path for path in os.environ.get("RUNTIME_DIRECTORY", "").split(":")[:1] if 0 < len(path) < _LONGEST]
    candidates += ["/run"] if os.geteuid() == 0 else []
    candidates += [path for path in (tempfile.gettempdir(), "/tmp") if len(path) < _LONGEST]  # noqa: S108  # mkdtemp makes it ours alone
    parent = next(path for path in candidates if os.access(path, os.W_OK | os.X_OK))
    runtime = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
    if os.geteuid() == 0:
        os.chown(runtime, account.uid, account.gid)
    record(directory, runtime)
    return runtime
